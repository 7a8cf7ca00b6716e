#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace bascule::bench {

/// What one measurement found; printed as one JSON line on standard output.
struct Measurement {
    std::string bench;  ///< "publish"
    std::string work;   ///< "batch100"
    std::uint64_t count = 0;
    std::chrono::nanoseconds time{};
    std::uint64_t bytes = 0;                          ///< of payloads; 0 where it says nothing
    std::vector<std::chrono::nanoseconds> latencies;  ///< unsorted; may be empty
    std::chrono::nanoseconds processor{};             ///< that all threads used; 0 = not measured
    std::string durability = "fdatasync before acknowledgement";
    std::string note;
};

/// The time of all processors that this process has used so far.
std::chrono::nanoseconds processor_time();

/// {"bench":…,"work":…,"n":…,"secs":…,"per_s":…,"mib_s":…,"cpu_us_each":…,"p50_us":…,"p99_us":…,"p999_us":…,
/// "max_us":…,"durability":…,"cores":…,"cpu":…,"note":…}
void print(const Measurement& measurement);

}  // namespace bascule::bench
