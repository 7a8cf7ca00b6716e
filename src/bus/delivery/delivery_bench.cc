#include <benchmark/benchmark.h>

#include "bus/delivery/consumer.h"
#include "foundation/base/hash.h"

// The plain way of an event: offer, start, answer; journal entries included. `items/s` is what to
// look at, `sum` shows that the work was done.

namespace bascule::delivery {
namespace {

Consumer make(Policy policy) {
    return std::move(
        Consumer::create("bench", std::move(policy), ConsumerState(Offset(0)), Random(1), Now{})
            .value());
}

struct Hasher {
    std::uint64_t operator()(std::uint64_t value) const {
        return hash64({reinterpret_cast<const char*>(&value), sizeof value});
    }
};

/// Rounds of 256 offers, as the broker makes them, over `keys` keys; everything is answered in the
/// round.
void rounds(benchmark::State& state, Policy policy, std::uint64_t keys) {
    Consumer consumer = make(std::move(policy));
    Commands commands;
    Now now{SteadyTime(std::chrono::hours(1)), {}};
    std::uint64_t offset = 0;
    std::vector<std::uint64_t> hashes(keys);
    for (std::uint64_t key = 0; key < keys; ++key) {
        hashes[key] = Hasher{}(key);
    }
    for (auto _ : state) {
        for (int i = 0; i < 256; ++i, ++offset) {
            consumer.offer({Offset(offset), hashes[offset * 7919 % keys], 1, 500, {}}, now);
        }
        now.steady += std::chrono::milliseconds(1);
        do {
            consumer.take_commands(now, commands);
            for (const StartRun& start : commands.starts) {
                consumer.answer(start.run, Outcome::done(), now);
            }
        } while (!commands.starts.empty());
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(offset));
    state.counters["sum"] =
        static_cast<double>(consumer.counts().settled.done) / static_cast<double>(offset);
}

void distinct_keys(benchmark::State& state) { rounds(state, {.concurrency = 256}, 1'000'003); }
void ten_thousand_keys(benchmark::State& state) { rounds(state, {.concurrency = 256}, 10'007); }
void eight_at_a_time(benchmark::State& state) { rounds(state, {}, 10'007); }
void one_key(benchmark::State& state) { rounds(state, {.concurrency = 256}, 1); }
void three_lanes(benchmark::State& state) {
    rounds(state, {.lanes = Lanes{.map = {{"a", 1}}, .otherwise = 3}, .concurrency = 256}, 10'007);
}
void no_order(benchmark::State& state) {
    rounds(state, {.ordering = Ordering::none, .concurrency = 256}, 10'007);
}
void batches(benchmark::State& state) {
    rounds(state, {.ordering = Ordering::log, .batch = Batch{.max_size = 1000, .max_wait = 0ms}},
           10'007);
}
BENCHMARK(distinct_keys);
BENCHMARK(ten_thousand_keys);
BENCHMARK(eight_at_a_time);
BENCHMARK(one_key);
BENCHMARK(three_lanes);
BENCHMARK(no_order);
BENCHMARK(batches);

/// A million events of ten thousand keys wait, then all are handled: the backlog must not make
/// anything slower.
void deep_backlog(benchmark::State& state) {
    constexpr std::uint64_t events = 1'000'000;
    for (auto _ : state) {
        Consumer consumer = make({.concurrency = 256});
        Commands commands;
        Now now{};
        for (std::uint64_t offset = 0; offset < events; ++offset) {
            consumer.offer({Offset(offset), Hasher{}(offset % 10'007), 1, 500, {}}, now);
        }
        do {
            consumer.take_commands(now, commands);
            for (const StartRun& start : commands.starts) {
                consumer.answer(start.run, Outcome::done(), now);
            }
        } while (!commands.starts.empty());
        state.counters["sum"] = static_cast<double>(consumer.counts().settled.done) / events;
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(events));
}
BENCHMARK(deep_backlog)->Unit(benchmark::kMillisecond);

/// Windows of one event each that all wait for their timer: O(log n) a timer.
void windows(benchmark::State& state) {
    constexpr std::uint64_t events = 100'000;
    for (auto _ : state) {
        Consumer consumer = make({.concurrency = 256, .debounce = Debounce{}});
        Commands commands;
        Now now{};
        for (std::uint64_t offset = 0; offset < events; ++offset) {
            consumer.offer({Offset(offset), Hasher{}(offset), 1, 500, {}}, now);
        }
        now.steady += std::chrono::minutes(20);
        do {
            consumer.take_commands(now, commands);
            for (const StartRun& start : commands.starts) {
                consumer.answer(start.run, Outcome::done(), now);
            }
        } while (!commands.starts.empty());
        state.counters["sum"] = static_cast<double>(consumer.counts().settled.done) / events;
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(events));
}
BENCHMARK(windows)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bascule::delivery
