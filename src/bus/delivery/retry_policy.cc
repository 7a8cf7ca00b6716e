#include "bus/delivery/retry_policy.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace bascule::delivery {

namespace {

using std::chrono::milliseconds;

std::string text(milliseconds value) { return std::to_string(value.count()) + "ms"; }

/// The wait before jitter. The exponent is capped by the clamp, not by the loop: 2^1000 is a large
/// double, not an overflow.
milliseconds plain_wait(const RetryPolicy& policy, std::uint32_t attempts) {
    const double grown =
        static_cast<double>(policy.initial.count()) * std::pow(policy.factor, attempts - 1);
    const double most = static_cast<double>(policy.max_interval.count());
    return milliseconds(static_cast<std::int64_t>(std::min(grown, most)));
}

}  // namespace

Result<> RetryPolicy::validate() const {
    if (initial <= 0ms || initial > max_interval) {
        return fail(ErrorKind::invalid, "retry.initial is " + text(initial) +
                                            "; it must be above 0 and at most max_interval (" +
                                            text(max_interval) + ")");
    }
    if (max_interval > 24h) {
        return fail(ErrorKind::invalid,
                    "retry.max_interval is " + text(max_interval) + "; at most 24h is allowed");
    }
    if (!(factor >= 1 && factor <= 10)) {
        return fail(ErrorKind::invalid,
                    "retry.factor is " + std::to_string(factor) + "; 1 to 10 is allowed");
    }
    if (!(jitter >= 0 && jitter <= 0.5)) {
        return fail(ErrorKind::invalid,
                    "retry.jitter is " + std::to_string(jitter) + "; 0 to 0.5 is allowed");
    }
    return {};
}

std::optional<milliseconds> next_wait(const RetryPolicy& policy, const RetryHistory& history,
                                      double chance) {
    if (policy.max_attempts != 0 && history.attempts >= policy.max_attempts) {
        return std::nullopt;
    }
    if (policy.max_age != 0ms && history.age >= policy.max_age) {
        return std::nullopt;
    }

    const double spread = 1 + policy.jitter * (2 * chance - 1);
    auto wait = milliseconds(
        std::llround(static_cast<double>(plain_wait(policy, history.attempts).count()) * spread));
    if (history.asked_wait) {
        wait = std::max(wait, std::min(*history.asked_wait, policy.max_interval));
    }
    if (policy.max_age != 0ms) {
        wait = std::min(wait, policy.max_age - history.age);
    }
    return wait;
}

}  // namespace bascule::delivery
