#include "bus/delivery/offset_set.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace bascule::delivery {

bool OffsetSet::contains(Offset offset) const {
    if (offset.value() < low_) {
        return true;
    }
    const auto after = intervals_.upper_bound(offset.value());
    return after != intervals_.begin() && offset.value() < std::prev(after)->second;
}

void OffsetSet::insert(Offset first_offset, Offset end_offset) {
    std::uint64_t first = std::max(first_offset.value(), low_);
    std::uint64_t end = end_offset.value();
    if (first >= end) {
        return;
    }
    // Swallow every interval that [first, end) overlaps or touches.
    auto at = intervals_.upper_bound(first);
    if (at != intervals_.begin() && std::prev(at)->second >= first) {
        --at;
        first = at->first;
        end = std::max(end, at->second);
        if (first > low_ && end == at->second) {
            return;
        }
    }
    auto touched = at;
    while (touched != intervals_.end() && touched->first <= end) {
        end = std::max(end, touched->second);
        ++touched;
    }
    if (first == low_) {
        intervals_.erase(at, touched);
        low_ = end;
    } else if (at != touched && at->first == first) {
        at->second = end;
        intervals_.erase(std::next(at), touched);
    } else {
        const auto hint = intervals_.erase(at, touched);
        intervals_.emplace_hint(hint, first, end);
    }
}

void OffsetSet::filter(Offset from, const std::function<bool(Offset)>& keep) {
    OffsetSet kept(std::min(from, low()));
    const auto keep_some = [&](std::uint64_t first, std::uint64_t end) {
        const std::uint64_t doubtful = std::clamp(from.value(), first, end);
        kept.insert(Offset(first), Offset(doubtful));
        for (Offset at(doubtful); at.value() < end; at = next(at)) {
            if (keep(at)) {
                kept.insert(at);
            }
        }
    };
    keep_some(kept.low_, low_);
    for (const auto& [first, end] : intervals_) {
        keep_some(first, end);
    }
    *this = std::move(kept);
}

Offset OffsetSet::next_missing(Offset from) const {
    if (from.value() < low_) {
        return low();
    }
    const auto after = intervals_.upper_bound(from.value());
    if (after != intervals_.begin() && from.value() < std::prev(after)->second) {
        return Offset(std::prev(after)->second);
    }
    return from;
}

}  // namespace bascule::delivery
