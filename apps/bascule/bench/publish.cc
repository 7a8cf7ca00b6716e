#include <algorithm>
#include <atomic>
#include <cstdio>
#include <semaphore>
#include <thread>

#include "bench/bench_bus.h"
#include "bench/benches.h"
#include "bench/report.h"
#include "bus/event/body.h"
#include "foundation/base/hash.h"
#include "foundation/base/random.h"
#include "foundation/base/uuid.h"
#include "foundation/io/posix_disk.h"
#include "foundation/io/wait.h"

namespace bascule::bench {

namespace {

using Clock = std::chrono::steady_clock;
using Results = std::vector<broker::PublishResult>;

void publish_one(broker::Bus& bus, std::uint64_t number) {
    const auto results = io::wait_for<Results>([&](auto done) {
        std::vector<event::Event> events;
        events.push_back(sample_event(number));
        bus.publish(std::move(events), {}, std::move(done));
    });
    if (!results || !std::holds_alternative<broker::Accepted>(results->front())) {
        std::fprintf(stderr, "bench: an event was not accepted\n");
        std::exit(1);
    }
}

/// `threads` publishers, each with one event outstanding.
void one_at_a_time(BenchBus& bench, int threads, std::chrono::seconds time) {
    const auto begin = Clock::now();
    const auto end = begin + time;
    std::vector<std::vector<std::chrono::nanoseconds>> latencies(threads);
    std::vector<std::thread> publishers;
    for (int t = 0; t < threads; ++t) {
        publishers.emplace_back([&, t] {
            for (std::uint64_t n = t; Clock::now() < end; n += threads) {
                const auto sent = Clock::now();
                publish_one(bench.bus(), n);
                latencies[t].push_back(Clock::now() - sent);
            }
        });
    }
    for (std::thread& publisher : publishers) {
        publisher.join();
    }
    Measurement measurement{.bench = "publish",
                            .work = threads == 1 ? "sync1" : "threads" + std::to_string(threads),
                            .time = Clock::now() - begin};
    for (const auto& part : latencies) {
        measurement.count += part.size();
        measurement.latencies.insert(measurement.latencies.end(), part.begin(), part.end());
    }
    measurement.bytes = measurement.count * event::encode_body(sample_event(1)).size();
    print(measurement);
}

/// Batches of 100 from `threads` publishers, each with `window` of them outstanding.
void batches(BenchBus& bench, int threads, int window, std::chrono::seconds time) {
    constexpr int batch_size = 100;
    std::atomic<std::uint64_t> failed{0}, count{0};
    const auto processor = processor_time();
    const auto begin = Clock::now();
    const auto publish_batches = [&](int thread) {
        std::counting_semaphore<1024> room(window);
        std::uint64_t sent = 0;
        while (Clock::now() < begin + time) {
            std::vector<event::Event> events;
            events.reserve(batch_size);
            for (int i = 0; i < batch_size; ++i) {
                events.push_back(sample_event(thread + threads * sent++));
            }
            room.acquire();
            bench.bus().publish(std::move(events), {}, [&](const Result<Results>& results) {
                failed += results ? 0 : 1;
                room.release();
            });
        }
        for (int i = 0; i < window; ++i) {
            room.acquire();
        }
        count += sent;
    };
    std::vector<std::thread> publishers;
    for (int t = 0; t < threads; ++t) {
        publishers.emplace_back(publish_batches, t);
    }
    for (std::thread& publisher : publishers) {
        publisher.join();
    }
    if (failed > 0) {
        std::fprintf(stderr, "bench: %llu batches failed\n",
                     static_cast<unsigned long long>(failed.load()));
        std::exit(1);
    }
    print(
        {.bench = "publish",
         .work = "batch100 threads" + std::to_string(threads) + " window" + std::to_string(window),
         .count = count,
         .time = Clock::now() - begin,
         .bytes = count * event::encode_body(sample_event(1)).size(),
         .processor = processor_time() - processor});
}

/// What no log on this disk can beat: a file that grows by 1 MiB, each durable before the next.
void disk_alone(const std::string& directory, std::chrono::seconds time) {
    io::ThreadPool syncs({.name = "sync", .threads = 1});
    io::PosixDisk disk(syncs);
    const std::string path = directory + "/bascule-bench-" + new_uuid();
    std::string bytes(1 << 20, '\0');
    Random random(1);
    std::ranges::generate(bytes, [&] { return static_cast<char>(random.next()); });
    const auto written = [&]() -> Result<Measurement> {
        const auto file = TRY(disk.open(path, io::OpenMode::create_new));
        Measurement measurement{.bench = "publish", .work = "disk alone, 1 MiB at a time"};
        const auto begin = Clock::now();
        while (Clock::now() < begin + time) {
            const auto sent = Clock::now();
            TRY(file->write(measurement.bytes, as_bytes(bytes)));
            TRY(file->sync_blocking());
            measurement.latencies.push_back(Clock::now() - sent);
            measurement.bytes += bytes.size();
            ++measurement.count;
        }
        measurement.time = Clock::now() - begin;
        return measurement;
    }();
    const auto removed = disk.remove(path);
    if (!written || !removed) {
        const Error& error = written ? removed.error() : written.error();
        std::fprintf(stderr, "bench: %s\n", error.message().c_str());
        std::exit(1);
    }
    print(*written);
}

}  // namespace

int publish(const Arguments& arguments) {
    const std::chrono::seconds time(arguments.number("seconds", 5));
    const std::string only = arguments.text("only", "");  // "one", "batch" or "disk"
    BenchBus bench(arguments.directory());
    if (only.empty() || only == "one") {
        one_at_a_time(bench, 1, time);
        one_at_a_time(bench, 8, time);
        one_at_a_time(bench, 64, time);
    }
    if (only.empty() || only == "batch") {
        batches(bench, 1, 1, time);
        batches(bench, 1, 16, time);
        batches(bench, 8, 1, time);
        batches(bench, 8, 4, time);
    }
    if (only.empty() || only == "batch" || only == "disk") {
        disk_alone(arguments.directory(), time);
    }
    return 0;
}

}  // namespace bascule::bench
