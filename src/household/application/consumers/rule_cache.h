#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "foundation/base/guarded.h"
#include "foundation/sql/database.h"
#include "household/finance/rule_set.h"

namespace bascule::application {

/// A user's rules as they were at one generation.
struct CompiledRules {
    std::uint64_t generation = 0;
    finance::RuleSet rules;
};

/// The compiled rules of the users who were last active; compiled anew when their generation moved.
///
/// Holds committed rules only. A transaction may see rules that are rolled back with it, and a
/// later edit then takes their generation.
///
/// Threads: any.
class RuleCache {
  public:
    static constexpr std::size_t users_max = 256;

    /// Errors of both: the session's; `invalid` if the rules do not compile.
    Result<std::shared_ptr<const CompiledRules>> get(const sql::Database::Snapshot& snapshot,
                                                     const std::string& user_id);
    /// The rules as a unit of work sees them; leaves the cache as it is.
    Result<std::shared_ptr<const CompiledRules>> look(sql::Session& session,
                                                      const std::string& user_id);

  private:
    std::shared_ptr<const CompiledRules> known(const std::string& user_id,
                                               std::uint64_t generation);

    struct Entry {
        std::string user_id;
        std::shared_ptr<const CompiledRules> rules;
    };
    Guarded<std::list<Entry>> entries_;  ///< last used first
};

}  // namespace bascule::application
