#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "foundation/sql/session.h"
#include "household/application/records.h"

namespace bascule::application {

/// Rows of one user's rules, inside a unit of work or a read. Each change raises the generation of
/// the user's rules. Publishing the event is the caller's part.
class RuleStore {
  public:
    RuleStore(sql::Session& session, std::string user_id)
        : session_(session), user_id_(std::move(user_id)) {}

    Result<std::optional<CategoryRule>> find(const std::string& id);
    Result<std::vector<CategoryRule>> all();  ///< in the order in which they are tried
    Result<std::vector<CategoryRule>> of_category(const std::string& category_id);

    Result<> insert(const CategoryRule& rule);
    Result<> update(const CategoryRule& rule);
    Result<> erase(const std::string& id);

  private:
    sql::Session& session_;
    std::string user_id_;
};

/// All rules of a user, and the generation they are of: caches compare it. Inside a read or a unit.
struct UserRules {
    std::uint64_t generation = 0;
    std::vector<finance::Rule> rules;
};
Result<std::uint64_t> rules_generation(sql::Session& session, const std::string& user_id);
Result<UserRules> rules_of(sql::Session& session, const std::string& user_id);

}  // namespace bascule::application
