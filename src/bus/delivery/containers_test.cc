#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "bus/delivery/key_index.h"
#include "bus/delivery/offset_set.h"
#include "bus/delivery/timers.h"
#include "foundation/base/random.h"

// The machine's containers against the standard ones, on random operations.

namespace bascule::delivery {
namespace {

TEST(OffsetSetTest, BehavesAsASet) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Random random(seed);
        OffsetSet set(Offset(10));
        std::set<std::uint64_t> model;
        for (std::uint64_t at = 0; at < 10; ++at) {
            model.insert(at);
        }
        for (int step = 0; step < 60; ++step) {
            const std::uint64_t first = random.below(80);
            const std::uint64_t end = first + (random.below(3) == 0 ? random.below(12) : 1);
            if (random.below(20) == 0) {
                const auto keep = [&](Offset offset) { return offset.value() % 3 == 0; };
                set.filter(Offset(first), keep);
                std::erase_if(model, [&](std::uint64_t at) { return at >= first && at % 3 != 0; });
            } else {
                set.insert(Offset(first), Offset(end));
                for (std::uint64_t at = first; at < end; ++at) {
                    model.insert(at);
                }
            }
            std::uint64_t low = 0;
            while (model.contains(low)) {
                ++low;
            }
            ASSERT_EQ(set.low(), Offset(low));
            std::uint64_t missing = first;
            while (model.contains(missing)) {
                ++missing;
            }
            ASSERT_EQ(set.next_missing(Offset(first)),
                      Offset(missing == first || missing >= low ? missing : low));
            for (std::uint64_t at = 0; at < 100; ++at) {
                ASSERT_EQ(set.contains(Offset(at)), model.contains(at)) << at;
            }
            std::uint64_t before = low;
            for (const auto& [from, to] : set.intervals()) {
                ASSERT_LT(before, from) << "intervals must not touch";
                ASSERT_LT(from, to);
                before = to;
            }
        }
    }
}

TEST(KeyIndexTest, BehavesAsAMap) {
    Random random(3);
    KeyIndex index;
    std::map<std::uint64_t, std::uint32_t> model;
    for (std::uint32_t step = 0; step < 200'000; ++step) {
        // Few homes, so that probes collide and deletions shift.
        const std::uint64_t hash = random.below(600) << 40;
        if (const auto found = model.find(hash); found == model.end()) {
            ASSERT_EQ(index.find(hash), none);
            index.insert(hash, step);
            model[hash] = step;
        } else {
            ASSERT_EQ(index.find(hash), found->second);
            index.erase(hash);
            model.erase(found);
        }
        ASSERT_EQ(index.size(), model.size());
    }
}

TEST(TimersTest, GiveOutEqualTimesInTheOrderOfSetting) {
    Timers timers;
    for (std::uint32_t index = 0; index < 20; ++index) {
        timers.set(index, SteadyTime(7ns));
    }
    timers.set(3, SteadyTime(7ns));
    std::vector<std::uint32_t> given;
    while (timers.earliest()) {
        given.push_back(timers.take_earliest());
    }
    EXPECT_THAT(given, testing::ElementsAre(0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
                                            17, 18, 19, 3));
}

TEST(TimersTest, GiveOutTheEarliestFirst) {
    Random random(4);
    Timers timers;
    std::map<std::uint32_t, SteadyTime> model;
    SteadyTime now{};
    for (int step = 0; step < 50'000; ++step) {
        const auto index = static_cast<std::uint32_t>(random.below(40));
        switch (random.below(3)) {
            case 0:
                timers.set(index, model[index] = now + std::chrono::nanoseconds(random.below(100)));
                break;
            case 1:
                timers.drop(index), model.erase(index);
                break;
            case 2: {
                now += std::chrono::nanoseconds(random.below(10));
                for (std::uint32_t due; (due = timers.take_due(now)) != none;) {
                    ASSERT_LE(model.at(due), now);
                    model.erase(due);
                }
                break;
            }
        }
        SteadyTime earliest = SteadyTime::max();
        for (const auto& [at, time] : model) {
            earliest = std::min(earliest, time);
        }
        ASSERT_EQ(timers.earliest().value_or(SteadyTime::max()), earliest);
        ASSERT_EQ(timers.time_of(index).has_value(), model.contains(index));
    }
}

}  // namespace
}  // namespace bascule::delivery
