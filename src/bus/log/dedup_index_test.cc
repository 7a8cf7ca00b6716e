#include "bus/log/dedup_index.h"

#include <gmock/gmock.h>

#include <map>

#include "foundation/base/random.h"

namespace bascule::log {
namespace {

constexpr WallTime noon = WallTime(1'000'000'000s);

IdEntry entry(std::uint64_t id) {
    const auto hash = hash128("id" + std::to_string(id));
    return {.id = hash, .content = id};
}

std::optional<std::uint64_t> found(const DedupIndex& index, std::uint64_t id) {
    const auto hit = index.find(entry(id).id);
    return hit ? std::optional(hit->offset.value()) : std::nullopt;
}

TEST(DedupIndexTest, FindsWhatWasPushedWithItsContent) {
    DedupIndex index({}, Offset(5));
    index.push(entry(1), noon);
    index.push(entry(2), noon);
    const auto hit = index.find(entry(2).id).value_or(DedupIndex::Hit());
    EXPECT_EQ(hit.offset, Offset(6));
    EXPECT_EQ(hit.content, 2U);
    EXPECT_EQ(found(index, 3), std::nullopt);
}

TEST(DedupIndexTest, ARecordWithoutIdIsNeverFound) {
    DedupIndex index({}, Offset(0));
    index.push({}, noon);
    EXPECT_FALSE(index.find(Hash128{}));
    EXPECT_EQ(index.size(), 1U);
}

TEST(DedupIndexTest, ForgetsTheOldestAboveTheEntryBound) {
    DedupIndex index({.entries_max = 3}, Offset(0));
    for (std::uint64_t id = 0; id < 5; ++id) {
        index.push(entry(id), noon);
    }
    EXPECT_EQ(found(index, 1), std::nullopt);
    EXPECT_EQ(found(index, 2), 2U);
    EXPECT_EQ(found(index, 4), 4U);
}

TEST(DedupIndexTest, ForgetsByAgeAndNotEarlier) {
    DedupIndex index({.age = 24h}, Offset(0));
    index.push(entry(0), noon);
    index.push(entry(1), noon + 1h);
    index.push(entry(2), noon + 24h);
    EXPECT_EQ(found(index, 0), 0U) << "exactly a window old";
    index.push(entry(3), noon + 25h + 2s);
    EXPECT_EQ(found(index, 0), std::nullopt);
    EXPECT_EQ(index.begin(), Offset(1))
        << "the entry before a mark lives until the mark is too old";
    index.push(entry(4), noon + 60h);
    EXPECT_EQ(found(index, 2), std::nullopt);
    EXPECT_EQ(found(index, 4), 4U);
}

TEST(DedupIndexTest, TruncateTakesBackTheNewest) {
    DedupIndex index({}, Offset(0));
    for (std::uint64_t id = 0; id < 10; ++id) {
        index.push(entry(id), noon);
    }
    index.truncate(Offset(4));
    EXPECT_EQ(found(index, 3), 3U);
    EXPECT_EQ(found(index, 4), std::nullopt);
    index.push(entry(99), noon);
    EXPECT_EQ(found(index, 99), 4U);
    EXPECT_EQ(found(index, 4), std::nullopt) << "its slot now means another entry";
}

// A window that was set longer may bring back an id that was used again meanwhile.
TEST(DedupIndexTest, OfEqualIdsTheOldestIsFoundHoweverTheTablesGrow) {
    DedupIndex index({}, Offset(0));
    for (std::uint64_t id = 0; id < 20'000; ++id) {
        index.push(entry(id % 10'000), noon);
    }
    for (std::uint64_t id = 10'000; id < 100'000; ++id) {
        index.push(entry(id), noon);
    }
    for (std::uint64_t id = 0; id < 10'000; ++id) {
        ASSERT_EQ(found(index, id), id);
    }
}

TEST(DedupIndexTest, TruncateBelowTheWindowLeavesItEmptyAndUsable) {
    DedupIndex index({.entries_max = 2}, Offset(0));
    for (std::uint64_t id = 0; id < 10; ++id) {
        index.push(entry(id), noon);
    }
    index.truncate(Offset(1));
    EXPECT_EQ(index.size(), 0U);
    index.push(entry(50), noon);
    EXPECT_EQ(found(index, 50), 1U);
}

struct ModelCase {
    const char* claim;
    std::uint64_t begin;
    std::uint64_t entries_max;
    std::uint64_t ids;
};

class DedupIndexModelTest : public testing::TestWithParam<ModelCase> {};

/// Random pushes and truncations against a map that forgets by offset.
TEST_P(DedupIndexModelTest, AgreesWithAPlainMap) {
    const auto& [claim, begin, entries_max, ids] = GetParam();
    DedupIndex index({.entries_max = entries_max}, Offset(begin));
    std::map<std::uint64_t, std::uint64_t> offset_of;  // by id
    std::vector<std::uint64_t> id_at;                  // by offset - begin
    Random random(3);
    const auto modelled = [&](std::uint64_t id) -> std::optional<std::uint64_t> {
        const auto at = offset_of.find(id);
        const bool live = at != offset_of.end() && at->second >= index.begin().value() &&
                          at->second < index.end().value() && id_at[at->second - begin] == id;
        return live ? std::optional(at->second) : std::nullopt;
    };
    for (int step = 0; step < 200'000; ++step) {
        const std::uint64_t id = random.below(ids);
        ASSERT_EQ(found(index, id), modelled(id)) << "step " << step;
        if (!modelled(id)) {
            offset_of[id] = index.end().value();
            id_at.push_back(id);
            index.push(entry(id), noon);
        } else if (random.below(50) == 0 && index.size() > 0) {
            const std::uint64_t back = random.below(std::min<std::uint64_t>(index.size(), 20));
            index.truncate(Offset(index.end().value() - back));
            id_at.resize(index.end().value() - begin);
        }
        ASSERT_LE(index.size(), entries_max);
    }
}

INSTANTIATE_TEST_SUITE_P(Table, DedupIndexModelTest,
                         testing::Values(ModelCase{"SmallWindow", 0, 100, 300},
                                         ModelCase{"LargeWindow", 0, 20'000, 60'000},
                                         // The slots' offsets wrap at 2^24 - 1.
                                         ModelCase{"AcrossTheWrap", (1 << 24) - 50'000, 20'000,
                                                   60'000}),
                         [](const auto& info) { return info.param.claim; });

}  // namespace
}  // namespace bascule::log
