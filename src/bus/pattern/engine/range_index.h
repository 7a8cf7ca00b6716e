#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bus/pattern/engine/predicate.h"
#include "bus/pattern/engine/step_budget.h"

namespace bascule::pattern {

/// Finds all of many numeric ranges that contain a number, in O(log n) and the ranges found.
///
/// The bounds of all ranges cut the line of numbers into stretches: each bound is one, and all that
/// lies between two. A binary tree over the stretches keeps each range at the fewest nodes that
/// make it up, at most two a level. From a number's stretch the way up passes all ranges that
/// contain it; nodes without any are left out of it. On a bound also lie the ranges that begin or
/// end there: whether they contain a number that has the key of the bound must be compared.
///
/// Immutable once built.
/// Source: the segment tree, Bentley 1977.
class RangeIndex {
  public:
    struct Item {
        Range range;
        std::uint32_t owner = 0;
    };

    RangeIndex() = default;
    explicit RangeIndex(std::vector<Item> items);

    bool empty() const { return items_.empty(); }

    /// Calls `each(owner)` for every range that contains the number that `value` is, comparable or
    /// not; not for those that begin or end there if the budget does not suffice.
    template <class Each>
    void find(const Value& value, StepBudget& budget, const Each& each) const {
        if (items_.empty()) {
            return;
        }
        const NumberOrder order = order_of(value.key);
        const std::size_t bound = first_not_below(order);
        const bool is_on_bound = bound < bounds_.size() && bounds_[bound] == order;
        std::uint32_t node = leaves_[2 * bound + (is_on_bound ? 1 : 0)];
        for (; node != 0; node = nodes_[node].above) {
            const std::uint32_t* const begin = owners_.data() + nodes_[node].begin;
            for (std::uint32_t i = 0; i < nodes_[node].count; ++i) {
                each(begin[i]);
            }
        }
        if (is_on_bound && budget.spend_glances((ends_[bound + 1] - ends_[bound]) *
                                                StepBudget::steps_for(value.text.size()))) {
            for (std::uint32_t i = ends_[bound]; i < ends_[bound + 1]; ++i) {
                const Item& item = items_[ending_[i]];
                if (item.range.contains(value.number())) {
                    each(item.owner);
                }
            }
        }
    }

    std::size_t memory_bytes() const;

  private:
    std::size_t first_not_below(NumberOrder order) const;
    struct Kept {
        std::size_t node;  ///< as in a heap: the root is 1, below n are 2n and 2n + 1
        std::uint32_t owner;
    };
    std::vector<Kept> spread(std::size_t leaves) const;
    void build_nodes(std::vector<Kept> kept, std::size_t leaves);
    void list_ends();

    struct Node {
        std::uint32_t begin = 0;  ///< in owners_
        std::uint32_t count = 0;
        std::uint32_t above = 0;  ///< the nearest node above with ranges; 0 = none
    };

    std::vector<Item> items_;
    std::vector<NumberOrder> bounds_;    ///< ascending, each once
    std::vector<std::uint32_t> leaves_;  ///< by stretch: the lowest node with ranges around it
    std::vector<Node> nodes_;            ///< from 1
    std::vector<std::uint32_t> owners_;
    std::vector<std::uint32_t> ends_;    ///< by bound: the first in ending_,
    std::vector<std::uint32_t> ending_;  ///< the numbers of items that begin or end there
};

}  // namespace bascule::pattern
