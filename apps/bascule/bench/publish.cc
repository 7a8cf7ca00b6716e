#include <atomic>
#include <charconv>
#include <cstdio>
#include <semaphore>
#include <thread>

#include "bench/bench_bus.h"
#include "bench/benches.h"
#include "bench/report.h"
#include "bus/event/body.h"
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

/// Batches of 100 from one thread, `window` of them outstanding.
void batches(BenchBus& bench, int window, std::chrono::seconds time) {
    constexpr int batch_size = 100;
    std::counting_semaphore<1024> room(window);
    std::atomic<std::uint64_t> failed{0};
    std::uint64_t count = 0;
    const auto begin = Clock::now();
    while (Clock::now() < begin + time) {
        std::vector<event::Event> events;
        events.reserve(batch_size);
        for (int i = 0; i < batch_size; ++i) {
            events.push_back(sample_event(count++));
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
    if (failed > 0) {
        std::fprintf(stderr, "bench: %llu batches failed\n",
                     static_cast<unsigned long long>(failed.load()));
        std::exit(1);
    }
    print({.bench = "publish",
           .work = "batch100 window" + std::to_string(window),
           .count = count,
           .time = Clock::now() - begin,
           .bytes = count * event::encode_body(sample_event(1)).size()});
}

}  // namespace

int publish(const Arguments& arguments) {
    const std::chrono::seconds time(arguments.number("seconds", 5));
    BenchBus bench(arguments.directory());
    one_at_a_time(bench, 1, time);
    one_at_a_time(bench, 8, time);
    one_at_a_time(bench, 64, time);
    batches(bench, 1, time);
    batches(bench, 16, time);
    return 0;
}

}  // namespace bascule::bench
