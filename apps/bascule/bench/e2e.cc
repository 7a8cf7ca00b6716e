#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

#include "bench/bench_bus.h"
#include "bench/benches.h"
#include "bench/report.h"

namespace bascule::bench {

namespace {

using Clock = std::chrono::steady_clock;

/// Notes how long after its due time each event reached it; the due time travels in the event.
class Stopwatch final : public broker::Handler {
  public:
    void handle(broker::Delivery delivery, broker::Done done) override {
        const auto now = Clock::now().time_since_epoch();
        {
            const std::lock_guard lock(mutex_);
            for (const auto& delivered : delivery.events) {
                latencies_.push_back(
                    now - std::chrono::nanoseconds(to_unix_ms(delivered.event.timestamp)));
            }
        }
        done(delivery::Outcome::done());
    }

    std::vector<std::chrono::nanoseconds> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(latencies_, {});
    }

  private:
    std::mutex mutex_;
    std::vector<std::chrono::nanoseconds> latencies_;
};

/// Publishes single events at a fixed rate, whatever the answers do; latency counts from the moment
/// an event was due.
void paced(BenchBus& bench, Stopwatch& stopwatch, std::uint64_t rate, std::chrono::seconds time) {
    const auto begin = Clock::now();
    const std::uint64_t total = rate * static_cast<std::uint64_t>(time.count());
    std::atomic<std::uint64_t> open{0}, failed{0};
    for (std::uint64_t n = 0; n < total; ++n) {
        const auto due = begin + std::chrono::nanoseconds(n * 1'000'000'000 / rate);
        std::this_thread::sleep_until(due);  // house: a paced load needs the real clock
        std::vector<event::Event> events;
        events.push_back(sample_event(n));
        events[0].timestamp = from_unix_ms(due.time_since_epoch().count());
        ++open;
        bench.bus().publish(std::move(events), {},
                            [&](const Result<std::vector<broker::PublishResult>>& results) {
                                failed += results ? 0 : 1;
                                --open;
                            });
    }
    bench.settle();
    if (failed > 0) {
        std::fprintf(stderr, "bench: %llu events failed\n",
                     static_cast<unsigned long long>(failed.load()));
        std::exit(1);
    }
    print({.bench = "e2e",
           .work = "rate" + std::to_string(rate),
           .count = total,
           .time = Clock::now() - begin,
           .latencies = stopwatch.take(),
           .note = "publish due to handler, one consumer, ordering by key"});
}

}  // namespace

int e2e(const Arguments& arguments) {
    const std::chrono::seconds time(arguments.number("seconds", 5));
    BenchBus bench(arguments.directory());
    const auto stopwatch = std::make_shared<Stopwatch>();
    bench.consume({{.name = "bench", .handler = stopwatch}});
    paced(bench, *stopwatch, static_cast<std::uint64_t>(arguments.number("rate", 1000)), time);
    paced(bench, *stopwatch, static_cast<std::uint64_t>(arguments.number("high", 20'000)), time);
    return 0;
}

}  // namespace bascule::bench
