// Stored bytes that are wrong: torn, flipped, gone.
#include <gmock/gmock.h>

#include <map>

#include "bus/log/log_testing.h"

namespace bascule::log {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

// --- damage --------------------------------------------------------------------------------------

/// The files of a log, to be put on any number of disks.
using Image = std::map<std::string, std::string>;

Image image_of(LogWorld& world) {
    Image image;
    for (const std::string& name : world.names()) {
        const auto file = *world.disk.open("log/" + name, io::OpenMode::read);
        std::string bytes(*file->size(), '\0');
        EXPECT_THAT(file->read(0, std::as_writable_bytes(std::span(bytes))), Succeeds());
        image[name] = bytes;
    }
    return image;
}

void put(LogWorld& world, const Image& image) {
    ASSERT_THAT(world.disk.make_directories("log"), Succeeds());
    for (const auto& [name, bytes] : image) {
        const auto file = world.disk.open("log/" + name, io::OpenMode::create);
        ASSERT_THAT(file, Succeeds());
        ASSERT_THAT((*file)->write(0, as_bytes(bytes)), Succeeds());
    }
}

constexpr std::uint64_t damaged_events = 100;

/// A log of a few segments that was not closed.
Image small_image() {
    LogWorld world;
    Options options = small_options();
    options.segment_bytes = 4096;
    auto log = world.open(options);
    EXPECT_THAT(log, Succeeds());
    for (std::uint64_t i = 0; i < damaged_events; i += 4) {
        Givens records;
        for (std::uint64_t k = i; k < i + 4; ++k) {
            records.push_back(event("e" + std::to_string(k), body_of(k)));
        }
        EXPECT_THAT(world.append(**log, records), Succeeds());
    }
    world.executor.run_until_idle();
    const Image image = image_of(world);
    (*log).reset();
    return image;
}

/// Reads everything: each record is as it was written or named as lost. Returns how many are
/// missing at the end.
std::uint64_t read_all_or_lost(const Log& log, std::uint64_t& lost) {
    std::uint64_t expected = 0;
    for (const std::string& line : everything(log)) {
        if (line.ends_with(" lost")) {
            EXPECT_EQ(std::stoull(line), expected);
            const std::uint64_t end = std::stoull(line.substr(line.find('-') + 1));
            lost += end - expected;
            expected = end;
        } else {
            EXPECT_EQ(line, std::to_string(expected) + ":" + body_of(expected));
            ++expected;
        }
    }
    return damaged_events - expected;
}

/// Flips a bit of every third byte of every file. A torn tail can only be the last commit.
TEST(LogDamageTest, NoFlippedByteYieldsAWrongRecord) {
    const Image image = small_image();
    ASSERT_GE(image.size(), 5U) << "several segments, and indexes of all but the last";
    std::string last_segment;  // the one whose frames are all looked at when the log is opened
    for (const auto& [name, bytes] : image) {
        last_segment = name.ends_with(".seg") ? name : last_segment;
    }
    std::uint64_t lost = 0;
    std::uint64_t torn = 0;
    for (const auto& [name, bytes] : image) {
        for (std::size_t at = 0; at < bytes.size(); at += 3) {
            SCOPED_TRACE(name + " byte " + std::to_string(at));
            LogWorld world;
            put(world, image);
            world.disk.flip_bit("log/" + name, at, static_cast<int>(at % 8));
            auto log = world.open();
            ASSERT_THAT(log, Succeeds());
            const std::uint64_t missing = read_all_or_lost(**log, lost);
            const State state = (*log)->state();
            for (const LostRange& range : (*log)->status().lost) {
                // Bodies are not looked at when the log is opened, the rest of the last segment is.
                ASSERT_TRUE(state == State::read_only || name != last_segment ||
                            range.why.ends_with("bodies differs"))
                    << range.why;
            }
            ASSERT_TRUE(missing == 0 || missing == 4 || state == State::read_only) << missing;
            if (missing == 4 && state == State::running) {
                ASSERT_GT((*log)->status().stats.torn_bytes, 0U);
                ++torn;
            } else if (missing > 0) {
                ASSERT_THAT((*log)->status().reason, HasSubstr("may be lost"));
            }
            ASSERT_FALSE(testing::Test::HasFailure());
        }
    }
    EXPECT_GT(lost, 1000U);
    EXPECT_GT(torn, 100U);
}

class LogDamagedTest : public LogOnDisk {
  protected:
    /// Where the frame of `offset` begins, counting from the end of its neighbours.
    std::string segment() { return "log/00000000000000000000.seg"; }

    void zero(std::uint64_t from, std::uint64_t bytes) {
        auto file = world_.disk.open(segment(), io::OpenMode::write);
        ASSERT_THAT(file, Succeeds());
        ASSERT_THAT((*file)->write(from, as_bytes(std::string(bytes, '\0'))), Succeeds());
    }
};

TEST_F(LogDamagedTest, DamageBelowTheDurableOffsetMakesTheLogReadOnlyAndNamesWhatIsLost) {
    open();
    fill(0, 20);
    world_.shut(log_);
    zero(1200, 300);
    open();
    const Status status = log_->status();
    EXPECT_EQ(status.state, State::read_only);
    ASSERT_EQ(status.lost.size(), 1U);
    const LostRange lost = status.lost.front();
    EXPECT_THAT(status.reason, HasSubstr("offsets " + std::to_string(lost.first.value()) + " to " +
                                         std::to_string(lost.end.value() - 1) + " are lost"));
    EXPECT_THAT(words(world_.append(*log_, batch(event("new")))), ElementsAre("corrupt"));
    EXPECT_THAT(log_->read(lost.first), FailsWith(ErrorKind::corrupt, HasSubstr("are lost")));
    EXPECT_EQ(everything(*log_).size(), 20 - (lost.end.value() - lost.first.value()) + 1);
    EXPECT_THAT(everything(*log_), Contains("0:" + body_of(0)));
    EXPECT_THAT(everything(*log_), Contains("19:" + body_of(19)));
    EXPECT_THAT(world_.close(*log_), Succeeds());
}

TEST_F(LogDamagedTest, WhoLooksForControlRecordsIsToldWhereDamageEnds) {
    open();
    fill(0, 20);
    world_.shut(log_);
    zero(1200, 300);
    open();
    int lost_ranges = 0;
    for (Offset at; at < log_->end();) {
        const auto read = log_->read(at, {.kinds = ReadLimits::Kinds::control});
        if (read) {
            ASSERT_GT(read->next(), at);
            at = read->next();
            continue;
        }
        const auto lost = log_->lost_at(at);
        ASSERT_TRUE(lost.has_value()) << at.value() << ": " << read.error().message();
        at = lost->end;
        ++lost_ranges;
    }
    EXPECT_EQ(lost_ranges, 1);
}

TEST_F(LogDamagedTest, DamagedLastCommitOfACleanlyClosedLogIsNotATornTail) {
    open();
    fill(0, 5);
    world_.shut(log_);
    const auto size = *(*world_.disk.open(segment(), io::OpenMode::read))->size();
    // The frame before the mark: find its body and break it.
    std::string bytes(size, '\0');
    auto file = *world_.disk.open(segment(), io::OpenMode::read);
    ASSERT_THAT(file->read(0, std::as_writable_bytes(std::span(bytes))), Succeeds());
    const std::size_t body = bytes.find(body_of(4));
    ASSERT_NE(body, std::string::npos);
    zero(body - 100, 90);
    open();
    EXPECT_EQ(log_->state(), State::read_only);
    EXPECT_EQ(log_->lost_at(Offset(4)).value_or(LostRange()).end, Offset(5));
}

TEST_F(LogDamagedTest, TornTailIsCutAndServiceGoesOn) {
    open();
    fill(0, 5);
    log_.reset();
    world_.executor.drop_all();
    auto file = *world_.disk.open(segment(), io::OpenMode::read);
    std::string bytes(*file->size(), '\0');
    ASSERT_THAT(file->read(0, std::as_writable_bytes(std::span(bytes))), Succeeds());
    zero(bytes.find(body_of(4)), 4);
    open();
    EXPECT_EQ(log_->state(), State::running);
    expect_events(0, 4);
    EXPECT_GT(log_->status().stats.torn_bytes, 0U);
    fill(4, 8);
    world_.crash(log_);
    open();
    expect_events(0, 8);
}

TEST_F(LogDamagedTest, DamagedBodyIsFoundByTheReaderAndTheRestIsRead) {
    open();
    fill(0, 200);
    ASSERT_GT(log_->status().stats.segments, 1U);
    world_.shut(log_);
    auto file = *world_.disk.open(segment(), io::OpenMode::read);
    std::string bytes(*file->size(), '\0');
    ASSERT_THAT(file->read(0, std::as_writable_bytes(std::span(bytes))), Succeeds());
    world_.disk.flip_bit(segment(), bytes.find(body_of(20)), 0);
    open();
    EXPECT_EQ(log_->state(), State::running) << "bodies are not read at open";
    EXPECT_THAT(log_->read(Offset(20)), FailsWith(ErrorKind::corrupt));
    EXPECT_EQ(log_->lost_at(Offset(20)).value_or(LostRange()).end, Offset(21));
    const auto all = everything(*log_);
    EXPECT_EQ(all.size(), 200U);
    EXPECT_EQ(all[20], "20-21 lost");
}

TEST_F(LogDamagedTest, MissingSegmentIsNamed) {
    open();
    fill(0, 300);
    ASSERT_GT(log_->status().stats.segments, 2U);
    world_.shut(log_);
    std::vector<std::string> segments;
    for (const std::string& name : world_.names()) {
        if (name.ends_with(".seg")) {
            segments.push_back(name);
        }
    }
    ASSERT_THAT(world_.disk.remove("log/" + segments[1]), Succeeds());
    open();
    EXPECT_EQ(log_->state(), State::read_only);
    ASSERT_EQ(log_->status().lost.size(), 1U);
    EXPECT_EQ(log_->status().lost[0].first.value(), std::stoull(segments[1]));
    EXPECT_EQ(log_->status().lost[0].end.value(), std::stoull(segments[2]));
}

TEST_F(LogDamagedTest, ReadThatWasWrongOnceIsRepeated) {
    open();
    fill(0, 100);
    world_.shut(log_);
    open();
    world_.disk.set_read_flip_chance(0.2);
    int failures = 0;
    for (int i = 0; i < 200; ++i) {
        const auto read =
            log_->read(Offset(static_cast<std::uint64_t>(i) % 90), {.records_max = 1});
        if (!read) {
            ++failures;
            continue;
        }
        ASSERT_EQ(read->records()[0].body, body_of(static_cast<std::uint64_t>(i) % 90));
    }
    EXPECT_LT(failures, 60);
}

}  // namespace
}  // namespace bascule::log
