#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/delivery/testing.h"
#include "foundation/base/testing.h"

// Batches of several keys, and how one that fails is taken apart.

namespace bascule::delivery {
namespace {

using testing::HasSubstr;

const RetryPolicy steady_retry{.initial = 1s, .factor = 1, .jitter = 0, .max_attempts = 2};

Policy bisecting(Batch batch, Ordering ordering = Ordering::key) {
    batch.on_error = BatchOnError::bisect;
    return {.ordering = ordering, .batch = batch, .retry = steady_retry};
}

Outcome failed(const std::string& text = "busy") { return Outcome::transient(text); }

ItemFailure named(std::uint64_t offset, ItemFailure::Kind kind = ItemFailure::Kind::transient) {
    return {Offset(offset), kind, "row " + std::to_string(offset)};
}

// ── Filling ──────────────────────────────────────────────────────────────────────────────────────

TEST(ConsumerBatchTest, HoldsConsecutiveEventsOfItsKeys) {
    Bench bench(bisecting({.max_size = 4}));
    EXPECT_EQ(bench.offer(5).offer(6).offer(5).started(), "");
    EXPECT_EQ(bench.state_of(2, 5), EventState::batch_filling);
    EXPECT_THAT(bench.consumer->explain(Offset(0), 5, bench.now()).text, HasSubstr("3 of 4"));
    EXPECT_EQ(bench.offer(0).started(), "0 1 2 3") << "and events without a key";
    EXPECT_EQ(bench.offer(5).offer(7).offer(6).offer(8).offer(9).started(), "")
        << "keys 5 and 6 are in a run, so that only three events wait for company";
    EXPECT_EQ(bench.state_of(6, 6), EventState::behind_key);
    EXPECT_THAT(bench.consumer->explain(Offset(6), 6, bench.now()).text, HasSubstr("offset 1 "));
    EXPECT_EQ(bench.answer().started(), "4 5 7 8");
}

TEST(ConsumerBatchTest, TakesTheKeysInTheOrderInWhichTheyCame) {
    Bench bench(bisecting({.max_size = 3}));
    bench.offer(5).offer(6).offer(6).offer(7).offer(5);
    EXPECT_EQ(bench.started(), "0 1 4") << "in log order, with both events of key 5";
    EXPECT_EQ(bench.offer(8).answer().started(), "2 3 5");
}

TEST(ConsumerBatchTest, FiresOnSizeBytesOrTheWaitOfItsOldest) {
    Bench bytes(bisecting({.max_bytes = 100}));
    EXPECT_EQ(bytes.offer(5, 1, {}, 60).started(), "");
    EXPECT_EQ(bytes.offer(6, 1, {}, 60).started(), "0");
    EXPECT_EQ(bytes.offer(7, 1, {}, 500).started(), "1 | 2") << "too large for any batch: alone";

    Bench oldest(bisecting({.max_wait = 5s}));
    oldest.offer(5).wait(4s).offer(6);
    EXPECT_EQ(oldest.consumer->next_deadline(), SteadyTime(oldest.steady) + 1s);
    EXPECT_EQ(oldest.wait(999ms).started(), "");
    EXPECT_EQ(oldest.wait(1ms).started(), "0 1");
}

TEST(ConsumerBatchTest, IsFilledFromOneLaneTheBestFirst) {
    Policy policy = bisecting({.max_size = 10, .max_wait = 1s});
    policy.lanes = Lanes{.map = {{"a", 1}}, .otherwise = 2};
    Bench bench(policy);
    bench.offer(5, 2).offer(6, 1).offer(7, 2).offer(5, 1);
    EXPECT_EQ(bench.wait(1s).started(), "0 1 3 | 2") << "the event behind it lends its lane";
}

TEST(ConsumerBatchTest, AFlushWaitsForNoCompany) {
    Bench bench(bisecting({.max_size = 10, .max_wait = 1h}));
    bench.offer(5).offer(6).started();
    EXPECT_EQ(bench.consumer->flush(6, bench.now()), 1u);
    EXPECT_EQ(bench.started(), "0 1");
    EXPECT_EQ(bench.offer(7).started(), "");
    EXPECT_EQ(bench.consumer->flush({}, bench.now()), 1u);
    EXPECT_EQ(bench.consumer->flush({}, bench.now()), 0u);
    EXPECT_EQ(bench.started(), "2");
    EXPECT_EQ(bench.offer(8).started(), "") << "what comes after a flush waits again";
}

TEST(ConsumerBatchTest, AKeyWithoutATokenIsNotInIt) {
    Policy policy = bisecting({.max_size = 4, .max_wait = 1s});
    policy.rate = Rate{.limit = 1, .per = 10s, .burst = 1, .key = RateKey::key};
    Bench bench(policy);
    bench.offer(5).offer(5).offer(6).offer(0);
    EXPECT_EQ(bench.started(), "0 1 2 3");
    EXPECT_EQ(bench.answer().offer(5).offer(6).offer(7).wait(1s).started(), "6");
    EXPECT_EQ(bench.state_of(5, 6), EventState::rate_limited);
    EXPECT_EQ(bench.wait(9s).started(), "5") << "key 6 took one token, key 5 took two";
    EXPECT_EQ(bench.wait(10s).started(), "4");
}

/// Goal: what goes to the handler once more is counted once more, whatever put it off.
TEST(ConsumerBatchTest, OneThatIsRunAgainWaitsForATokenOfEachKey) {
    Policy policy = bisecting({.max_size = 3});
    policy.rate = Rate{.limit = 1, .per = 1s, .burst = 1, .key = RateKey::key};
    Bench bench(policy);
    EXPECT_EQ(bench.offer(5).offer(6).offer(6).started(), "0 1 2");
    EXPECT_EQ(bench.answer(Outcome::uncounted("429", 500ms)).started(), "");
    EXPECT_EQ(bench.wait(1999ms).started(), "") << "key 6 owes two tokens";
    EXPECT_EQ(bench.state_of(1, 6), EventState::rate_limited);
    EXPECT_EQ(bench.wait(1ms).started(), "0 1 2");
}

TEST(ConsumerBatchTest, AnEventThatCannotBeReadGoesAlone) {
    Bench bench(bisecting({.max_size = 10, .max_wait = 1s}));
    bench.offer(5).offer_lost(6).offer(6).offer(7);
    EXPECT_EQ(bench.started(), "1");
    EXPECT_EQ(bench.wait(1s).started(), "0 3");
}

// ── Failing ──────────────────────────────────────────────────────────────────────────────────────

TEST(ConsumerBatchTest, AFailedBatchIsHalvedAtOnceAndOnlyTheCulpritIsCharged) {
    Bench bench(bisecting({.max_size = 5}));
    for (std::uint64_t key = 1; key <= 5; ++key) {
        bench.offer(key);
    }
    EXPECT_EQ(bench.started(), "0 1 2 3 4");
    EXPECT_EQ(bench.answer(failed()).started(), "0 1 | 2 3 4");
    bench.answer().answer(failed());
    EXPECT_EQ(bench.started(), "2 | 3 4");
    EXPECT_EQ(bench.runs.front().attempt, 1u);
    EXPECT_EQ(bench.answer(failed("row 7")).answer().started(), "");
    EXPECT_EQ(bench.consumer->counts().settled.done, 4u);
    EXPECT_EQ(bench.consumer->explain(Offset(2), 3, bench.now()).error, "row 7");
    EXPECT_EQ(bench.state_of(2, 3), EventState::retry_wait);
    EXPECT_EQ(bench.wait(1s).started(), "2");
    EXPECT_EQ(bench.runs.front().attempt, 2u);
    bench.answer(failed("row 7")).started();
    ASSERT_EQ(bench.letters.size(), 1u);
    EXPECT_EQ(bench.letters.front().letter.attempts, 2u);
    EXPECT_EQ(bench.letters.front().letter.history.size(), 2u) << "not what others failed with";
    EXPECT_EQ(bench.consumer->counts().failures, 4u);
}

TEST(ConsumerBatchTest, SharesKeysOutWhole) {
    Bench bench(bisecting({.max_size = 6}));
    bench.offer(1).offer(1).offer(2).offer(1).offer(3).offer(2).started();
    EXPECT_EQ(bench.answer(failed()).started(), "0 1 3 | 2 4 5");
}

TEST(ConsumerBatchTest, InsideAKeyTheHalvesRunInOrderUntilTheFirstFailure) {
    Bench bench(bisecting({.max_size = 5}));
    for (int i = 0; i < 5; ++i) {
        bench.offer(7);
    }
    bench.started();
    EXPECT_EQ(bench.answer(failed()).offer(7).started(), "0 1 2");
    EXPECT_EQ(bench.answer(failed()).started(), "0 1");
    EXPECT_EQ(bench.answer().started(), "2");
    EXPECT_EQ(bench.answer(failed()).started(), "") << "a key stops at its first failure";
    EXPECT_EQ(bench.state_of(3, 7), EventState::behind_key);
    EXPECT_EQ(bench.wait(1s).started(), "2");
    EXPECT_EQ(bench.answer().started(), "3 4") << "the other half, without those behind it";
    EXPECT_EQ(bench.answer().started(), "");
    EXPECT_EQ(bench.wait(5s).started(), "5");
}

TEST(ConsumerBatchTest, OrderingLogAndNoneComeApartToo) {
    Bench log(bisecting({.max_size = 4}, Ordering::log));
    log.offer(1).offer(2).offer(3).offer(4).started();
    EXPECT_EQ(log.answer(failed()).started(), "0 1");
    EXPECT_EQ(log.answer().started(), "2 3");

    Bench none(bisecting({.max_size = 4}, Ordering::none));
    none.offer(1).offer(1).offer(1).offer(1).started();
    EXPECT_EQ(none.answer(failed()).started(), "0 1 | 2 3");
}

TEST(ConsumerBatchTest, ARefusedBatchLeavesALetterOfTheCulpritOnly) {
    Bench bench(bisecting({.max_size = 2}));
    bench.offer(5).offer(6).started();
    EXPECT_EQ(bench.answer(Outcome::permanent("bad request")).started(), "0 | 1");
    EXPECT_TRUE(bench.letters.empty());
    bench.answer(Outcome::permanent("bad request")).answer().started();
    ASSERT_EQ(bench.letters.size(), 1u);
    EXPECT_EQ(bench.letters.front().letter.offset, Offset(0));
    EXPECT_EQ(bench.consumer->counts().settled.done, 1u);
}

TEST(ConsumerBatchTest, ATimeoutAndSuspensionDoWhatTheyDoToOneEvent) {
    Bench bench(bisecting({.max_size = 2}));
    bench.offer(5).offer(6).started();
    EXPECT_EQ(bench.wait(30s).started(), "0 | 1") << "no answer in time is a failure";
    bench.runs.erase(bench.runs.begin());
    bench.answer().answer();
    bench.offer(5).offer(6).started();
    EXPECT_EQ(bench.answer(Outcome::suspended("disk full")).started(), "");
    EXPECT_EQ(bench.wait(2s).started(), "2 3") << "nobody failed: whole";
}

// ── Answers per item ─────────────────────────────────────────────────────────────────────────────

TEST(ConsumerBatchTest, OnlyWhoIsNamedWaitsAndIsCharged) {
    Bench bench(bisecting({.max_size = 6}));
    bench.offer(1).offer(2).offer(1).offer(1).offer(0).offer(3).started();
    bench.answer(Outcome::done_except({named(0), named(3), named(4)}));
    EXPECT_EQ(bench.consumer->counts().settled.done, 3u);
    EXPECT_EQ(bench.state_of(0, 1), EventState::retry_wait);
    EXPECT_EQ(bench.state_of(3, 1), EventState::behind_key)
        << "behind the first failure of its key";
    EXPECT_EQ(bench.state_of(4, 0), EventState::retry_wait);
    EXPECT_EQ(bench.consumer->explain(Offset(4), 0, bench.now()).error, "row 4");
    EXPECT_EQ(bench.wait(1s).started(), "0 | 4");
    EXPECT_EQ(bench.runs.front().attempt, 2u);
    EXPECT_EQ(bench.answer().started(), "3");
    EXPECT_EQ(bench.runs.back().attempt, 1u);
    EXPECT_EQ(bench.consumer->counts().failures, 1u) << "one run, whatever it names";
}

TEST(ConsumerBatchTest, AnItemThatIsRefusedIsALetterAndParksItsKeyOnly) {
    Bench bench(bisecting({.max_size = 4}));
    bench.offer(1).offer(2).offer(1).offer(2).started();
    bench.make_letter_of(Outcome::done_except({named(0, ItemFailure::Kind::permanent), named(2)}));
    EXPECT_EQ(bench.state_of(0, 1), EventState::letter_open);
    EXPECT_EQ(bench.state_of(2, 1), EventState::deferred);
    EXPECT_EQ(bench.offer(2).wait(5s).started(), "4");
}

TEST(ConsumerBatchTest, PutOffBeyondMaxAgeTheFirstOfEachKeyIsALetter) {
    Policy policy = bisecting({.max_size = 3});
    policy.retry.max_age = 10s;
    policy.retry.max_interval = 20s;
    Bench bench(policy);
    bench.offer(1).offer(2).offer(1).started();
    bench.answer(Outcome::uncounted("429", 9s));
    EXPECT_EQ(bench.wait(9s).started(), "0 1 2") << "nobody failed: whole";
    bench.wait(1s).make_letter_of(Outcome::uncounted("429", 9s));
    EXPECT_EQ(bench.state_of(0, 1), EventState::letter_open);
    EXPECT_EQ(bench.state_of(1, 2), EventState::letter_open);
    EXPECT_EQ(bench.state_of(2, 1), EventState::deferred);
}

// ── With the breaker, and over a restart ─────────────────────────────────────────────────────────

TEST(ConsumerBatchTest, ItsPartsAreOneVoteAtTheBreaker) {
    Policy policy = bisecting({.max_size = 4});
    policy.breaker = BreakerPolicy{.min_calls = 3, .failure_rate = 50, .slow_call = 0ms};
    Bench bench(policy);
    bench.offer(1).offer(2).offer(3).offer(4).started();
    bench.answer(failed()).started();                   // 0 1 | 2 3
    bench.answer(failed()).answer(failed()).started();  // 0 | 1 | 2 | 3
    EXPECT_EQ(bench.consumer->status(bench.now()).breaker, BreakerState::closed);
    bench.answer(failed()).answer(failed());
    EXPECT_EQ(bench.consumer->status(bench.now()).breaker, BreakerState::open)
        << "the batch and two keys";
}

TEST(ConsumerBatchTest, OneThatEndedTheProcessIsTakenApartAndTheCulpritFound) {
    Bench bench(bisecting({.max_size = 4}));
    bench.offer(1).offer(2).offer(3).offer(4).started();
    const auto begin_again = [&] {
        bench.crash();
        while (bench.consumer->cursor() < Offset(4)) {
            const std::uint64_t at = bench.consumer->next_wanted().value();
            if (at >= 4) {
                break;
            }
            bench.offer(at + 1, 1, at);
        }
        return bench.started();
    };
    EXPECT_EQ(begin_again(), "0 1 | 2 3");
    EXPECT_EQ(bench.runs.front().attempt, 1u);
    bench.answer();
    bench.started();
    EXPECT_EQ(begin_again(), "2 | 3");
    bench.runs.erase(bench.runs.begin());
    bench.answer();  // 3 is done, 2 ends the process once more
    bench.started();
    EXPECT_EQ(begin_again(), "2");
    EXPECT_EQ(bench.runs.front().attempt, 2u);
    EXPECT_EQ(begin_again(), "");
    ASSERT_EQ(bench.letters.size(), 1u);
    EXPECT_EQ(bench.letters.front().letter.offset, Offset(2));
}

TEST(ConsumerBatchTest, OneThatWaitedIsWholeAfterARestart) {
    Bench bench(bisecting({.max_size = 3}));
    bench.offer(1).offer(2).offer(1).started();
    bench.answer(Outcome::uncounted("429", 5s)).started();
    bench.crash(1s);
    EXPECT_EQ(bench.offer(1).offer(2).offer(1).offer(2).started(), "");
    EXPECT_EQ(bench.state_of(3, 2), EventState::behind_key);
    EXPECT_EQ(bench.wait(4s).started(), "0 1 2");
}

}  // namespace
}  // namespace bascule::delivery
