#include "bus/pattern/engine/range_index.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

namespace bascule::pattern {

RangeIndex::RangeIndex(std::vector<Item> items) : items_(std::move(items)) {
    if (items_.empty()) {
        return;
    }
    for (const Item& item : items_) {
        bounds_.push_back(item.range.bottom());
        bounds_.push_back(item.range.top());
    }
    std::sort(bounds_.begin(), bounds_.end());
    bounds_.erase(std::unique(bounds_.begin(), bounds_.end()), bounds_.end());
    const std::size_t leaves = std::bit_ceil(2 * bounds_.size() + 1);
    build_nodes(spread(leaves), leaves);
    list_ends();
}

/// Each range's stretches, without its bounds, at the fewest nodes.
std::vector<RangeIndex::Kept> RangeIndex::spread(std::size_t leaves) const {
    std::vector<Kept> kept;
    for (const Item& item : items_) {
        std::size_t begin = leaves + 2 * first_not_below(item.range.bottom()) + 2;
        std::size_t end = leaves + 2 * first_not_below(item.range.top()) + 1;
        for (; begin < end; begin /= 2, end /= 2) {
            if (begin % 2 == 1) {
                kept.push_back({begin++, item.owner});
            }
            if (end % 2 == 1) {
                kept.push_back({--end, item.owner});
            }
        }
    }
    return kept;
}

/// Leaves out the nodes that keep nothing.
void RangeIndex::build_nodes(std::vector<Kept> kept, std::size_t leaves) {
    std::sort(kept.begin(), kept.end(), [](const Kept& left, const Kept& right) {
        return std::tuple(left.node, left.owner) < std::tuple(right.node, right.owner);
    });
    std::vector<std::uint32_t> lowest(leaves * 2);  // by node: itself or the nearest above
    nodes_.emplace_back();
    auto at = kept.begin();
    for (std::size_t node = 1; node < leaves * 2; ++node) {
        const std::uint32_t above = lowest[node / 2];
        lowest[node] = above;
        if (at == kept.end() || at->node != node) {
            continue;
        }
        lowest[node] = static_cast<std::uint32_t>(nodes_.size());
        nodes_.push_back({.begin = static_cast<std::uint32_t>(owners_.size()), .above = above});
        for (; at != kept.end() && at->node == node; ++at) {
            owners_.push_back(at->owner);
            ++nodes_.back().count;
        }
    }
    const auto first = lowest.begin() + static_cast<std::ptrdiff_t>(leaves);
    leaves_.assign(first, first + static_cast<std::ptrdiff_t>(2 * bounds_.size() + 1));
}

void RangeIndex::list_ends() {
    std::vector<std::pair<std::size_t, std::uint32_t>> ending;
    for (std::uint32_t i = 0; i < items_.size(); ++i) {
        const std::size_t bottom = first_not_below(items_[i].range.bottom());
        const std::size_t top = first_not_below(items_[i].range.top());
        ending.emplace_back(bottom, i);
        if (top != bottom) {
            ending.emplace_back(top, i);
        }
    }
    std::sort(ending.begin(), ending.end());
    for (const auto& [bound, item] : ending) {
        ends_.resize(bound + 1, static_cast<std::uint32_t>(ending_.size()));
        ending_.push_back(item);
    }
    ends_.resize(bounds_.size() + 1, static_cast<std::uint32_t>(ending_.size()));
}

/// The number of bounds below. As std::lower_bound, but every step costs the same, whatever the
/// number: no branch has to be guessed.
std::size_t RangeIndex::first_not_below(NumberOrder order) const {
    const NumberOrder* first = bounds_.data();
    for (std::size_t size = bounds_.size(); size > 0;) {
        const std::size_t half = (size + 1) / 2;
        first += first[half - 1] < order ? half : 0;
        size -= half;
    }
    return static_cast<std::size_t>(first - bounds_.data());
}

std::size_t RangeIndex::memory_bytes() const {
    std::size_t bytes = items_.capacity() * sizeof(Item) +
                        bounds_.capacity() * sizeof(NumberOrder) + nodes_.capacity() * sizeof(Node);
    for (const Item& item : items_) {
        bytes += item.range.memory_bytes();
    }
    const std::size_t numbers =
        leaves_.capacity() + owners_.capacity() + ends_.capacity() + ending_.capacity();
    return bytes + numbers * sizeof(std::uint32_t);
}

}  // namespace bascule::pattern
