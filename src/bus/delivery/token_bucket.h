#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "bus/delivery/policy.h"
#include "foundation/base/clock.h"

namespace bascule::delivery {

/// The arithmetic of a token bucket. A bucket itself is one time, at which it will be full again; a
/// time that is past is a full bucket, so that an idle one need not be remembered.
///
/// Whoever finds a token may take as many as it needs, also more than there are: the bucket then
/// owes them and fills up from below. So a run of any size can start, and in the long run no more
/// is taken than flows in.
///
/// Cost:    O(1), eight bytes a bucket.
/// Source:  the generic cell rate algorithm, ITU-T I.371 (virtual scheduling).
class TokenRate {
  public:
    explicit TokenRate(const Rate& rate)
        : step_(std::chrono::nanoseconds(rate.per) / rate.limit), depth_(step_ * rate.burst) {}

    bool has_token(SteadyTime full_at, SteadyTime now) const { return next_token(full_at) <= now; }

    /// When there is a token, if none is taken until then.
    SteadyTime next_token(SteadyTime full_at) const { return full_at - (depth_ - step_); }

    /// A bucket from which all was taken just now.
    SteadyTime empty(SteadyTime now) const { return now + depth_; }

    /// The bucket after `tokens` were taken from it.
    SteadyTime take(SteadyTime full_at, SteadyTime now, std::uint64_t tokens) const {
        const auto most = static_cast<std::uint64_t>(debt_max / step_);
        return std::max(full_at, now) + step_ * static_cast<std::int64_t>(std::min(tokens, most));
    }

  private:
    /// However large a run is and however slow its tokens come: times must not overflow.
    static constexpr std::chrono::nanoseconds debt_max = std::chrono::hours(24 * 365);

    std::chrono::nanoseconds step_;   ///< from one token to the next
    std::chrono::nanoseconds depth_;  ///< to fill an empty bucket
};

}  // namespace bascule::delivery
