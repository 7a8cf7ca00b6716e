#include "sim/sim_executor.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "foundation/base/testing.h"

namespace bascule::sim {
namespace {

using testing::ElementsAre;

TEST(SimClockTest, OnlyTheWallClockSteps) {
    SimClock clock(from_unix_ms(1000));
    const SteadyTime start = clock.steady();
    const WallTime wall = clock.wall();
    clock.advance(1500us);
    EXPECT_EQ(clock.steady() - start, 1500us);
    EXPECT_EQ(clock.wall() - wall, 1ms);
    clock.step_wall(-1h);
    EXPECT_EQ(clock.steady() - start, 1500us);
    EXPECT_EQ(clock.wall() - wall, 1ms - 1h);
    clock.advance_to(start);
    EXPECT_EQ(clock.steady() - start, 1500us) << "steady time never goes back";
}

class SimExecutorTest : public testing::Test {
  protected:
    SimClock clock_;
    SimExecutor executor_{clock_, 7};
    SteadyTime start_ = clock_.steady();
};

TEST_F(SimExecutorTest, TheSeedChoosesTheOrder) {
    const auto order = [](std::uint64_t seed) {
        SimClock clock;
        SimExecutor executor(clock, seed);
        std::string seen;
        for (char letter : {'a', 'b', 'c'}) {
            executor.post([&seen, letter] { seen.push_back(letter); });
        }
        executor.run_until_idle();
        return seen;
    };
    std::set<std::string> orders;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        EXPECT_EQ(order(seed), order(seed));
        orders.insert(order(seed));
    }
    EXPECT_EQ(orders.size(), 6u);
}

TEST_F(SimExecutorTest, StrandsKeepTheirOrder) {
    io::Strand strand(executor_);
    std::vector<int> seen;
    for (int i = 0; i < 200; ++i) {
        strand.post([&seen, i] { seen.push_back(i); });
        executor_.post([] {});
    }
    executor_.run_until_idle();
    EXPECT_EQ(seen.size(), 200u);
    EXPECT_TRUE(std::ranges::is_sorted(seen));
}

TEST_F(SimExecutorTest, TimeJumpsFromTimerToTimer) {
    std::vector<SteadyTime::duration> seen;
    const auto note = [&] { seen.push_back(clock_.steady() - start_); };
    executor_.post_at(start_ + 2h, note);
    executor_.post_at(start_ + 1h, [&] {
        note();
        executor_.post_at(clock_.steady() + 30min, note);
    });
    EXPECT_EQ(executor_.run_until_idle(), 3u);
    EXPECT_THAT(seen, ElementsAre(1h, 90min, 2h));
}

TEST_F(SimExecutorTest, RunForStopsAtItsEnd) {
    int fired = 0;
    executor_.post_at(start_ + 10s, [&] { ++fired; });
    executor_.post_at(start_ + 11s, [&] { ++fired; });
    EXPECT_EQ(executor_.run_for(10s), 1u);
    EXPECT_EQ(clock_.steady() - start_, 10s);
    EXPECT_EQ(executor_.run_for(500ms), 0u);
    EXPECT_EQ(clock_.steady() - start_, 10500ms);
    EXPECT_EQ(fired, 1);
}

TEST_F(SimExecutorTest, RunReadyLetsNoTimePass) {
    bool late = false;
    executor_.post([&] { executor_.post([] {}); });
    executor_.post_at(start_ + 1ns, [&] { late = true; });
    EXPECT_EQ(executor_.run_ready(), 2u);
    EXPECT_FALSE(late);
}

TEST_F(SimExecutorTest, CancelledTimersNeverFire) {
    bool fired = false;
    const io::TimerId timer = executor_.post_at(start_ + 1s, [&] { fired = true; });
    EXPECT_TRUE(executor_.cancel(timer));
    EXPECT_FALSE(executor_.cancel(timer));
    EXPECT_FALSE(executor_.run_one());
    EXPECT_FALSE(fired);
}

TEST_F(SimExecutorTest, WaitForTellsWhenNothingIsLeft) {
    EXPECT_EQ(wait_for<int>(executor_,
                            [&](io::Completion<int> done) {
                                executor_.post_at(start_ + 1h,
                                                  [done = std::move(done)]() mutable { done(5); });
                            })
                  .value(),
              5);
    EXPECT_THAT(wait_for<int>(executor_, [](io::Completion<int>) {}),
                FailsWith(ErrorKind::unavailable));
}

TEST_F(SimExecutorTest, DropAllForgetsEverything) {
    auto held = std::make_shared<int>(0);
    executor_.post([held] {});
    executor_.post_at(start_ + 1s, [held] {});
    executor_.drop_all();
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_FALSE(executor_.run_one());
}

}  // namespace
}  // namespace bascule::sim
