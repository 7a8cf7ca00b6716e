#include "foundation/sql/blob_store.h"

#include <gtest/gtest.h>

#include <fstream>

#include "foundation/base/testing.h"
#include "foundation/io/posix_disk.h"
#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"
#include "foundation/sql/test_folder.h"

namespace bascule::sql {
namespace {

class BlobStoreTest : public testing::Test {
  protected:
    Result<Sha256Digest> put(std::string bytes) {
        return io::wait_for<Sha256Digest>(
            [&](auto done) { store.put(std::move(bytes), std::move(done)); });
    }

    TestFolder folder;
    io::ThreadPool pool{{.name = "disk", .threads = 2}};
    io::PosixDisk disk{pool};
    BlobStore store = BlobStore::open(disk, folder.path("blobs")).value();
};

TEST_F(BlobStoreTest, GivesBackWhatWasPut) {
    const std::string bytes("\0\xff text", 7);
    const auto digest = put(bytes).value();
    EXPECT_EQ(digest, sha256(bytes));
    EXPECT_EQ(store.get(digest).value(), bytes);
    EXPECT_EQ(store.exists(digest).value(), true);
    EXPECT_EQ(store.exists(sha256("other")).value(), false);
}

TEST_F(BlobStoreTest, EqualBytesAreStoredOnceAlsoAtTheSameTime) {
    std::vector<Sha256Digest> digests;
    Guarded<int> left(8);
    EXPECT_THAT(io::wait_for<>([&](io::Completion<> done) {
                    auto all = std::make_shared<io::Completion<>>(std::move(done));
                    for (int i = 0; i < 8; ++i) {
                        store.put(std::string(100'000, 'x'), [&, all](Result<Sha256Digest> digest) {
                            EXPECT_THAT(digest, Succeeds());
                            if (left.with([](int& n) { return --n; }) == 0) {
                                (*all)({});
                            }
                        });
                    }
                }),
                Succeeds());
    EXPECT_EQ(put(std::string(100'000, 'x')).value(), sha256(std::string(100'000, 'x')));
    const auto hex = to_hex(sha256(std::string(100'000, 'x')));
    EXPECT_THAT(disk.list(folder.path("blobs/" + hex.substr(0, 2))).value(),
                testing::ElementsAre(hex.substr(2)));
}

TEST_F(BlobStoreTest, DamagedBytesAreReplacedByTheNextThatAreEqual) {
    const std::string bytes(10'000, 'x');
    const auto digest = put(bytes).value();
    const auto hex = to_hex(digest);
    const std::string path = folder.path("blobs/" + hex.substr(0, 2) + "/" + hex.substr(2));
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).put('y');
    ASSERT_THAT(store.get(digest), FailsWith(ErrorKind::corrupt));
    EXPECT_EQ(put(bytes).value(), digest);
    EXPECT_EQ(store.get(digest).value(), bytes);
}

TEST_F(BlobStoreTest, ChangedBytesAreCorrupt) {
    const auto digest = put("as it was").value();
    const auto hex = to_hex(digest);
    std::ofstream(folder.path("blobs/" + hex.substr(0, 2) + "/" + hex.substr(2))) << "as it is";
    EXPECT_THAT(store.get(digest), FailsWith(ErrorKind::corrupt));
}

TEST_F(BlobStoreTest, RemovesAndSaysWhenThereIsNone) {
    const auto digest = put("x").value();
    EXPECT_THAT(store.remove(digest), Succeeds());
    EXPECT_THAT(store.remove(digest), Succeeds());
    EXPECT_THAT(store.get(digest), FailsWith(ErrorKind::not_found));
}

}  // namespace
}  // namespace bascule::sql
