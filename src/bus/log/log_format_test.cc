// Files that older versions wrote are opened by this one.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "bus/log/framed_file.h"
#include "bus/log/log_testing.h"

namespace bascule::log {
namespace {

using testing::ElementsAre;

std::string kept_file(const std::string& name) {
    std::ifstream file(std::string(BASCULE_LOG_TESTDATA) + "/v1/" + name, std::ios::binary);
    EXPECT_TRUE(file) << name;
    return {std::istreambuf_iterator<char>(file), {}};
}

void put(LogWorld& world, const std::string& path, const std::string& bytes) {
    const auto file = world.disk.open(path, io::OpenMode::create);
    ASSERT_THAT(file, Succeeds());
    ASSERT_THAT((*file)->write(0, as_bytes(bytes)), Succeeds());
}

void put_log(LogWorld& world) {
    ASSERT_THAT(world.disk.make_directories("log"), Succeeds());
    for (const char* name :
         {"00000000000000000000.seg", "00000000000000000000.idx", "00000000000000000012.seg",
          "00000000000000000012.idx", "00000000000000000024.seg"}) {
        put(world, std::string("log/") + name, kept_file(name));
    }
}

TEST(LogFormatTest, OpensALogOfVersionOne) {
    LogWorld world;
    put_log(world);
    auto log = world.open();
    ASSERT_THAT(log, Succeeds());
    EXPECT_EQ((*log)->state(), State::running) << (*log)->status().reason;
    const auto all = everything(**log);
    ASSERT_EQ(all.size(), 28U);
    EXPECT_EQ(all[0], "0:rule one");
    EXPECT_EQ(all[1], "1:event 0" + std::string(200, '.'));
    EXPECT_EQ(all[12], "12:rule one");
    EXPECT_EQ(all[27], "27:rule two");
    EXPECT_EQ((*log)->control_begin(), Offset(24));
    EXPECT_EQ((*log)->highest_sequence(7), 122U);
    EXPECT_EQ((*log)->find(id_of("e0")), Offset(1));
    EXPECT_EQ((*log)->find(id_of("e23")), Offset(26));

    const auto read = (*log)->read(Offset(3), {.records_max = 1});
    ASSERT_THAT(read, Succeeds());
    const RecordView& record = read->records()[0];
    EXPECT_EQ(to_unix_ms(record.recorded), 1'767'225'604'013);
    EXPECT_EQ(record.key_hash, hash64("e2"));
    EXPECT_EQ(record.content_hash, hash64(record.body));
    EXPECT_EQ(record.producer, 7U);
    EXPECT_EQ(record.sequence, 102U);
    EXPECT_EQ(record.rule_version, 3U);
    EXPECT_EQ(record.target_set, 5U);
}

TEST(LogFormatTest, GoesOnWhereVersionOneEnded) {
    LogWorld world;
    put_log(world);
    auto log = world.open();
    ASSERT_THAT(log, Succeeds());
    EXPECT_THAT(words(world.append(**log, batch(event("new")))), ElementsAre("accepted 28"));
    world.crash(*log);
    auto again = world.open();
    ASSERT_THAT(again, Succeeds());
    EXPECT_EQ((*again)->end(), Offset(29));
}

TEST(LogFormatTest, OpensAFramedFileOfVersionOne) {
    LogWorld world;
    put(world, "journal", kept_file("journal"));
    io::Strand strand(world.executor);
    std::vector<std::string> entries;
    const auto file =
        FramedFile::open(world.disk, strand, "journal", {.seed = 1}, [&](FramedFile::Entry entry) {
            entries.emplace_back(as_text(entry));
            return Result<>();
        });
    ASSERT_THAT(file, Succeeds());
    EXPECT_EQ((*file)->damage(), "");
    EXPECT_THAT(entries, ElementsAre("entry 0", "entry 1", "entry 2", "entry 3", "entry 4"));
}

}  // namespace
}  // namespace bascule::log
