// Durable appends and reads on a real disk: the folder that TMPDIR names, else the current one.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bus/log/log.h"
#include "foundation/base/check.h"
#include "foundation/io/posix_disk.h"
#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"

namespace bascule::log {
namespace {

constexpr std::size_t body_bytes = 500;

/// A log in a folder of its own, removed at the end.
class BenchLog {
  public:
    explicit BenchLog(Options options = {}) {
        const char* temporary = std::getenv("TMPDIR");
        directory_ = std::string(temporary != nullptr ? temporary : ".") + "/log_bench.XXXXXX";
        CHECK(::mkdtemp(directory_.data()) != nullptr);
        options.reserve_bytes = 0;
        auto opened = Log::open(disk_, pool_, directory_, options, {});
        CHECK(opened);
        log_ = std::move(*opened);
    }
    ~BenchLog() {
        CHECK(io::wait_for<>([&](auto done) { log_->close(std::move(done)); }));
        log_.reset();
        pool_.stop();
        std::filesystem::remove_all(directory_);
    }

    Log& operator*() { return *log_; }
    Log* operator->() { return log_.get(); }

  private:
    io::ThreadPool pool_{{.name = "bench", .threads = 2}};
    io::ThreadPool sync_pool_{{.name = "sync", .threads = 1}};
    io::PosixDisk disk_{sync_pool_};
    std::string directory_;
    std::unique_ptr<Log> log_;
};

RecordBatch records(std::uint64_t& number, std::size_t count) {
    RecordBatch all;
    all.records.reserve(count);
    all.bodies.reserve(count * body_bytes);
    for (std::size_t i = 0; i < count; ++i) {
        Record record;
        const std::uint64_t id = number++;
        record.key_hash = id % 1000;
        record.id_hash = hash128({reinterpret_cast<const char*>(&id), sizeof id});
        record.content_hash = id;
        all.add(record, std::string(body_bytes, static_cast<char>('a' + id % 26)));
    }
    return all;
}

Result<std::vector<AppendOutcome>> append(Log& log, RecordBatch batch) {
    return io::wait_for<std::vector<AppendOutcome>>(
        [&](auto done) { CHECK(log.append(std::move(batch), Atomicity::each, std::move(done))); });
}

void report(benchmark::State& state, const Log& log, std::uint64_t count) {
    state.SetItemsProcessed(static_cast<std::int64_t>(count));
    state.SetBytesProcessed(static_cast<std::int64_t>(count * body_bytes));
    const Stats stats = log.status().stats;
    state.counters["sync_us"] = stats.syncs == 0 ? 0.0
                                                 : static_cast<double>(stats.sync_time.count()) /
                                                       1e3 / static_cast<double>(stats.syncs);
    state.counters["records_per_sync"] =
        static_cast<double>(stats.records) /
        static_cast<double>(std::max<std::uint64_t>(1, stats.syncs));
}

/// One publisher that waits for each append before the next: `range` records at a time.
void append_and_wait(benchmark::State& state) {
    BenchLog log;
    std::uint64_t number = 0;
    for (auto _ : state) {
        CHECK(append(*log, records(number, static_cast<std::size_t>(state.range(0)))));
    }
    CHECK(log->end() == Offset(number));
    report(state, *log, number);
}
BENCHMARK(append_and_wait)->Arg(1)->Arg(100)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// A publisher that keeps up to `under_way` batches of 100 waiting for their sync.
void append_pipelined(benchmark::State& state) {
    BenchLog log;
    std::uint64_t number = 0;
    std::atomic<int> under_way = 0;
    for (auto _ : state) {
        while (under_way.load() >= state.range(0)) {
            under_way.wait(static_cast<int>(state.range(0)));
        }
        ++under_way;
        CHECK(log->append(records(number, 100), Atomicity::each, [&](const auto& outcomes) {
            CHECK(outcomes);
            --under_way;
            under_way.notify_one();
        }));
    }
    for (int left = under_way.load(); left > 0; left = under_way.load()) {
        under_way.wait(left);
    }
    CHECK(log->end() == Offset(number));
    report(state, *log, number);
}
BENCHMARK(append_pipelined)->Arg(16)->Arg(64)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// Threads that each append one record and wait.
void append_from_threads(benchmark::State& state) {
    static std::unique_ptr<BenchLog> log;
    static std::atomic<std::uint64_t> published;
    if (state.thread_index() == 0) {
        log = std::make_unique<BenchLog>();
        published = 0;
    }
    std::uint64_t number = static_cast<std::uint64_t>(state.thread_index()) << 40;
    for (auto _ : state) {
        CHECK(append(**log, records(number, static_cast<std::size_t>(state.range(0)))));
    }
    published += number & 0xFF'FFFF'FFFF;
    state.SetItemsProcessed(static_cast<std::int64_t>(number & 0xFF'FFFF'FFFF));
    if (state.thread_index() == 0) {
        state.counters["syncs"] = static_cast<double>((*log)->status().stats.syncs);
    }
}
BENCHMARK(append_from_threads)
    ->Arg(1)
    ->Arg(100)
    ->Threads(8)
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

/// Everything from the beginning, `range` records of 500 bytes, as a consumer that catches up.
void read_all(benchmark::State& state) {
    BenchLog log;
    std::uint64_t number = 0;
    while (number < static_cast<std::uint64_t>(state.range(0))) {
        CHECK(append(*log, records(number, 10'000)));
    }
    std::uint64_t sum = 0;
    for (auto _ : state) {
        std::uint64_t count = 0;
        for (Offset at = log->begin(); at < log->end();) {
            const auto batch = log->read(at, {.records_max = 10'000});
            CHECK(batch);
            for (const RecordView& record : batch->records()) {
                sum += record.key_hash + record.body.size();
            }
            count += batch->records().size();
            at = batch->next();
        }
        CHECK(count == number);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(number) * state.iterations());
    state.counters["hash"] =
        static_cast<double>(sum / static_cast<std::uint64_t>(state.iterations()));
}
BENCHMARK(read_all)->Arg(20'000)->UseRealTime()->Unit(benchmark::kMillisecond);

/// The same of a million, for figures; too long for the test suite.
void read_million(benchmark::State& state) { read_all(state); }

/// How long a log of `range` records takes to open after it was closed.
void open_closed(benchmark::State& state) {
    io::ThreadPool pool({.name = "bench", .threads = 2});
    io::PosixDisk disk(pool);
    const char* temporary = std::getenv("TMPDIR");
    std::string directory =
        std::string(temporary != nullptr ? temporary : ".") + "/log_bench.XXXXXX";
    CHECK(::mkdtemp(directory.data()) != nullptr);
    const Options options{.reserve_bytes = 0};
    std::uint64_t number = 0;
    {
        auto log = Log::open(disk, pool, directory, options, {});
        CHECK(log);
        while (number < static_cast<std::uint64_t>(state.range(0))) {
            CHECK(append(**log, records(number, 10'000)));
        }
        CHECK(io::wait_for<>([&](auto done) { (*log)->close(std::move(done)); }));
    }
    for (auto _ : state) {
        auto log = Log::open(disk, pool, directory, options, {});
        CHECK(log && (*log)->end() == Offset(number));
        CHECK(io::wait_for<>([&](auto done) { (*log)->close(std::move(done)); }));
    }
    pool.stop();
    std::filesystem::remove_all(directory);
}
BENCHMARK(open_closed)->Arg(20'000)->UseRealTime()->Unit(benchmark::kMillisecond);

/// With BASCULE_BENCH_LARGE set: a million records, half a gigabyte.
[[maybe_unused]] const bool large = [] {
    if (std::getenv("BASCULE_BENCH_LARGE") != nullptr) {
        benchmark::RegisterBenchmark("read_million", read_million)
            ->Arg(1'000'000)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
        benchmark::RegisterBenchmark("open_million", open_closed)
            ->Arg(1'000'000)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
    }
    return true;
}();

}  // namespace
}  // namespace bascule::log
