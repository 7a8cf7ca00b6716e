#include "bus/log/log.h"

#include <gmock/gmock.h>

#include "bus/log/log_testing.h"

namespace bascule::log {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class LogTest : public testing::Test {
  protected:
    void open(const Options& options = small_options(), Hooks hooks = {}) {
        auto opened = world_.open(options, std::move(hooks));
        ASSERT_THAT(opened, Succeeds());
        log_ = std::move(*opened);
    }

    std::vector<std::string> append(const Givens& records, Atomicity atomicity = Atomicity::each) {
        return words(world_.append(*log_, records, atomicity));
    }

    /// Starts an append; its answer goes to `answers_` in the order of completion.
    void start(const Givens& records, Atomicity atomicity = Atomicity::each) {
        const auto queued =
            log_->append(records, atomicity, [this](const LogWorld::Outcomes& outcomes) {
                for (const std::string& word : words(outcomes)) {
                    answers_.push_back(word);
                }
            });
        if (!queued) {
            answers_.emplace_back(name(queued.error().kind()));
        }
    }

    LogWorld world_;
    std::unique_ptr<Log> log_;
    std::vector<std::string> answers_;
};

// --- reading what was written --------------------------------------------------------------------

TEST_F(LogTest, NewLogIsEmptyAndRuns) {
    open();
    EXPECT_EQ(log_->begin(), Offset(0));
    EXPECT_EQ(log_->end(), Offset(0));
    EXPECT_EQ(log_->state(), State::running);
    const auto batch = log_->read(Offset(0));
    ASSERT_THAT(batch, Succeeds());
    EXPECT_THAT(batch->records(), IsEmpty());
}

TEST_F(LogTest, ReadsBackEveryColumn) {
    open();
    Given record = numbered(77, 5);
    record.body = "hello";
    EXPECT_THAT(append(batch(record)), ElementsAre("accepted 0"));
    const auto read = log_->read(Offset(0));
    ASSERT_THAT(read, Succeeds());
    ASSERT_EQ(read->records().size(), 1U);
    const RecordView& view = read->records()[0];
    EXPECT_EQ(view.offset, Offset(0));
    EXPECT_EQ(view.kind, RecordKind::event);
    EXPECT_FALSE(view.snapshot);
    EXPECT_EQ(view.key_hash, record.key_hash);
    EXPECT_EQ(view.id_hash, record.id_hash);
    EXPECT_EQ(view.content_hash, record.content_hash);
    EXPECT_EQ(view.producer, 77U);
    EXPECT_EQ(view.sequence, 5U);
    EXPECT_EQ(view.rule_version, 3U);
    EXPECT_EQ(view.target_set, 5U);
    EXPECT_EQ(view.body, "hello");
}

TEST_F(LogTest, RecordsAreThereAfterClosingAndOpening) {
    open();
    append(batch(event("a", "A"), event("b", "B")));
    append(batch(event("c", "C")));
    world_.shut(log_);
    open();
    EXPECT_THAT(everything(*log_), ElementsAre("0:A", "1:B", "2:C"));
    EXPECT_THAT(append(batch(event("d", "D"))), ElementsAre("accepted 3"));
    EXPECT_THAT(everything(*log_), ElementsAre("0:A", "1:B", "2:C", "3:D"));
}

TEST_F(LogTest, NothingIsVisibleBeforeItsSync) {
    open();
    start(batch(event("a", "A")));
    while (answers_.empty()) {
        ASSERT_EQ(log_->end(), Offset(0));
        ASSERT_FALSE(log_->find(id_of("a")));
        ASSERT_TRUE(world_.executor.run_one());
    }
    EXPECT_EQ(log_->end(), Offset(1));
    EXPECT_EQ(log_->find(id_of("a")), Offset(0));
}

TEST_F(LogTest, PublishersThatWaitTogetherShareOneSync) {
    open();
    for (int i = 0; i < 50; ++i) {
        start(batch(event("e" + std::to_string(i))));
    }
    world_.executor.run_until_idle();
    EXPECT_EQ(answers_.size(), 50U);
    EXPECT_LE(log_->status().stats.syncs, 2U);
}

TEST_F(LogTest, ReadHonoursItsLimits) {
    open();
    append(batch(event("a", "AAAA"), event("b", "BBBB"), event("c", "CCCC")));
    const auto by_count = log_->read(Offset(0), {.records_max = 2});
    ASSERT_THAT(by_count, Succeeds());
    EXPECT_EQ(by_count->records().size(), 2U);
    EXPECT_EQ(by_count->next(), Offset(2));
    const auto by_bytes = log_->read(Offset(1), {.bytes_max = 1});
    ASSERT_THAT(by_bytes, Succeeds());
    EXPECT_EQ(by_bytes->records().size(), 1U) << "one record is always delivered";
    EXPECT_EQ(by_bytes->records()[0].body, "BBBB");
}

TEST_F(LogTest, ReadBeyondTheEndsIsAnError) {
    open();
    append(batch(event("a")));
    EXPECT_THAT(log_->read(Offset(2)), FailsWith(ErrorKind::invalid, HasSubstr("above the end")));
}

TEST_F(LogTest, TailIsServedFromMemoryAndTheRestFromDisk) {
    open();
    for (int i = 0; i < 40; ++i) {
        append(batch(event("e" + std::to_string(i), std::string(300, 'x'))));
    }
    ASSERT_THAT(log_->read(Offset(39)), Succeeds());
    EXPECT_EQ(log_->status().stats.disk_reads, 0U);
    ASSERT_THAT(log_->read(Offset(0)), Succeeds());
    EXPECT_EQ(log_->status().stats.disk_reads, 1U);
}

TEST_F(LogTest, BatchOutlivesCachesAndLog) {
    open();
    append(batch(event("a", "kept alive")));
    auto read = log_->read(Offset(0));
    ASSERT_THAT(read, Succeeds());
    for (int i = 0; i < 40; ++i) {
        append(batch(event("e" + std::to_string(i), std::string(300, 'x'))));
    }
    world_.shut(log_);
    EXPECT_EQ(read->records()[0].body, "kept alive");
}

TEST_F(LogTest, ColumnsCanBeReadWithoutBodies) {
    open();
    for (int i = 0; i < 30; ++i) {
        append(batch(event("e" + std::to_string(i), std::string(500, 'x'))));
    }
    std::vector<Hash128> ids;
    for (Offset at = log_->begin(); at < log_->end();) {
        const auto read = log_->read(at, {.records_max = 7, .parts = ReadLimits::Parts::columns});
        ASSERT_THAT(read, Succeeds());
        for (const RecordView& record : read->records()) {
            EXPECT_EQ(record.body, "");
            ids.push_back(record.id_hash);
        }
        at = read->next();
    }
    ASSERT_EQ(ids.size(), 30U);
    EXPECT_EQ(ids[29], id_of("e29"));
}

// --- duplicates, sequences, atomic batches -------------------------------------------------------

TEST_F(LogTest, RepetitionIsADuplicateOfTheFirst) {
    open();
    append(batch(event("a", "A")));
    EXPECT_THAT(append(batch(event("b", "B"), event("a", "A"))),
                ElementsAre("accepted 1", "duplicate of 0"));
    EXPECT_THAT(everything(*log_), ElementsAre("0:A", "1:B"));
}

TEST_F(LogTest, RepetitionInsideOneBatchIsADuplicate) {
    open();
    EXPECT_THAT(append(batch(event("a"), event("a"))), ElementsAre("accepted 0", "duplicate of 0"));
}

TEST_F(LogTest, SameIdWithOtherContentIsRejected) {
    open();
    append(batch(event("a", "A")));
    EXPECT_THAT(append(batch(event("a", "other"))), ElementsAre("id_reused"));
}

TEST_F(LogTest, DuplicateOfAPendingRecordWaitsForItsSync) {
    open();
    start(batch(event("a")));
    while (world_.executor.timer_count() == 0) {  // until the sync is under way
        ASSERT_TRUE(world_.executor.run_one());
    }
    start(batch(event("a")));
    world_.executor.run_ready();
    EXPECT_THAT(answers_, IsEmpty());
    world_.executor.run_until_idle();
    EXPECT_THAT(answers_, ElementsAre("accepted 0", "duplicate of 0"));
}

TEST_F(LogTest, DuplicatesAreKnownAfterReopening) {
    open();
    for (int i = 0; i < 100; ++i) {  // several segments
        append(batch(event("e" + std::to_string(i), std::string(400, 'x'))));
    }
    ASSERT_GT(log_->status().stats.segments, 2U);
    world_.shut(log_);
    open();
    EXPECT_THAT(append(batch(event("e0", std::string(400, 'x')))), ElementsAre("duplicate of 0"));
    EXPECT_THAT(append(batch(event("e0", "y"))), ElementsAre("id_reused"));
    EXPECT_EQ(log_->find(id_of("e99")), Offset(99));
    EXPECT_EQ(log_->find(id_of("e100")), std::nullopt);
}

TEST_F(LogTest, ControlRecordsWithoutIdAreNeverDuplicates) {
    open();
    EXPECT_THAT(append(batch(control("rule"), control("rule"))),
                ElementsAre("accepted 0", "accepted 1"));
}

TEST_F(LogTest, SequenceMustRise) {
    open();
    EXPECT_THAT(append(batch(numbered(1, 5), numbered(2, 1))),
                ElementsAre("accepted 0", "accepted 1"));
    Given again = event("other");
    again.producer = 1;
    again.sequence = 5;
    EXPECT_THAT(append(batch(again, numbered(1, 6))), ElementsAre("not above 5", "accepted 2"));
    EXPECT_EQ(log_->highest_sequence(1), 6U);
    EXPECT_EQ(log_->highest_sequence(3), std::nullopt);
}

TEST_F(LogTest, RepetitionWithItsSequenceIsADuplicateNotAnError) {
    open();
    append(batch(numbered(1, 5)));
    EXPECT_THAT(append(batch(numbered(1, 5))), ElementsAre("duplicate of 0"));
}

TEST_F(LogTest, NumberOfProducersIsBounded) {
    Options options = small_options();
    options.producers_max = 2;
    open(options);
    EXPECT_THAT(append(batch(numbered(1, 1), numbered(2, 1), numbered(3, 1), numbered(2, 2))),
                ElementsAre("accepted 0", "accepted 1", "too_many_producers", "accepted 2"));
}

TEST_F(LogTest, AtomicBatchIsAllOrNothing) {
    open();
    append(batch(event("a", "A"), numbered(1, 9)));
    EXPECT_THAT(
        append(batch(event("b", "B"), event("a", "other"), numbered(1, 10)), Atomicity::all),
        ElementsAre("atomic_batch_failed", "id_reused", "atomic_batch_failed"));
    EXPECT_EQ(log_->end(), Offset(2));
    EXPECT_EQ(log_->highest_sequence(1), 9U);
    EXPECT_THAT(append(batch(event("b", "B"), event("a", "A"), numbered(1, 10)), Atomicity::all),
                ElementsAre("accepted 2", "duplicate of 0", "accepted 3"))
        << "a duplicate does not reject it, and nothing of the failed one is left";
}

TEST_F(LogTest, RecordAboveTheLimitIsRejectedAlone) {
    open();
    const std::string big(small_options().record_bytes_max + 1, 'x');
    EXPECT_THAT(append(batch(event("a"), event("b", big))), ElementsAre("accepted 0", "too_large"));
    const std::string just(small_options().record_bytes_max, 'x');
    EXPECT_THAT(append(batch(event("c", just))), ElementsAre("accepted 1"));
}

TEST_F(LogTest, ControlRecordsAreBoundedByTheFrameAlone) {
    open();
    const std::string big(small_options().record_bytes_max + 1, 'x');
    EXPECT_THAT(append(batch(control(big), event("a"))), ElementsAre("accepted 0", "accepted 1"))
        << "the limit is one of events";
    const std::string above_frame(small_options().frame_bytes_max, 'x');
    EXPECT_THAT(append(batch(control(above_frame), event("b"))), Each(std::string("too_large")))
        << "what needs the control record goes with it";
}

TEST_F(LogTest, BatchAboveOneFrameIsRejectedWhole) {
    open();
    Givens records;
    for (int i = 0; i < 10; ++i) {
        records.push_back(event("e" + std::to_string(i), std::string(1000, 'x')));
    }
    EXPECT_THAT(append(records), Each(std::string("too_large")));
    EXPECT_EQ(log_->end(), Offset(0));
}

TEST_F(LogTest, EmptyBatchIsAnsweredWithNothing) {
    open();
    EXPECT_THAT(append({}), IsEmpty());
}

TEST_F(LogTest, QueueIsBounded) {
    open();
    for (int i = 0; i < 40; ++i) {
        start(batch(event("e" + std::to_string(i), std::string(4000, 'x'))));
    }
    EXPECT_THAT(answers_, AllOf(Not(IsEmpty()), Each(std::string("exhausted"))));
    const std::size_t refused = answers_.size();
    world_.executor.run_until_idle();
    EXPECT_EQ(log_->end().value(), 40 - refused);
    EXPECT_EQ(log_->status().stats.queue_bytes, 0U);
}

TEST_F(LogTest, ARefusalAtOnceCompletesNothing) {
    open();
    ASSERT_THAT(world_.close(*log_), Succeeds());
    bool called = false;
    EXPECT_THAT(
        log_->append(batch(event("a")), Atomicity::each, [&](const auto&) { called = true; }),
        FailsWith(ErrorKind::unavailable));
    world_.executor.run_until_idle();
    EXPECT_FALSE(called);
}

// --- hooks ---------------------------------------------------------------------------------------

TEST_F(LogTest, HookSeesAcceptedRecordsInLogOrderAndMayRouteThem) {
    std::vector<Hash128> seen;
    Hooks hooks{.before_commit = [&](Record& record) {
        seen.push_back(record.id_hash);
        record.target_set = 40 + static_cast<std::uint32_t>(seen.size());
        record.rule_version = 9;
    }};
    open(small_options(), std::move(hooks));
    append(batch(event("a", "A"), event("a", "A"), event("b", "B")));
    append(batch(event("c", "C"), event("a", "x")), Atomicity::all);
    EXPECT_THAT(seen, ElementsAre(id_of("a"), id_of("b")));
    const auto read = log_->read(Offset(1));
    ASSERT_THAT(read, Succeeds());
    EXPECT_EQ(read->records()[0].target_set, 42U);
    EXPECT_EQ(read->records()[0].rule_version, 9U);
}

TEST_F(LogTest, DurableIsToldWithTheEnd) {
    std::vector<std::uint64_t> ends;
    Hooks hooks{.durable = [&](Offset end) {
        EXPECT_LE(end, log_->end());
        ends.push_back(end.value());
    }};
    open(small_options(), std::move(hooks));
    append(batch(event("a"), event("b")));
    append(batch(event("c")));
    world_.executor.run_until_idle();
    EXPECT_THAT(ends, ElementsAre(2, 3));
}

// --- time ----------------------------------------------------------------------------------------

TEST_F(LogTest, RecordedTimeNeverDecreasesWhenTheClockSteps) {
    open();
    append(batch(event("a")));
    const WallTime first = log_->read(Offset(0))->records()[0].recorded;
    world_.clock.step_wall(-1h);
    append(batch(event("b")));
    world_.shut(log_);
    open();
    append(batch(event("c")));
    world_.clock.step_wall(2h);
    append(batch(event("d")));
    const auto read = log_->read(Offset(0));
    ASSERT_EQ(read->records().size(), 4U);
    EXPECT_EQ(read->records()[1].recorded, first);
    EXPECT_EQ(read->records()[2].recorded, first);
    EXPECT_GE(read->records()[3].recorded, first + 50min);
}

TEST_F(LogTest, OffsetAtATimeIsTheFirstNotBefore) {
    open();
    std::vector<WallTime> times;
    for (int i = 0; i < 120; ++i) {
        world_.clock.advance(10s);
        times.push_back(world_.clock.wall());
        append(batch(event("e" + std::to_string(i), std::string(300, 'x'))));
    }
    ASSERT_GT(log_->status().stats.segments, 2U);
    for (std::size_t i = 0; i < times.size(); ++i) {
        const auto exact = log_->offset_at(times[i]);
        ASSERT_THAT(exact, Succeeds());
        EXPECT_EQ(*exact, Offset(i));
        EXPECT_EQ(*log_->offset_at(times[i] + 1s), Offset(i + 1));
    }
    EXPECT_EQ(*log_->offset_at(WallTime()), Offset(0));
    EXPECT_EQ(*log_->offset_at(times.back() + 1h), log_->end());
}

// --- closing -------------------------------------------------------------------------------------

TEST_F(LogTest, ClosingCommitsWhatWaitsAndRefusesWhatComes) {
    open();
    start(batch(event("a", "A")));
    EXPECT_THAT(world_.close(*log_), Succeeds());
    EXPECT_THAT(answers_, ElementsAre("accepted 0"));
    EXPECT_THAT(append(batch(event("b"))), ElementsAre("unavailable"));
    EXPECT_THAT(everything(*log_), ElementsAre("0:A")) << "reads go on";
    EXPECT_THAT(world_.close(*log_), Succeeds()) << "closing twice is fine";
    EXPECT_EQ(log_->state(), State::closed);
}

TEST_F(LogTest, ClosingSucceedsWithoutItsMarkOnAFullDiskOnly) {
    for (const ErrorKind kind : {ErrorKind::exhausted, ErrorKind::io}) {
        open();
        append(batch(event(name(kind))));
        world_.disk.fail_operation(1, kind);
        const auto closed = world_.close(*log_);
        EXPECT_EQ(closed.has_value(), kind == ErrorKind::exhausted) << name(kind);
        EXPECT_EQ(log_->state(), State::closed);
        log_.reset();
        world_.executor.run_until_idle();
    }
}

TEST_F(LogTest, ReserveThatIsNotHeldIsGivenBackForNothing) {
    Options options = small_options();
    options.reserve_bytes = 4096;
    open(options);
    ASSERT_TRUE(log_->status().reserve_held);
    ASSERT_THAT(log_->release_reserve(), Succeeds());
    EXPECT_FALSE(log_->status().reserve_held);
    const std::uint64_t before = world_.disk.operation_count();
    EXPECT_THAT(log_->release_reserve(), Succeeds());
    EXPECT_EQ(world_.disk.operation_count(), before) << "its caller asks every second";
}

TEST_F(LogTest, CleanReopeningWritesNothing) {
    open();
    append(batch(event("a")));
    world_.shut(log_);
    const auto before = world_.names();
    for (int i = 0; i < 20; ++i) {
        open();
        world_.shut(log_);
    }
    EXPECT_EQ(world_.names(), before);
    open();
    EXPECT_EQ(log_->status().stats.segments, 1U);
    EXPECT_EQ(log_->end(), Offset(1));
}

TEST_F(LogTest, WrongSettingIsNamed) {
    EXPECT_THAT(world_.open({.frame_bytes_max = 1}),
                FailsWith(ErrorKind::invalid, HasSubstr("frame_bytes_max is 1; 4096 to")));
}

}  // namespace
}  // namespace bascule::log
