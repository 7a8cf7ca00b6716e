#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bus/pattern/engine/predicate.h"
#include "bus/pattern/engine/step_budget.h"
#include "foundation/base/text_hash.h"

namespace bascule::pattern {

/// Owners by number, however it is written: a table by the keys of numbers, probed from the hash of
/// the key on. Immutable once built.
class NumberTable {
  public:
    struct Item {
        OwnNumber number;
        std::uint32_t owner = 0;
    };

    NumberTable() = default;
    explicit NumberTable(std::vector<Item> items);

    /// Calls `each(owner)` for every owner of the number that `value` is; for none if the budget
    /// does not suffice.
    template <class Each>
    void find(const Value& value, StepBudget& budget, const Each& each) const {
        if (slots_.empty()) {
            return;
        }
        const NumberOrder order = order_of(value.key);
        for (std::size_t slot = slot_of(order); slots_[slot].count != 0;
             slot = (slot + 1) & (slots_.size() - 1)) {
            if (slots_[slot].order == order) {
                if (!budget.spend_glances(slots_[slot].count *
                                          StepBudget::steps_for(value.text.size()))) {
                    return;
                }
                const Item* const first = items_.data() + slots_[slot].begin;
                for (const Item* item = first; item != first + slots_[slot].count; ++item) {
                    if (item->number.is(value)) {
                        each(item->owner);
                    }
                }
                return;
            }
        }
    }

    std::size_t memory_bytes() const;

  private:
    struct Slot {
        NumberOrder order = 0;
        std::uint32_t begin = 0;  ///< its items
        std::uint32_t count = 0;  ///< 0 = the slot is free
    };
    std::size_t slot_of(NumberOrder order) const {
        return hash_of_words(static_cast<std::uint64_t>(order >> 64),
                             static_cast<std::uint64_t>(order)) &
               (slots_.size() - 1);
    }

    std::vector<Item> items_;  ///< by order
    std::vector<Slot> slots_;  ///< at most half of them taken
};

}  // namespace bascule::pattern
