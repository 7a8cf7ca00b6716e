#include "bus/log/framed_file.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

#include "foundation/base/hash.h"
#include "foundation/base/testing.h"
#include "sim/sim_disk.h"
#include "sim/sim_executor.h"

namespace bascule::log {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr const char* path = "journal";

struct FileWorld {
    explicit FileWorld(std::uint64_t seed = 1)
        : executor(clock, seed), disk(executor, {.seed = seed, .sync_latency_min = 1ms}) {}

    Result<> open(FramedFile::Options options = {.fill_bytes = 512, .seed = 5}) {
        replayed.clear();
        auto opened =
            FramedFile::open(disk, strand, path, options, [this](FramedFile::Entry entry) {
                replayed.emplace_back(as_text(entry));
                return Result<>();
            });
        if (!opened) {
            return std::unexpected(opened.error());
        }
        file = std::move(*opened);
        return {};
    }

    void append(std::string_view entry) { file->append(as_bytes(entry)); }
    Result<> sync() {
        return sim::wait_for<>(executor, [&](auto done) { file->sync(std::move(done)); });
    }
    Result<> rewrite(const std::vector<std::string>& snapshot) {
        return sim::wait_for<>(executor,
                               [&](auto done) { file->rewrite(snapshot, std::move(done)); });
    }
    void crash() {
        file.reset();
        executor.drop_all();
        disk.crash();
    }

    sim::SimClock clock;
    sim::SimExecutor executor;
    sim::SimDisk disk;
    io::Strand strand{executor};
    std::unique_ptr<FramedFile> file;
    std::vector<std::string> replayed;
};

class FramedFileTest : public testing::Test {
  protected:
    void open() { ASSERT_THAT(world_.open(), Succeeds()); }
    FileWorld world_;
};

TEST_F(FramedFileTest, ReplaysWhatWasSyncedInOrder) {
    open();
    EXPECT_THAT(world_.replayed, IsEmpty());
    world_.append("one");
    world_.append("");
    ASSERT_THAT(world_.sync(), Succeeds());
    world_.append("three");
    ASSERT_THAT(world_.sync(), Succeeds());
    world_.crash();
    open();
    EXPECT_THAT(world_.replayed, ElementsAre("one", "", "three"));
    EXPECT_EQ(world_.file->entries(), 3U);
    world_.append("four");
    ASSERT_THAT(world_.sync(), Succeeds());
    world_.crash();
    open();
    EXPECT_THAT(world_.replayed, ElementsAre("one", "", "three", "four"));
}

TEST_F(FramedFileTest, SyncOfNothingSucceeds) {
    open();
    EXPECT_THAT(world_.sync(), Succeeds());
}

TEST_F(FramedFileTest, SyncsAskedForTogetherShareOneFrame) {
    open();
    const std::uint64_t before = world_.disk.operation_count();
    int done = 0;
    for (int i = 0; i < 20; ++i) {
        world_.append("entry");
        world_.file->sync([&](const Result<>& synced) {
            EXPECT_THAT(synced, Succeeds());
            ++done;
        });
    }
    world_.executor.run_until_idle();
    EXPECT_EQ(done, 20);
    EXPECT_LT(world_.disk.operation_count() - before, 12U) << "two syncs and their writes";
}

TEST_F(FramedFileTest, RewriteReplacesEverythingButWhatComesAfter) {
    open();
    world_.append("old");
    ASSERT_THAT(world_.sync(), Succeeds());
    world_.append("buffered");
    bool rewritten = false;
    world_.file->rewrite({"state a", "state b"}, [&](const Result<>& done) {
        EXPECT_THAT(done, Succeeds());
        rewritten = true;
    });
    world_.append("after");
    ASSERT_THAT(world_.sync(), Succeeds());
    EXPECT_TRUE(rewritten);
    world_.crash();
    open();
    EXPECT_THAT(world_.replayed, ElementsAre("state a", "state b", "after"));
}

TEST_F(FramedFileTest, SyncBeforeARewriteIsAnsweredByIt) {
    open();
    world_.append("first");
    world_.file->sync([](const Result<>&) {});  // is being written
    world_.append("second");
    bool synced = false;
    world_.file->sync([&](const Result<>& done) { synced = bool(done); });
    ASSERT_THAT(world_.rewrite({"first and second"}), Succeeds());
    EXPECT_TRUE(synced);
    world_.crash();
    open();
    EXPECT_THAT(world_.replayed, ElementsAre("first and second"));
}

TEST_F(FramedFileTest, RewriteShrinksTheFile) {
    open();
    for (int i = 0; i < 100; ++i) {
        world_.append(std::string(100, 'x'));
    }
    ASSERT_THAT(world_.sync(), Succeeds());
    const std::uint64_t before = world_.file->size();
    ASSERT_THAT(world_.rewrite({"small"}), Succeeds());
    EXPECT_LT(world_.file->size(), before / 10);
    EXPECT_EQ(world_.file->entries(), 1U);
}

TEST_F(FramedFileTest, FullDiskKeepsTheBuffer) {
    open();
    world_.disk.set_capacity(0);
    world_.append(std::string(2000, 'x'));
    EXPECT_THAT(world_.sync(), FailsWith(ErrorKind::exhausted));
    EXPECT_THAT(world_.rewrite({"state"}), FailsWith(ErrorKind::exhausted));
    world_.disk.set_capacity(1 << 20);
    EXPECT_THAT(world_.sync(), Succeeds());
    world_.crash();
    open();
    EXPECT_THAT(world_.replayed, ElementsAre(std::string(2000, 'x')));
}

TEST_F(FramedFileTest, FailedSyncSpendsTheFile) {
    open();
    world_.append("one");
    ASSERT_THAT(world_.sync(), Succeeds());
    world_.append("two");
    world_.disk.fail_sync(1);
    EXPECT_THAT(world_.sync(), FailsWith(ErrorKind::io, HasSubstr("must be reopened")));
    EXPECT_THAT(world_.sync(), FailsWith(ErrorKind::io));
    EXPECT_THAT(world_.rewrite({}), FailsWith(ErrorKind::io));
    world_.crash();
    open();
    EXPECT_THAT(world_.replayed, AnyOf(ElementsAre("one"), ElementsAre("one", "two")));
}

/// Asked for when a sync has just ended and another one waits, so that the sync goes on as soon as
/// the rewrite is off.
TEST_F(FramedFileTest, RewriteAndTheSyncBehindItMayFailTogether) {
    open();
    std::vector<std::string> told;
    const auto tell = [&](std::string what) {
        return [&told, what = std::move(what)](const Result<>& outcome) {
            told.push_back(what + (outcome ? " ok" : " failed"));
        };
    };
    world_.append("one");
    world_.file->sync([&](const Result<>& first) {
        ASSERT_THAT(first, Succeeds());
        world_.disk.fail_operation(1, ErrorKind::exhausted);  // the draft
        world_.disk.fail_operation(2);                        // its removal
        world_.disk.fail_operation(3);                        // what is written instead
        world_.file->rewrite({"state"}, tell("rewrite"));
    });
    world_.append("two");
    world_.file->sync(tell("sync"));
    world_.executor.run_until_idle();
    EXPECT_THAT(told, ElementsAre("rewrite failed", "sync failed"));
    EXPECT_THAT(world_.sync(), FailsWith(ErrorKind::io, HasSubstr("must be reopened")));
}

TEST_F(FramedFileTest, FlushedEntriesSurviveTheProcess) {
    open();
    world_.append("one");
    world_.file->flush();
    world_.append("two");
    world_.file->flush();
    world_.append("only buffered");
    EXPECT_EQ(world_.file->entries(), 3U);
    world_.file.reset();
    world_.executor.drop_all();
    open();
    EXPECT_THAT(world_.replayed, ElementsAre("one", "two"));
    world_.crash();  // and opening made them durable
    open();
    EXPECT_THAT(world_.replayed, ElementsAre("one", "two"));
}

TEST_F(FramedFileTest, FlushOnAFullDiskKeepsTheBuffer) {
    open();
    world_.disk.set_capacity(0);
    world_.append("one");
    world_.file->flush();
    world_.disk.set_capacity(1 << 20);
    ASSERT_THAT(world_.sync(), Succeeds());
    world_.crash();
    open();
    EXPECT_THAT(world_.replayed, ElementsAre("one"));
}

TEST_F(FramedFileTest, ErrorOfTheReplayIsTheErrorOfOpen) {
    open();
    world_.append("one");
    ASSERT_THAT(world_.sync(), Succeeds());
    world_.crash();
    EXPECT_THAT(FramedFile::open(world_.disk, world_.strand, path, {},
                                 [](FramedFile::Entry) -> Result<> {
                                     return fail(ErrorKind::invalid, "unknown entry");
                                 }),
                FailsWith(ErrorKind::invalid, HasSubstr("journal: unknown entry")));
}

TEST_F(FramedFileTest, DamageIsToldTheRestReplayedAndOnlyRewritingGoesOn) {
    open();
    for (const char* entry : {"one", "two", "three"}) {
        world_.append(entry);
        ASSERT_THAT(world_.sync(), Succeeds());
    }
    world_.crash();
    auto file = *world_.disk.open(path, io::OpenMode::read);
    std::string bytes(*file->size(), '\0');
    ASSERT_THAT(file->read(0, std::as_writable_bytes(std::span(bytes))), Succeeds());
    world_.disk.flip_bit(path, bytes.find("two"), 1);
    open();
    EXPECT_THAT(world_.replayed, ElementsAre("one", "three"));
    EXPECT_THAT(world_.file->damage(), HasSubstr("entries 1 to 1 are damaged"));
    world_.append("four");
    EXPECT_THAT(world_.sync(), FailsWith(ErrorKind::corrupt));
    ASSERT_THAT(world_.rewrite({"one", "three", "four"}), Succeeds());
    EXPECT_EQ(world_.file->damage(), "");
    world_.append("five");
    ASSERT_THAT(world_.sync(), Succeeds());
    world_.crash();
    open();
    EXPECT_THAT(world_.replayed, ElementsAre("one", "three", "four", "five"));
}

TEST_F(FramedFileTest, FileWithoutAReadableFrameIsDamagedNotEmpty) {
    open();
    world_.crash();
    auto file = *world_.disk.open(path, io::OpenMode::write);
    ASSERT_THAT(file->truncate(0), Succeeds());
    open();
    EXPECT_THAT(world_.file->damage(), HasSubstr("no frame in it is readable"));
    ASSERT_THAT(world_.rewrite({"new"}), Succeeds());
    world_.crash();
    open();
    EXPECT_THAT(world_.replayed, ElementsAre("new"));
}

/// Entries are numbered; a rewrite keeps them all in one entry. After a crash at any step, what was
/// confirmed is there, in order and without holes, and stays through another crash.
TEST(FramedFileCrashTest, KeepsWhatItConfirmedAfterAnyNumberOfSteps) {
    for (int steps = 0; steps < 160; ++steps) {
        SCOPED_TRACE("steps " + std::to_string(steps));
        FileWorld world(static_cast<std::uint64_t>(steps) + 1);
        ASSERT_THAT(world.open(), Succeeds());
        std::uint64_t appended = 0;
        std::uint64_t confirmed = 0;
        std::function<void()> work = [&] {
            world.append(std::to_string(appended++));
            world.append(std::to_string(appended++));
            const std::uint64_t asked = appended;
            if (appended % 3 == 0) {
                world.file->flush();
                world.append(std::to_string(appended++));
                world.append(std::to_string(appended++));
            }
            auto done = [&, asked](const Result<>& outcome) {
                if (outcome) {
                    confirmed = std::max(confirmed, asked);
                    work();
                }
            };
            if (appended % 7 == 0) {
                std::vector<std::string> all;
                for (std::uint64_t i = 0; i < appended; ++i) {
                    all.push_back(std::to_string(i));
                }
                world.file->rewrite(all, done);
            } else {
                world.file->sync(done);
            }
        };
        work();
        for (int i = 0; i < steps; ++i) {
            world.executor.run_one();
        }
        world.crash();
        for (int reopening = 0; reopening < 2; ++reopening) {
            ASSERT_THAT(world.open(), Succeeds());
            ASSERT_EQ(world.file->damage(), "");
            ASSERT_GE(world.replayed.size(), confirmed);
            ASSERT_EQ(world.replayed.size() % 2, 0U) << "the entries of one sync are all there";
            for (std::size_t i = 0; i < world.replayed.size(); ++i) {
                ASSERT_EQ(world.replayed[i], std::to_string(i));
            }
            confirmed = world.replayed.size();
            world.crash();
        }
    }
}

TEST(FramedFileCrashTest, NoFailedOperationLosesAConfirmedEntry) {
    std::uint64_t operations = 30;
    for (std::uint64_t nth = 1; nth <= operations; ++nth) {
        SCOPED_TRACE("operation " + std::to_string(nth));
        FileWorld world(nth);
        world.disk.fail_operation(nth);
        std::vector<std::string> confirmed;
        if (world.open()) {
            for (int i = 0; i < 10; ++i) {
                std::vector<std::string> all = confirmed;
                all.push_back("entry " + std::to_string(i));
                world.append(all.back());
                if (!(i == 5 ? world.rewrite(all) : world.sync())) {
                    break;
                }
                confirmed = all;
            }
        }
        operations = std::max(operations, world.disk.operation_count());
        world.crash();
        world.disk.clear_failures();
        ASSERT_THAT(world.open(), Succeeds());
        ASSERT_EQ(world.file->damage(), "");
        ASSERT_GE(world.replayed.size(), confirmed.size());
        ASSERT_TRUE(std::equal(confirmed.begin(), confirmed.end(), world.replayed.begin()));
    }
}

TEST(FramedFileCrashTest, NoFlippedByteYieldsAWrongEntry) {
    std::string image;
    {
        FileWorld world;
        ASSERT_THAT(world.open(), Succeeds());
        for (int i = 0; i < 6; ++i) {
            world.append("entry " + std::to_string(i));
            ASSERT_THAT(world.sync(), Succeeds());
        }
        auto file = *world.disk.open(path, io::OpenMode::read);
        image.resize(*file->size());
        ASSERT_THAT(file->read(0, std::as_writable_bytes(std::span(image))), Succeeds());
    }
    for (std::size_t at = 0; at < image.size(); ++at) {
        SCOPED_TRACE("byte " + std::to_string(at));
        FileWorld world;
        auto file = *world.disk.open(path, io::OpenMode::create);
        ASSERT_THAT(file->write(0, as_bytes(image)), Succeeds());
        world.disk.flip_bit(path, at, static_cast<int>(at % 8));
        ASSERT_THAT(world.open(), Succeeds());
        const bool told = !world.file->damage().empty();
        ASSERT_GE(world.replayed.size(), told ? 0U : 5U) << "only the last sync can be a torn tail";
        std::string last;
        for (const std::string& entry : world.replayed) {
            ASSERT_THAT(entry, StartsWith("entry "));
            ASSERT_GT(entry, last);
            last = entry;
        }
    }
}

}  // namespace
}  // namespace bascule::log
