#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "bus/delivery/slab.h"
#include "foundation/base/clock.h"

namespace bascule::delivery {

/// At most one time per slab index, the earliest at hand: a binary heap that knows where everyone
/// sits, so that a timer which is moved or dropped leaves nothing behind. Equal times come in the
/// order in which they were set. O(log n).
class Timers {
  public:
    void set(std::uint32_t index, SteadyTime time);
    void drop(std::uint32_t index);

    std::optional<SteadyTime> earliest() const {
        return heap_.empty() ? std::nullopt : std::optional(heap_.front().time);
    }
    std::size_t size() const { return heap_.size(); }
    std::optional<SteadyTime> time_of(std::uint32_t index) const;

    /// Takes out one that is due, or `none`.
    std::uint32_t take_due(SteadyTime now);

    /// Takes out the earliest, due or not, or `none`.
    std::uint32_t take_earliest();

  private:
    struct Entry {
        SteadyTime time;
        std::uint64_t turn = 0;
        std::uint32_t index = none;

        bool comes_before(const Entry& other) const {
            return time != other.time ? time < other.time : turn < other.turn;
        }
    };

    bool has(std::uint32_t index) const { return index < places_.size() && places_[index] != none; }
    void put(std::uint32_t place, Entry entry);
    void rise(std::uint32_t place, Entry entry);
    void sink(std::uint32_t place, Entry entry);
    void take(std::uint32_t place);

    std::vector<Entry> heap_;
    std::vector<std::uint32_t> places_;  ///< by index
    std::uint64_t turns_ = 0;
};

}  // namespace bascule::delivery
