#include "bench/report.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <thread>

#include "foundation/json/writer.h"

namespace bascule::bench {

namespace {

double microseconds(std::chrono::nanoseconds time) {
    return static_cast<double>(time.count() / 100) / 10;
}

std::chrono::nanoseconds percentile(const std::vector<std::chrono::nanoseconds>& sorted,
                                    std::size_t per_mille) {
    return sorted[std::min(sorted.size() - 1, sorted.size() * per_mille / 1000)];
}

std::string cpu_model() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (line.starts_with("model name")) {
            return line.substr(line.find(':') + 2);
        }
    }
    return "unknown";
}

}  // namespace

std::chrono::nanoseconds processor_time() {
    timespec time{};
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) {
        return {};
    }
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void print(const Measurement& measurement) {
    std::string out;
    json::Writer writer(out);
    const double seconds = std::chrono::duration<double>(measurement.time).count();
    writer.begin_object().member("bench", measurement.bench).member("work", measurement.work);
    writer.member("n", measurement.count).key("secs").real(seconds);
    writer.key("per_s").real(static_cast<double>(measurement.count) / seconds);
    if (measurement.bytes > 0) {
        writer.key("mib_s").real(static_cast<double>(measurement.bytes) / seconds / (1 << 20));
    }
    if (measurement.processor.count() > 0) {
        writer.key("cpu_us_each")
            .real(static_cast<double>(measurement.processor.count()) / 1e3 /
                  static_cast<double>(std::max<std::uint64_t>(1, measurement.count)));
    }
    if (!measurement.latencies.empty()) {
        auto sorted = measurement.latencies;
        std::ranges::sort(sorted);
        writer.key("p50_us").real(microseconds(percentile(sorted, 500)));
        writer.key("p99_us").real(microseconds(percentile(sorted, 990)));
        writer.key("p999_us").real(microseconds(percentile(sorted, 999)));
        writer.key("max_us").real(microseconds(sorted.back()));
    }
    writer.member("durability", measurement.durability);
    writer.member("cores", std::thread::hardware_concurrency()).member("cpu", cpu_model());
    if (!measurement.note.empty()) {
        writer.member("note", measurement.note);
    }
    writer.end_object();
    std::printf("%s\n", out.c_str());
    std::fflush(stdout);
}

}  // namespace bascule::bench
