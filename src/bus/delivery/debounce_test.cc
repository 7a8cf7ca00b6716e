#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/delivery/testing.h"

// The eight ways in which other systems' debounce went wrong, and the rules of our own.

namespace bascule::delivery {
namespace {

Policy debounced(Debounce debounce, RetryPolicy retry = {.initial = 1s, .jitter = 0}) {
    return {.debounce = debounce, .retry = retry};
}

constexpr Debounce plain{.period = 300s, .leading = 0s, .max_wait = 15min};

TEST(DebounceTest, LongWindowsAreNotCutByAHiddenCeiling) {
    Bench bench(debounced({.period = 48h, .leading = 0s, .max_wait = 160h}));
    bench.offer(5);
    EXPECT_EQ(bench.wait(47h).started(), "");
    EXPECT_EQ(bench.wait(1h).started(), "0");
}

TEST(DebounceTest, AnEventInTheLastSecondDoesNotMoveTheDeadline) {
    Bench bench(debounced({.period = 300s, .leading = 0s, .max_wait = 400s}));
    bench.offer(5).wait(299s).offer(5).wait(100s).offer(5);
    EXPECT_EQ(bench.wait(999ms).started(), "");
    EXPECT_EQ(bench.wait(1ms).started(), "0 1 2");
}

TEST(DebounceTest, WhatCannotBeReadOvertakesNoWindowOfItsKey) {
    Bench bench(debounced(plain));
    bench.offer(5).offer(5).offer_lost(5).offer(6);
    EXPECT_EQ(bench.started(), "0 1") << "the window ends before the one that runs alone";
    EXPECT_EQ(bench.answer().started(), "2");
    EXPECT_EQ(bench.state_of(3, 6), EventState::window_open);
}

TEST(DebounceTest, LastIsLastByLogOrderAlsoAfterARestart) {
    Debounce last = plain;
    last.mode = DebounceMode::last;
    Bench bench(debounced(last));
    bench.offer(5).offer(5).offer(5);
    EXPECT_EQ(bench.started(), "");
    bench.crash().offer(5).offer(5).offer(5);
    EXPECT_EQ(bench.wait(300s).started(), "2");
    EXPECT_EQ(bench.runs.front().members_count, 3u);
}

TEST(DebounceTest, ACrashLeavesNoWindowWithoutItsTimer) {
    Bench bench(debounced(plain));
    bench.offer(5).started();
    bench.wait(100s).crash(50s).offer(5);
    EXPECT_EQ(bench.wait(149s).started(), "")
        << "the timer is derived from the record: 150 s are left";
    EXPECT_EQ(bench.wait(1s).started(), "0");
}

TEST(DebounceTest, WhatARestoredDatabaseLacksGoesBeforeAnInterruptedWindowOfItsKey) {
    Bench bench(debounced(plain));
    bench.offer(5);
    EXPECT_EQ(bench.wait(300s).started(), "0");
    bench.answer().offer(5);
    EXPECT_EQ(bench.wait(300s).started(), "1");
    bench.answer(Outcome::transient("busy")).started();
    bench.crash_and_lose_database().offer(5).offer(5).offer(6);
    EXPECT_EQ(bench.started(), "");
    EXPECT_EQ(bench.wait(300s).started(), "0 1 | 2");
}

TEST(DebounceTest, AWindowWhoseRecordWasLostIsStillDelivered) {
    Bench bench(debounced(plain));
    bench.offer(5).offer(5).started();
    bench.journal.clear();
    bench.crash().offer(5).offer(5);
    EXPECT_EQ(bench.wait(300s).started(), "0 1");
}

TEST(DebounceTest, AWindowNeverBlocksItsKey) {
    // Whatever happens to a window (flush, failure, letter), the next one fires.
    Bench bench(Policy{.debounce = plain, .on_exhausted = OnExhausted::skip_key});
    bench.offer(5).offer(5);
    EXPECT_EQ(bench.consumer->flush(5, bench.now()), 1u);
    EXPECT_EQ(bench.started(), "0 1");
    bench.make_letter();
    bench.offer(5);
    EXPECT_EQ(bench.wait(300s).started(), "2");
    EXPECT_EQ(bench.consumer->counts().letters, 2u);
}

TEST(DebounceTest, CollectHandsOverEveryEvent) {
    Bench bench(debounced(plain));
    bench.offer(5).offer(6).offer(5).offer(5);
    EXPECT_EQ(bench.wait(300s).started(), "1 | 0 2 3") << "what waited first";
    bench.answer().answer();
    const Counts counts = bench.consumer->counts();
    EXPECT_EQ(counts.settled.done, 2u);
    EXPECT_EQ(counts.settled.coalesced, 2u);
    EXPECT_EQ(bench.state_of(0, 5), EventState::coalesced);
    EXPECT_EQ(bench.state_of(3, 5), EventState::done);
}

TEST(DebounceTest, NobodyCanPostponeForEver) {
    Bench bench(debounced(plain));
    bench.offer(5);
    std::string started;
    int minutes = 0;
    for (; started.empty(); ++minutes) {
        started = bench.wait(1min).started();
        bench.offer(5);
    }
    EXPECT_EQ(minutes, 15);
}

TEST(DebounceTest, FromIdleTheLeadingTimeApplies) {
    Bench bench(debounced({.period = 300s, .leading = 2s, .max_wait = 15min}));
    bench.offer(5).wait(1s).offer(5);
    EXPECT_EQ(bench.wait(1s).started(), "") << "it is quiet time";
    EXPECT_EQ(bench.wait(1s).started(), "0 1");
    bench.answer().wait(10s).offer(5);
    EXPECT_EQ(bench.wait(299s).started(), "") << "after a run the period applies";
    EXPECT_EQ(bench.wait(1s).started(), "2");
    bench.answer().wait(300s).started();
    EXPECT_EQ(bench.consumer->counts().keys, 0u);
    bench.offer(5);
    EXPECT_EQ(bench.wait(2s).started(), "3") << "idle again";
}

TEST(DebounceTest, TheRunBeforeARestartStillCounts) {
    Bench bench(debounced({.period = 300s, .leading = 2s, .max_wait = 15min}));
    bench.offer(5).wait(2s).started();
    bench.answer().started();
    bench.crash(100s);
    bench.offer(5);
    EXPECT_EQ(bench.wait(2s).started(), "");
    EXPECT_EQ(bench.wait(298s).started(), "1");
}

TEST(DebounceTest, EventsDuringARunOpenTheNextWindow) {
    Bench bench(debounced({.period = 10s, .leading = 0s, .max_wait = 15min}));
    bench.offer(5);
    EXPECT_EQ(bench.wait(10s).started(), "0");
    bench.offer(5);
    EXPECT_EQ(bench.wait(10s).started(), "") << "it fired, but its key runs";
    EXPECT_EQ(bench.state_of(1, 5), EventState::behind_key);
    EXPECT_EQ(bench.answer().started(), "1");
}

TEST(DebounceTest, FiresAtOnceWhenItIsFullOrUrgent) {
    Bench full(debounced({.period = 300s, .max_wait = 15min, .max_events = 2}));
    EXPECT_EQ(full.offer(5).offer(5).offer(5).started(), "0 1");

    Bench heavy(debounced({.period = 300s, .max_wait = 15min, .max_bytes = 1000}));
    EXPECT_EQ(heavy.offer(5, 1, {}, 999).started(), "");
    EXPECT_EQ(heavy.offer(5, 1, {}, 1).started(), "0 1");

    Policy policy = debounced(plain);
    policy.lanes = Lanes{.map = {{"account.deleted", 1}}, .otherwise = 3};
    Bench urgent(policy);
    EXPECT_EQ(urgent.offer(5, 3).offer(6, 3).started(), "");
    EXPECT_EQ(urgent.offer(5, 1).started(), "0 2");
}

TEST(DebounceTest, AWindowIsRetriedAsOneRun) {
    Bench bench(debounced(plain));
    bench.offer(5).offer(5).wait(300s).started();
    bench.answer(Outcome::transient("busy"));
    EXPECT_EQ(bench.wait(1s).started(), "0 1");
    EXPECT_EQ(bench.runs.front().attempt, 2u);
}

TEST(DebounceTest, AnInterruptedWindowKeepsItsMembersAndAttempts) {
    Bench bench(debounced(plain));
    bench.offer(5).offer(5).wait(300s);
    EXPECT_EQ(bench.started(), "0 1");
    bench.offer(5).started();
    bench.crash();
    EXPECT_EQ(bench.offer(5).started(), "");
    EXPECT_EQ(bench.offer(5).offer(5).started(), "0 1");
    EXPECT_EQ(bench.runs.front().attempt, 2u);
    bench.answer();
    EXPECT_EQ(bench.wait(300s).started(), "2");
}

TEST(DebounceTest, ClockStepsFireNoTimerEarly) {
    for (const std::int64_t step : {-86'400'000ll, 86'400'000ll}) {
        Bench bench(debounced(plain));
        bench.offer(5);
        bench.wall += step;
        EXPECT_EQ(bench.wait(299s).started(), "") << step;
        EXPECT_EQ(bench.wait(1s).started(), "0") << step;
    }
}

TEST(DebounceTest, AfterARestartAClockThatWasSetBackCostsAtMostAPeriod) {
    Bench bench(debounced(plain));
    bench.offer(5).started();
    bench.crash(-24h).offer(5);
    EXPECT_EQ(bench.wait(299s).started(), "");
    EXPECT_EQ(bench.wait(1s).started(), "0");
}

}  // namespace
}  // namespace bascule::delivery
