#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "foundation/base/guarded.h"
#include "foundation/sql/session.h"
#include "household/finance/rule_set.h"

namespace bascule::application {

/// A user's rules as they were at one generation.
struct CompiledRules {
    std::uint64_t generation = 0;
    finance::RuleSet rules;
};

/// The compiled rules of the users who were last active; compiled anew when their generation moved.
/// Threads: any.
class RuleCache {
  public:
    static constexpr std::size_t users_max = 256;

    /// The rules as the session sees them. Errors: the session's; `invalid` if they do not compile.
    Result<std::shared_ptr<const CompiledRules>> get(sql::Session& session,
                                                     const std::string& user_id);

  private:
    struct Entry {
        std::string user_id;
        std::shared_ptr<const CompiledRules> rules;
    };
    Guarded<std::list<Entry>> entries_;  ///< last used first
};

}  // namespace bascule::application
