#include <benchmark/benchmark.h>

#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"

namespace bascule::io {
namespace {

/// From post to run and back to a blocked caller: two wake-ups of an idle thread.
void round_trip(benchmark::State& state) {
    ThreadPool pool({.name = "bench", .threads = 1});
    for (auto _ : state) {
        const auto ran = wait_for<>(
            [&](auto done) { pool.post([done = std::move(done)]() mutable { done({}); }); });
        benchmark::DoNotOptimize(ran.has_value());
    }
}
BENCHMARK(round_trip)->UseRealTime();

/// Throws itself from one executor to the other until its hops are used up.
struct Ball {
    ThreadPool& here;
    ThreadPool& there;
    int hops_left;
    Completion<> done;

    void hop() {
        if (hops_left-- == 0) {
            done({});
        } else {
            (hops_left % 2 == 0 ? here : there).post([this] { hop(); });
        }
    }
};

/// Between two executors that are otherwise idle: one wake-up for each hop.
void ping_pong(benchmark::State& state) {
    ThreadPool here({.name = "here", .threads = 1});
    ThreadPool there({.name = "there", .threads = 1});
    constexpr int hops = 1000;
    for (auto _ : state) {
        Ball ball{here, there, hops, nullptr};
        const auto ran = wait_for<>([&](auto done) {
            ball.done = std::move(done);
            ball.hop();
        });
        benchmark::DoNotOptimize(ran.has_value());
    }
    state.SetItemsProcessed(state.iterations() * hops);
}
BENCHMARK(ping_pong)->UseRealTime();

void strand_posts(benchmark::State& state) {
    ThreadPool pool({.name = "bench", .threads = 1});
    Strand strand(pool);
    constexpr int tasks = 10'000;
    for (auto _ : state) {
        const auto ran = wait_for<>([&](auto done) {
            for (int i = 1; i < tasks; ++i) {
                strand.post([] {});
            }
            strand.post([done = std::move(done)]() mutable { done({}); });
        });
        benchmark::DoNotOptimize(ran.has_value());
    }
    state.SetItemsProcessed(state.iterations() * tasks);
}
BENCHMARK(strand_posts)->UseRealTime();

}  // namespace
}  // namespace bascule::io
