#include "foundation/sql/writer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "foundation/base/testing.h"
#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"
#include "foundation/sql/failing_sync_testing.h"
#include "foundation/sql/test_folder.h"

namespace bascule::sql {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Migration step{.room = "test",
                     .version = 1,
                     .name = "t",
                     .statements = {"create table t (id bigint not null primary key)",
                                    "create table large (bytes blob not null)",
                                    "create table parent (id bigint not null primary key)",
                                    "create table child (id bigint not null primary key,"
                                    " parent bigint not null references parent (id)"
                                    " deferrable initially deferred)"},
                     .tables = {}};

class WriterTest : public testing::Test {
  protected:
    ~WriterTest() override {
        open_gate();
        EXPECT_THAT(io::wait_for<>([&](auto done) { writer->stop(std::move(done)); }), Succeeds());
    }

    void start(WriterOptions options = {}, const std::string& vfs = "") {
        database = Database::open({.path = folder.path("t.db"), .vfs = vfs, .record_writes = true},
                                  std::span(&step, 1))
                       .value();
        writer.emplace(*database, pool, std::move(options));
        writer->on_commit([&] { ++commits; });
    }

    /// Occupies the writer until open_gate, so that what is submitted meanwhile forms one group.
    void close_gate() {
        writer->submit(
            [this](Session&) -> Result<> {
                gate.get_future().wait();
                return {};
            },
            [](Result<>) {});
        gate_closed = true;
    }
    void open_gate() {
        if (std::exchange(gate_closed, false)) {
            gate.set_value();
        }
    }

    static auto insert(int id) {
        return [id](Session& session) -> Result<int> {
            TRY(session.execute("insert into t (id) values (?1)", {id}));
            return id;
        };
    }

    auto note(const char* name) {
        return [this, name](Result<int> result) {
            answers.push_back(std::string(name) + " " +
                              (result ? "ok" : std::string(bascule::name(result.error().kind()))));
        };
    }

    /// Waits until everything submitted so far was answered; one transaction of its own.
    void drain() {
        EXPECT_THAT(io::wait_for<>([&](auto done) {
                        writer->submit_alone([](Session&) -> Result<> { return {}; },
                                             std::move(done));
                    }),
                    Succeeds());
    }

    std::int64_t rows() {
        return database->read().value()->query_integer("select count(*) from t").value();
    }

    TestFolder folder;
    FailingSync disk;
    io::ThreadPool pool{{.name = "sql", .threads = 1}};
    std::unique_ptr<Database> database;
    std::optional<Writer> writer;
    std::atomic<int> commits = 0;
    std::promise<void> gate;
    bool gate_closed = false;
    std::vector<std::string> answers;
};

TEST_F(WriterTest, AnswersWithTheUnitsValueAfterCommit) {
    start();
    const auto answer =
        io::wait_for<int>([&](auto done) { writer->submit(insert(5), std::move(done)); });
    EXPECT_EQ(answer.value(), 5);
    EXPECT_EQ(rows(), 1);
}

TEST_F(WriterTest, UnitsThatWaitShareOneTransaction) {
    start();
    close_gate();
    for (int i = 0; i < 20; ++i) {
        writer->submit(insert(i), [](Result<int>) {});
    }
    open_gate();
    drain();
    EXPECT_EQ(rows(), 20);
    EXPECT_LE(commits, 3);
}

TEST_F(WriterTest, AGroupEndsAtItsLimit) {
    start({.group_units_max = 4, .group_time_max = 1h});
    close_gate();
    for (int i = 0; i < 12; ++i) {
        writer->submit(insert(i), [](Result<int>) {});
    }
    open_gate();
    drain();
    EXPECT_GE(commits, 4);
}

TEST_F(WriterTest, AFailedUnitUndoesItselfAlone) {
    start();
    close_gate();
    writer->submit(insert(1), note("first"));
    writer->submit(
        [](Session& session) -> Result<int> {
            TRY(session.execute("insert into t (id) values (2)"));
            TRY(session.execute("insert into t (id) values (1)"));
            return 0;
        },
        note("second"));
    writer->submit(insert(3), note("third"));
    open_gate();
    drain();
    EXPECT_THAT(answers, ElementsAre("first ok", "second conflict", "third ok"));
    EXPECT_EQ(database->read().value()->query_integer("select sum(id) from t").value(), 4);
}

TEST_F(WriterTest, AFailedCommitAnswersEveryUnitUnavailable) {
    start();
    close_gate();
    writer->submit(insert(1), note("first"));
    // A foreign key that is checked at COMMIT is a commit that fails.
    writer->submit(
        [](Session& session) -> Result<int> {
            TRY(session.execute("insert into child (id, parent) values (1, 99)"));
            return 0;
        },
        note("orphan"));
    writer->submit(insert(1), note("again"));
    open_gate();
    drain();
    EXPECT_THAT(answers,
                ElementsAre("first unavailable", "orphan unavailable", "again unavailable"));
    EXPECT_EQ(rows(), 0);
    // The writer goes on.
    EXPECT_EQ(
        io::wait_for<int>([&](auto done) { writer->submit(insert(1), std::move(done)); }).value(),
        1);
}

TEST_F(WriterTest, AFullDiskSuspendsAndThenGoesOn) {
    start();
    ASSERT_THAT(database->writer().execute("pragma max_page_count = 12"), Succeeds());
    const auto fill = [](Session& session) -> Result<int> {
        for (int i = 0; i < 100000; ++i) {
            TRY(session.execute("insert into t (id) values (?1)", {i}));
        }
        return 0;
    };
    const auto full = io::wait_for<int>([&](auto done) { writer->submit(fill, std::move(done)); });
    ASSERT_FALSE(full);
    EXPECT_TRUE(full.error().kind() == ErrorKind::exhausted ||
                full.error().kind() == ErrorKind::unavailable)
        << full.error().message();
    EXPECT_EQ(rows(), 0);
    EXPECT_EQ(
        io::wait_for<int>([&](auto done) { writer->submit(insert(1), std::move(done)); }).value(),
        1);
}

TEST_F(WriterTest, PatientUnitsWaitForEachOther) {
    start({.patience = 20ms});
    for (int i = 0; i < 3; ++i) {
        writer->submit_patiently(insert(i), note("patient"));
    }
    EXPECT_EQ(io::wait_for<int>([&](auto done) {
                  writer->submit_patiently(insert(3), std::move(done));
              }).value(),
              3);
    EXPECT_EQ(commits, 1);
    EXPECT_EQ(rows(), 4);
}

TEST_F(WriterTest, WhoeverCannotWaitTakesPatientUnitsAlong) {
    start({.patience = 1h});
    writer->submit_patiently(insert(1), note("patient"));
    EXPECT_EQ(
        io::wait_for<int>([&](auto done) { writer->submit(insert(2), std::move(done)); }).value(),
        2);
    EXPECT_THAT(answers, ElementsAre("patient ok"));
    EXPECT_EQ(commits, 1);
}

TEST_F(WriterTest, EnoughPatientUnitsWaitNoLonger) {
    start({.patience = 1h, .patient_units_max = 2});
    writer->submit_patiently(insert(1), note("patient"));
    EXPECT_EQ(io::wait_for<int>([&](auto done) {
                  writer->submit_patiently(insert(2), std::move(done));
              }).value(),
              2);
    EXPECT_THAT(answers, ElementsAre("patient ok"));
}

TEST_F(WriterTest, StoppingAnswersPatientUnits) {
    start({.patience = 1h});
    writer->submit_patiently(insert(1), note("patient"));
    EXPECT_THAT(io::wait_for<>([&](auto done) { writer->stop(std::move(done)); }), Succeeds());
    EXPECT_THAT(answers, ElementsAre("patient unavailable"));
    EXPECT_EQ(rows(), 0);
}

TEST_F(WriterTest, ARefusedSyncEndsAllWritingUntilTheNextStart) {
    start({}, disk.vfs());
    const auto write = [&](int id) {
        return io::wait_for<int>([&](auto done) { writer->submit(insert(id), std::move(done)); });
    };
    ASSERT_THAT(write(1), Succeeds());
    disk.fail(true);
    EXPECT_THAT(write(2),
                FailsWith(ErrorKind::io, HasSubstr("until the program is started again")));
    // The disk says that all is well again, and cannot be believed.
    disk.fail(false);
    EXPECT_THAT(write(3),
                FailsWith(ErrorKind::io, HasSubstr("until the program is started again")));
    EXPECT_THAT(database->failure(), HasSubstr("refused to keep"));
    EXPECT_EQ(rows(), 1);

    EXPECT_THAT(io::wait_for<>([&](auto done) { writer->stop(std::move(done)); }), Succeeds());
    writer.reset();
    database.reset();
    start({}, disk.vfs());
    EXPECT_THAT(write(4), Succeeds());
    EXPECT_EQ(database->failure(), "");
}

/// More than what makes a checkpoint due.
Result<int> write_much(Session& session) {
    for (int i = 0; i < 20; ++i) {
        TRY(session.execute("insert into large (bytes) values (?1)",
                            {BlobView{std::string(1 << 20, 'x')}}));
    }
    return 0;
}

TEST_F(WriterTest, ADamagedDatabaseEndsAllWriting) {
    start({}, disk.vfs());
    disk.fail_database_only(SQLITE_CORRUPT);
    EXPECT_THAT(io::wait_for<int>([&](auto done) { writer->submit(write_much, std::move(done)); }),
                Succeeds());
    EXPECT_THAT(io::wait_for<int>([&](auto done) { writer->submit(insert(1), std::move(done)); }),
                FailsWith(ErrorKind::io, HasSubstr("checkpoint")));
}

// The log holds everything meanwhile, so writing goes on; why it grows is told.
TEST_F(WriterTest, ACheckpointOnAFullDiskIsToldAndTriedAgain) {
    start({}, disk.vfs());
    const auto write = [&](auto work) {
        EXPECT_THAT(io::wait_for<int>([&](auto done) { writer->submit(work, std::move(done)); }),
                    Succeeds());
    };
    disk.fail_database_only(SQLITE_FULL);
    write(write_much);
    write(insert(1));  // behind the first one's checkpoint
    EXPECT_THAT(writer->checkpoint_trouble(), HasSubstr("full"));
    EXPECT_EQ(database->failure(), "");
    disk.fail(false);
    write(insert(2));
    write(insert(3));
    EXPECT_EQ(writer->checkpoint_trouble(), "");
}

TEST_F(WriterTest, ARefusedCheckpointEndsAllWriting) {
    start({}, disk.vfs());
    // The commit syncs the log, and only the checkpoint behind it the database file.
    disk.fail_database_only();
    EXPECT_THAT(io::wait_for<int>([&](auto done) { writer->submit(write_much, std::move(done)); }),
                Succeeds());
    EXPECT_THAT(io::wait_for<int>([&](auto done) { writer->submit(insert(1), std::move(done)); }),
                FailsWith(ErrorKind::io, HasSubstr("checkpoint")));
}

TEST_F(WriterTest, AnUngroupedUnitIsAloneInItsTransaction) {
    start({.group_time_max = 1h});
    close_gate();
    writer->submit(insert(1), note("before"));
    writer->submit_alone(insert(2), note("alone"));
    writer->submit(insert(3), note("after"));
    open_gate();
    drain();
    EXPECT_THAT(answers, ElementsAre("before ok", "alone ok", "after ok"));
    EXPECT_GE(commits, 4);
}

TEST_F(WriterTest, AFullQueueIsExhaustedAtOnce) {
    start({.queue_units_max = 3});
    close_gate();
    writer->submit(insert(1), note("one"));
    writer->submit(insert(2), note("two"));
    writer->submit(insert(3), note("three"));
    EXPECT_THAT(answers, ElementsAre("three exhausted"));
    EXPECT_EQ(writer->depth(), 3);
    open_gate();
}

TEST_F(WriterTest, AfterUnitSeesWhatWasWrittenAndMayRefuse) {
    start({.after_unit = [](Session& session) -> Result<> {
        if (session.tables_written().contains("t")) {
            return fail(ErrorKind::conflict, "not this table");
        }
        return {};
    }});
    EXPECT_THAT(io::wait_for<int>([&](auto done) { writer->submit(insert(1), std::move(done)); }),
                FailsWith(ErrorKind::conflict, HasSubstr("not this table")));
    drain();
    EXPECT_EQ(rows(), 0);
}

TEST_F(WriterTest, StopAnswersWhatWaitsAndRefusesWhatComes) {
    start();
    close_gate();
    writer->submit(insert(1), note("waiting"));
    std::promise<void> stopped;
    writer->stop([&](Result<>) { stopped.set_value(); });
    writer->submit(insert(2), note("late"));
    open_gate();
    stopped.get_future().wait();
    EXPECT_THAT(answers, ElementsAre("waiting unavailable", "late unavailable"));
    EXPECT_EQ(writer->depth(), 0);
}

TEST_F(WriterTest, ManyThreadsLoseNothing) {
    start();
    io::ThreadPool clients{{.name = "clients", .threads = 4}};
    constexpr int units = 1000;
    std::atomic<int> answered = 0;
    std::promise<void> all;
    for (int i = 0; i < units; ++i) {
        clients.post([&, i] {
            writer->submit(insert(i), [&](Result<int> result) {
                EXPECT_THAT(result, Succeeds());
                if (++answered == units) {
                    all.set_value();
                }
            });
        });
    }
    all.get_future().wait();
    EXPECT_EQ(rows(), units);
}

}  // namespace
}  // namespace bascule::sql
