#include "foundation/sql/database.h"

#include <gtest/gtest.h>

#include "foundation/base/testing.h"
#include "foundation/sql/test_folder.h"

namespace bascule::sql {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Migration first_step{.room = "house",
                           .version = 1,
                           .name = "people",
                           .statements = {"create table people (name text not null)"},
                           .tables = {{"people", TableKind::domain}}};
const Migration second_step{.room = "house",
                            .version = 2,
                            .name = "marks",
                            .statements = {"create table marks (mark bigint not null)",
                                           "insert into marks (mark) values (7)"},
                            .tables = {{"marks", TableKind::technical}}};

class DatabaseTest : public testing::Test {
  protected:
    Result<std::unique_ptr<Database>> open(std::vector<Migration> steps,
                                           std::size_t readers_max = 64) {
        return Database::open({.path = folder.path("t.db"), .readers_max = readers_max}, steps);
    }

    TestFolder folder;
};

TEST_F(DatabaseTest, AppliesEachStepOnce) {
    ASSERT_THAT(open({first_step}), Succeeds());
    ASSERT_THAT(open({first_step, second_step}), Succeeds());
    auto again = open({first_step, second_step}).value();
    EXPECT_EQ(again->writer().query_integer("select count(*) from marks").value(), 1);
}

// A reader of an old state keeps the log from being written out before anybody builds on it.
TEST_F(DatabaseTest, DoesNotOpenOnALogThatCannotBeWrittenOut) {
    const std::string path = folder.path("t.db");
    const DatabaseOptions options{.path = path, .busy_timeout_ms = 20};
    const std::vector<Migration> steps{first_step};
    auto first = Database::open(options, steps).value();
    auto backup = Session::connect({.path = path, .read_only = true}).value();
    ASSERT_THAT(backup->begin_read(), Succeeds());
    ASSERT_THAT(backup->query_integer("select count(*) from people"), Succeeds());
    ASSERT_THAT(first->writer().execute("insert into people (name) values ('ada')"), Succeeds());
    first.reset();
    EXPECT_THAT(Database::open(options, steps),
                FailsWith(ErrorKind::unavailable, HasSubstr("another program")));
    ASSERT_THAT(backup->rollback(), Succeeds());
    // One of the newest state only keeps the log from being emptied.
    ASSERT_THAT(backup->begin_read(), Succeeds());
    EXPECT_EQ(backup->query_integer("select count(*) from people").value(), 1);
    EXPECT_THAT(Database::open(options, steps), Succeeds());
}

TEST_F(DatabaseTest, RefusesADatabaseNewerThanTheProgram) {
    ASSERT_THAT(open({first_step, second_step}), Succeeds());
    EXPECT_THAT(open({first_step}),
                FailsWith(ErrorKind::conflict, HasSubstr("newer than this program")));
}

TEST_F(DatabaseTest, RefusesAStepOfAnotherName) {
    ASSERT_THAT(open({first_step}), Succeeds());
    Migration renamed = first_step;
    renamed.name = "persons";
    EXPECT_THAT(open({renamed}), FailsWith(ErrorKind::conflict, HasSubstr("\"persons\"")));
}

TEST_F(DatabaseTest, RefusesAGapBetweenSteps) {
    EXPECT_THAT(open({second_step}), FailsWith(ErrorKind::invalid, HasSubstr("house 2")));
}

TEST_F(DatabaseTest, AStepThatFailsLeavesNothing) {
    Migration broken = second_step;
    broken.statements.push_back("insert into nowhere (x) values (1)");
    EXPECT_THAT(open({first_step, broken}),
                FailsWith(ErrorKind::invalid, HasSubstr("schema step house 2")));
    auto database = open({first_step, second_step}).value();
    EXPECT_EQ(database->writer().query_integer("select count(*) from marks").value(), 1);
}

TEST_F(DatabaseTest, ListsTablesByKind) {
    const std::vector steps{first_step, second_step};
    EXPECT_THAT(tables_of(steps, TableKind::domain), ElementsAre("people"));
    EXPECT_THAT(tables_of(steps, TableKind::technical), ElementsAre("marks"));
}

TEST_F(DatabaseTest, SnapshotSeesOneMoment) {
    auto database = open({first_step}).value();
    auto before = database->read().value();
    ASSERT_THAT(database->writer().execute("insert into people (name) values ('Ada')"), Succeeds());
    auto after = database->read().value();
    EXPECT_EQ(before->query_integer("select count(*) from people").value(), 0);
    EXPECT_EQ(after->query_integer("select count(*) from people").value(), 1);
}

TEST_F(DatabaseTest, ReadersAreLentUpToTheirLimitAndUsedAgain) {
    auto database = open({first_step}, 2).value();
    {
        auto one = database->read().value();
        auto two = database->read().value();
        EXPECT_THAT(database->read(), FailsWith(ErrorKind::exhausted, HasSubstr("all 2 readers")));
    }
    ASSERT_THAT(database->writer().execute("insert into people (name) values ('Ada')"), Succeeds());
    auto again = database->read().value();
    EXPECT_EQ(again->query_integer("select count(*) from people").value(), 1);
}

TEST_F(DatabaseTest, SnapshotCannotWrite) {
    auto database = open({first_step}).value();
    auto snapshot = database->read().value();
    EXPECT_THAT(snapshot->execute("insert into people (name) values ('Ada')"),
                FailsWith(ErrorKind::io));
}

}  // namespace
}  // namespace bascule::sql
