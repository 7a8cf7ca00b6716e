#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>

#include "bus/delivery/lane_turns.h"
#include "bus/delivery/testing.h"
#include "foundation/base/random.h"
#include "foundation/base/testing.h"

namespace bascule::delivery {
namespace {

using testing::HasSubstr;

// ── Whose turn it is ─────────────────────────────────────────────────────────────────────────────

struct TurnCase {
    const char* claim;
    std::vector<std::uint32_t> weights;
    std::string work;  ///< lanes that have work, as digits
    std::string turns;
};

class LaneTurnsTest : public testing::TestWithParam<TurnCase> {};

TEST_P(LaneTurnsTest, GoInTheirShares) {
    LaneTurns turns(GetParam().weights);
    std::string taken;
    while (taken.size() < GetParam().turns.size()) {
        const std::uint8_t lane = turns.take(3, [](std::uint8_t candidate) {
            return GetParam().work.find(static_cast<char>('0' + candidate)) != std::string::npos;
        });
        taken += static_cast<char>('0' + lane);
    }
    EXPECT_EQ(taken, GetParam().turns);
}

INSTANTIATE_TEST_SUITE_P(
    Table, LaneTurnsTest,
    testing::Values(TurnCase{"SpreadEvenly", {8, 3, 1}, "123", "121131211121121131211121"},
                    TurnCase{"EqualWeightsAlternate", {1, 1, 1}, "123", "123123"},
                    TurnCase{"WhoHasNoWorkLeavesItsShare", {8, 3, 1}, "23", "22322232"},
                    TurnCase{"OneLaneAloneGetsAll", {8, 3, 1}, "3", "3333"},
                    TurnCase{"NobodyHasWork", {8, 3, 1}, "", "0"},
                    TurnCase{"WithoutWeightsTheBestGoesFirst", {}, "23", "2222"}),
    [](const auto& info) { return info.param.claim; });

/// Method: random weights, and lanes that gain and lose work at random times. Between two changes
/// every lane gets its share to within one turn a lane; none saves up turns while it has no work.
TEST(LaneTurnsPropertyTest, SharesAreExactWhateverHappenedBefore) {
    Random random(11);
    for (int round = 0; round < 300; ++round) {
        std::vector<std::uint32_t> weights;
        for (int lane = 0; lane < 4; ++lane) {
            weights.push_back(1 + static_cast<std::uint32_t>(random.below(9)));
        }
        LaneTurns turns(weights);
        for (int phase = 0; phase < 6; ++phase) {
            const std::uint64_t work = 1 + random.below(15);
            const auto has_work = [&](std::uint8_t lane) { return (work >> (lane - 1) & 1) != 0; };
            std::uint64_t sum = 0;
            for (std::uint8_t lane = 1; lane <= 4; ++lane) {
                sum += has_work(lane) ? weights[lane - 1] : 0;
            }
            std::array<std::uint64_t, 5> got{};
            const std::uint64_t cycles = random.below(4);
            for (std::uint64_t turn = 0; turn < cycles * sum; ++turn) {
                ++got[turns.take(4, has_work)];
            }
            for (std::uint8_t lane = 1; lane <= 4; ++lane) {
                const std::uint64_t share = has_work(lane) ? cycles * weights[lane - 1] : 0;
                // Claims are bounded by the sum of all weights, 36, whatever came before.
                EXPECT_LE(got[lane], share + 4) << int{lane};
                EXPECT_GE(got[lane] + 4, share) << int{lane};
            }
        }
    }
}

// ── Weights ──────────────────────────────────────────────────────────────────────────────────────

Policy weighted(std::vector<std::uint32_t> weights) {
    return {.lanes = Lanes{.otherwise = 3, .weights = std::move(weights), .age_boost = 0ms},
            .concurrency = 1};
}

/// Starts and answers `runs` runs one after another; how many of each lane.
std::map<int, int> lanes_of(Bench& bench, int runs) {
    std::map<int, int> started;
    for (int i = 0; i < runs; ++i) {
        bench.started();
        ++started[bench.runs.front().lane];
        bench.answer();
    }
    return started;
}

TEST(LanesTest, RunsAreSharedByWeight) {
    Bench bench(weighted({8, 3, 1}));
    for (std::uint64_t key = 0; key < 600; ++key) {
        bench.offer(key + 1, static_cast<std::uint8_t>(1 + key % 3));
    }
    const Counts counts = bench.consumer->counts();
    EXPECT_EQ(counts.in_lane[0] + counts.in_lane[1] + counts.in_lane[2], 600u);
    EXPECT_EQ(lanes_of(bench, 240), (std::map<int, int>{{1, 160}, {2, 60}, {3, 20}}));
    EXPECT_EQ(bench.consumer->counts().in_lane[0], 40u);
}

TEST(LanesTest, FreeEventsAndKeysShareALane) {
    Bench bench(weighted({1, 1, 1}));
    for (int i = 0; i < 30; ++i) {
        bench.offer(no_key, 1).offer(100 + static_cast<std::uint64_t>(i), 1).offer(no_key, 3);
    }
    EXPECT_EQ(lanes_of(bench, 30), (std::map<int, int>{{1, 15}, {3, 15}}));
}

TEST(LanesTest, ALaneThatWasIdleDoesNotCatchUp) {
    Bench bench(weighted({8, 3, 1}));
    for (std::uint64_t key = 0; key < 300; ++key) {
        bench.offer(key + 1, 3);
    }
    EXPECT_EQ(lanes_of(bench, 100), (std::map<int, int>{{3, 100}}));
    for (std::uint64_t key = 0; key < 100; ++key) {
        bench.offer(key + 1000, 1);
    }
    EXPECT_EQ(lanes_of(bench, 90), (std::map<int, int>{{1, 80}, {3, 10}}));
}

TEST(LanesTest, AWindowHasTheBestLaneOfItsMembers) {
    Policy policy = weighted({});
    policy.debounce = Debounce{.period = 10s, .leading = 0s};
    Bench bench(policy);
    bench.offer(5, 3).offer(6, 3).offer(6, 2);
    EXPECT_EQ(bench.wait(10s).started(), "1 2");
    EXPECT_EQ(bench.runs.front().lane, 2);
}

TEST(LanesTest, ARetryThatIsDueHasTheLaneOfWhatWaitsBehindIt) {
    Policy policy = weighted({});
    policy.retry = {.initial = 10s, .jitter = 0};
    Bench bench(policy);
    bench.offer(5, 3).started();
    bench.answer(Outcome::transient("busy")).offer(5, 1).offer(6, 2).offer(7, 2);
    EXPECT_EQ(bench.started(), "2");
    bench.wait(10s).answer();
    EXPECT_EQ(bench.started(), "0");
    EXPECT_EQ(bench.runs.front().lane, 1);
}

// ── Age ──────────────────────────────────────────────────────────────────────────────────────────

Policy ageing() { return {.lanes = Lanes{.otherwise = 3, .age_boost = 60s}, .concurrency = 1}; }

/// A lane 1 that never runs empty, a run a second; when the event of `key` starts, in seconds.
int seconds_until(Bench& bench, const std::string& offset, int limit) {
    for (int second = 0; second < limit; ++second) {
        bench.offer(1000 + static_cast<std::uint64_t>(second), 1);
        const std::string started = bench.started();
        if (started == offset) {
            return second;
        }
        bench.answer().wait(1s);
    }
    return limit;
}

TEST(LanesTest, AgeLiftsAKeyOneLaneAnInterval) {
    Bench bench(ageing());
    bench.offer(1, 1).started();  // in the way of everything
    bench.offer(5, 3).offer(6, 2);
    EXPECT_EQ(bench.wait(59s).answer().offer(7, 2).started(), "2");
    EXPECT_EQ(bench.runs.front().lane, 2);
    bench.wait(1s);
    EXPECT_THAT(bench.consumer->explain(Offset(1), 5, bench.now()).text, HasSubstr("lane 3"));
    EXPECT_EQ(bench.answer().started(), "3") << "in lane 2 it goes behind those who were there";
    EXPECT_THAT(bench.consumer->explain(Offset(1), 5, bench.now()).text, HasSubstr("lane 2"));
    EXPECT_EQ(bench.offer(8, 2).answer().started(), "1");
    EXPECT_EQ(bench.runs.front().lane, 2);
}

TEST(LanesTest, NoLaneStarves) {
    for (const std::uint64_t key : {std::uint64_t{5}, no_key}) {
        Bench bench(ageing());
        bench.offer(key, 3);
        EXPECT_EQ(seconds_until(bench, "0", 1000), 121) << key;
    }
}

TEST(LanesTest, WithoutAgeTheBestLaneGoesFirstForEver) {
    Policy policy = ageing();
    policy.lanes->age_boost = 0ms;
    Bench bench(policy);
    bench.offer(5, 3);
    EXPECT_EQ(seconds_until(bench, "0", 1000), 1000);
}

TEST(LanesTest, EachFreeEventWaitsForItself) {
    Bench bench(ageing());
    bench.offer(1, 1).started();
    bench.offer(no_key, 3).wait(60s).offer(no_key, 3).wait(60s).offer(9, 2).answer();
    EXPECT_EQ(bench.started(), "1") << "lifted to lane 1";
    EXPECT_EQ(bench.answer().started(), "3") << "it was there before the second was lifted to 2";
    EXPECT_EQ(bench.answer().started(), "2");
}

TEST(LanesTest, WhatWasLiftedDoesNotFallBack) {
    Bench bench(ageing());
    bench.offer(1, 1).started();
    bench.offer(5, 3).wait(120s).answer().offer(2, 1);
    EXPECT_EQ(bench.started(), "2");
    bench.offer(5, 3).offer(6, 2).answer();
    EXPECT_EQ(bench.started(), "1");
    EXPECT_EQ(bench.runs.front().lane, 1);
}

}  // namespace
}  // namespace bascule::delivery
