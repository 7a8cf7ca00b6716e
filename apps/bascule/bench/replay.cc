#include <cstdio>

#include "bench/bench_bus.h"
#include "bench/benches.h"
#include "bench/report.h"
#include "bus/event/body.h"
#include "foundation/base/hash.h"

namespace bascule::bench {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

int replay(const Arguments& arguments) {
    const auto total = static_cast<std::uint64_t>(arguments.number("events", 1'000'000));
    BenchBus bench(arguments.directory());
    const auto filling = Clock::now();
    bench.publish(total, [](std::uint64_t n) { return sample_event(n); }, 500);
    print({.bench = "replay", .work = "fill", .count = total, .time = Clock::now() - filling});

    const auto begin = Clock::now();
    std::uint64_t count = 0, bytes = 0, digest = 0;
    const log::Log& log = bench.bus().log();
    for (Offset at = log.begin(); at < log.end();) {
        const auto batch = log.read(at, {.records_max = 4096, .bytes_max = 4 << 20});
        if (!batch) {
            std::fprintf(stderr, "bench: %s\n", batch.error().message().c_str());
            return 1;
        }
        for (const log::RecordView& record : batch->records()) {
            if (record.kind == log::RecordKind::event) {
                const auto event = event::decode_body(record.body);
                digest ^= event ? hash64(event->event_id) : 0;
                bytes += record.body.size();
                ++count;
            }
        }
        at = batch->next();
    }
    print({.bench = "replay",
           .work = "read",
           .count = count,
           .time = Clock::now() - begin,
           .bytes = bytes,
           .note = "decoded; digest " + std::to_string(digest)});
    return 0;
}

}  // namespace bascule::bench
