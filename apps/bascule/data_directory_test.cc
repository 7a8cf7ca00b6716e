#include "data_directory.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "foundation/base/testing.h"
#include "foundation/base/uuid.h"
#include "foundation/io/posix_disk.h"
#include "foundation/io/thread_pool.h"

namespace bascule {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class DataDirectoryTest : public testing::Test {
  protected:
    DataDirectoryTest() { fs::create_directories(folder_); }
    ~DataDirectoryTest() override { fs::remove_all(folder_); }

    void write(const std::string& name, const std::string& content) {
        fs::create_directories((folder_ / name).parent_path());
        std::ofstream(folder_ / name) << content;
    }
    /// As it is after a first start.
    void fill() {
        write("VERSION", "1");
        write("bascule.db", "rows");
        write("audit.db", "rows");
        write("buses/1/log/00000000000000000000.seg", "events");
    }
    auto take() { return DataDirectory::take(disk_, folder_.string()); }

    fs::path folder_ = fs::temp_directory_path() / ("bascule-" + new_uuid());
    io::ThreadPool pool_{{.name = "disk", .threads = 1}};
    io::PosixDisk disk_{pool_};
};

TEST_F(DataDirectoryTest, AnEmptyFolderBecomesANewOne) {
    EXPECT_TRUE(take().value()->is_new());
    EXPECT_FALSE(take().value()->is_new());
}

TEST_F(DataDirectoryTest, AFirstStartThatWasCutShortGoesOn) {
    for (const char* made : {"VERSION", "bascule.db", "audit.db"}) {
        write(made, "1");
        EXPECT_THAT(take(), Succeeds()) << "after " << made;
    }
}

TEST_F(DataDirectoryTest, FilesOfOthersAreNoHindrance) {
    write("bascule.yaml", "x");
    EXPECT_TRUE(take().value()->is_new());
}

TEST_F(DataDirectoryTest, WhatWasLostIsNamedAndNothingIsMadeInItsPlace) {
    for (const char* name : {"VERSION", "bascule.db", "audit.db"}) {
        for (const bool is_empty : {false, true}) {
            fill();
            if (is_empty) {
                write(name, "");
            } else {
                fs::remove(folder_ / name);
            }
            EXPECT_THAT(take(), FailsWith(ErrorKind::corrupt,
                                          AllOf(HasSubstr((folder_ / name).string() +
                                                          (is_empty ? " is empty" : " is missing")),
                                                HasSubstr("restore it"),
                                                HasSubstr("another data directory"))));
            EXPECT_EQ(fs::exists(folder_ / name), is_empty);
        }
    }
}

TEST_F(DataDirectoryTest, AnAuditDatabaseTellsOfTheOtherWithoutALog) {
    write("VERSION", "1");
    write("audit.db", "rows");
    EXPECT_THAT(take(), FailsWith(ErrorKind::corrupt, HasSubstr("bascule.db is missing")));
}

TEST_F(DataDirectoryTest, AnotherVersionIsRefused) {
    write("VERSION", "2");
    EXPECT_THAT(take(), FailsWith(ErrorKind::conflict, HasSubstr("version 2")));
    write("VERSION", "1\n");
    EXPECT_THAT(take(), Succeeds());
}

TEST_F(DataDirectoryTest, OnlyOneHasItWhateverBecomesOfTheLockFile) {
    auto first = take();
    ASSERT_THAT(first, Succeeds());
    EXPECT_THAT(
        take(),
        FailsWith(ErrorKind::conflict,
                  AllOf(HasSubstr("another Bascule uses the data directory " + folder_.string()),
                        HasSubstr("LOCK is locked by process " + std::to_string(::getpid())),
                        HasSubstr("--data"))));
    fs::remove(folder_ / "LOCK");
    EXPECT_THAT(take(), FailsWith(ErrorKind::conflict, HasSubstr("LOCK was removed")));
    EXPECT_FALSE(fs::exists(folder_ / "LOCK")) << "it would name who does not have the folder";
    write("LOCK", "");
    EXPECT_THAT(take(), FailsWith(ErrorKind::conflict, HasSubstr("LOCK is another file")));
    first->reset();
    EXPECT_THAT(take(), Succeeds());
}

}  // namespace
}  // namespace bascule
