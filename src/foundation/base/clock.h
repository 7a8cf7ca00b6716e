#pragma once

#include <chrono>
#include <cstdint>

namespace bascule {

using namespace std::chrono_literals;

/// Time that only runs forward, for intervals and timers. Its zero means nothing across processes.
struct SteadyTag {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<SteadyTag>;
    static constexpr bool is_steady = true;
};
using SteadyTime = SteadyTag::time_point;

/// Time of day, UTC, in whole milliseconds: what events and files carry. May step either way.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// The only door to the time. Implementations: SystemClock below, sim::SimClock.
/// Threads: any.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual SteadyTime steady() const = 0;
    virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
  public:
    SteadyTime steady() const override;
    WallTime wall() const override;
};

inline std::int64_t to_unix_ms(WallTime time) { return time.time_since_epoch().count(); }
inline WallTime from_unix_ms(std::int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

}  // namespace bascule
