#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "bench/bench_bus.h"
#include "bench/benches.h"
#include "bench/report.h"
#include "foundation/io/wait.h"

namespace bascule::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t keys = 10'000;
constexpr std::uint64_t failing_keys = 100;

event::Event numbered_event(std::uint64_t number) {
    event::Event event = sample_event(number);
    event.user_id = "user-" + std::to_string(number % keys);
    return event;
}

std::uint64_t number_of(WallTime timestamp) {
    static const WallTime first = sample_event(0).timestamp;
    return static_cast<std::uint64_t>(to_unix_ms(timestamp) - to_unix_ms(first));
}

/// What the process holds in memory now.
std::uint64_t resident_mib() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t size = 0, resident = 0;
    file >> size >> resident;
    return resident * 4096 >> 20;
}

void check(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "bench: %s\n", what);
        std::exit(1);
    }
}

template <class Call>
void wait(const Call& call) {
    const Result<> result = io::wait_for<>(call);
    check(result.has_value(), result ? "" : result.error().message().c_str());
}

/// Counts, sees that each key comes in order, and fails some keys until it is repaired.
class Counter final : public broker::Handler {
  public:
    explicit Counter(std::uint64_t failing = 0) : failing_(failing) {}

    void handle(broker::Delivery delivery, broker::Done done) override {
        for (const auto& delivered : delivery.events) {
            const std::uint64_t number = number_of(delivered.event.timestamp);
            const std::uint64_t key = number % keys;
            if (key < failing_) {
                return done(
                    delivery::Outcome::transient("account " + std::to_string(key) + " is locked"));
            }
            // A key has one run at a time, so nobody else is here with it.
            check(last_[key].exchange(number + 1, std::memory_order_relaxed) <= number,
                  "a key came out of order");
            handled_.fetch_add(1, std::memory_order_relaxed);
        }
        done(delivery::Outcome::done());
    }

    std::uint64_t handled() const { return handled_; }
    void repair() { failing_ = 0; }

  private:
    std::atomic<std::uint64_t> failing_;
    std::atomic<std::uint64_t> handled_{0};
    std::array<std::atomic<std::uint64_t>, keys> last_{};
};

void wait_until_handled(const Counter& counter, std::uint64_t count) {
    while (counter.handled() < count) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));  // house: a bench has a clock
    }
}

void fan_out(const std::string& directory, std::uint64_t total) {
    BenchBus bench(directory);
    std::vector<BenchBus::Subscriber> subscribers;
    for (const char* name : {"analytics", "categorization", "audit"}) {
        subscribers.push_back({.name = name, .handler = std::make_shared<Counter>()});
    }
    bench.consume(subscribers);
    const auto processor = processor_time();
    const auto begin = Clock::now();
    bench.publish(total, numbered_event);
    bench.settle();
    print({.bench = "delivery",
           .work = "fan-out to 3",
           .count = total,
           .time = Clock::now() - begin,
           .processor = processor_time() - processor,
           .note = "events settled by all three; batches of 100, ordering by key"});
}

/// How fast the events of healthy keys are handled while others fail, in events a second.
double with_failing_keys(const std::string& directory, std::uint64_t total, std::uint64_t failing) {
    BenchBus bench(directory);
    const auto counter = std::make_shared<Counter>(failing);
    BenchBus::Subscriber subscriber{.name = "bench", .handler = counter};
    subscriber.policy.retry.initial = std::chrono::milliseconds(20);
    subscriber.policy.retry.max_attempts = 5;
    bench.consume({subscriber});
    const std::uint64_t healthy = total / keys * (keys - failing);
    const auto begin = Clock::now();
    bench.publish(total, numbered_event);
    wait_until_handled(*counter, healthy);
    const auto time = Clock::now() - begin;
    print({.bench = "delivery",
           .work = std::to_string(failing) + " of " + std::to_string(keys) + " keys fail",
           .count = healthy,
           .time = time,
           .note = "events of the others; " + std::to_string(resident_mib()) + " MiB resident"});
    if (failing > 0) {
        const auto letters = io::wait_for<std::vector<broker::LetterSummary>>(
            [&](auto done) { bench.bus().letters({.consumer = "bench"}, std::move(done)); });
        counter->repair();
        const auto redriving = Clock::now();
        const auto redriven = io::wait_for<std::vector<broker::LetterSummary>>([&](auto done) {
            bench.bus().redrive({.consumer = "bench"}, {}, {.reason = "repaired"}, std::move(done));
        });
        check(letters && redriven, "letters cannot be redriven");
        wait_until_handled(*counter, total);
        bench.settle();
        print({.bench = "delivery",
               .work = "redrive after the repair",
               .count = total - healthy,
               .time = Clock::now() - redriving,
               .note = std::to_string(letters->size()) + " letters, all in order behind them"});
    }
    return static_cast<double>(healthy) / std::chrono::duration<double>(time).count();
}

/// A consumer that is paused all the time, and what it costs those who publish.
void behind_a_pause(const std::string& directory, std::uint64_t total, bool is_paused) {
    BenchBus bench(directory);
    const auto counter = std::make_shared<Counter>();
    if (is_paused) {
        bench.consume({{.name = "bench", .handler = counter}});
        wait([&](auto done) { bench.bus().pause("bench", {}, {}, std::move(done)); });
    }
    auto begin = Clock::now();
    bench.publish(total, numbered_event);
    print({.bench = "delivery",
           .work = is_paused ? "publish past a paused consumer" : "publish to nobody",
           .count = total,
           .time = Clock::now() - begin,
           .note = std::to_string(resident_mib()) + " MiB resident"});
    if (is_paused) {
        begin = Clock::now();
        wait([&](auto done) { bench.bus().resume("bench", {}, std::move(done)); });
        wait_until_handled(*counter, total);
        bench.settle();
        print({.bench = "delivery",
               .work = "drain after the pause",
               .count = total,
               .time = Clock::now() - begin,
               .note = std::to_string(resident_mib()) + " MiB resident"});
    }
}

}  // namespace

int delivery(const Arguments& arguments) {
    const auto total = static_cast<std::uint64_t>(arguments.number("events", 1'000'000));
    const std::string directory = arguments.directory();
    const std::string only = arguments.text("only", "");  // "fanout", "fail" or "pause"
    if (only.empty() || only == "fanout") {
        fan_out(directory, total);
    }
    if (only.empty() || only == "fail") {
        const double without = with_failing_keys(directory, total, 0);
        const double with = with_failing_keys(directory, total, failing_keys);
        std::fprintf(stderr, "bench: the others keep %.1f %% of their throughput\n",
                     100 * with / without);
    }
    if (only.empty() || only == "pause") {
        behind_a_pause(directory, total, false);
        behind_a_pause(directory, total, true);
    }
    return 0;
}

}  // namespace bascule::bench
