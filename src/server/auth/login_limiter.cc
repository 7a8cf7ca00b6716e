#include "server/auth/login_limiter.h"

#include <algorithm>

namespace bascule::auth {

std::optional<std::chrono::milliseconds> LoginLimiter::wait(const std::string& name,
                                                            SteadyTime now) const {
    const auto found = failures_.find(name);
    if (found == failures_.end() || found->second.next_try <= now) {
        return std::nullopt;
    }
    return std::chrono::ceil<std::chrono::milliseconds>(found->second.next_try - now);
}

void LoginLimiter::failed(const std::string& name, SteadyTime now) {
    if (failures_.size() >= names_max && !failures_.contains(name)) {
        make_room(now);
    }
    Failures& failures = failures_[name];
    if (now - failures.last > forget_after) {
        failures.count = 0;
    }
    ++failures.count;
    failures.last = now;
    if (failures.count > free_failures) {
        const int doublings = std::min(failures.count - free_failures - 1, 6);
        failures.next_try =
            now + std::min<std::chrono::seconds>(wait_first * (1 << doublings), wait_max);
    }
}

void LoginLimiter::make_room(SteadyTime now) {
    std::erase_if(failures_,
                  [&](const auto& entry) { return now - entry.second.last > forget_after; });
    if (failures_.size() >= names_max) {
        failures_.erase(std::ranges::min_element(failures_, {}, [](const auto& entry) {
            return std::pair(entry.second.next_try, entry.second.last);
        }));
    }
}

}  // namespace bascule::auth
