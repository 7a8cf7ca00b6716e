#include "bus/delivery/retry_policy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace bascule::delivery {
namespace {

using std::chrono::milliseconds;

constexpr double middle = 0.5;  // the chance at which jitter adds nothing

struct WaitCase {
    const char* claim;
    RetryPolicy policy;
    RetryHistory history;
    double chance;
    std::optional<milliseconds> wait;
};

class NextWaitTest : public testing::TestWithParam<WaitCase> {};

TEST_P(NextWaitTest, IsAsTheContractSays) {
    const auto& [claim, policy, history, chance, wait] = GetParam();
    ASSERT_TRUE(policy.validate());
    EXPECT_EQ(next_wait(policy, history, chance), wait) << claim;
}

INSTANTIATE_TEST_SUITE_P(
    Table, NextWaitTest,
    testing::Values(
        WaitCase{"FirstFailureWaitsInitial", {}, {.attempts = 1}, middle, 1s},
        WaitCase{"WaitsGrowByFactor", {}, {.attempts = 4}, middle, 8s},
        WaitCase{"GrowthStopsAtMaxInterval", {.max_attempts = 0}, {.attempts = 1000}, middle, 5min},
        WaitCase{"JitterShortens", {}, {.attempts = 1}, 0.0, 800ms},
        WaitCase{"NoJitterIsExact", {.jitter = 0}, {.attempts = 2}, 0.9, 2s},
        WaitCase{"LastAttemptExhausts", {.max_attempts = 3}, {.attempts = 3}, middle, std::nullopt},
        WaitCase{
            "AgeExhausts", {.max_age = 10s}, {.attempts = 2, .age = 10s}, middle, std::nullopt},
        WaitCase{"LastWaitIsCutToMaxAge", {.max_age = 10s}, {.attempts = 4, .age = 9s}, middle, 1s},
        WaitCase{"ZeroMeansWithoutLimit",
                 {.max_attempts = 0, .max_age = 0ms},
                 {.attempts = 10000, .age = 240h},
                 middle,
                 5min},
        WaitCase{"HandlerMayAskForLonger", {}, {.attempts = 1, .asked_wait = 30s}, middle, 30s},
        WaitCase{"HandlerMayNotAskForShorter", {}, {.attempts = 4, .asked_wait = 1s}, middle, 8s},
        WaitCase{"HandlerMayNotAskForever", {}, {.attempts = 1, .asked_wait = 48h}, middle, 5min}),
    [](const auto& info) { return info.param.claim; });

TEST(RetryPolicyTest, NamesTheWrongSettingAndWhatIsAllowed) {
    const auto result = RetryPolicy{.factor = 0.5}.validate();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind(), ErrorKind::invalid);
    EXPECT_NE(result.error().message().find("retry.factor is 0.5"), std::string::npos)
        << result.error().message();
    EXPECT_NE(result.error().message().find("1 to 10"), std::string::npos)
        << result.error().message();
}

TEST(RetryPolicyTest, RefusesNotANumber) {
    EXPECT_FALSE((RetryPolicy{.factor = std::numeric_limits<double>::quiet_NaN()}.validate()));
    EXPECT_FALSE((RetryPolicy{.jitter = std::numeric_limits<double>::quiet_NaN()}.validate()));
}

}  // namespace
}  // namespace bascule::delivery
