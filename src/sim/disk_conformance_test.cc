#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "foundation/base/hash.h"
#include "foundation/base/testing.h"
#include "foundation/io/posix_disk.h"
#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"
#include "sim/sim_disk.h"
#include "sim/sim_executor.h"

namespace bascule::sim {
namespace {

using io::OpenMode;
using testing::ElementsAre;
using testing::HasSubstr;

class PosixBacking {
  public:
    PosixBacking() {
        std::string pattern = testing::TempDir() + "bascule-disk-XXXXXX";
        root = ::mkdtemp(pattern.data());
    }
    ~PosixBacking() { std::filesystem::remove_all(root); }

    template <class Start>
    Result<> wait(Start start) {
        return io::wait_for<>(std::move(start));
    }

    io::ThreadPool pool{{.threads = 1}};
    io::PosixDisk disk{pool};
    std::string root;
};

class SimBacking {
  public:
    SimBacking() { EXPECT_THAT(disk.make_directories(root), Succeeds()); }

    template <class Start>
    Result<> wait(Start start) {
        return wait_for<>(executor, std::move(start));
    }

    SimClock clock;
    SimExecutor executor{clock, 1};
    SimDisk disk{executor, {.sync_latency_min = 1ms, .sync_latency_max = 5ms}};
    std::string root = "root";
};

/// What every Disk must do, whichever it is.
template <class Backing>
class DiskConformance : public testing::Test {
  protected:
    std::string at(const std::string& path) const { return backing_.root + "/" + path; }

    std::unique_ptr<io::File> opened(const std::string& path, OpenMode mode) {
        auto file = disk_.open(at(path), mode);
        EXPECT_THAT(file, Succeeds());
        return file ? std::move(*file) : nullptr;
    }

    void put(const std::string& path, std::string_view text) {
        EXPECT_THAT(opened(path, OpenMode::create)->write(0, as_bytes(text)), Succeeds());
    }

    Result<std::string> get(const std::string& path) {
        return io::read_file(disk_, at(path), 1 << 20);
    }

    Backing backing_;
    io::Disk& disk_ = backing_.disk;
};

using Backings = testing::Types<PosixBacking, SimBacking>;
TYPED_TEST_SUITE(DiskConformance, Backings);

TYPED_TEST(DiskConformance, ReadsWhatWasWrittenAndStopsAtTheEnd) {
    this->put("f", "hello world");
    const auto file = this->opened("f", OpenMode::read);
    std::string into(8, '?');
    EXPECT_EQ(file->read(6, std::as_writable_bytes(std::span(into))).value(), 5u);
    EXPECT_EQ(into, "world???");
    EXPECT_EQ(file->read(11, std::as_writable_bytes(std::span(into))).value(), 0u);
    EXPECT_EQ(file->read(1000, std::as_writable_bytes(std::span(into))).value(), 0u);
}

TYPED_TEST(DiskConformance, AWritePastTheEndLeavesZeros) {
    const auto file = this->opened("f", OpenMode::create);
    ASSERT_THAT(file->write(3, as_bytes("x")), Succeeds());
    EXPECT_EQ(file->size().value(), 4u);
    EXPECT_EQ(this->get("f").value(), std::string("\0\0\0x", 4));
}

TYPED_TEST(DiskConformance, TruncateCutsAndGrows) {
    this->put("f", "abcdef");
    const auto file = this->opened("f", OpenMode::write);
    ASSERT_THAT(file->truncate(2), Succeeds());
    ASSERT_THAT(file->truncate(4), Succeeds());
    EXPECT_EQ(this->get("f").value(), std::string("ab\0\0", 4));
}

TYPED_TEST(DiskConformance, OpenModesAskForWhatTheySay) {
    EXPECT_THAT(this->disk_.open(this->at("f"), OpenMode::read), FailsWith(ErrorKind::not_found));
    EXPECT_THAT(this->disk_.open(this->at("f"), OpenMode::write), FailsWith(ErrorKind::not_found));
    EXPECT_THAT(this->disk_.open(this->at("f"), OpenMode::create_new), Succeeds());
    EXPECT_THAT(this->disk_.open(this->at("f"), OpenMode::create_new),
                FailsWith(ErrorKind::conflict, HasSubstr("f")));
    EXPECT_THAT(this->disk_.open(this->at("f"), OpenMode::create), Succeeds());
    EXPECT_THAT(this->disk_.open(this->at("no/f"), OpenMode::create),
                FailsWith(ErrorKind::not_found));
}

TYPED_TEST(DiskConformance, AFileOpenedForReadingRefusesWrites) {
    this->put("f", "abc");
    const auto file = this->opened("f", OpenMode::read);
    EXPECT_THAT(file->write(0, as_bytes("x")), FailsWith(ErrorKind::io));
    EXPECT_EQ(this->get("f").value(), "abc");
}

TYPED_TEST(DiskConformance, SyncCompletes) {
    const auto file = this->opened("f", OpenMode::create);
    ASSERT_THAT(file->write(0, as_bytes("x")), Succeeds());
    EXPECT_THAT(this->backing_.wait([&](auto done) { file->sync(std::move(done)); }), Succeeds());
}

TYPED_TEST(DiskConformance, ListIsSortedAndOfOneFolder) {
    ASSERT_THAT(this->disk_.make_directories(this->at("b/deep")), Succeeds());
    this->put("c", "");
    this->put("a", "");
    this->put("b/inside", "");
    EXPECT_THAT(this->disk_.list(this->backing_.root).value(), ElementsAre("a", "b", "c"));
    EXPECT_THAT(this->disk_.list(this->at("b")).value(), ElementsAre("deep", "inside"));
    EXPECT_THAT(this->disk_.list(this->at("none")), FailsWith(ErrorKind::not_found));
}

TYPED_TEST(DiskConformance, MakeDirectoriesIsFineWithWhatIsThere) {
    EXPECT_THAT(this->disk_.make_directories(this->at("a/b/c")), Succeeds());
    EXPECT_THAT(this->disk_.make_directories(this->at("a/b/c")), Succeeds());
    EXPECT_TRUE(this->disk_.exists(this->at("a/b")).value());
    this->put("file", "");
    EXPECT_THAT(this->disk_.make_directories(this->at("file")), FailsWith(ErrorKind::conflict));
}

TYPED_TEST(DiskConformance, RenameReplacesAndRemoveRemoves) {
    this->put("old", "old");
    this->put("new", "new");
    ASSERT_THAT(this->disk_.rename(this->at("new"), this->at("old")), Succeeds());
    EXPECT_EQ(this->get("old").value(), "new");
    EXPECT_FALSE(this->disk_.exists(this->at("new")).value());
    EXPECT_THAT(this->disk_.remove(this->at("old")), Succeeds());
    EXPECT_THAT(this->disk_.remove(this->at("old")), FailsWith(ErrorKind::not_found));
    EXPECT_THAT(this->disk_.rename(this->at("old"), this->at("x")),
                FailsWith(ErrorKind::not_found));
}

TYPED_TEST(DiskConformance, RemoveTakesEmptyFoldersOnly) {
    ASSERT_THAT(this->disk_.make_directories(this->at("d")), Succeeds());
    this->put("d/f", "");
    EXPECT_THAT(this->disk_.remove(this->at("d")), FailsWith(ErrorKind::conflict));
    ASSERT_THAT(this->disk_.remove(this->at("d/f")), Succeeds());
    EXPECT_THAT(this->disk_.remove(this->at("d")), Succeeds());
    EXPECT_FALSE(this->disk_.exists(this->at("d")).value());
}

TYPED_TEST(DiskConformance, AnOpenFileOutlivesItsName) {
    this->put("f", "abc");
    const auto file = this->opened("f", OpenMode::read);
    ASSERT_THAT(this->disk_.remove(this->at("f")), Succeeds());
    std::string into(3, '?');
    EXPECT_EQ(file->read(0, std::as_writable_bytes(std::span(into))).value(), 3u);
    EXPECT_EQ(into, "abc");
}

TYPED_TEST(DiskConformance, OneLockAtATime) {
    {
        const auto held = this->disk_.lock(this->at("LOCK"));
        ASSERT_THAT(held, Succeeds());
        EXPECT_THAT(this->disk_.lock(this->at("LOCK")),
                    FailsWith(ErrorKind::conflict, HasSubstr("locked by")));
    }
    EXPECT_THAT(this->disk_.lock(this->at("LOCK")), Succeeds());
}

TYPED_TEST(DiskConformance, AFoldersLockIsItsOwn) {
    const std::string folder = this->at("locked");
    EXPECT_THAT(this->disk_.lock_directory(folder), FailsWith(ErrorKind::not_found));
    ASSERT_THAT(this->disk_.make_directories(folder), Succeeds());
    {
        const auto held = this->disk_.lock_directory(folder);
        ASSERT_THAT(held, Succeeds());
        EXPECT_THAT(this->disk_.lock_directory(folder),
                    FailsWith(ErrorKind::conflict, HasSubstr("locked by")));
        EXPECT_THAT(this->disk_.lock(folder + "/LOCK"), Succeeds());
    }
    EXPECT_THAT(this->disk_.lock_directory(folder), Succeeds());
}

TYPED_TEST(DiskConformance, ReadFileHasALimit) {
    this->put("f", "12345");
    EXPECT_EQ(io::read_file(this->disk_, this->at("f"), 5).value(), "12345");
    EXPECT_THAT(io::read_file(this->disk_, this->at("f"), 4),
                FailsWith(ErrorKind::exhausted, HasSubstr("5 bytes; at most 4")));
}

TYPED_TEST(DiskConformance, ReplaceFileLeavesOnlyTheNewContent) {
    const auto replace = [&](std::string text) {
        return this->backing_.wait([&](auto done) {
            io::replace_file(this->disk_, this->at("f"), std::move(text), std::move(done));
        });
    };
    ASSERT_THAT(replace("first, and longer"), Succeeds());
    ASSERT_THAT(replace("second"), Succeeds());
    EXPECT_EQ(this->get("f").value(), "second");
    EXPECT_THAT(this->disk_.list(this->backing_.root).value(), ElementsAre("f"));
    EXPECT_GT(this->disk_.free_bytes(this->backing_.root).value(), 0u);
}

}  // namespace
}  // namespace bascule::sim
