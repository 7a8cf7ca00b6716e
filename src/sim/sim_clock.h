#pragma once

#include <atomic>

#include "foundation/base/clock.h"

namespace bascule::sim {

/// A clock that stands still until told otherwise. Threads: any.
class SimClock final : public Clock {
  public:
    explicit SimClock(WallTime start = from_unix_ms(1'767'225'600'000)) : wall_start_(start) {}

    SteadyTime steady() const override {
        return SteadyTime(SteadyTime::duration(steady_ns_.load()));
    }

    /// Runs with the steady clock, but for the steps it was told to make.
    WallTime wall() const override {
        return wall_start_ + std::chrono::floor<std::chrono::milliseconds>(
                                 std::chrono::nanoseconds(steady_ns_ + wall_step_ns_));
    }

    /// Lets time pass; `by` is not negative.
    void advance(std::chrono::nanoseconds by) { steady_ns_ += by.count(); }

    /// Jumps to `when` unless that is past.
    void advance_to(SteadyTime when) {
        if (when > steady()) {
            steady_ns_ = when.time_since_epoch().count();
        }
    }

    /// What an administrator or NTP does: only the wall clock moves, either way.
    void step_wall(std::chrono::milliseconds by) {
        wall_step_ns_ += std::chrono::nanoseconds(by).count();
    }

  private:
    const WallTime wall_start_;  // 2026-01-01 unless told otherwise
    std::atomic<std::int64_t> steady_ns_ = 1'000'000'000;
    std::atomic<std::int64_t> wall_step_ns_ = 0;
};

}  // namespace bascule::sim
