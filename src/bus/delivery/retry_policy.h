#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "foundation/base/clock.h"
#include "foundation/base/result.h"

namespace bascule::delivery {

/// When, and whether, a failed run is attempted again.
///
/// Waits grow geometrically from `initial` to `max_interval` and are spread by ± `jitter`, so that
/// keys which failed together do not come back together. Two limits end the cycle, whichever is met
/// first; zero means without limit.
///
/// Limits:  0 < initial <= max_interval <= 24 h; 1 <= factor <= 10; 0 <= jitter <= 0.5.
/// Source:  docs/adr/0002-delivery-as-a-pure-machine.md.
struct RetryPolicy {
    std::chrono::milliseconds initial = 1s;
    double factor = 2;
    std::chrono::milliseconds max_interval = 5min;
    double jitter = 0.2;
    std::uint32_t max_attempts = 8;
    std::chrono::milliseconds max_age = 24h;

    /// Errors: `invalid`, naming the setting, its value and what is allowed.
    Result<> validate() const;

    friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

/// What happened to an event so far, as far as retrying cares.
struct RetryHistory {
    std::uint32_t attempts = 0;       ///< runs that were started and charged, at least 1
    std::chrono::milliseconds age{};  ///< since the first attempt, pauses left out
    std::optional<std::chrono::milliseconds> asked_wait;  ///< the handler's own Retry-After
};

/// Returns how long to wait before the next attempt, or nothing when the event is exhausted.
///
/// `chance` is uniform in [0, 1); the same chance gives the same wait. A handler that asked for a
/// longer wait gets it, up to `max_interval`; it cannot shorten ours. The last wait is cut so that
/// the final attempt falls within `max_age`. Pure, O(1).
std::optional<std::chrono::milliseconds> next_wait(const RetryPolicy& policy,
                                                   const RetryHistory& history, double chance);

}  // namespace bascule::delivery
