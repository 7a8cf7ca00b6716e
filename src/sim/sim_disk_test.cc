#include "sim/sim_disk.h"

#include <gmock/gmock.h>

#include <set>

#include "foundation/base/hash.h"
#include "foundation/base/testing.h"
#include "sim/sim_executor.h"

namespace bascule::sim {
namespace {

using io::OpenMode;
using testing::HasSubstr;

constexpr std::uint64_t seeds = 200;

struct World {
    explicit World(std::uint64_t seed, SimDisk::Options options = {})
        : executor(clock, seed), disk(executor, (options.seed = seed, options)) {}

    std::unique_ptr<io::File> opened(const std::string& path, OpenMode mode = OpenMode::create) {
        auto file = disk.open(path, mode);
        EXPECT_THAT(file, Succeeds());
        return file ? std::move(*file) : nullptr;
    }
    /// A file whose name is durable.
    std::unique_ptr<io::File> created(const std::string& path) {
        auto file = opened(path);
        EXPECT_THAT(disk.sync_directory("."), Succeeds());
        return file;
    }
    Result<> synced(io::File& file) {
        return wait_for<>(executor, [&](auto done) { file.sync(std::move(done)); });
    }
    std::string text(const std::string& path) {
        return io::read_file(disk, path, 1 << 20).value_or("(absent)");
    }

    SimClock clock;
    SimExecutor executor;
    SimDisk disk;
};

TEST(SimDiskTest, SyncedBytesAndNamesAlwaysSurvive) {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        World world(seed);
        const std::string bytes(5000, 's');
        const auto file = world.created("f");
        ASSERT_THAT(file->write(0, as_bytes(bytes)), Succeeds());
        ASSERT_THAT(world.synced(*file), Succeeds());
        ASSERT_THAT(file->write(5000, as_bytes("more")), Succeeds());
        world.disk.crash();
        ASSERT_TRUE(world.text("f").starts_with(bytes)) << "seed " << seed;
    }
}

TEST(SimDiskTest, UnsyncedSectorsAreLostInAnyCombination) {
    std::set<std::string> outcomes;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        World world(seed);
        const auto file = world.created("f");
        ASSERT_THAT(file->write(0, as_bytes(std::string(1024, '.'))), Succeeds());
        ASSERT_THAT(world.synced(*file), Succeeds());
        ASSERT_THAT(file->write(0, as_bytes(std::string(1024, 'x'))), Succeeds());
        world.disk.crash();
        const std::string left = world.text("f");
        ASSERT_EQ(left.size(), 1024u);
        for (std::size_t at : {0, 512}) {
            ASSERT_EQ(left.substr(at, 512), std::string(512, left[at])) << "a sector is whole";
        }
        outcomes.insert({left[0], left[512]});
    }
    EXPECT_THAT(outcomes, testing::UnorderedElementsAre("..", ".x", "x.", "xx"));
}

TEST(SimDiskTest, SizeAndContentArePersistedIndependently) {
    std::set<std::string> outcomes;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        World world(seed);
        const auto file = world.created("f");
        ASSERT_THAT(file->write(0, as_bytes("ab")), Succeeds());
        world.disk.crash();
        outcomes.insert(world.text("f"));
    }
    EXPECT_THAT(outcomes, testing::UnorderedElementsAre("", "ab", std::string("\0\0", 2)));
}

TEST(SimDiskTest, AnEarlierStateOfASectorMaySurviveALaterOne) {
    std::set<std::string> outcomes;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        World world(seed);
        const auto file = world.created("f");
        ASSERT_THAT(file->write(0, as_bytes("0")), Succeeds());
        ASSERT_THAT(world.synced(*file), Succeeds());
        ASSERT_THAT(file->write(0, as_bytes("1")), Succeeds());
        ASSERT_THAT(file->write(0, as_bytes("2")), Succeeds());
        world.disk.crash();
        outcomes.insert(world.text("f"));
    }
    EXPECT_THAT(outcomes, testing::UnorderedElementsAre("0", "1", "2"));
}

TEST(SimDiskTest, AWriteDuringASyncIsNotCoveredByIt) {
    std::set<std::string> outcomes;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        World world(seed, {.sync_latency_min = 1ms, .sync_latency_max = 2ms});
        const auto file = world.created("f");
        ASSERT_THAT(file->write(0, as_bytes("1")), Succeeds());
        Result<> outcome = fail(ErrorKind::invalid, "not completed");
        file->sync([&](Result<> result) { outcome = std::move(result); });
        ASSERT_THAT(file->write(0, as_bytes("2")), Succeeds());
        ASSERT_EQ(world.executor.run_ready(), 0u) << "a sync takes time";
        world.executor.run_until_idle();
        ASSERT_THAT(outcome, Succeeds());
        world.disk.crash();
        outcomes.insert(world.text("f"));
    }
    EXPECT_THAT(outcomes, testing::UnorderedElementsAre("1", "2"));
}

TEST(SimDiskTest, ANameIsDurableOnlyAfterItsFolderWasSynced) {
    std::set<bool> there;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        World world(seed);
        const auto file = world.opened("f");
        ASSERT_THAT(world.synced(*file), Succeeds());
        world.disk.crash();
        there.insert(world.disk.exists("f").value());
    }
    EXPECT_EQ(there, (std::set<bool>{false, true}));
}

TEST(SimDiskTest, ARenameHappensWholeOrNotAtAll) {
    std::set<std::string> outcomes;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        World world(seed);
        ASSERT_THAT(world.disk.make_directories("other"), Succeeds());
        const auto file = world.created("f");
        ASSERT_THAT(world.disk.rename("f", seed % 2 == 0 ? "g" : "other/g"), Succeeds());
        world.disk.crash();
        outcomes.insert(
            std::to_string(world.disk.exists("f").value()) +
            std::to_string(world.disk.exists("g").value() || world.disk.exists("other/g").value()));
    }
    EXPECT_EQ(outcomes, (std::set<std::string>{"01", "10"}));
}

TEST(SimDiskTest, ReplaceFileLeavesOldOrNewWhereverItBreaks) {
    std::set<std::string> outcomes;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        World world(seed, {.sync_latency_min = 1ms, .sync_latency_max = 2ms});
        const auto put = [&](const std::string& text) {
            return wait_for<>(world.executor, [&](auto done) {
                io::replace_file(world.disk, "f", text, std::move(done));
            });
        };
        ASSERT_THAT(put("old"), Succeeds());
        if (const std::uint64_t nth = seed % 7; nth > 0) {  // six operations, or none fails
            world.disk.fail_operation(nth);
        }
        const bool acknowledged = put("new").has_value();
        world.disk.crash();
        const std::string left = world.text("f");
        ASSERT_TRUE(left == "new" || (left == "old" && !acknowledged)) << "seed " << seed << left;
        outcomes.insert(left + (acknowledged ? "!" : "?"));
    }
    EXPECT_THAT(outcomes, testing::UnorderedElementsAre("old?", "new?", "new!"));
}

TEST(SimDiskTest, AfterAFailedSyncNoLaterSyncBringsTheBytesBack) {
    std::set<std::string> outcomes;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        World world(seed);
        const auto file = world.created("f");
        ASSERT_THAT(file->write(0, as_bytes("x")), Succeeds());
        world.disk.fail_sync(1);
        ASSERT_THAT(world.synced(*file), FailsWith(ErrorKind::io));
        ASSERT_THAT(world.synced(*file),
                    FailsWith(ErrorKind::io, HasSubstr("earlier sync failed")));
        ASSERT_THAT(file->write(0, as_bytes("y")), FailsWith(ErrorKind::io));
        ASSERT_EQ(world.text("f"), "x") << "the page cache still shows it";
        const auto reopened = world.opened("f");
        ASSERT_THAT(world.synced(*reopened), Succeeds())
            << "as fsync answers on a fresh descriptor";
        world.disk.crash();
        outcomes.insert(world.text("f"));
    }
    EXPECT_THAT(outcomes, testing::UnorderedElementsAre("", "x", std::string("\0", 1)));
}

TEST(SimDiskTest, FilesAndLocksOfTheDeadProcessAreDead) {
    World world(1, {.sync_latency_min = 1ms, .sync_latency_max = 2ms});
    const auto file = world.created("f");
    const auto lock = world.disk.lock("LOCK");
    Result<> outcome;
    file->sync([&](Result<> result) { outcome = std::move(result); });
    world.disk.crash();
    world.executor.run_until_idle();
    EXPECT_THAT(outcome, FailsWith(ErrorKind::io, HasSubstr("before the simulated crash")));
    EXPECT_THAT(file->write(0, as_bytes("x")), FailsWith(ErrorKind::io));
    EXPECT_THAT(file->size(), FailsWith(ErrorKind::io));
    EXPECT_THAT(world.disk.lock("LOCK"), Succeeds());
}

TEST(SimDiskTest, TheNthOperationFailsAndNoOther) {
    for (std::uint64_t nth = 1; nth <= 4; ++nth) {
        World world(1);
        world.disk.fail_operation(nth, ErrorKind::exhausted);
        std::vector<bool> worked;
        auto file = world.disk.open("f", OpenMode::create);
        worked.push_back(file.has_value());
        if (!file) {
            file = world.disk.open("f", OpenMode::create);
        } else {
            worked.push_back((*file)->write(0, as_bytes("x")).has_value());
            worked.push_back((*file)->truncate(0).has_value());
            worked.push_back(world.disk.sync_directory(".").has_value());
        }
        for (std::size_t i = 0; i < worked.size(); ++i) {
            EXPECT_EQ(worked[i], i + 1 != nth) << "operation " << i + 1;
        }
    }
}

TEST(SimDiskTest, CapacityIsALimitThatFreesAgain) {
    World world(1, {.capacity_bytes = 100});
    const auto file = world.created("f");
    EXPECT_THAT(file->write(0, as_bytes(std::string(60, 'x'))), Succeeds());
    EXPECT_THAT(file->write(60, as_bytes(std::string(60, 'x'))),
                FailsWith(ErrorKind::exhausted, HasSubstr("No space left")));
    EXPECT_EQ(file->size().value(), 100u)
        << "a part of the refused write is there, as on a real disk";
    EXPECT_THAT(file->write(0, as_bytes(std::string(100, 'y'))), Succeeds()) << "it needs no room";
    EXPECT_THAT(file->truncate(10), Succeeds());
    EXPECT_EQ(world.disk.free_bytes(".").value(), 90u);
    EXPECT_THAT(file->write(10, as_bytes(std::string(90, 'x'))), Succeeds());
}

TEST(SimDiskTest, FlippedBitsShowInReads) {
    World world(1);
    const auto file = world.created("f");
    ASSERT_THAT(file->write(0, as_bytes("aaaa")), Succeeds());
    ASSERT_THAT(world.synced(*file), Succeeds());
    world.disk.set_read_flip_chance(1);
    EXPECT_NE(world.text("f"), "aaaa");
    world.disk.set_read_flip_chance(0);
    EXPECT_EQ(world.text("f"), "aaaa");
    world.disk.flip_bit("f", 2, 1);
    EXPECT_EQ(world.text("f"), "aaca");
    world.disk.crash();
    EXPECT_EQ(world.text("f"), "aaca");
}

TEST(SimDiskTest, WhoJudgesSeesWhatTheWorstCrashWouldLeave) {
    using Layer = SimDisk::Layer;
    World world(1);
    const auto file = world.created("f");
    ASSERT_THAT(file->write(0, as_bytes("kept")), Succeeds());
    ASSERT_THAT(world.synced(*file), Succeeds());
    ASSERT_THAT(file->write(4, as_bytes("+more")), Succeeds());
    world.opened("g");
    const std::uint64_t operations = world.disk.operation_count();
    world.disk.fail_operation(1);
    EXPECT_EQ(world.disk.contents("f", Layer::visible), "kept+more");
    EXPECT_EQ(world.disk.contents("f", Layer::durable), "kept");
    EXPECT_THAT(world.disk.paths("", Layer::visible), testing::ElementsAre("f", "g"));
    EXPECT_THAT(world.disk.paths("", Layer::durable), testing::ElementsAre("f"));
    EXPECT_EQ(world.disk.contents("g", Layer::durable), "");
    EXPECT_EQ(world.disk.used_bytes(), 9U);
    EXPECT_EQ(world.disk.operation_count(), operations);
    EXPECT_EQ(world.disk.failure_count(), 0U);
    EXPECT_THAT(file->write(9, as_bytes("!")), FailsWith(ErrorKind::io));
    EXPECT_EQ(world.disk.failure_count(), 1U);
}

TEST(SimDiskTest, ADiskMayIgnoreSyncs) {
    World world(1, {.ignores_syncs = true});
    const auto file = world.created("f");
    ASSERT_THAT(file->write(0, as_bytes("lost")), Succeeds());
    ASSERT_THAT(world.synced(*file), Succeeds());
    EXPECT_EQ(world.disk.contents("f", SimDisk::Layer::durable), "");
}

TEST(SimDiskTest, TheSameSeedGivesTheSameWreck) {
    const auto wreck = [](std::uint64_t seed) {
        World world(seed);
        const auto file = world.created("f");
        for (std::uint64_t i = 0; i < 20; ++i) {
            const std::string bytes(700, static_cast<char>('a' + i));
            EXPECT_THAT(file->write(i * 300, as_bytes(bytes)), Succeeds());
        }
        world.disk.crash();
        return hash64(world.text("f"));
    };
    std::set<std::uint64_t> distinct;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        EXPECT_EQ(wreck(seed), wreck(seed));
        distinct.insert(wreck(seed));
    }
    EXPECT_GT(distinct.size(), 5u);
}

}  // namespace
}  // namespace bascule::sim
