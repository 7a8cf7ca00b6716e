#pragma once

#include <cstddef>
#include <functional>
#include <map>

#include "foundation/base/offset.h"

namespace bascule::delivery {

/// A set of offsets in which everything below `low()` is contained: a watermark and the intervals
/// above it.
///
/// `low()` moves by itself over what is contained, so that a set without holes is one number, and
/// one with n holes costs n nodes of a tree.
///
/// Cost:  O(1) at low(), else O(log holes).
class OffsetSet {
  public:
    explicit OffsetSet(Offset low = Offset(0)) : low_(low.value()) {}

    /// The first offset that is not contained.
    Offset low() const { return Offset(low_); }

    bool contains(Offset offset) const;

    void insert(Offset offset) { insert(offset, next(offset)); }

    /// Everything in [first, end).
    void insert(Offset first, Offset end);

    /// Takes out what is at or above `from` and not kept; low() may move back. O(range).
    void filter(Offset from, const std::function<bool(Offset)>& keep);

    /// The first offset at or above `from` that is not contained.
    Offset next_missing(Offset from) const;

    /// What is contained above low(): first → end, ascending, not touching.
    const std::map<std::uint64_t, std::uint64_t>& intervals() const { return intervals_; }

  private:
    std::uint64_t low_;
    std::map<std::uint64_t, std::uint64_t> intervals_;
};

}  // namespace bascule::delivery
