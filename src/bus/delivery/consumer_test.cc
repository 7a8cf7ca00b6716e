#include "bus/delivery/consumer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/delivery/testing.h"
#include "foundation/base/testing.h"

namespace bascule::delivery {
namespace {

using testing::HasSubstr;

constexpr RetryPolicy steady_retry{.initial = 1s, .jitter = 0};

// ── Order and concurrency ────────────────────────────────────────────────────────────────────────

TEST(ConsumerTest, RunsOneEventOfAKeyAtATimeInOrder) {
    Bench bench({});
    bench.offer(5).offer(5).offer(6);
    EXPECT_EQ(bench.started(), "0 | 2");
    EXPECT_EQ(bench.answer().started(), "1");
}

TEST(ConsumerTest, EventsWithoutAKeyHaveNoOrder) {
    Bench bench({});
    EXPECT_EQ(bench.offer(no_key).offer(no_key).started(), "0 | 1");
}

TEST(ConsumerTest, OrderingLogIsOneRunAtATime) {
    Bench bench({.ordering = Ordering::log});
    EXPECT_EQ(bench.offer(5).offer(6).offer(no_key).started(), "0");
    EXPECT_EQ(bench.answer().started(), "1");
}

TEST(ConsumerTest, OrderingNoneIsBoundByConcurrencyAlone) {
    Bench bench({.ordering = Ordering::none, .concurrency = 2});
    EXPECT_EQ(bench.offer(5).offer(5).offer(5).started(), "0 | 1");
    EXPECT_EQ(bench.answer().started(), "2");
}

TEST(ConsumerTest, AKeyInRetryOccupiesNoWorker) {
    Bench bench({.concurrency = 1, .retry = steady_retry});
    bench.offer(5).offer(6).started();
    EXPECT_EQ(bench.answer(Outcome::transient("busy")).started(), "1");
}

TEST(ConsumerTest, StopsReadingAheadAtMaxUnsettled) {
    Bench bench({.max_unsettled = 2});
    EXPECT_TRUE(bench.consumer->wants_more());
    bench.offer(5).offer(5);
    EXPECT_FALSE(bench.consumer->wants_more());
    bench.started();
    EXPECT_TRUE((bench.answer(), bench.consumer->wants_more()));
}

TEST(ConsumerTest, DeferredEventsDoNotCountAgainstMaxUnsettled) {
    Bench bench({.max_unsettled = 2});
    bench.offer(5).started();
    bench.make_letter();
    bench.offer(5).offer(5).offer(5);
    EXPECT_TRUE(bench.consumer->wants_more());
    EXPECT_EQ(bench.consumer->counts().deferred, 3u);
}

TEST(ConsumerTest, WhatIsLostTakesNobodyWithIt) {
    Bench bench({.concurrency = 1, .batch = Batch{.max_size = 10, .max_wait = 1s}});
    bench.offer(5).offer(5).offer_lost(5).offer(5).wait(1s);
    EXPECT_EQ(bench.started(), "0 1");
    EXPECT_EQ(bench.answer().started(), "2");
    bench.answer(Outcome::unreadable("gone")).started();
    ASSERT_EQ(bench.letters.size(), 1u);
    EXPECT_EQ(bench.letters[0].letter.last_error, "gone");
}

TEST(ConsumerTest, WhatIsLostIsALetterAlsoWhereRetriesGoOnForEver) {
    Bench bench({.retry = steady_retry, .on_exhausted = OnExhausted::retry_forever});
    bench.offer_lost(5).offer(5).started();
    bench.make_letter_of(Outcome::unreadable("gone"));
    EXPECT_EQ(bench.consumer->counts().letters, 1u);
    EXPECT_EQ(bench.started(), "1");
}

TEST(ConsumerTest, KeysVanishWhenIdle) {
    Bench bench({});
    bench.offer(5).started();
    EXPECT_EQ(bench.consumer->counts().keys, 1u);
    bench.answer();
    EXPECT_EQ(bench.consumer->counts().keys, 0u);
}

TEST(ConsumerTest, PositionPassesWhatDidNotMatch) {
    Bench bench({});
    bench.offer(5, 1, 10).started();
    EXPECT_EQ(bench.consumer->position(), Offset(0));
    bench.answer();
    EXPECT_EQ(bench.consumer->position(), Offset(11));
    bench.consumer->advance_cursor(Offset(50), bench.now());
    EXPECT_EQ(bench.consumer->position(), Offset(50));
}

// ── Lanes ────────────────────────────────────────────────────────────────────────────────────────

Policy laned() {
    return {.lanes = Lanes{.map = {{"account.deleted", 1}, {"file.processed", 2}}, .otherwise = 3},
            .concurrency = 1};
}

TEST(ConsumerTest, TheBestLaneGoesFirst) {
    Bench bench(laned());
    bench.offer(4, 3).offer(5, 2).offer(6, 1).offer(no_key, 1);
    EXPECT_EQ(bench.started(), "2");
    EXPECT_EQ(bench.answer().started(), "3");
    EXPECT_EQ(bench.answer().started(), "1");
    EXPECT_EQ(bench.answer().started(), "0");
}

TEST(ConsumerTest, AHighEventLendsItsLaneToTheHeadOfItsKey) {
    Bench bench(laned());
    bench.offer(4, 2).offer(5, 3).offer(5, 1);
    EXPECT_EQ(bench.started(), "1");
    EXPECT_EQ(bench.runs.front().lane, 1);
    EXPECT_EQ(bench.answer().started(), "2");
    EXPECT_EQ(bench.answer().started(), "0");
}

TEST(ConsumerTest, LanesBeyondTheWorstCountAsTheWorst) {
    Bench bench({.concurrency = 1});
    EXPECT_EQ(bench.offer(4, 200).offer(5, 1).started(), "0");
}

// ── Retry ────────────────────────────────────────────────────────────────────────────────────────

TEST(ConsumerTest, RetriesWithBackoff) {
    Bench bench({.retry = steady_retry});
    bench.offer(5).started();
    bench.answer(Outcome::transient("busy"));
    EXPECT_EQ(bench.wait(999ms).started(), "");
    EXPECT_EQ(bench.wait(1ms).started(), "0");
    EXPECT_EQ(bench.runs.front().attempt, 2u);
    bench.answer(Outcome::transient("busy", 30s));
    EXPECT_EQ(bench.consumer->next_deadline(), bench.now().steady + 30s);
    EXPECT_EQ(bench.wait(30s).started(), "0");
}

TEST(ConsumerTest, UncountedAnswersCostNoAttempt) {
    Bench bench({.retry = {.initial = 1s, .jitter = 0, .max_attempts = 1}});
    bench.offer(5).started();
    bench.answer(Outcome::uncounted("429", 5s));
    EXPECT_EQ(bench.wait(5s).started(), "0");
    EXPECT_EQ(bench.runs.front().attempt, 1u);
}

TEST(ConsumerTest, AWaitThatIsAskedForIsKeptWithinTheRetryPolicy) {
    struct Case {
        const char* name;
        std::chrono::milliseconds asked;
        std::chrono::milliseconds wait;
    };
    for (const Case& row : {Case{"as asked", 7s, 7s}, Case{"no sooner than our own", 0s, 2s},
                            Case{"no later than the longest of ours", 1h, 5min}}) {
        // One attempt is all there is, and these answers do not take it.
        Bench bench({.retry = {.initial = 2s, .jitter = 0, .max_attempts = 1}});
        bench.offer(5).started();
        for (int i = 0; i < 3; ++i) {
            bench.answer(Outcome::uncounted("429", row.asked));
            EXPECT_EQ(bench.consumer->next_deadline(), bench.now().steady + row.wait) << row.name;
            EXPECT_EQ(bench.wait(row.wait).started(), "0") << row.name;
            ASSERT_EQ(bench.runs.size(), 1u) << row.name;
            EXPECT_EQ(bench.runs.front().attempt, 1u) << row.name;
        }
    }
}

TEST(ConsumerTest, WhoIsAskedToWaitForEverIsALetterInTheEnd) {
    Bench bench({.retry = {.initial = 1s, .jitter = 0, .max_age = 10min}});
    bench.offer(5).started();
    for (int i = 0; i < 2; ++i) {
        bench.answer(Outcome::uncounted("too many", 4min)).wait(4min);
        ASSERT_EQ(bench.started(), "0");
    }
    bench.answer(Outcome::uncounted("too many", 4min));
    ASSERT_EQ(bench.wait(2min).started(), "0") << "the last attempt falls within max_age";
    bench.answer(Outcome::uncounted("too many", 4min)).started();
    ASSERT_EQ(bench.letters.size(), 1u);
    EXPECT_EQ(bench.letters[0].letter.reason, LetterReason::age);
    EXPECT_EQ(bench.letters[0].letter.attempts, 0u);
    EXPECT_EQ(bench.letters[0].letter.last_error, "too many");
}

TEST(ConsumerTest, ARunThatWasNotBegunInTimeIsNeverALetterForIt) {
    Bench bench({.retry = {.initial = 1s, .jitter = 0, .max_age = 10s}});
    bench.offer(5).started();
    bench.wait(20s).answer(Outcome::uncounted("was not sent in time"));
    EXPECT_EQ(bench.wait(1s).started(), "0");
}

TEST(ConsumerTest, MaxAgeStandsStillWhilePausedAndSuspended) {
    Bench bench(
        {.retry = {.initial = 1s, .factor = 1, .jitter = 0, .max_attempts = 0, .max_age = 10s}});
    bench.offer(5).started();
    bench.answer(Outcome::transient("busy")).started();
    bench.consumer->pause({}, bench.now());
    bench.wait(48h);
    EXPECT_THAT(bench.consumer->resume({}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "0") << "a weekend exhausts nothing";
    bench.answer(Outcome::suspended("disk full")).wait(5s);
    EXPECT_EQ(bench.started(), "0");
    bench.answer(Outcome::transient("busy"));
    EXPECT_EQ(bench.wait(1s).started(), "0");
    bench.wait(9s).answer(Outcome::transient("busy")).started();
    ASSERT_EQ(bench.letters.size(), 1u);
    EXPECT_EQ(bench.letters.front().letter.reason, LetterReason::age);
}

TEST(ConsumerTest, MaxAgeStandsStillWhileTheProcessIsOff) {
    Bench bench({.retry = {.initial = 1s, .jitter = 0, .max_attempts = 0, .max_age = 10s}});
    bench.offer(5).started();
    bench.wait(2s).answer(Outcome::transient("busy")).started();
    bench.crash(48h).offer(5);
    EXPECT_EQ(bench.started(), "0");
    bench.answer(Outcome::transient("busy")).started();
    EXPECT_TRUE(bench.letters.empty());
}

TEST(ConsumerTest, AttemptsSurviveACrashAndTheInterruptedOneCounts) {
    Bench bench({.retry = {.initial = 1s, .jitter = 0, .max_attempts = 3}});
    bench.offer(5).started();
    for (std::uint32_t attempt = 2; attempt <= 3; ++attempt) {
        bench.crash().offer(5);
        EXPECT_EQ(bench.started(), "0");
        EXPECT_EQ(bench.runs.front().attempt, attempt);
    }
    bench.crash().offer(5);
    EXPECT_EQ(bench.started(), "") << "an event that kills the process must not do so for ever";
    ASSERT_EQ(bench.letters.size(), 1u);
    EXPECT_EQ(bench.letters.front().letter.last_error, "the process ended during the run");
}

TEST(ConsumerTest, ARetryWaitIsTakenUpAfterARestart) {
    Bench bench({.retry = {.initial = 60s, .jitter = 0}});
    bench.offer(5).started();
    bench.answer(Outcome::transient("busy")).started();
    bench.crash(20s).offer(5);
    EXPECT_EQ(bench.wait(39s).started(), "");
    EXPECT_EQ(bench.wait(1s).started(), "0");
}

// ── Answers that are late, missing or about nobody ───────────────────────────────────────────────

/// What was done and is missing in a restored database comes first: it stands before it in the log.
TEST(ConsumerTest, WhatARestoredDatabaseLacksGoesBeforeAnInterruptedEventOfItsKey) {
    for (const Ordering ordering : {Ordering::key, Ordering::log}) {
        Bench bench({.ordering = ordering});
        bench.offer(5).offer(5).offer(5).started();
        EXPECT_EQ(bench.answer().started(), "1");
        bench.answer(Outcome::transient("busy"));
        bench.consumer->pause({}, bench.now());
        bench.started();
        bench.crash_and_lose_database();
        bench.offer(5).offer(5).offer(5).started();
        EXPECT_THAT(bench.consumer->resume({}, bench.now()), Succeeds());
        EXPECT_EQ(bench.started(), "0");
        EXPECT_EQ(bench.answer().started(), "1");
        EXPECT_EQ(bench.answer().started(), "2");
    }
}

TEST(ConsumerTest, ARemoteHandlerIsGivenUpAndItsLateAnswerIgnored) {
    Bench bench({.retry = steady_retry, .timeout = 30s});
    bench.offer(5).started();
    const RunId late = bench.runs.front().run;
    EXPECT_EQ(bench.wait(30s).started(), "");
    ASSERT_EQ(bench.cancels.size(), 1u);
    EXPECT_FALSE(bench.cancels.front().stuck);
    bench.consumer->answer(late, Outcome::done(), bench.now());
    EXPECT_EQ(bench.consumer->counts().late_answers, 1u);
    EXPECT_EQ(bench.consumer->counts().settled.done, 0u);
    EXPECT_EQ(bench.wait(1s).started(), "0");
}

TEST(ConsumerTest, AnInProcessHandlerIsStuckButNeverDoubled) {
    Bench bench({.retry = steady_retry, .timeout = 30s, .on_timeout = OnTimeout::wait});
    bench.offer(5).started();
    bench.wait(1h).started();
    ASSERT_EQ(bench.cancels.size(), 1u);
    EXPECT_TRUE(bench.cancels.front().stuck);
    EXPECT_EQ(bench.wait(1h).started(), "");
    bench.answer();
    EXPECT_EQ(bench.consumer->counts().settled.done, 1u);
}

TEST(ConsumerTest, AnswersOfUnknownRunsAreCounted) {
    Bench bench({});
    for (const std::uint64_t run : {0ull, 1ull, ~0ull}) {
        bench.consumer->answer(RunId(run), Outcome::done(), bench.now());
    }
    EXPECT_EQ(bench.consumer->counts().late_answers, 3u);
}

// ── Batches ──────────────────────────────────────────────────────────────────────────────────────

Policy batched(Batch batch, Ordering ordering = Ordering::none) {
    return {.ordering = ordering, .batch = batch, .retry = steady_retry};
}

TEST(ConsumerTest, ABatchFiresOnSizeBytesOrTheWaitOfItsOldest) {
    Bench size(batched({.max_size = 2}));
    EXPECT_EQ(size.offer(5).started(), "");
    EXPECT_EQ(size.offer(6).offer(7).started(), "0 1");

    Bench bytes(batched({.max_bytes = 100}));
    EXPECT_EQ(bytes.offer(5, 1, {}, 60).started(), "");
    EXPECT_EQ(bytes.offer(5, 1, {}, 60).started(), "0");
    EXPECT_EQ(bytes.offer(5, 1, {}, 500).started(), "1 | 2") << "too large for any batch: alone";

    Bench oldest(batched({.max_wait = 5s}));
    oldest.offer(5).wait(4s).offer(5);
    EXPECT_EQ(oldest.wait(999ms).started(), "");
    EXPECT_EQ(oldest.state_of(1, 5), EventState::batch_filling);
    EXPECT_EQ(oldest.wait(1ms).started(), "0 1");
}

TEST(ConsumerTest, ABatchIsFilledFromOneLane) {
    Policy policy = batched({.max_size = 10, .max_wait = 1s});
    policy.lanes = Lanes{.map = {{"a", 1}}, .otherwise = 2};
    Bench bench(policy);
    bench.offer(5, 2).offer(5, 1).offer(5, 2);
    EXPECT_EQ(bench.wait(1s).started(), "1 | 0 2");
}

TEST(ConsumerTest, WithOrderingKeyABatchHoldsConsecutiveEventsOfOneKey) {
    Bench bench(batched({.max_size = 2}, Ordering::key));
    EXPECT_EQ(bench.offer(5).offer(6).offer(5).offer(5).offer(5).started(), "0 2");
    EXPECT_EQ(bench.answer().started(), "3 4");
}

TEST(ConsumerTest, RetryAllRepeatsTheBatchAndChargesEveryMember) {
    Bench bench(batched({.max_size = 2}, Ordering::log));
    bench.offer(5).offer(6).offer(7).started();
    bench.answer(Outcome::transient("busy"));
    EXPECT_EQ(bench.wait(1s).started(), "0 1");
    EXPECT_EQ(bench.runs.front().attempt, 2u);
}

TEST(ConsumerTest, ItemsThatAreDoneAreNeverSentAgain) {
    Bench bench(batched({.max_size = 3}));
    bench.offer(5).offer(6).offer(7).started();
    bench.answer(Outcome::done_except({{Offset(1), ItemFailure::Kind::transient, "row"}}));
    EXPECT_EQ(bench.consumer->counts().settled.done, 2u);
    EXPECT_EQ(bench.wait(1s).started(), "1");
}

TEST(ConsumerTest, ARefusedItemBecomesALetterAndTheOthersAreRetried) {
    Bench bench(batched({.max_size = 3}));
    bench.offer(5).offer(6).offer(7).started();
    bench.answer(
        Outcome::done_except({{Offset(0), ItemFailure::Kind::permanent, "bad row"}, {Offset(2)}}));
    EXPECT_EQ(bench.wait(1s).started(), "2");
    ASSERT_EQ(bench.letters.size(), 1u);
    EXPECT_EQ(bench.letters.front().letter.offset, Offset(0));
}

TEST(ConsumerTest, InAnOrderedBatchTheRestWaitsBehindTheRefusedItem) {
    Bench bench(batched({.max_size = 4}, Ordering::key));
    bench.offer(5).offer(5).offer(5).offer(5).started();
    bench
        .answer(Outcome::done_except(
            {{Offset(1), ItemFailure::Kind::permanent, "bad row"}, {Offset(3)}}))
        .started();
    ASSERT_EQ(bench.letters.size(), 1u);
    bench.consumer->letter_durable(Offset(1), bench.now());
    EXPECT_EQ(bench.state_of(2, 5), EventState::done);
    EXPECT_EQ(bench.state_of(3, 5), EventState::deferred);
    EXPECT_THAT(bench.consumer->close_letters({}, LetterClosing::skipped, "known", bench.now()),
                Succeeds());
    EXPECT_EQ(bench.wait(5s).started(), "3");
}

TEST(ConsumerTest, AnAnswerAboutAnEventOfAnotherRunFailsTheRun) {
    Bench bench(batched({.max_size = 1}));
    bench.offer(5).started();
    bench.answer(Outcome::done_except({{Offset(99), ItemFailure::Kind::permanent, "?"}}));
    EXPECT_EQ(bench.consumer->counts().settled.done, 0u);
    EXPECT_THAT(bench.consumer->explain(Offset(0), 5, bench.now()).error,
                HasSubstr("names offset 99"));
}

// ── Pause and suspension ─────────────────────────────────────────────────────────────────────────

TEST(ConsumerTest, PauseStartsNothingAndLosesNothing) {
    Bench bench({});
    bench.offer(5).offer(6).started();
    bench.consumer->pause({.reason = "maintenance"}, bench.now());
    bench.offer(7);
    bench.answer();
    EXPECT_EQ(bench.started(), "");
    EXPECT_TRUE(bench.synced);
    EXPECT_THAT(bench.consumer->explain(Offset(2), 7, bench.now()).text,
                HasSubstr("paused: maintenance"));
    bench.crash();
    EXPECT_EQ(bench.consumer->status(bench.now()).mode, ConsumerMode::paused);
    EXPECT_THAT(bench.consumer->resume({}, bench.now()), Succeeds());
    EXPECT_EQ(bench.offer(6, 1, 1).offer(7).started(), "1 | 2");
}

TEST(ConsumerTest, PauseEndsByItself) {
    Bench bench({});
    bench.consumer->pause({.until = bench.now().wall + 1h}, bench.now());
    bench.offer(5);
    EXPECT_EQ(bench.wait(3'599s).started(), "");
    EXPECT_EQ(bench.wait(1s).started(), "0");
}

TEST(ConsumerTest, APauseUntilTheEndOfTimeDoesNotOverflow) {
    Bench bench({});
    bench.consumer->pause({.until = from_unix_ms(253'402'300'799'999)}, bench.now());
    EXPECT_EQ(bench.offer(5).wait(24h * 365).started(), "");
}

TEST(ConsumerTest, ResourceTroubleSuspendsTheConsumerAndChargesNobody) {
    Bench bench({.retry = {.initial = 1s, .jitter = 0, .max_attempts = 1}});
    bench.offer(5).offer(6).offer(7).started();
    bench.answer(Outcome::suspended("disk full"));
    EXPECT_EQ(bench.consumer->status(bench.now()).mode, ConsumerMode::suspended);
    bench.answer().answer().offer(8);
    EXPECT_EQ(bench.started(), "");
    EXPECT_EQ(bench.wait(2s).started(), "0");
    EXPECT_EQ(bench.runs.front().attempt, 1u);
    EXPECT_EQ(bench.answer().started(), "3");
}

TEST(ConsumerTest, AfterResourceTroubleOneRunGoesAhead) {
    Bench bench({});
    bench.offer(5).offer(6).started();
    bench.answer(Outcome::suspended("disk full")).answer(Outcome::suspended("disk full"));
    EXPECT_EQ(bench.started(), "");
    EXPECT_EQ(bench.wait(2s).started(), "0");
    bench.answer(Outcome::suspended("disk full"));
    EXPECT_EQ(bench.wait(1s).started(), "") << "the waits grow";
    EXPECT_EQ(bench.wait(2s).started(), "1");
    EXPECT_EQ(bench.answer().started(), "0");
}

// ── Explain ──────────────────────────────────────────────────────────────────────────────────────

TEST(ConsumerTest, ExplainAnswersInEveryState) {
    Policy policy{.concurrency = 1, .retry = steady_retry};
    Bench bench(policy, ConsumerState(Offset(3)));
    bench.offer(5, 1, 3).offer(5).offer(6).started();
    EXPECT_EQ(bench.state_of(2, 5), EventState::before_start);
    EXPECT_EQ(bench.state_of(3, 5), EventState::running);
    EXPECT_EQ(bench.state_of(4, 5), EventState::behind_key);
    EXPECT_EQ(bench.state_of(5, 6), EventState::queued);
    EXPECT_EQ(bench.state_of(6, 6), EventState::unread);
    bench.answer(Outcome::transient("busy"));
    const Explanation retry = bench.consumer->explain(Offset(3), 5, bench.now());
    EXPECT_EQ(retry.state, EventState::retry_wait);
    EXPECT_EQ(retry.next, bench.now().wall + 1s);
    EXPECT_EQ(retry.text, "1 attempt failed");
    EXPECT_EQ(retry.error, "busy");
    bench.wait(1s).started();
    bench.answer();  // 6 was first in line
    bench.started();
    bench.answer(Outcome::permanent("no")).started();
    EXPECT_EQ(bench.state_of(3, 5), EventState::letter_pending);
    bench.consumer->letter_durable(Offset(3), bench.now());
    EXPECT_EQ(bench.state_of(3, 5), EventState::letter_open);
    EXPECT_EQ(bench.state_of(4, 5), EventState::deferred);
    EXPECT_EQ(bench.state_of(5, 6), EventState::done);
}

TEST(ConsumerTest, RefusesAPolicyThatCannotBe) {
    EXPECT_THAT(Consumer::create("audit", {.concurrency = 0}, ConsumerState(Offset(0)), Random(1),
                                 Bench({}).now()),
                FailsWith(ErrorKind::invalid,
                          HasSubstr("consumer audit: concurrency is 0; 1 to 16384 is allowed")));
}

}  // namespace
}  // namespace bascule::delivery
