#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/delivery/testing.h"
#include "bus/delivery/token_bucket.h"
#include "foundation/base/random.h"
#include "foundation/base/testing.h"

namespace bascule::delivery {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

// ── The bucket ───────────────────────────────────────────────────────────────────────────────────

/// Method: random rates and takers. Between any two moments no more is taken than the bucket held
/// and what flowed in, plus what the last taker may owe; and a token is there exactly when told.
TEST(TokenRateTest, NeverGivesMoreThanFlowsIn) {
    Random random(5);
    for (int round = 0; round < 500; ++round) {
        const Rate rate{.limit = 1 + static_cast<std::uint32_t>(random.below(50)),
                        .per = milliseconds(1 + random.below(5000)),
                        .burst = 1 + static_cast<std::uint32_t>(random.below(50))};
        const TokenRate tokens(rate);
        const SteadyTime begin{std::chrono::hours(1)};
        SteadyTime now = begin;
        SteadyTime full_at{};
        std::uint64_t taken = 0;
        std::uint64_t last = 0;
        for (int step = 0; step < 100; ++step) {
            if (tokens.has_token(full_at, now)) {
                last = 1 + random.below(8);
                taken += last;
                full_at = tokens.take(full_at, now, last);
            } else {
                const SteadyTime next = tokens.next_token(full_at);
                ASSERT_GT(next, now);
                ASSERT_FALSE(tokens.has_token(full_at, next - std::chrono::nanoseconds(1)));
                ASSERT_TRUE(tokens.has_token(full_at, next));
                now = random.below(2) == 0 ? next : now + milliseconds(random.below(100));
            }
            const double flown = std::chrono::duration<double, std::milli>(now - begin).count() *
                                 rate.limit / static_cast<double>(rate.per.count());
            ASSERT_LE(static_cast<double>(taken - last), rate.burst + flown + 0.001);
        }
    }
}

TEST(TokenRateTest, AnAbsurdRunDoesNotOverflow) {
    const TokenRate tokens(Rate{.limit = 1, .per = 24h, .burst = 1});
    const SteadyTime now{std::chrono::hours(24 * 365 * 10)};
    const SteadyTime full_at = tokens.take(now, now, ~std::uint64_t{0});
    EXPECT_GT(full_at, now);
    EXPECT_FALSE(tokens.has_token(full_at, now + 24h * 300));
}

// ── Of a consumer ────────────────────────────────────────────────────────────────────────────────

Policy limited(Rate rate) {
    return {.rate = rate, .retry = {.initial = 1s, .jitter = 0, .max_attempts = 2}};
}

TEST(RateTest, ABurstThenOneAtATime) {
    Bench bench(limited({.limit = 2, .per = 1s, .burst = 3}));
    for (std::uint64_t key = 1; key <= 6; ++key) {
        bench.offer(key);
    }
    EXPECT_EQ(bench.started(), "0 | 1 | 2");
    EXPECT_EQ(bench.consumer->next_deadline(), bench.now().steady + 500ms);
    EXPECT_EQ(bench.wait(499ms).started(), "");
    EXPECT_EQ(bench.wait(1ms).started(), "3");
    EXPECT_EQ(bench.wait(1s).started(), "4 | 5") << "what flowed in meanwhile";
    bench.answer().answer().answer().answer().answer().answer();
    EXPECT_EQ(bench.started(), "");
    EXPECT_EQ(bench.consumer->next_deadline(), std::nullopt) << "nobody waits, so nobody is woken";
}

TEST(RateTest, ExplainSaysWhenItMoves) {
    Bench bench(limited({.limit = 1, .per = 10s, .burst = 1}));
    bench.offer(5).offer(6).started();
    const Explanation why = bench.consumer->explain(Offset(1), 6, bench.now());
    EXPECT_EQ(why.state, EventState::rate_limited);
    EXPECT_EQ(why.text, "the rate limit of the consumer is reached: 1 events per 10000ms");
    EXPECT_EQ(why.next, bench.now().wall + 10s);
    bench.wait(10s).started();
    EXPECT_EQ(bench.state_of(1, 6), EventState::running);
}

TEST(RateTest, RetriesCountAndWaitingCostsNoAttempt) {
    Bench bench(limited({.limit = 1, .per = 10s, .burst = 1}));
    bench.offer(5).started();
    bench.answer(Outcome::transient("busy")).started();
    EXPECT_EQ(bench.wait(1s).started(), "") << "the retry is due, but there is no token";
    EXPECT_EQ(bench.state_of(0, 5), EventState::rate_limited);
    EXPECT_EQ(bench.wait(9s).started(), "0");
    EXPECT_EQ(bench.runs.front().attempt, 2u);
}

TEST(RateTest, CountsEventsNotRuns) {
    Policy policy = limited({.limit = 10, .per = 1s, .burst = 10});
    policy.ordering = Ordering::none;
    policy.batch = Batch{.max_size = 25, .max_wait = 0ms};
    Bench bench(policy);
    for (int i = 0; i < 50; ++i) {
        bench.offer(5);
    }
    bench.started();
    ASSERT_EQ(bench.runs.size(), 1u);
    EXPECT_EQ(bench.runs.front().members_count, 25u);
    // 10 of 25 were there: the next token comes when the other 15 and one more have flowed in.
    EXPECT_EQ(bench.wait(1599ms).started(), "");
    bench.wait(1ms).started();
    EXPECT_EQ(bench.runs.size(), 2u);
}

TEST(RateTest, AWindowCountsItsEvents) {
    Policy policy = limited({.limit = 1, .per = 1s, .burst = 1});
    policy.debounce = Debounce{.period = 5s, .leading = 0s};
    Bench bench(policy);
    bench.offer(5).offer(5).offer(5).offer(6);
    EXPECT_EQ(bench.wait(5s).started(), "0 1 2");
    EXPECT_EQ(bench.wait(2999ms).started(), "");
    EXPECT_EQ(bench.wait(1ms).started(), "3");
}

TEST(RateTest, IsTakenBeforeLanesChoose) {
    Policy policy = limited({.limit = 1, .per = 1s, .burst = 1});
    policy.lanes = Lanes{.otherwise = 2};
    Bench bench(policy);
    bench.offer(5, 2).started();
    bench.offer(6, 2).wait(500ms).offer(7, 1);
    EXPECT_EQ(bench.started(), "");
    EXPECT_EQ(bench.wait(500ms).started(), "2") << "the token is for whoever is first then";
}

TEST(RateTest, RedrivesCountToo) {
    Bench bench(limited({.limit = 1, .per = 10s, .burst = 1}));
    bench.offer(5).started();
    bench.make_letter();
    ASSERT_THAT(bench.consumer->redrive({}, {}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "");
    EXPECT_EQ(bench.wait(10s).started(), "0");
}

// ── Of a key ─────────────────────────────────────────────────────────────────────────────────────

Policy limited_by_key() {
    return limited({.limit = 1, .per = 10s, .burst = 1, .key = RateKey::key});
}

TEST(RateTest, OneKeysLimitHoldsUpNobodyElse) {
    Bench bench(limited_by_key());
    bench.offer(5).offer(5).offer(6).offer(no_key).offer(no_key);
    EXPECT_EQ(bench.started(), "0 | 2 | 3 | 4") << "events without a key are not limited";
    bench.answer().answer().answer().answer();
    EXPECT_EQ(bench.started(), "");
    const Explanation why = bench.consumer->explain(Offset(1), 5, bench.now());
    EXPECT_EQ(why.state, EventState::rate_limited);
    EXPECT_THAT(why.text, HasSubstr("of its key"));
    EXPECT_EQ(why.next, bench.now().wall + 10s);
    EXPECT_EQ(bench.consumer->next_deadline(), bench.now().steady + 10s);
    EXPECT_EQ(bench.wait(10s).started(), "1");
}

TEST(RateTest, AKeysBucketIsRememberedUntilItIsFull) {
    Bench bench(limited_by_key());
    bench.offer(5).started();
    bench.answer().wait(9s).offer(5);
    EXPECT_EQ(bench.started(), "") << "though the key was idle";
    EXPECT_EQ(bench.wait(1s).started(), "1");
    bench.answer().wait(10s).started();
    EXPECT_EQ(bench.consumer->counts().keys, 0u);
}

TEST(RateTest, WhoTakesThePlaceOfAConsumerKnowsWhatWasTaken) {
    for (const RateKey by : {RateKey::none, RateKey::key}) {
        Bench bench({.rate = Rate{.limit = 1, .per = 10s, .burst = 1, .key = by}});
        bench.offer(5).started();
        bench.answer().started();
        bench.consumer->pause({}, bench.now());
        ASSERT_THAT(bench.consumer->resume(Offset(0), bench.now()), Succeeds());
        EXPECT_EQ(bench.offer(5, 1, 0).started(), "") << "moved back";
        auto next = Consumer::create("tested", bench.consumer->policy(),
                                     bench.consumer->snapshot(bench.now()), Random(1), bench.now());
        ASSERT_THAT(next, Succeeds());
        next->take_over(*bench.consumer);
        *bench.consumer = std::move(*next);
        EXPECT_EQ(bench.offer(5, 1, 0).started(), "") << "replaced";
        EXPECT_EQ(bench.wait(10s).started(), "0");
    }
}

TEST(RateTest, AKeyOfWhichOnlyItsBucketIsLeftIsIdle) {
    Policy policy = limited_by_key();
    policy.debounce = Debounce{.period = 3s, .leading = 1s};
    Bench bench(policy);
    bench.offer(5).wait(1s).started();
    bench.answer().wait(9s).started();
    EXPECT_EQ(bench.consumer->counts().keys, 1u);
    bench.offer(5).wait(1s);
    EXPECT_EQ(bench.started(), "1") << "after the leading time, not after the period";
}

TEST(RateTest, BucketsOfMoreKeysThanAreRememberedAreForgotten) {
    Policy policy = limited_by_key();
    policy.rate->keys_max = 100;
    Bench bench(policy);
    for (std::uint64_t key = 1; key <= 110; ++key) {
        bench.offer(key).started();
        bench.answer().wait(1ms);
    }
    EXPECT_EQ(bench.consumer->counts().keys, 100u);
    EXPECT_EQ(bench.offer(11).started(), "");
    EXPECT_EQ(bench.offer(10).started(), "111") << "the fullest went first";
}

}  // namespace
}  // namespace bascule::delivery
