// What is left after crashes, torn writes, damage, full and failing disks.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "bus/log/log_testing.h"

namespace bascule::log {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string body_of(std::uint64_t i) {
    return "event " + std::to_string(i) + std::string(i % 97, '.');
}

class LogRecoveryTest : public testing::Test {
  protected:
    void open(Options options = small_options(), Hooks hooks = {}) {
        auto opened = world_.open(std::move(options), std::move(hooks));
        ASSERT_THAT(opened, Succeeds());
        log_ = std::move(*opened);
    }

    void fill(std::uint64_t begin, std::uint64_t end) {
        for (std::uint64_t i = begin; i < end; ++i) {
            ASSERT_THAT(
                words(world_.append(*log_, batch(event("e" + std::to_string(i), body_of(i))))),
                ElementsAre("accepted " + std::to_string(i)));
        }
    }

    /// Nothing but `begin` to `end`, each as it was written.
    void expect_events(std::uint64_t begin, std::uint64_t end) {
        std::vector<std::string> expected;
        for (std::uint64_t i = begin; i < end; ++i) {
            expected.push_back(std::to_string(i) + ":" + body_of(i));
        }
        EXPECT_EQ(everything(*log_), expected);
    }

    LogWorld world_;
    std::unique_ptr<Log> log_;
};

TEST_F(LogRecoveryTest, AcknowledgedRecordsSurviveManyCrashes) {
    std::uint64_t events = 0;
    for (int crash = 0; crash < 50; ++crash) {
        open();
        EXPECT_EQ(log_->state(), State::running) << log_->status().reason;
        expect_events(0, events);
        fill(events, events + 3);
        events += 3;
        world_.crash(log_);
    }
}

TEST_F(LogRecoveryTest, UnsyncedTailIsMadeDurableBeforeItIsShown) {
    open();
    fill(0, 3);
    world_.crash(log_);
    open();
    expect_events(0, 3);
    world_.crash(log_);  // right after open: what was shown must not go
    open();
    expect_events(0, 3);
    EXPECT_EQ(log_->find(id_of("e2")), Offset(2));
}

TEST_F(LogRecoveryTest, SegmentsDoNotPileUpWithoutWork) {
    open();
    fill(0, 3);
    world_.crash(log_);
    open();
    const std::uint64_t segments = log_->status().stats.segments;
    for (int i = 0; i < 10; ++i) {
        world_.crash(log_);
        open();
    }
    EXPECT_EQ(log_->status().stats.segments, segments);
}

// --- crashes under load --------------------------------------------------------------------------

/// Publishers that each append one batch after the other and remember what they were told.
struct Publishers {
    struct Publisher {
        int name = 0;
        int batches = 0;
    };

    explicit Publishers(Log& log) : log_(log) {
        for (int i = 0; i < 4; ++i) {
            publishers_.push_back({.name = i});
        }
    }

    void start() {
        for (Publisher& publisher : publishers_) {
            publish(publisher);
        }
    }

    /// Batches of 1 to 5, every second one all or nothing; a rejected record in some.
    void publish(Publisher& publisher) {
        const int number = publisher.batches++;
        std::vector<Record> records;
        for (int i = 0; i <= number % 5; ++i) {
            const std::string id = std::to_string(publisher.name) + "/" + std::to_string(number) +
                                   "/" + std::to_string(i);
            records.push_back(
                event(id, id + std::string(static_cast<std::size_t>(number) % 400, '.')));
        }
        const Atomicity atomicity = number % 2 == 0 ? Atomicity::all : Atomicity::each;
        std::vector<std::string> bodies;
        for (const Record& record : records) {
            bodies.push_back(record.body);
        }
        if (atomicity == Atomicity::all) {
            atomic_batches_.push_back(bodies);
        }
        log_.append(std::move(records), atomicity,
                    [this, &publisher, bodies](LogWorld::Outcomes outcomes) {
                        if (!outcomes) {
                            return;
                        }
                        for (std::size_t i = 0; i < outcomes->size(); ++i) {
                            const auto& accepted = std::get<Accepted>((*outcomes)[i]);
                            acknowledged_[accepted.offset.value()] = bodies[i];
                        }
                        publish(publisher);
                    });
    }

    Log& log_;
    std::vector<Publisher> publishers_;
    std::map<std::uint64_t, std::string> acknowledged_;
    std::vector<std::vector<std::string>> atomic_batches_;
};

std::map<std::uint64_t, std::string> stored(const Log& log) {
    std::map<std::uint64_t, std::string> all;
    for (const std::string& line : everything(log)) {
        const std::size_t colon = line.find(':');
        EXPECT_NE(colon, std::string::npos) << line;
        all[std::stoull(line)] = line.substr(colon + 1);
    }
    return all;
}

class LogCrashTest : public testing::TestWithParam<int> {};

/// Stops the machine after every number of steps, with its own chance each time: acknowledged
/// records are there with their offsets, atomic batches whole or not at all, what a reader saw
/// stays, and the next crash, during or right after recovery, changes none of it.
TEST_P(LogCrashTest, KeepsItsPromisesAfterAnyNumberOfSteps) {
    for (int steps = GetParam(); steps < 400; steps += 16) {
        SCOPED_TRACE("steps " + std::to_string(steps));
        LogWorld world(static_cast<std::uint64_t>(steps) + 1);
        auto log = world.open();
        ASSERT_THAT(log, Succeeds());
        Publishers publishers(**log);
        publishers.start();
        for (int i = 0; i < steps; ++i) {
            world.executor.run_one();
        }
        const auto seen = stored(**log);
        world.crash(*log);

        for (int reopening = 0; reopening < 2; ++reopening) {
            auto reopened = world.open();
            ASSERT_THAT(reopened, Succeeds());
            ASSERT_EQ((*reopened)->state(), State::running) << (*reopened)->status().reason;
            const auto kept = stored(**reopened);
            ASSERT_TRUE(std::ranges::includes(kept, publishers.acknowledged_));
            ASSERT_TRUE(std::ranges::includes(kept, seen));
            std::set<std::string> bodies;
            for (const auto& [offset, body] : kept) {
                bodies.insert(body);
            }
            for (const auto& atomic : publishers.atomic_batches_) {
                const auto there = std::ranges::count_if(
                    atomic, [&](const std::string& body) { return bodies.contains(body); });
                ASSERT_TRUE(there == 0 || there == static_cast<std::ptrdiff_t>(atomic.size()))
                    << atomic.front();
            }
            for (const auto& [offset, body] : publishers.acknowledged_) {
                const std::string id = body.substr(0, body.find('.'));
                ASSERT_EQ((*reopened)->find(id_of(id)), Offset(offset));
            }
            world.crash(*reopened);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Steps, LogCrashTest, testing::Range(0, 16));

// --- one operation fails -------------------------------------------------------------------------

class LogFailureTest : public testing::TestWithParam<ErrorKind> {};

/// Fails the n-th disk operation for each n, through opening, appending, rolling and closing.
/// Whatever fails, nothing acknowledged is lost, and the next open serves it.
TEST_P(LogFailureTest, NoFailedOperationLosesAnAcknowledgedRecord) {
    std::uint64_t operations = 300;  // at least; more once a run is seen that goes to its end
    for (std::uint64_t nth = 1; nth <= operations; ++nth) {
        SCOPED_TRACE("operation " + std::to_string(nth));
        LogWorld world(nth);
        world.disk.fail_operation(nth, GetParam());
        auto log = world.open();
        std::map<std::uint64_t, std::string> acknowledged;
        for (int i = 0; i < 120 && log; ++i) {
            const std::string body = body_of(static_cast<std::uint64_t>(i)) + std::string(300, 'x');
            const auto outcomes = world.append(**log, batch(event("e" + std::to_string(i), body)));
            if (outcomes) {
                ASSERT_TRUE(std::holds_alternative<Accepted>((*outcomes)[0]));
                acknowledged[std::get<Accepted>((*outcomes)[0]).offset.value()] = body;
            } else {
                ASSERT_TRUE(outcomes.error().kind() == GetParam() ||
                            outcomes.error().kind() == ErrorKind::io)
                    << outcomes.error().message();
                world.clock.advance(2s);
            }
        }
        operations = std::max(operations, world.disk.operation_count());
        world.disk.clear_failures();
        if (log) {
            ASSERT_TRUE(std::ranges::includes(stored(**log), acknowledged)) << "reads go on";
            (void)world.close(**log);
            log->reset();
            world.executor.run_until_idle();
        }
        if (nth % 2 == 0) {
            world.executor.drop_all();
            world.disk.crash();
        }
        auto reopened = world.open();
        ASSERT_THAT(reopened, Succeeds());
        ASSERT_EQ((*reopened)->state(), State::running) << (*reopened)->status().reason;
        ASSERT_TRUE(std::ranges::includes(stored(**reopened), acknowledged));
        (*reopened).reset();
        world.executor.run_until_idle();
    }
    EXPECT_GT(operations, 400U);
}

INSTANTIATE_TEST_SUITE_P(Kinds, LogFailureTest,
                         testing::Values(ErrorKind::io, ErrorKind::exhausted),
                         [](const auto& info) { return std::string(name(info.param)); });

TEST_F(LogRecoveryTest, FailedSyncEndsAppendingButNotReading) {
    open();
    fill(0, 3);
    world_.disk.fail_sync(1);
    EXPECT_THAT(words(world_.append(*log_, batch(event("x")))), ElementsAre("io"));
    EXPECT_EQ(log_->state(), State::failed);
    EXPECT_THAT(log_->status().reason, HasSubstr("must be reopened"));
    EXPECT_THAT(words(world_.append(*log_, batch(event("y")))), ElementsAre("io"));
    expect_events(0, 3);
    EXPECT_EQ(log_->find(id_of("x")), std::nullopt);
    EXPECT_THAT(world_.close(*log_), FailsWith(ErrorKind::io));
}

TEST_F(LogRecoveryTest, FullDiskRefusesAndRecoversByItself) {
    open();
    fill(0, 3);
    world_.disk.set_capacity(0);
    LogWorld::Outcomes refused = LogWorld::Outcomes(std::vector<AppendOutcome>());
    for (int i = 0; refused && i < 40; ++i) {  // until what was filled ahead is used up
        refused =
            world_.append(*log_, batch(event("big" + std::to_string(i), std::string(2000, 'x'))));
    }
    EXPECT_THAT(refused, FailsWith(ErrorKind::exhausted, HasSubstr("no space")));
    EXPECT_EQ(log_->state(), State::full);
    const auto before = everything(*log_);
    EXPECT_THAT(before, Contains("2:" + body_of(2)));

    world_.disk.set_capacity(1 << 30);
    EXPECT_THAT(words(world_.append(*log_, batch(event("soon")))), ElementsAre("exhausted"))
        << "a full disk refuses unasked for a while";
    world_.clock.advance(2s);
    EXPECT_THAT(words(world_.append(*log_, batch(event("later")))),
                ElementsAre(HasSubstr("accepted")));
    EXPECT_EQ(log_->state(), State::running);
    EXPECT_EQ(everything(*log_).size(), before.size() + 1);
    world_.shut(log_);
    open();
    EXPECT_EQ(everything(*log_).size(), before.size() + 1);
}

TEST_F(LogRecoveryTest, RefusedRecordsLeaveNoTrace) {
    open();
    ASSERT_THAT(words(world_.append(*log_, batch(numbered(1, 1)))), ElementsAre("accepted 0"));
    world_.disk.set_capacity(0);
    Record refused = numbered(1, 2);
    refused.body = std::string(4000, 'x');
    EXPECT_THAT(words(world_.append(*log_, batch(refused))), ElementsAre("exhausted"));
    EXPECT_EQ(log_->highest_sequence(1), 1U);
    EXPECT_EQ(log_->find(refused.id_hash), std::nullopt);
    world_.disk.set_capacity(1 << 30);
    world_.clock.advance(2s);
    EXPECT_THAT(words(world_.append(*log_, batch(refused))), ElementsAre("accepted 1"));
}

TEST_F(LogRecoveryTest, FullDiskDoesNotKeepALogFromOpening) {
    open();
    fill(0, 200);
    world_.shut(log_);
    for (const std::string& name : world_.names()) {
        if (name.ends_with(".idx")) {
            ASSERT_THAT(world_.disk.remove("log/" + name), Succeeds());
        }
    }
    world_.disk.set_capacity(0);
    open();
    expect_events(0, 200);
}

TEST_F(LogRecoveryTest, ReserveIsHeldGivenBackAndTakenAgain) {
    Options options = small_options();
    options.reserve_bytes = 100'000;
    open(options);
    EXPECT_TRUE(log_->status().reserve_held);
    const std::uint64_t free = *world_.disk.free_bytes("log");
    world_.disk.set_capacity(~0ULL - free);  // full, but for what the reserve holds
    ASSERT_THAT(log_->release_reserve(), Succeeds());
    EXPECT_FALSE(log_->status().reserve_held);
    EXPECT_EQ(*world_.disk.free_bytes("log"), 100'000U);
    ASSERT_THAT(log_->restore_reserve(), Succeeds());
    EXPECT_TRUE(log_->status().reserve_held);
    ASSERT_THAT(log_->release_reserve(), Succeeds());
    world_.disk.set_capacity(0);
    EXPECT_THAT(log_->restore_reserve(), FailsWith(ErrorKind::exhausted));
    EXPECT_FALSE(log_->status().reserve_held);
}

TEST_F(LogRecoveryTest, UnprovenTailIsRewrittenEvenOnAFullDisk) {
    Options options = small_options();
    options.reserve_bytes = 100'000;
    open(options);
    fill(0, 3);
    log_.reset();
    world_.executor.drop_all();
    world_.disk.set_capacity(~0ULL - *world_.disk.free_bytes("log"));  // full as it is now
    open(options);
    EXPECT_EQ(log_->state(), State::running);
    expect_events(0, 3);
}

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
        std::vector<Record> records;
        for (std::uint64_t k = i; k < i + 4; ++k) {
            records.push_back(event("e" + std::to_string(k), body_of(k)));
        }
        EXPECT_THAT(world.append(**log, std::move(records)), Succeeds());
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

class LogDamagedTest : public LogRecoveryTest {
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
    EXPECT_EQ(log_->lost_at(Offset(4))->end, Offset(5));
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
    ASSERT_TRUE(log_->lost_at(Offset(20)));
    EXPECT_EQ(log_->lost_at(Offset(20))->end, Offset(21));
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

TEST_F(LogRecoveryTest, FileOfANewerVersionIsRefusedAndLeftAlone) {
    open();
    fill(0, 2);
    world_.shut(log_);
    const std::string path = "log/00000000000000000000.seg";
    auto file = *world_.disk.open(path, io::OpenMode::write);
    std::string head(80, '\0');
    ASSERT_THAT(file->read(0, std::as_writable_bytes(std::span(head))), Succeeds());
    head[12] = 2;
    const std::uint64_t hash = hash64(std::string_view(head).substr(8));
    std::copy_n(reinterpret_cast<const char*>(&hash), 8, head.begin());
    ASSERT_THAT(file->write(0, as_bytes(head)), Succeeds());
    EXPECT_THAT(world_.open(),
                FailsWith(ErrorKind::invalid, HasSubstr("newer version of Bascule")));
    std::string after(80, '\0');
    ASSERT_THAT(file->read(0, std::as_writable_bytes(std::span(after))), Succeeds());
    EXPECT_EQ(after, head);
}

}  // namespace
}  // namespace bascule::log
