#include "bus/log/options.h"

#include <cstddef>
#include <string>

namespace bascule::log {

namespace {

struct Bound {
    const char* setting;
    std::uint64_t value;
    std::uint64_t least;
    std::uint64_t most;
};

}  // namespace

Result<> Options::validate() const {
    constexpr std::uint64_t mib = 1 << 20;
    const Bound bounds[] = {
        {"segment_bytes", segment_bytes, 4096, 4096 * mib},
        {"frame_bytes_max", frame_bytes_max, 4096, 64 * mib},
        {"record_bytes_max", record_bytes_max, 1, frame_bytes_max - 1024},
        {"queue_bytes_max", queue_bytes_max, frame_bytes_max, 4096 * mib},
        {"queue_records_max", queue_records_max, 1, 100'000'000},
        {"fill_bytes", fill_bytes, 0, 16 * mib},
        {"dedup.entries_max", dedup.entries_max, 0, 16'000'000},
        {"producers_max", producers_max, 0, 1'000'000},
    };
    for (const Bound& bound : bounds) {
        if (bound.value < bound.least || bound.value > bound.most) {
            return fail(ErrorKind::invalid, std::string(bound.setting) + " is " +
                                                std::to_string(bound.value) + "; " +
                                                std::to_string(bound.least) + " to " +
                                                std::to_string(bound.most) + " is allowed");
        }
    }
    if (dedup.age < 0h || retention.age < 0h || retry_full_after < 0ms) {
        return fail(ErrorKind::invalid,
                    "dedup.age, retention.age and retry_full_after must not be negative");
    }
    return {};
}

}  // namespace bascule::log
