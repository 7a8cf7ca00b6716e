#include "bus/pattern/engine/range_index.h"

#include <bit>
#include <utility>

namespace bascule::pattern {

RangeIndex::RangeIndex(std::vector<Item> items) : items_(std::move(items)) {
    if (items_.empty()) {
        return;
    }
    std::sort(items_.begin(), items_.end(), [](const Item& left, const Item& right) {
        return std::pair(bottom_of(left.range), left.owner) <
               std::pair(bottom_of(right.range), right.owner);
    });
    blocks_ = std::bit_ceil((items_.size() + block_ranges - 1) / block_ranges);
    reach_.assign(blocks_ * 2, bound({.rank = INT64_MIN}));
    for (std::size_t i = 0; i < items_.size(); ++i) {
        const Bound top = top_of(items_[i].range);
        bottoms_.push_back(bottom_of(items_[i].range));
        tops_.push_back(top);
        owners_.push_back(items_[i].owner);
        Bound& reach = reach_[blocks_ + i / block_ranges];
        reach = std::max(reach, top);
    }
    for (std::size_t node = blocks_ - 1; node > 0; --node) {
        reach_[node] = std::max(reach_[node * 2], reach_[node * 2 + 1]);
    }
}

RangeIndex::Bound RangeIndex::bottom_of(const Range& range) {
    return bound(range.bottom.empty() ? NumberKey{.rank = INT64_MIN} : range.bottom.front().key);
}

RangeIndex::Bound RangeIndex::top_of(const Range& range) {
    return bound(range.top.empty() ? NumberKey{.rank = INT64_MAX} : range.top.front().key);
}

std::size_t RangeIndex::begun(Bound at) const {
    return static_cast<std::size_t>(std::upper_bound(bottoms_.begin(), bottoms_.end(), at) -
                                    bottoms_.begin());
}

std::size_t RangeIndex::memory_bytes() const {
    std::size_t bounds = 0;
    for (const Item& item : items_) {
        bounds += item.range.bottom.capacity() + item.range.top.capacity();
    }
    return items_.capacity() * sizeof(Item) + bounds * sizeof(OwnNumber) +
           owners_.capacity() * sizeof(std::uint32_t) +
           (bottoms_.capacity() + tops_.capacity() + reach_.capacity()) * sizeof(Bound);
}

}  // namespace bascule::pattern
