// Segments: rolling, control snapshots at their heads, retention.
#include <gmock/gmock.h>

#include "bus/log/log_testing.h"

namespace bascule::log {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class LogSegmentsTest : public testing::Test {
  protected:
    /// The owner's control state: every control record's body that was committed.
    Hooks hooks() {
        return {.control_snapshot = [this] {
            ++snapshots_;
            return state_;
        }};
    }

    void open(const Options& options = small_options()) {
        auto opened = world_.open(options, hooks());
        ASSERT_THAT(opened, Succeeds());
        log_ = std::move(*opened);
    }

    void rule(const std::string& body) {
        ASSERT_THAT(words(world_.append(*log_, batch(control(body)))),
                    ElementsAre(HasSubstr("accepted")));
        state_.push_back(body);
    }

    void fill(int events, const std::string& prefix = "e") {
        for (int i = 0; i < events; ++i) {
            ASSERT_THAT(words(world_.append(*log_, batch(event(prefix + std::to_string(i),
                                                               std::string(400, 'x'))))),
                        ElementsAre(HasSubstr("accepted")));
        }
    }

    /// The control state as a reader rebuilds it: a snapshot replaces what was before.
    std::vector<std::string> rebuilt() {
        std::vector<std::string> state;
        bool in_snapshot = false;
        for (Offset at = log_->control_begin(); at < log_->end();) {
            const auto read =
                log_->read(at, {.records_max = 3, .kinds = ReadLimits::Kinds::control});
            EXPECT_THAT(read, Succeeds());
            if (!read) {
                return state;
            }
            for (const RecordView& record : read->records()) {
                if (record.snapshot && !in_snapshot) {
                    state.clear();
                }
                in_snapshot = record.snapshot;
                state.emplace_back(record.body);
            }
            at = read->next();
        }
        return state;
    }

    std::uint64_t segments() { return log_->status().stats.segments; }

    LogWorld world_;
    std::unique_ptr<Log> log_;
    std::vector<std::string> state_;
    int snapshots_ = 0;
};

/// The disk has no room for one operation of a roll, each in turn, and somebody closes meanwhile.
TEST(LogSegmentsFullTest, ClosingEndsThoughARollFindsNoRoom) {
    std::size_t refused = 0;
    for (std::uint64_t nth = 1; nth <= 10; ++nth) {
        LogWorld world;
        auto log = world.open();
        ASSERT_THAT(log, Succeeds());
        std::uint64_t size = 0;
        while (size < small_options().segment_bytes) {
            ASSERT_THAT(words(world.append(**log, batch(event("e" + std::to_string(size),
                                                              std::string(400, 'x'))))),
                        ElementsAre(HasSubstr("accepted")));
            size = (*log)->status().stats.stored_bytes;
        }
        world.disk.fail_operation(nth, ErrorKind::exhausted);
        ASSERT_THAT((*log)->append(
                        batch(event("rolls")), Atomicity::each,
                        [&](const LogWorld::Outcomes& outcomes) { refused += outcomes ? 0 : 1; }),
                    Succeeds());
        const auto closed = world.close(**log);
        EXPECT_TRUE(closed || closed.error().kind() == ErrorKind::io)
            << "operation " << nth << ": " << closed.error().message();
    }
    EXPECT_GE(refused, 5U) << "of a roll's operations";
}

TEST_F(LogSegmentsTest, OffsetsStayDenseAcrossSegments) {
    open();
    fill(200);
    ASSERT_GT(segments(), 4U);
    Offset expected(0);
    for (Offset at = log_->begin(); at < log_->end();) {
        const auto read = log_->read(at);
        ASSERT_THAT(read, Succeeds());
        for (const RecordView& record : read->records()) {
            ASSERT_EQ(record.offset, expected);
            expected = next(expected);
        }
        at = read->next();
    }
    EXPECT_EQ(expected, log_->end());
}

TEST_F(LogSegmentsTest, EverySegmentOpensWithTheControlState) {
    open();
    rule("rule 1");
    rule("rule 2");
    const std::uint64_t before = segments();
    fill(100);
    ASSERT_GT(segments(), before);
    const Offset snapshot = log_->control_begin();
    const auto read = log_->read(snapshot, {.records_max = 2});
    ASSERT_THAT(read, Succeeds());
    EXPECT_TRUE(read->records()[0].snapshot);
    EXPECT_EQ(read->records()[0].body, "rule 1");
    EXPECT_EQ(read->records()[1].body, "rule 2");
    EXPECT_THAT(rebuilt(), ElementsAre("rule 1", "rule 2"));
    EXPECT_EQ(static_cast<std::uint64_t>(snapshots_), segments());
}

TEST_F(LogSegmentsTest, ChangesAfterTheSnapshotAreFoundFromItsBeginning) {
    open();
    rule("rule 1");
    fill(60);
    rule("rule 2");
    fill(3, "late");
    world_.shut(log_);
    open();
    EXPECT_THAT(rebuilt(), ElementsAre("rule 1", "rule 2"));
}

TEST_F(LogSegmentsTest, SnapshotLargerThanAFrameIsWhole) {
    open();
    std::vector<std::string> rules;
    for (int i = 0; i < 20; ++i) {
        rules.push_back(std::to_string(i) + std::string(1000, 'r'));
        rule(rules.back());
    }
    fill(60);
    EXPECT_EQ(rebuilt(), rules);
    world_.shut(log_);
    open();
    EXPECT_EQ(rebuilt(), rules);
}

TEST_F(LogSegmentsTest, SegmentThatRecoveryBeganGetsItsSnapshotWithTheFirstAppend) {
    open();
    rule("rule 1");
    fill(2);
    world_.crash(log_);
    open();
    const Offset end = log_->end();
    EXPECT_THAT(rebuilt(), ElementsAre("rule 1"));
    fill(1, "after");
    EXPECT_EQ(log_->control_begin(), end);
    EXPECT_THAT(rebuilt(), ElementsAre("rule 1"));
}

TEST_F(LogSegmentsTest, LogWithoutControlStateHasEmptySnapshots) {
    open();
    fill(100);
    EXPECT_THAT(rebuilt(), IsEmpty());
    EXPECT_EQ(static_cast<std::uint64_t>(snapshots_), segments());
}

// --- retention -----------------------------------------------------------------------------------

TEST_F(LogSegmentsTest, RetentionByBytesKeepsWhatIsUnsettled) {
    Options options = small_options();
    options.retention.bytes = 40 << 10;
    open(options);
    rule("rule 1");
    fill(200);
    const std::uint64_t before = segments();

    ASSERT_THAT(log_->apply_retention(Offset(0)), Succeeds());
    EXPECT_EQ(segments(), before) << "nothing is settled";

    ASSERT_THAT(log_->apply_retention(Offset(60)), Succeeds());
    EXPECT_LT(segments(), before);
    EXPECT_LE(log_->begin(), Offset(60));
    EXPECT_GT(log_->begin(), Offset(0));
    EXPECT_THAT(log_->read(Offset(0)), FailsWith(ErrorKind::not_found, HasSubstr("retention")));
    EXPECT_THAT(log_->read(log_->begin()), Succeeds());

    ASSERT_THAT(log_->apply_retention(log_->end()), Succeeds());
    EXPECT_LE(log_->status().stats.stored_bytes, 40U << 10);
    EXPECT_THAT(rebuilt(), ElementsAre("rule 1")) << "retention cannot remove the configuration";
}

TEST_F(LogSegmentsTest, RetentionByAgeTakesOnlyOldSegments) {
    Options options = small_options();
    options.retention.age = 24h;
    open(options);
    fill(60, "old");
    world_.clock.advance(20h);
    fill(60, "new");
    ASSERT_THAT(log_->apply_retention(log_->end()), Succeeds());
    EXPECT_EQ(log_->begin(), Offset(0));
    world_.clock.advance(5h);
    ASSERT_THAT(log_->apply_retention(log_->end()), Succeeds());
    EXPECT_GT(log_->begin(), Offset(0));
    EXPECT_LE(log_->begin(), Offset(61)) << "the young ones stay";
}

TEST_F(LogSegmentsTest, RetentionNeverTakesTheLastSegmentOrTheOnlySnapshot) {
    Options options = small_options();
    options.retention.bytes = 1;
    open(options);
    rule("rule 1");
    fill(100);
    world_.crash(log_);
    open(options);  // the last segment has no snapshot yet
    ASSERT_THAT(log_->apply_retention(log_->end()), Succeeds());
    EXPECT_THAT(rebuilt(), ElementsAre("rule 1"));
    fill(1, "after");
    ASSERT_THAT(log_->apply_retention(log_->end()), Succeeds());
    EXPECT_EQ(segments(), 1U);
    EXPECT_THAT(rebuilt(), ElementsAre("rule 1"));
}

TEST_F(LogSegmentsTest, SequencesSurviveTheirRecords) {
    Options options = small_options();
    options.retention.bytes = 1;
    open(options);
    ASSERT_THAT(words(world_.append(*log_, batch(numbered(8, 123)))), ElementsAre("accepted 0"));
    fill(100);
    ASSERT_THAT(log_->apply_retention(log_->end()), Succeeds());
    ASSERT_GT(log_->begin(), Offset(0));
    world_.shut(log_);
    open(options);
    EXPECT_EQ(log_->highest_sequence(8), 123U);
    Given late = event("late");
    late.producer = 8;
    late.sequence = 123;
    EXPECT_THAT(words(world_.append(*log_, batch(late))), ElementsAre("not above 123"));
}

TEST_F(LogSegmentsTest, RemovedSegmentsAndTheirIndexesAreGoneFromTheDisk) {
    Options options = small_options();
    options.retention.bytes = 1;
    open(options);
    fill(100);
    world_.executor.run_until_idle();
    EXPECT_THAT(world_.names(), Contains("00000000000000000000.idx"));
    ASSERT_THAT(log_->apply_retention(log_->end()), Succeeds());
    EXPECT_THAT(world_.names(), Not(Contains(HasSubstr("00000000000000000000"))));
    world_.crash(log_);
    open(options);
    EXPECT_EQ(log_->state(), State::running);
}

TEST_F(LogSegmentsTest, IndexIsRebuiltWhenItIsMissingOrDamaged) {
    open();
    fill(100);
    world_.shut(log_);
    ASSERT_THAT(world_.disk.remove("log/00000000000000000000.idx"), Succeeds());
    const auto names = world_.names();
    for (const std::string& name : names) {
        if (name.ends_with(".idx")) {
            world_.disk.flip_bit("log/" + name, 90, 3);
        }
    }
    open();
    EXPECT_EQ(log_->state(), State::running);
    EXPECT_EQ(log_->find(id_of("e0")), Offset(0));
    EXPECT_EQ(log_->find(id_of("e70")), Offset(70));
    EXPECT_EQ(everything(*log_).size(), 100U);
    EXPECT_THAT(world_.names(), Contains("00000000000000000000.idx"));
}

}  // namespace
}  // namespace bascule::log
