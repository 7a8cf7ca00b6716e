#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "foundation/base/hash.h"
#include "household/statement/report.h"
#include "household/statement/text.h"

namespace bascule::statement {

/// Notices that a bank gave one id to several rows of an account, and says so once an id. Both rows
/// are kept: banks do that to different transactions.
///
/// Ids are held as 64-bit hashes in one open table, which is several times faster than a set of
/// strings; that two of a million ids share a hash has a chance of one in 30 million, and costs a
/// superfluous warning.
class DuplicateIds {
  public:
    void check(std::string_view account, std::string_view id, std::uint64_t line, Report& report) {
        const std::uint64_t hash = hash64(account) * 31 + hash64(id);
        const std::uint64_t key = hash == 0 ? 1 : hash;
        if ((count_ + 1) * 2 > slots_.size()) {
            grow();
        }
        std::uint64_t& slot = slot_of(key);
        if (slot != key) {
            slot = key;
            ++count_;
        } else if (told_.insert(key).second) {
            report.warn(
                line, "duplicate_id",
                "the id " + quoted(id) + " stands on more than one transaction; all are kept");
        }
    }

  private:
    std::uint64_t& slot_of(std::uint64_t key) {
        std::size_t at = key & (slots_.size() - 1);
        while (slots_[at] != 0 && slots_[at] != key) {
            at = (at + 1) & (slots_.size() - 1);
        }
        return slots_[at];
    }

    void grow() {
        std::vector<std::uint64_t> old(std::max<std::size_t>(slots_.size() * 2, 64));
        old.swap(slots_);
        for (const std::uint64_t key : old) {
            if (key != 0) {
                slot_of(key) = key;
            }
        }
    }

    std::vector<std::uint64_t> slots_;
    std::size_t count_ = 0;
    std::unordered_set<std::uint64_t> told_;
};

}  // namespace bascule::statement
