#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bus/pattern/engine/entry.h"
#include "bus/pattern/engine/predicate.h"

namespace bascule::pattern {

/// Finds all of many numeric ranges that contain a number, in O(log n) for each one found.
///
/// Ranges in the order of their bottoms, and over them a tree of how far the tops reach: those that
/// begin at or below a number are a front part, and where no top reaches up to it is passed over.
/// Bounds are compared by key; only a number that has the key of a bound is compared in full.
/// Immutable once built.
class RangeIndex {
  public:
    struct Item {
        Range range;
        std::uint32_t owner = 0;
    };

    RangeIndex() = default;
    explicit RangeIndex(std::vector<Item> items);

    bool empty() const { return items_.empty(); }

    /// Calls `each(owner)` for every range that contains the number.
    template <class Each>
    void find(const Number& number, const Each& each) const {
        if (!items_.empty()) {
            const Query query{number, bound(number.key), begun(bound(number.key))};
            find_in({0, blocks_, 1}, query, each);
        }
    }

    std::size_t memory_bytes() const;

  private:
    /// A key without its cut digits: rank above digits.
    __extension__ using Bound = __int128;
    static Bound bound(const NumberKey& key) {
        return static_cast<Bound>(key.rank) * (static_cast<Bound>(1) << 64) +
               static_cast<Bound>(key.digits);
    }
    static Bound bottom_of(const Range& range);
    static Bound top_of(const Range& range);

    struct Query {
        const Number& number;
        Bound at;
        std::size_t begun;  ///< how many ranges have their bottom at or below it
    };
    struct Part {
        std::size_t begin;  ///< blocks
        std::size_t end;
        std::size_t node;
    };
    static constexpr std::size_t block_ranges = 8;

    std::size_t begun(Bound at) const;

    template <class Each>
    void find_in(const Part& part, const Query& query, const Each& each) const {
        if (part.begin * block_ranges >= query.begun || reach_[part.node] < query.at) {
            return;
        }
        if (part.end - part.begin > 1) {
            const std::size_t middle = part.begin + (part.end - part.begin) / 2;
            find_in({part.begin, middle, part.node * 2}, query, each);
            find_in({middle, part.end, part.node * 2 + 1}, query, each);
            return;
        }
        const std::size_t end = std::min(part.end * block_ranges, query.begun);
        for (std::size_t i = part.begin * block_ranges; i < end; ++i) {
            if (tops_[i] > query.at ? bottoms_[i] < query.at || contains(i, query)
                                    : tops_[i] == query.at && contains(i, query)) {
                each(owners_[i]);
            }
        }
    }
    bool contains(std::size_t i, const Query& query) const {
        return items_[i].range.contains(query.number);
    }

    std::vector<Item> items_;
    std::vector<Bound> bottoms_;
    std::vector<Bound> tops_;
    std::vector<std::uint32_t> owners_;
    std::vector<Bound>
        reach_;  ///< the greatest top of each part; the parts as a binary tree from 1
    std::size_t blocks_ = 0;
};

}  // namespace bascule::pattern
