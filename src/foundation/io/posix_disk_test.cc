#include "foundation/io/posix_disk.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "foundation/base/hash.h"
#include "foundation/base/testing.h"
#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"

namespace bascule::io {
namespace {

using testing::HasSubstr;

// What every Disk must do is in sim/disk_conformance_test.cc; here is what only this one can.
class PosixDiskTest : public testing::Test {
  protected:
    PosixDiskTest() {
        std::string pattern = testing::TempDir() + "bascule-disk-XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
    }
    ~PosixDiskTest() override { std::filesystem::remove_all(folder_); }

    std::string in_folder(const std::string& file) const { return folder_ + "/" + file; }

    std::string folder_;
    ThreadPool pool_{{.threads = 1}};
    PosixDisk disk_{pool_};
};

TEST_F(PosixDiskTest, LockNamesItsHolder) {
    const auto held = disk_.lock(in_folder("LOCK"));
    ASSERT_THAT(held, Succeeds());
    EXPECT_THAT(disk_.lock(in_folder("LOCK")),
                FailsWith(ErrorKind::conflict,
                          HasSubstr("locked by process " + std::to_string(::getpid()))));
    EXPECT_EQ(read_file(disk_, in_folder("LOCK"), 100).value(), std::to_string(::getpid()) + "\n");
}

TEST_F(PosixDiskTest, LockDiesWithItsProcess) {
    const pid_t child = ::fork();
    if (child == 0) {
        const auto held = PosixDisk(pool_).lock(in_folder("LOCK"));
        ::_exit(held ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    EXPECT_THAT(disk_.lock(in_folder("LOCK")), Succeeds());
}

TEST_F(PosixDiskTest, AFullDiskIsExhausted) {
    // The file-size limit answers EFBIG, which we treat as the disk's ENOSPC.
    const auto file = disk_.open(in_folder("big"), OpenMode::create);
    ASSERT_THAT(file, Succeeds());
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto written = (*file)->write(0, as_bytes(std::string(2000, 'x')));
    ::setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_THAT(written, FailsWith(ErrorKind::exhausted, HasSubstr("big")));
}

TEST_F(PosixDiskTest, AfterAFailedSyncTheFileIsNotTrusted) {
    // A pipe cannot be synced: the same answer as from a dying disk, and from the real system call.
    const std::string pipe = in_folder("pipe");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const auto file = disk_.open(pipe, OpenMode::write);
    ASSERT_THAT(file, Succeeds());
    const auto sync = [&] {
        return wait_for<>([&](auto done) { (*file)->sync(std::move(done)); });
    };
    EXPECT_THAT(sync(), FailsWith(ErrorKind::io, HasSubstr("sync")));
    EXPECT_THAT(sync(), FailsWith(ErrorKind::io, HasSubstr("an earlier sync failed")));
    EXPECT_THAT((*file)->write(0, as_bytes("x")),
                FailsWith(ErrorKind::io, HasSubstr("an earlier sync failed")));
}

TEST_F(PosixDiskTest, AFileMayBeClosedWhileItSyncs) {
    auto file = disk_.open(in_folder("f"), OpenMode::create);
    ASSERT_THAT(file, Succeeds());
    ASSERT_THAT((*file)->write(0, as_bytes("x")), Succeeds());
    EXPECT_THAT(wait_for<>([&](auto done) {
                    (*file)->sync(std::move(done));
                    file->reset();
                }),
                Succeeds());
}

TEST_F(PosixDiskTest, MessagesSayWhatWasTriedOnWhichFile) {
    EXPECT_THAT(disk_.open(in_folder("no/file"), OpenMode::create),
                FailsWith(ErrorKind::not_found,
                          HasSubstr("open " + in_folder("no/file") + ": No such file")));
}

TEST(WaitForTest, ADroppedCompletionIsAnErrorNotAHang) {
    EXPECT_THAT(wait_for<int>([](Completion<int> done) { done = nullptr; }),
                FailsWith(ErrorKind::unavailable, HasSubstr("stopped")));
    EXPECT_EQ(wait_for<int>([](Completion<int> done) { done(7); }).value(), 7);
}

}  // namespace
}  // namespace bascule::io
