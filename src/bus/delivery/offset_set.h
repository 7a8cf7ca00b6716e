#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "foundation/base/offset.h"

namespace bascule::delivery {

/// A set of offsets in which everything below `low()` is contained: a watermark and a bitmap above
/// it.
///
/// Pages of 4096 offsets; a full page costs 16 bytes, a page that was never touched the same, any
/// other 0.5 KiB. `low()` moves by itself over contained offsets, so that a set without gaps is one
/// number.
///
/// Limits:  an insertion more than offsets_ahead_max above low() is refused (returns false): a hole
/// that large is
///          a damaged file, and memory follows the distance.
/// Cost:    insert and contains O(1), insert_range O(range / 64).
class OffsetSet {
  public:
    explicit OffsetSet(Offset low = Offset(0)) : low_(low), page_first_(low.value() / page_size) {}

    /// The first offset that is not contained.
    Offset low() const { return low_; }

    bool contains(Offset offset) const;

    /// Returns whether it is contained afterwards.
    bool insert(Offset offset);

    /// Everything in [first, end).
    bool insert_range(Offset first, Offset end);

    /// Takes out everything at and above `offset` that `keep` does not want; low() may move back.
    template <class Keep>
    void filter_from(Offset offset, Keep keep);

    /// The first offset at or above `from` that is not contained.
    Offset next_missing(Offset from) const;

    /// What is contained at and above low(), as ascending intervals [first, end).
    std::vector<std::pair<Offset, Offset>> intervals() const;

  private:
    static constexpr std::uint64_t page_size = 4096;
    struct Page {
        std::unique_ptr<std::array<std::uint64_t, page_size / 64>> words;  ///< none: empty or full
        std::uint32_t count = 0;
    };

    Page* page_of(std::uint64_t offset);
    const Page* page_of(std::uint64_t offset) const;
    void set(Page& page, std::uint64_t bit_first, std::uint64_t bit_end);
    void advance();

    Offset low_;
    std::uint64_t page_first_;
    std::deque<Page> pages_;
};
constexpr std::uint64_t offsets_ahead_max = std::uint64_t{1} << 36;

template <class Keep>
void OffsetSet::filter_from(Offset offset, Keep keep) {
    OffsetSet kept(offset < low_ ? offset : low_);
    for (Offset at = kept.low(); at < low_; at = next(at)) {
        if (keep(at)) {
            kept.insert(at);
        }
    }
    for (const auto& [first, end] : intervals()) {
        for (Offset at = first; at < end; at = next(at)) {
            if (at < offset || keep(at)) {
                kept.insert(at);
            }
        }
    }
    *this = std::move(kept);
}

}  // namespace bascule::delivery
