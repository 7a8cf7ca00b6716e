#include "foundation/io/thread_pool.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "foundation/base/testing.h"
#include "foundation/io/wait.h"

namespace bascule::io {
namespace {

/// Posts `task` and returns when it ran.
void run_in(Executor& executor, Task task) {
    const auto ran = wait_for<>([&](auto done) {
        executor.post([&task, done = std::move(done)]() mutable {
            task();
            done({});
        });
    });
    ASSERT_THAT(ran, Succeeds());
}

// In each test what tasks refer to is declared before the pool, which ends them.

TEST(ThreadPoolTest, RunsEveryTaskWhoeverPostsIt) {
    std::atomic<int> count = 0;
    std::promise<void> all;
    ThreadPool pool({.name = "test", .threads = 2});
    for (int i = 0; i < 1000; ++i) {
        pool.post([&] {
            pool.post([&] {
                if (++count == 1000) {
                    all.set_value();
                }
            });
        });
    }
    EXPECT_EQ(all.get_future().wait_for(30s), std::future_status::ready);
}

TEST(ThreadPoolTest, ASecondTaskRunsWhileTheFirstBlocks) {
    std::promise<void> second_ran;
    ThreadPool pool({.threads = 2});
    // Also with a timer outstanding, when one thread watches it and only the other waits for tasks.
    pool.post_at(pool.clock().steady() + 1h, [] {});
    run_in(pool, [] {});
    pool.post([&] { second_ran.get_future().wait(); });
    run_in(pool, [] {});
    second_ran.set_value();
}

TEST(ThreadPoolTest, TimersFireInOrderAndNotEarly) {
    std::vector<int> order;
    std::promise<SteadyTime> last;
    ThreadPool pool({.threads = 1});
    const SteadyTime start = pool.clock().steady();
    pool.post_at(start + 30ms, [&] {
        order.push_back(2);
        last.set_value(pool.clock().steady());
    });
    pool.post_at(start + 10ms, [&] { order.push_back(1); });
    EXPECT_GE(last.get_future().get() - start, 30ms);
    EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(ThreadPoolTest, ABusyThreadDoesNotKeepTimersFromTheOthers) {
    std::promise<void> fired;
    std::promise<void> may_end;
    ThreadPool pool({.threads = 2});
    pool.post([&] { may_end.get_future().wait(); });
    run_in(pool, [] {});
    pool.post_at(pool.clock().steady() + 5ms, [&] { fired.set_value(); });
    EXPECT_EQ(fired.get_future().wait_for(30s), std::future_status::ready);
    may_end.set_value();
}

TEST(ThreadPoolTest, CancelTellsWhetherTheTaskStillWaited) {
    auto held = std::make_shared<int>(0);
    std::promise<void> fired;
    ThreadPool pool({.threads = 1});
    const TimerId waiting = pool.post_at(pool.clock().steady() + 1h, [held] {});
    EXPECT_EQ(held.use_count(), 2);
    EXPECT_TRUE(pool.cancel(waiting));
    EXPECT_EQ(held.use_count(), 1) << "a cancelled task is destroyed at once";
    EXPECT_FALSE(pool.cancel(waiting));

    const TimerId past = pool.post_at(SteadyTime(), [&] { fired.set_value(); });
    fired.get_future().wait();
    EXPECT_FALSE(pool.cancel(past));
}

TEST(ThreadPoolTest, StopLetsRunningTasksEndAndDropsWaitingOnes) {
    std::promise<void> begun;
    std::promise<void> may_end;
    bool ended = false;
    bool waiting_ran = false;
    auto held = std::make_shared<int>(0);
    ThreadPool pool({.threads = 1});
    pool.post([&] {
        begun.set_value();
        may_end.get_future().wait();
        ended = true;
    });
    begun.get_future().wait();
    pool.post([&waiting_ran, held] { waiting_ran = true; });
    pool.post_at(pool.clock().steady() + 1h, [held] {});
    std::thread releaser([&] {
        while (held.use_count() > 1) {  // until stop has dropped both
            std::this_thread::yield();
        }
        may_end.set_value();
    });
    std::thread stopper([&] { pool.stop(); });
    stopper.join();
    releaser.join();
    EXPECT_TRUE(ended);
    EXPECT_FALSE(waiting_ran);
    pool.post([&] { waiting_ran = true; });
    pool.stop();
    EXPECT_FALSE(waiting_ran);
}

TEST(ThreadPoolTest, ThreadsStandBackAsFarAsAsked) {
    const auto niceness_here = [] {
        return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
    };
    const int before = niceness_here();  // the whole run may be niced
    const int asked = std::min(before + 5, 19);
    ThreadPool pool({.name = "nice", .threads = 1, .niceness = asked});
    std::promise<int> niceness;
    pool.post([&] { niceness.set_value(niceness_here()); });
    EXPECT_EQ(niceness.get_future().get(), asked);
    EXPECT_EQ(niceness_here(), before);
}

TEST(StrandTest, KeepsOrderAndNeverRunsTwoAtOnce) {
    constexpr int count = 10'000;
    std::vector<int> seen;  // no lock: the strand is the lock
    std::promise<void> all;
    ThreadPool pool({.threads = 2});
    Strand strand(pool);
    for (int i = 0; i < count; ++i) {
        strand.post([&, i] {
            seen.push_back(i);
            if (i + 1 == count) {
                all.set_value();
            }
        });
    }
    all.get_future().wait();
    ASSERT_EQ(seen.size(), static_cast<std::size_t>(count));
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST(StrandTest, GivesTheThreadBackToOthers) {
    std::promise<void> other_ran;
    std::atomic<bool> done = false;
    ThreadPool pool({.threads = 1});
    Strand busy(pool);
    // A strand that always has one more task would starve the pool if it never yielded.
    std::function<void()> again = [&] {
        if (!done) {
            busy.post(again);
        }
    };
    busy.post(again);
    pool.post([&] { other_ran.set_value(); });
    EXPECT_EQ(other_ran.get_future().wait_for(30s), std::future_status::ready);
    done = true;
    pool.stop();
}

TEST(StrandTest, AStoppedExecutorReleasesTasksThatOwnTheirStrand) {
    std::promise<void> begun;
    std::promise<void> may_end;
    ThreadPool pool({.threads = 1});
    pool.post([&] {
        begun.set_value();
        may_end.get_future().wait();
    });
    begun.get_future().wait();
    auto actor = std::make_shared<Strand>(pool);
    const std::weak_ptr<Strand> watched = actor;
    bool ran = false;
    actor->post([actor, &ran] { ran = true; });
    actor.reset();
    std::thread releaser([&] {
        while (!watched.expired()) {  // until stop has dropped the waiting turn
            std::this_thread::yield();
        }
        may_end.set_value();
    });
    pool.stop();
    releaser.join();
    EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace bascule::io
