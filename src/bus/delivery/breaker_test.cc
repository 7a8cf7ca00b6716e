#include "bus/delivery/breaker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/delivery/testing.h"
#include "foundation/base/testing.h"

namespace bascule::delivery {
namespace {

using testing::HasSubstr;

// ── The breaker alone ────────────────────────────────────────────────────────────────────────────

/// Calls written as text: a letter is a voter; lower case went well, upper case failed, and a `+`
/// behind it was slow.
struct VoteCase {
    const char* claim;
    std::string calls;
    BreakerState state;
    const char* text;
};

class BreakerTest : public testing::Test {
  public:
    static constexpr BreakerPolicy policy{.window = 60s,
                                          .min_calls = 4,
                                          .failure_rate = 50,
                                          .slow_call = 10s,
                                          .slow_rate = 80,
                                          .open_for = 15s,
                                          .open_max = 40s,
                                          .half_open_calls = 3};

    /// Ends the calls, as trials if the breaker is half open.
    void call(std::string_view calls) {
        for (std::size_t at = 0; at < calls.size(); ++at) {
            if (calls[at] == '+') {
                continue;
            }
            const bool slow = at + 1 < calls.size() && calls[at + 1] == '+';
            const bool failed = calls[at] >= 'A' && calls[at] <= 'Z';
            breaker.end({.voter = static_cast<std::uint64_t>(calls[at] | 0x20),
                         .trial = breaker.begin(),
                         .failed = failed,
                         .took = slow ? 10s : 1s},
                        now);
        }
    }

    void wait(std::chrono::milliseconds time) {
        now.steady += time;
        now.wall += time;
        breaker.pass_time(now);
    }

    Breaker breaker{policy};
    Now now{SteadyTime(1h), from_unix_ms(1'700'000'000'000)};
};

class BreakerVotesTest : public BreakerTest, public testing::WithParamInterface<VoteCase> {};

TEST_P(BreakerVotesTest, JudgesWhatEachVotersLastCallCameTo) {
    call(GetParam().calls);
    EXPECT_EQ(breaker.state(), GetParam().state);
    EXPECT_EQ(breaker.text(), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BreakerVotesTest,
    testing::Values(
        VoteCase{"TooFewCallsToJudge", "ABC", BreakerState::closed, ""},
        VoteCase{"HalfFailed", "abCD", BreakerState::open, "2 of 4 keys' last calls failed"},
        VoteCase{"LessThanHalfFailed", "abcD", BreakerState::closed, ""},
        VoteCase{"APoisonKeyCountsOnce", "abcDDDDDDDDDDDDDDDD", BreakerState::closed, ""},
        VoteCase{"ABusyKeyCountsOnce", "aaaaaaaaaaaaaaBCD", BreakerState::open,
                 "3 of 4 keys' last calls failed"},
        VoteCase{"WhoRecoveredIsWell", "AaBbCcDd", BreakerState::closed, ""},
        VoteCase{"Slow", "a+b+c+d+", BreakerState::open,
                 "4 of 4 keys' last calls took 10000ms or longer"},
        VoteCase{"NotSlowEnough", "a+b+c+d", BreakerState::closed, ""}),
    [](const auto& info) { return info.param.claim; });

TEST_F(BreakerTest, VotesGoWithTheWindow) {
    call("AB");
    wait(59s);
    call("c");
    wait(1s);
    call("def");
    EXPECT_EQ(breaker.state(), BreakerState::closed) << "A and B are a minute old";
    call("GHIJ");
    EXPECT_EQ(breaker.state(), BreakerState::open);
}

TEST_F(BreakerTest, RemembersABoundedNumberOfVoters) {
    Breaker many(BreakerPolicy{.min_calls = Breaker::voters_max, .failure_rate = 100});
    for (std::uint64_t voter = 1; voter <= 2 * std::uint64_t{Breaker::voters_max}; ++voter) {
        const bool early = voter < Breaker::voters_max;  // one is missing to min_calls
        EXPECT_FALSE(many.end({.voter = voter, .failed = early || voter % 2 == 1}, now));
    }
    for (std::uint64_t voter = 1; many.state() == BreakerState::closed; ++voter) {
        ASSERT_LE(voter, Breaker::voters_max) << "older votes than the last ones still count";
        many.end({.voter = ~voter, .failed = true}, now);
    }
}

TEST_F(BreakerTest, HalfOpenIsDecidedByItsOwnCalls) {
    call("ABCD");
    EXPECT_EQ(breaker.trials_left(), 0u);
    wait(14'999ms);
    EXPECT_EQ(breaker.state(), BreakerState::open);
    wait(1ms);
    EXPECT_EQ(breaker.state(), BreakerState::half_open);
    EXPECT_EQ(breaker.trials_left(), 3u);
    breaker.end({.voter = 'x', .trial = false, .failed = true}, now);
    EXPECT_EQ(breaker.trials_left(), 3u) << "it began before";
    call("eF");
    EXPECT_EQ(breaker.trials_left(), 1u);
    call("g");
    EXPECT_EQ(breaker.state(), BreakerState::closed) << "one of three is below half";
    EXPECT_EQ(breaker.text(), "");
    call("ABCd");
    EXPECT_EQ(breaker.state(), BreakerState::open);
    EXPECT_EQ(breaker.until(), now.steady + 15s) << "it had closed: trips begin anew";
}

TEST_F(BreakerTest, EachTripInARowDoublesTheTimeUpToTheLongest) {
    call("ABCD");
    for (const auto open_for : {30s, 40s, 40s}) {
        wait(60s);
        call("ABc");
        EXPECT_EQ(breaker.state(), BreakerState::open);
        EXPECT_EQ(breaker.text(), "2 of 3 trial calls failed");
        EXPECT_EQ(breaker.until(), now.steady + open_for);
    }
}

TEST_F(BreakerTest, OnePoisonKeyNeitherOpensItAgainNorKeepsOthersOut) {
    call("ABCD");
    wait(15s);
    call("PPPPPP");
    EXPECT_EQ(breaker.state(), BreakerState::half_open);
    EXPECT_EQ(breaker.trials_left(), 2u);
    call("xx");
    EXPECT_EQ(breaker.state(), BreakerState::closed);
}

TEST_F(BreakerTest, ATrialThatTellsNothingMakesRoomForAnother) {
    call("ABCD");
    wait(15s);
    const bool trial = breaker.begin();
    EXPECT_TRUE(trial);
    EXPECT_EQ(breaker.trials_left(), 2u);
    breaker.drop(trial);
    EXPECT_EQ(breaker.trials_left(), 3u);
}

TEST_F(BreakerTest, IsOpenNoLongerThanItWasWhateverTheClockSays) {
    call("ABCD");
    for (const std::int64_t step : {-86'400'000ll, 5'000ll, 86'400'000ll}) {
        Breaker again(policy);
        const Now later{SteadyTime(7ns), now.wall + std::chrono::milliseconds(step)};
        again.restore(breaker.keep(now), later);
        EXPECT_EQ(again.state(), BreakerState::open);
        const auto left = *again.until() - later.steady;
        EXPECT_EQ(left, step < 0 ? 15s : step > 15'000 ? 0s : 10s) << step;
        again.pass_time({later.steady + left, later.wall});
        EXPECT_EQ(again.state(), BreakerState::half_open);
        EXPECT_EQ(again.trials_left(), 3u);
    }
}

TEST_F(BreakerTest, IsKeptByTheClockAsItIsNow) {
    call("ABCD");
    now.steady += 5s;
    now.wall += 5s - 1h;  // the clock was set back
    Breaker again(policy);
    again.restore(breaker.keep(now), now);
    EXPECT_EQ(again.until(), breaker.until()) << "nobody waits for an hour, and nobody less";
    now.wall += 2h;
    Breaker once_more(policy);
    once_more.restore(again.keep(now), now);
    EXPECT_EQ(once_more.until(), breaker.until());
}

// ── Of a consumer ────────────────────────────────────────────────────────────────────────────────

Policy guarded(RetryPolicy retry = {.initial = 1s, .jitter = 0}) {
    return {.concurrency = 100,
            .retry = retry,
            .breaker = BreakerPolicy{.min_calls = 3, .half_open_calls = 2}};
}

/// Three keys fail: the breaker is open.
Bench opened(Policy policy = guarded()) {
    Bench bench(std::move(policy));
    bench.offer(1).offer(2).offer(3).started();
    bench.answer(Outcome::transient("down"))
        .answer(Outcome::transient("down"))
        .answer(Outcome::transient("down"));
    return bench;
}

TEST(ConsumerBreakerTest, WhileOpenNothingIsAttempted) {
    Bench bench = opened();
    bench.offer(4).offer(no_key);
    EXPECT_EQ(bench.started(), "");
    const ConsumerStatus status = bench.consumer->status(bench.now());
    EXPECT_EQ(status.mode, ConsumerMode::breaker_open);
    EXPECT_EQ(status.breaker, BreakerState::open);
    EXPECT_EQ(status.text, "3 of 3 keys' last calls failed");
    EXPECT_EQ(status.until, bench.now().wall + 15s);
    const Explanation why = bench.consumer->explain(Offset(3), 4, bench.now());
    EXPECT_EQ(why.state, EventState::breaker_open);
    EXPECT_EQ(why.next, bench.now().wall + 15s);
    EXPECT_EQ(bench.wait(14'999ms).started(), "");
    EXPECT_EQ(bench.consumer->next_deadline(), bench.now().steady + 1ms);
    EXPECT_EQ(bench.wait(1ms).started(), "3 | 4") << "two trial calls";
    EXPECT_EQ(bench.state_of(0, 1), EventState::breaker_open) << "it waits for the trials";
    EXPECT_THAT(bench.consumer->status(bench.now()).text,
                HasSubstr("half open: 0 of 2 trial calls were answered"));
    EXPECT_EQ(bench.answer().started(), "");
    EXPECT_EQ(bench.answer().started(), "0 | 1 | 2");
    EXPECT_EQ(bench.consumer->status(bench.now()).mode, ConsumerMode::running);
}

TEST(ConsumerBreakerTest, TrialsThatFailOpenItAgainForTwiceAsLong) {
    Bench bench = opened();
    EXPECT_EQ(bench.wait(15s).started(), "0 | 1");
    bench.answer(Outcome::transient("down")).answer(Outcome::transient("down"));
    EXPECT_EQ(bench.wait(29'999ms).started(), "");
    EXPECT_EQ(bench.wait(1ms).started(), "2 | 0");
}

TEST(ConsumerBreakerTest, TimeoutsAndSlowAnswersCount) {
    Policy policy = guarded();
    policy.timeout = 5s;
    Bench bench(policy);
    bench.offer(1).offer(2).offer(3).started();
    bench.wait(5s).started();
    EXPECT_EQ(bench.consumer->status(bench.now()).mode, ConsumerMode::breaker_open);

    Bench slow(guarded());
    slow.offer(1).offer(2).offer(3).started();
    slow.wait(10s).answer().answer().answer();
    EXPECT_EQ(slow.consumer->status(slow.now()).text,
              "3 of 3 keys' last calls took 10000ms or longer");
}

struct AnswerCase {
    const char* claim;
    Outcome outcome;
    bool opens;
};

class BreakerAnswerTest : public testing::TestWithParam<AnswerCase> {};

TEST_P(BreakerAnswerTest, CountsWhatTheTargetIsToBlameFor) {
    Bench bench(guarded());
    bench.offer(1).offer(2).offer(3).started();
    bench.answer(GetParam().outcome).answer(GetParam().outcome).answer(GetParam().outcome);
    EXPECT_EQ(bench.consumer->status(bench.now()).breaker == BreakerState::open, GetParam().opens);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BreakerAnswerTest,
    testing::Values(AnswerCase{"Transient", Outcome::transient("x"), true},
                    AnswerCase{"Uncounted", Outcome::uncounted("429"), false},
                    AnswerCase{"Permanent", Outcome::permanent("bad"), false},
                    AnswerCase{"Suspended", Outcome::suspended("disk full"), false},
                    AnswerCase{"Unreadable", Outcome::unreadable("gone"), false}),
    [](const auto& info) { return info.param.claim; });

TEST(ConsumerBreakerTest, AFailedBatchIsOneFailure) {
    Policy policy = guarded();
    policy.ordering = Ordering::none;
    policy.batch = Batch{.max_size = 5, .max_wait = 0ms};
    Bench bench(policy);
    for (std::uint64_t key = 1; key <= 10; ++key) {
        bench.offer(key);
    }
    EXPECT_EQ(bench.started(), "0 1 2 3 4 | 5 6 7 8 9");
    bench.answer(Outcome::transient("down")).answer(Outcome::transient("down"));
    EXPECT_EQ(bench.consumer->status(bench.now()).breaker, BreakerState::closed);
    bench.offer(11).started();
    bench.answer(Outcome::transient("down"));
    EXPECT_EQ(bench.consumer->status(bench.now()).breaker, BreakerState::open);
}

TEST(ConsumerBreakerTest, MaxAgeStandsStillWhileOpen) {
    Bench bench = opened(guarded({.initial = 1s, .jitter = 0, .max_age = 10s}));
    EXPECT_EQ(bench.wait(15s).started(), "0 | 1");
    bench.answer(Outcome::transient("down")).answer(Outcome::transient("down")).started();
    EXPECT_TRUE(bench.letters.empty());
    EXPECT_EQ(bench.wait(30s).started(), "2 | 0");
    bench.wait(9s).answer(Outcome::transient("down")).started();
    EXPECT_TRUE(bench.letters.empty());
    bench.wait(1s).answer(Outcome::transient("down")).started();
    ASSERT_EQ(bench.letters.size(), 1u) << "half open it runs: the trial took ten seconds";
    EXPECT_EQ(bench.letters.front().letter.reason, LetterReason::age);
}

TEST(ConsumerBreakerTest, SurvivesACrash) {
    Bench bench = opened();
    bench.started();
    bench.crash(5s);
    bench.offer(1).offer(2).offer(3);
    EXPECT_EQ(bench.started(), "");
    EXPECT_EQ(bench.consumer->status(bench.now()).text, "3 of 3 keys' last calls failed");
    EXPECT_EQ(bench.wait(9'999ms).started(), "");
    EXPECT_EQ(bench.wait(1ms).started(), "0 | 1");
    bench.crash();
    bench.offer(1).offer(2).offer(3).offer(4);
    EXPECT_EQ(bench.started(), "0 | 1") << "still half open, with new trials";
    bench.answer(Outcome::transient("down")).answer(Outcome::transient("down"));
    EXPECT_EQ(bench.consumer->status(bench.now()).until, bench.now().wall + 30s);
    ConsumerState state(Offset(0));
    ASSERT_THAT(state.apply(bench.consumer->snapshot(bench.now()).encode()), Succeeds());
    EXPECT_EQ(state.breaker.state, BreakerState::open);
    EXPECT_EQ(state.breaker.trips, 2u);
}

TEST(ConsumerBreakerTest, RedrivesWaitToo) {
    Policy policy = guarded();
    Bench bench(policy);
    bench.offer(9).started();
    bench.make_letter();
    bench.offer(1).offer(2).offer(3).started();
    bench.answer(Outcome::transient("down")).answer(Outcome::transient("down"));
    bench.answer(Outcome::transient("down"));
    ASSERT_THAT(bench.consumer->redrive({}, {}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "");
    EXPECT_EQ(bench.wait(15s).started(), "0 | 1");
}

TEST(ConsumerBreakerTest, APauseOutlastsIt) {
    Bench bench = opened();
    bench.consumer->pause({.reason = "lunch"}, bench.now());
    bench.wait(1h).started();
    const ConsumerStatus status = bench.consumer->status(bench.now());
    EXPECT_EQ(status.mode, ConsumerMode::paused);
    EXPECT_EQ(status.breaker, BreakerState::half_open);
    EXPECT_THAT(bench.consumer->resume({}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "0 | 1");
}

}  // namespace
}  // namespace bascule::delivery
