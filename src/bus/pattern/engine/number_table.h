#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "bus/pattern/engine/predicate.h"

namespace bascule::pattern {

/// Owners by number, however it is written. Immutable once built.
class NumberTable {
  public:
    struct Item {
        OwnNumber number;
        std::uint32_t owner = 0;
    };

    NumberTable() = default;
    explicit NumberTable(std::vector<Item> items) : items_(std::move(items)) {
        std::sort(items_.begin(), items_.end(), [](const Item& left, const Item& right) {
            const auto order = compare(left.number.get(), right.number.get());
            return order != 0 ? order < 0 : left.owner < right.owner;
        });
    }

    /// Calls `each(owner)` for every owner of the number.
    template <class Each>
    void find(const Number& number, const Each& each) const {
        auto at = std::lower_bound(
            items_.begin(), items_.end(), number,
            [](const Item& item, const Number& it) { return compare(item.number.get(), it) < 0; });
        for (; at != items_.end() && compare(at->number.get(), number) == 0; ++at) {
            if (are_same(at->number.get(), number)) {
                each(at->owner);
            }
        }
    }

    std::size_t memory_bytes() const { return items_.capacity() * sizeof(Item); }

  private:
    std::vector<Item> items_;
};

}  // namespace bascule::pattern
