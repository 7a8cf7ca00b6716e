#include "foundation/io/file_watcher.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>

#include "foundation/base/guarded.h"
#include "foundation/base/testing.h"
#include "foundation/base/uuid.h"

namespace bascule::io {
namespace {

class FileWatcherTest : public testing::Test {
  protected:
    FileWatcherTest() { std::filesystem::create_directories(folder_); }
    ~FileWatcherTest() override { std::filesystem::remove_all(folder_); }

    std::string folder_ = std::filesystem::temp_directory_path() / ("watch-" + new_uuid());
};

void write(const std::string& path, const char* text) { std::ofstream(path) << text; }

TEST_F(FileWatcherTest, TellsOfAFileThatIsRenamedOverTheOldOne) {
    write(folder_ + "/a.yaml", "old");
    std::promise<void> told;
    bool once = false;
    auto watcher = FileWatcher::create({folder_ + "/a.yaml"}, [&] {
        if (!std::exchange(once, true)) {
            told.set_value();
        }
    });
    ASSERT_THAT(watcher, Succeeds());
    write(folder_ + "/a.yaml.tmp", "new");
    std::rename((folder_ + "/a.yaml.tmp").c_str(), (folder_ + "/a.yaml").c_str());
    EXPECT_EQ(told.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST_F(FileWatcherTest, IsSilentAboutOtherFiles) {
    int calls = 0;
    {
        auto watcher = FileWatcher::create({folder_ + "/a.yaml"}, [&] { ++calls; });
        ASSERT_THAT(watcher, Succeeds());
        write(folder_ + "/b.yaml", "x");
        std::promise<void> never;
        // Longer than the watcher waits for things to settle.
        never.get_future().wait_for(std::chrono::milliseconds(300));
    }
    EXPECT_EQ(calls, 0);
}

TEST_F(FileWatcherTest, TellsOfAFileInAFolderThatIsMadeLater) {
    Guarded<int> calls;
    auto watcher =
        FileWatcher::create({folder_ + "/config/a.yaml"}, [&] { calls.with([](int& n) { ++n; }); });
    ASSERT_THAT(watcher, Succeeds());
    const auto wait_for_more_than = [&](int before) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (calls.with([](int n) { return n; }) <= before &&
               std::chrono::steady_clock::now() < end) {
            std::promise<void> never;
            never.get_future().wait_for(std::chrono::milliseconds(10));
        }
        return calls.with([](int n) { return n; });
    };
    int before = 0;
    for (int round = 0; round < 2; ++round) {  // made, and made again
        std::filesystem::create_directories(folder_ + "/config");
        const int made = wait_for_more_than(before);
        EXPECT_GT(made, before);
        write(folder_ + "/config/a.yaml", "x");
        const int written = wait_for_more_than(made);
        EXPECT_GT(written, made);
        std::filesystem::remove_all(folder_ + "/config");
        before = wait_for_more_than(written);
        EXPECT_GT(before, written);
    }
}

TEST_F(FileWatcherTest, NamesAFolderThatIsMissing) {
    EXPECT_THAT(FileWatcher::create({folder_ + "/none/none/a.yaml"}, [] {}),
                FailsWith(ErrorKind::not_found, testing::HasSubstr("none")));
}

}  // namespace
}  // namespace bascule::io
