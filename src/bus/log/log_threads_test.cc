// The log on real threads and a real disk: what the simulator, which has one thread, cannot show.
// Most telling under the thread sanitizer.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "bus/log/log_testing.h"
#include "foundation/io/posix_disk.h"
#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"

namespace bascule::log {
namespace {

class LogThreadsTest : public testing::Test {
  protected:
    LogThreadsTest() {
        directory_ = testing::TempDir() + "/log_threads.XXXXXX";
        EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
    }
    ~LogThreadsTest() override { std::filesystem::remove_all(directory_); }

    std::unique_ptr<Log> open(Hooks hooks = {}) {
        auto log = Log::open(disk_, pool_, directory_, small_options(), std::move(hooks));
        EXPECT_THAT(log, Succeeds());
        return std::move(*log);
    }

    std::string directory_;
    io::ThreadPool pool_{{.name = "test", .threads = 3}};
    io::PosixDisk disk_{pool_};
};

/// Publishers, a reader at the tail, one from the beginning and one that asks this and that.
TEST_F(LogThreadsTest, PublishersAndReadersDoNotDisturbEachOther) {
    constexpr int publishers = 4;
    constexpr int batches = 40;
    constexpr std::uint64_t total = publishers * batches * 3;
    std::atomic<std::uint64_t> durable = 0;
    auto log = open({.durable = [&](Offset end) {
        // Calls may overtake each other on a pool; what they say may not go beyond the end.
        std::uint64_t before = durable;
        while (before < end.value() && !durable.compare_exchange_weak(before, end.value())) {
        }
    }});
    std::atomic<bool> failed = false;

    const auto publish = [&](int publisher) {
        for (int i = 0; i < batches; ++i) {
            Givens records;
            for (int k = 0; k < 3; ++k) {
                const std::string id = std::to_string(publisher) + "/" + std::to_string(3 * i + k);
                records.push_back(event(id, id + std::string(200, '.')));
            }
            const auto outcomes = io::wait_for<std::vector<AppendOutcome>>([&](auto done) {
                failed = !log->append(records, Atomicity::all, std::move(done));
            });
            failed = failed || !outcomes;
        }
    };
    const auto read_to_end = [&] {
        std::uint64_t bytes = 0;
        for (Offset at(0); at.value() < total && !failed;) {
            const auto read = log->read(at, {.records_max = 10});
            failed = failed || !read;
            if (read) {
                for (const RecordView& record : read->records()) {
                    failed = failed || record.content_hash != hash64(record.body);
                    bytes += record.body.size();
                }
                at = read->next();
            }
        }
        EXPECT_GT(bytes, total * 200);
    };
    const auto ask = [&] {
        while (log->end().value() < total && !failed) {
            const auto found = log->find(id_of("0/5"));
            failed = failed || (found && *found >= log->end());
            failed = failed || !log->offset_at(pool_.clock().wall() - 10ms);
            (void)log->status();
            (void)log->control_begin();
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < publishers; ++i) {
        threads.emplace_back(publish, i);
    }
    threads.emplace_back(read_to_end);
    threads.emplace_back(read_to_end);
    threads.emplace_back(ask);
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_FALSE(failed);
    EXPECT_EQ(log->end(), Offset(total));
    EXPECT_THAT(io::wait_for<>([&](auto done) { log->close(std::move(done)); }), Succeeds());
    log.reset();

    auto reopened = open();
    EXPECT_EQ(reopened->end(), Offset(total));
    EXPECT_EQ(everything(*reopened).size(), total);
    EXPECT_THAT(io::wait_for<>([&](auto done) { reopened->close(std::move(done)); }), Succeeds());
    reopened.reset();
    pool_.stop();
    EXPECT_EQ(durable, total);
}

}  // namespace
}  // namespace bascule::log
