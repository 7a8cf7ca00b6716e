#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "foundation/base/hash.h"
#include "household/statement/report.h"
#include "household/statement/text.h"

namespace bascule::statement {

/// Notices that a bank gave one id to several rows of an account, and says so once an id. Both rows
/// are kept: banks do that to different transactions.
class DuplicateIds {
  public:
    void check(std::string_view account, std::string_view id, std::uint64_t line, Report& report) {
        const Hash128 key = hash128(account, id);
        if (seen_.insert(key).second || !told_.insert(key).second) {
            return;
        }
        report.warn(line, "duplicate_id",
                    "the id " + quoted(id) + " stands on more than one transaction; all are kept");
    }

  private:
    std::unordered_set<Hash128> seen_;
    std::unordered_set<Hash128> told_;
};

}  // namespace bascule::statement
