#include "bus/delivery/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/base/testing.h"

namespace bascule::delivery {
namespace {

using testing::HasSubstr;

struct RefusedCase {
    const char* claim;
    Policy policy;
    const char* message;
};

class RefusedPolicyTest : public testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedPolicyTest, NamesSettingValueAndWhatIsAllowed) {
    EXPECT_THAT(GetParam().policy.validate(),
                FailsWith(ErrorKind::invalid, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedPolicyTest,
    testing::Values(
        RefusedCase{
            "Concurrency", {.concurrency = 20'000}, "concurrency is 20000; 1 to 16384 is allowed"},
        RefusedCase{"MaxUnsettled",
                    {.max_unsettled = 0},
                    "limits.max_unsettled is 0; 1 to 100000000 is allowed"},
        RefusedCase{"Timeout", {.timeout = 0ms}, "timeout is 0ms; 1ms to 86400000ms is allowed"},
        RefusedCase{"Retry", {.retry = {.factor = 0.5}}, "retry.factor is 0.5"},
        RefusedCase{"BatchSize",
                    {.batch = Batch{.max_size = 0}},
                    "batch.max_size is 0; 1 to 10000 is allowed"},
        RefusedCase{"BatchWait", {.batch = Batch{.max_wait = 2h}}, "batch.max_wait is 7200000ms"},
        RefusedCase{"Queue",
                    {.on_exhausted = OnExhausted::queue, .dead_letter_queue = "dead"},
                    "queue: dead, which is not available yet"},
        RefusedCase{"ParkWithoutKeys",
                    {.ordering = Ordering::none, .on_exhausted = OnExhausted::park_key},
                    "park_key with ordering: none"},
        RefusedCase{"DebounceWithoutKeys",
                    {.ordering = Ordering::none, .debounce = Debounce{}},
                    "debounce is set with ordering: none"},
        RefusedCase{"LeadingAbovePeriod",
                    {.debounce = Debounce{.period = 1s, .leading = 2s}},
                    "debounce.leading is 2000ms; 0ms to 1000ms"},
        RefusedCase{"MaxWaitBelowPeriod",
                    {.debounce = Debounce{.period = 60s, .max_wait = 59s}},
                    "debounce.max_wait is 59000ms; 60000ms"},
        RefusedCase{"WindowAboveMemory",
                    {.debounce = Debounce{.max_events = 100}, .max_unsettled = 99},
                    "at most limits.max_unsettled (99)"},
        RefusedCase{
            "LaneZero", {.lanes = Lanes{.map = {{"a", 0}}}}, "lanes.map.a is 0; 1 to 8 is allowed"},
        RefusedCase{"LaneDefault", {.lanes = Lanes{.otherwise = 9}}, "lanes.default is 9"},
        RefusedCase{"WeightsByLane",
                    {.lanes = Lanes{.otherwise = 3, .weights = {8, 3}}},
                    "lanes.weights has 2 entries for 3 lanes"},
        RefusedCase{"WeightZero",
                    {.lanes = Lanes{.otherwise = 2, .weights = {8, 0}}},
                    "lanes.weights is 0; 1 to 1000"},
        RefusedCase{
            "RateLimit", {.rate = Rate{.limit = 0}}, "rate.limit is 0; 1 to 1000000 is allowed"},
        RefusedCase{"RatePer", {.rate = Rate{.per = 25h}}, "rate.per is 90000000ms; 1ms"},
        RefusedCase{"RateBurst", {.rate = Rate{.burst = 0}}, "rate.burst is 0"},
        RefusedCase{"RateThatFillsForDays",
                    {.rate = Rate{.limit = 10, .per = 1h, .burst = 241}},
                    "rate.burst is 241, which takes longer than 24h to fill; at most 240"},
        RefusedCase{"RateByKeyWithoutKeys",
                    {.ordering = Ordering::none, .rate = Rate{.key = RateKey::key}},
                    "rate.key is set with ordering: none, which knows no keys; none is allowed"},
        RefusedCase{"RateByKeyOfTheLog",
                    {.ordering = Ordering::log, .rate = Rate{.key = RateKey::key}},
                    "ordering: log"},
        RefusedCase{"BreakerWindow",
                    {.breaker = BreakerPolicy{.window = 2h}},
                    "breaker.window is 7200000ms; 1000ms to 3600000ms"},
        RefusedCase{"BreakerMinCalls",
                    {.breaker = BreakerPolicy{.min_calls = 10'001}},
                    "breaker.min_calls is 10001; 1 to 10000"},
        RefusedCase{"BreakerFailureRate",
                    {.breaker = BreakerPolicy{.failure_rate = 0}},
                    "breaker.failure_rate is 0; 1 to 100"},
        RefusedCase{"BreakerSlowCall",
                    {.breaker = BreakerPolicy{.slow_call = -1ms}},
                    "breaker.slow_call is -1ms"},
        RefusedCase{"BreakerSlowRate",
                    {.breaker = BreakerPolicy{.slow_rate = 101}},
                    "breaker.slow_rate is 101"},
        RefusedCase{"BreakerOpenFor",
                    {.breaker = BreakerPolicy{.open_for = 0ms}},
                    "breaker.open_for is 0ms; 100ms"},
        RefusedCase{"BreakerOpenMax",
                    {.breaker = BreakerPolicy{.open_for = 20s, .open_max = 10s}},
                    "breaker.open_max is 10000ms; 20000ms"},
        RefusedCase{"BreakerTrials",
                    {.breaker = BreakerPolicy{.half_open_calls = 0}},
                    "breaker.half_open_calls is 0"},
        RefusedCase{"AgeBoost", {.lanes = Lanes{.age_boost = -1ms}}, "lanes.age_boost is -1ms"}),
    [](const auto& info) { return info.param.claim; });

TEST(PolicyTest, TheContractsExampleIsAllowed) {
    const Policy policy{.lanes = Lanes{.map = {{"account.deleted", 1}, {"file.processed", 2}},
                                       .otherwise = 3,
                                       .weights = {8, 3, 1},
                                       .age_boost = 60s},
                        .batch = Batch{},
                        .debounce = Debounce{}};
    EXPECT_THAT(policy.validate(), Succeeds());
    EXPECT_THAT(Policy{}.validate(), Succeeds());
    EXPECT_EQ(policy.lanes->lane_of("account.deleted"), 1);
    EXPECT_EQ(policy.lanes->lane_of("something.else"), 3);
    EXPECT_EQ(policy.lane_count(), 3);
}

TEST(PolicyTest, WhatExhaustionMeansDependsOnOrder) {
    EXPECT_EQ((Policy{.ordering = Ordering::key}.exhausted()), OnExhausted::park_key);
    EXPECT_EQ((Policy{.ordering = Ordering::none}.exhausted()), OnExhausted::skip_key);
    EXPECT_EQ((Policy{.ordering = Ordering::log}.exhausted()), OnExhausted::retry_forever);
    EXPECT_EQ(
        (Policy{.ordering = Ordering::log, .on_exhausted = OnExhausted::skip_key}.exhausted()),
        OnExhausted::skip_key);
}

TEST(PolicyTest, ReadsSettingsAsTheyAreWritten) {
    for (const auto ordering : {Ordering::key, Ordering::log, Ordering::none}) {
        EXPECT_EQ(parse_ordering(name(ordering)).value(), ordering);
    }
    EXPECT_EQ(parse_batch_on_error("bisect").value(), BatchOnError::bisect);
    EXPECT_EQ(parse_batch_on_error("retry_all").value(), BatchOnError::retry_all);
    EXPECT_EQ(parse_debounce_mode("last").value(), DebounceMode::last);
    EXPECT_EQ(parse_debounce_mode("collect").value(), DebounceMode::collect);
    Policy policy;
    ASSERT_THAT(parse_on_exhausted("queue: dead letters", policy), Succeeds());
    EXPECT_EQ(policy.dead_letter_queue, "dead letters");
    ASSERT_THAT(parse_on_exhausted("skip_key", policy), Succeeds());
    EXPECT_EQ(policy.exhausted(), OnExhausted::skip_key);
}

TEST(PolicyTest, NamesWhatItCannotRead) {
    Policy policy;
    EXPECT_THAT(parse_ordering("Key"),
                FailsWith(ErrorKind::invalid,
                          HasSubstr("ordering is \"Key\"; key, log or none is allowed")));
    EXPECT_THAT(parse_batch_on_error(""), FailsWith(ErrorKind::invalid));
    EXPECT_THAT(parse_debounce_mode("first"),
                FailsWith(ErrorKind::invalid, HasSubstr("collect or last")));
    EXPECT_THAT(
        parse_on_exhausted("drop", policy),
        FailsWith(ErrorKind::invalid, HasSubstr("park_key, skip_key, retry or queue: NAME")));
    EXPECT_THAT(parse_on_exhausted("queue:", policy),
                FailsWith(ErrorKind::invalid, HasSubstr("without a name")));
}

}  // namespace
}  // namespace bascule::delivery
