#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/sql/session.h"
#include "household/application/records.h"

namespace bascule::application {

/// Rows of one user's categories, inside a unit of work or a read. Every change raises the user's
/// generation of rules. Publishing is the caller's part.
class CategoryStore {
  public:
    CategoryStore(sql::Session& session, std::string user_id)
        : session_(session), user_id_(std::move(user_id)) {}

    Result<std::optional<Category>> find(const std::string& id);
    Result<std::vector<Category>> all();  ///< parents before children, siblings by name
    Result<finance::CategoryTree> tree();

    Result<> insert(const Category& category);
    Result<> update(const Category& category);
    Result<> erase(const std::string& id);

  private:
    sql::Session& session_;
    std::string user_id_;
};

}  // namespace bascule::application
