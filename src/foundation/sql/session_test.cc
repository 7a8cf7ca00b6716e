#include "foundation/sql/session.h"

#include <gtest/gtest.h>

#include <limits>

#include "foundation/base/testing.h"
#include "foundation/sql/test_folder.h"

namespace bascule::sql {
namespace {

using testing::HasSubstr;

class SessionTest : public testing::Test {
  protected:
    SessionTest() {
        session = Session::connect({.path = folder.path("t.db"), .record_writes = true}).value();
        EXPECT_THAT(session->execute("create table t (id bigint not null primary key, name text, "
                                     "bytes blob)"),
                    Succeeds());
        session->forget_tables_written();
    }

    TestFolder folder;
    std::unique_ptr<Session> session;
};

TEST_F(SessionTest, KeepsEveryKindOfValue) {
    const std::string bytes("\0\xff\x01", 3);
    const std::int64_t most = std::numeric_limits<std::int64_t>::max();
    const std::int64_t least = std::numeric_limits<std::int64_t>::min();
    ASSERT_THAT(session->execute("insert into t (id, name, bytes) values (?1, ?2, ?3)",
                                 {most, "Größe", BlobView{bytes}}),
                Succeeds());
    ASSERT_THAT(session->execute("insert into t (id, name, bytes) values (?1, ?2, ?3)",
                                 {least, std::nullopt, std::nullopt}),
                Succeeds());
    int rows = 0;
    ASSERT_THAT(session->query("select id, name, bytes from t order by id", {},
                               [&](const Row& row) {
                                   if (rows++ == 0) {
                                       EXPECT_EQ(row.integer(0), least);
                                       EXPECT_TRUE(row.is_null(1));
                                       EXPECT_EQ(row.text_or_null(2), std::nullopt);
                                   } else {
                                       EXPECT_EQ(row.integer(0), most);
                                       EXPECT_EQ(row.text(1), "Größe");
                                       EXPECT_EQ(row.blob(2), bytes);
                                   }
                               }),
                Succeeds());
    EXPECT_EQ(rows, 2);
}

TEST_F(SessionTest, BlobStaysABlobAndAnEmptyOneIsNotNull) {
    ASSERT_THAT(session->execute("insert into t (id, bytes) values (1, ?1)", {BlobView{""}}),
                Succeeds());
    ASSERT_THAT(session->execute("insert into t (id, bytes) values (2, ?1)", {BlobView{"ab"}}),
                Succeeds());
    EXPECT_EQ(session->query_integer("select count(*) from t where bytes is null").value(), 0);
    EXPECT_EQ(session->query_integer("select length(bytes) from t where id = 2").value(), 2);
}

TEST_F(SessionTest, ParameterMayChangeItsTypeBetweenCalls) {
    const std::string_view text = "select ?1";
    EXPECT_EQ(session->query_integer(text, {7}).value(), 7);
    const auto answer =
        session->query_one(text, {"seven"}, [](const Row& row) { return row.text(0); });
    EXPECT_EQ(answer.value(), "seven");
    const auto null =
        session->query_one(text, {std::nullopt}, [](const Row& row) { return row.is_null(0); });
    EXPECT_EQ(null.value(), true);
    EXPECT_EQ(session->query_integer(text, {8}).value(), 8);
}

TEST_F(SessionTest, ParameterMayBeUsedTwiceAndInAnyOrder) {
    EXPECT_EQ(session->query_integer("select ?2 - ?1 + ?2", {1, 10}).value(), 19);
}

TEST_F(SessionTest, RefusesAWrongNumberOfParameters) {
    EXPECT_THAT(session->execute("insert into t (id) values (?1)", {}),
                FailsWith(ErrorKind::invalid, HasSubstr("has 1 parameters, got 0")));
}

TEST_F(SessionTest, FindsATextInAnother) {
    const std::string_view text = "select strpos(?1, ?2) > 0";
    EXPECT_EQ(session->query_integer(text, {"Müller & Söhne", "söhne"}).value(), 0);
    EXPECT_EQ(session->query_integer(text, {"Müller & Söhne", "Söhne"}).value(), 1);
    EXPECT_EQ(session->query_integer(text, {"%", "_"}).value(), 0);
    EXPECT_EQ(session->query_integer(text, {"", "x"}).value(), 0);
    EXPECT_EQ(session->query_integer(text, {"x", ""}).value(), 1);
    EXPECT_EQ(session->query_integer(text, {std::nullopt, "x"}).value(), 0);
}

TEST_F(SessionTest, MakesRandomUuids) {
    const auto make = [&] {
        return session
            ->query_one("select gen_random_uuid()", {}, [](const Row& row) { return row.text(0); })
            .value()
            .value();
    };
    const std::string one = make();
    EXPECT_THAT(one, testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                           "[0-9a-f]{12}"));
    EXPECT_NE(make(), one);
}

TEST_F(SessionTest, InsertReturningRunsOnce) {
    EXPECT_EQ(session->query_integer("insert into t (id) values (?1) returning id", {5}).value(),
              5);
    EXPECT_EQ(session->query_integer("select count(*) from t").value(), 1);
}

TEST_F(SessionTest, CountsChangedRows) {
    ASSERT_THAT(session->execute("insert into t (id) values (1), (2), (3)"), Succeeds());
    EXPECT_EQ(session->execute("update t set name = 'x' where id > 1").value(), 2);
    EXPECT_EQ(session->execute("update t set name = 'x' where id > 9").value(), 0);
}

TEST_F(SessionTest, QueryMayRunTheSameTextInside) {
    ASSERT_THAT(session->execute("insert into t (id) values (1), (2), (3)"), Succeeds());
    const std::string_view text = "select id from t order by id";
    std::vector<std::int64_t> outer;
    int inner = 0;
    ASSERT_THAT(session->query(text, {},
                               [&](const Row& row) -> Result<> {
                                   TRY(session->query(text, {}, [&](const Row&) { ++inner; }));
                                   outer.push_back(row.integer(0));
                                   return {};
                               }),
                Succeeds());
    EXPECT_EQ(outer, (std::vector<std::int64_t>{1, 2, 3}));
    EXPECT_EQ(inner, 9);
}

TEST_F(SessionTest, CallbackMayStopOrFailTheQuery) {
    ASSERT_THAT(session->execute("insert into t (id) values (1), (2), (3)"), Succeeds());
    int rows = 0;
    ASSERT_THAT(session->query("select id from t", {}, [&](const Row&) { return ++rows < 2; }),
                Succeeds());
    EXPECT_EQ(rows, 2);
    EXPECT_THAT(session->query(
                    "select id from t", {},
                    [&](const Row&) -> Result<> { return fail(ErrorKind::exhausted, "enough"); }),
                FailsWith(ErrorKind::exhausted));
    // A query that stopped early holds no lock: the table can be dropped.
    EXPECT_THAT(session->execute("drop table t"), Succeeds());
}

TEST_F(SessionTest, ValueOfAnotherTypeIsCorrupt) {
    ASSERT_THAT(session->execute("insert into t (id, name) values (1, 'one')"), Succeeds());
    EXPECT_THAT(session->query_integer("select name from t"),
                FailsWith(ErrorKind::corrupt, HasSubstr("column 0 is not a 64-bit integer")));
    EXPECT_THAT(session->query("select bytes from t", {}, [](const Row& row) { row.text(0); }),
                FailsWith(ErrorKind::corrupt, HasSubstr("column 0 is null")));
}

TEST_F(SessionTest, AnIntegerCanBeReadAsText) {
    EXPECT_THAT(session->query("select 7, -9223372036854775807 - 1", {},
                               [](const Row& row) {
                                   EXPECT_EQ(row.text_view(0), "7");
                                   EXPECT_EQ(row.text(1), "-9223372036854775808");
                                   EXPECT_EQ(row.text_view(0), "7");
                               }),
                Succeeds());
}

TEST_F(SessionTest, ErrorsSayWhatCanBeDone) {
    ASSERT_THAT(session->execute("insert into t (id, name) values (1, 'secret')"), Succeeds());
    const auto twice = session->execute("insert into t (id, name) values (?1, ?2)", {1, "secret"});
    EXPECT_THAT(twice, FailsWith(ErrorKind::conflict, HasSubstr("t.id")));
    EXPECT_THAT(twice.error().message(), testing::Not(HasSubstr("secret")));
    EXPECT_THAT(session->execute("insert into t (id) values (null)"),
                FailsWith(ErrorKind::invalid));
    EXPECT_THAT(session->execute("selec 1"), FailsWith(ErrorKind::invalid));
    // The statement that failed can run again.
    EXPECT_THAT(session->execute("insert into t (id, name) values (?1, ?2)", {2, "x"}), Succeeds());
}

TEST_F(SessionTest, ExecuteManyInsertsInOrderAndStopsAtTheFirstFailure) {
    std::vector<std::vector<Param>> rows;
    rows.push_back({1, "a", BlobView{"x"}});
    rows.push_back({2, std::nullopt, std::nullopt});
    EXPECT_EQ(
        session->execute_many("insert into t (id, name, bytes) values (?1, ?2, ?3)", rows).value(),
        2);
    rows.assign({{3, "c", std::nullopt}, {1, "again", std::nullopt}, {4, "d", std::nullopt}});
    EXPECT_THAT(session->execute_many("insert into t (id, name, bytes) values (?1, ?2, ?3)", rows),
                FailsWith(ErrorKind::conflict));
    EXPECT_EQ(session->query_integer("select max(id) from t").value(), 3);
}

TEST_F(SessionTest, ExecuteEachSaysWhichRowsChangedSomething) {
    ASSERT_THAT(session->execute("insert into t (id, name) values (1, 'a'), (2, 'b'), (3, 'a')"),
                Succeeds());
    const std::vector<std::vector<Param>> rows = {{"a"}, {"none"}, {"b"}};
    EXPECT_THAT(session->execute_each("update t set name = 'x' where name = ?1", rows).value(),
                testing::ElementsAre(2, 0, 1));
}

TEST_F(SessionTest, SavepointUndoesItselfOnly) {
    ASSERT_THAT(session->begin_write(), Succeeds());
    ASSERT_THAT(session->savepoint(), Succeeds());
    ASSERT_THAT(session->execute("insert into t (id) values (1)"), Succeeds());
    ASSERT_THAT(session->release(), Succeeds());
    ASSERT_THAT(session->savepoint(), Succeeds());
    ASSERT_THAT(session->execute("insert into t (id) values (2)"), Succeeds());
    ASSERT_THAT(session->rollback_to(), Succeeds());
    ASSERT_THAT(session->commit(), Succeeds());
    EXPECT_EQ(session->query_integer("select sum(id) from t").value(), 1);
}

TEST_F(SessionTest, TransactionRollsBackUnlessCommitted) {
    {
        const auto transaction = Transaction::begin_write(*session).value();
        ASSERT_THAT(session->execute("insert into t (id) values (1)"), Succeeds());
    }
    EXPECT_FALSE(session->in_transaction());
    {
        auto transaction = Transaction::begin_write(*session).value();
        ASSERT_THAT(session->execute("insert into t (id) values (2)"), Succeeds());
        ASSERT_THAT(transaction.commit(), Succeeds());
    }
    EXPECT_EQ(session->query_integer("select sum(id) from t").value(), 2);
}

struct WriteCase {
    const char* claim;
    const char* statement;
};

class TablesWrittenTest : public SessionTest, public testing::WithParamInterface<WriteCase> {};

TEST_P(TablesWrittenTest, NamesTheTable) {
    ASSERT_THAT(session->execute("insert into t (id) values (1), (2)"), Succeeds());
    session->forget_tables_written();
    ASSERT_THAT(session->execute(GetParam().statement), Succeeds());
    EXPECT_THAT(session->tables_written(), testing::ElementsAre("t"));
}

INSTANTIATE_TEST_SUITE_P(
    Statements, TablesWrittenTest,
    testing::Values(WriteCase{"Insert", "insert into t (id) values (7)"},
                    WriteCase{"Update", "update t set name = 'x' where id = 1"},
                    WriteCase{"Delete", "delete from t where id = 1"},
                    WriteCase{"DeleteAll", "delete from t"},
                    WriteCase{"Upsert",
                              "insert into t (id) values (1) on conflict (id) do update "
                              "set name = 'y'"}),
    [](const auto& info) { return info.param.claim; });

TEST_F(SessionTest, ReadingWritesNothing) {
    EXPECT_EQ(session->query_integer("select count(*) from t").value(), 0);
    EXPECT_EQ(session->execute("update t set name = 'x' where id = 99").value(), 0);
    EXPECT_TRUE(session->tables_written().empty());
}

TEST_F(SessionTest, SurvivesMoreStatementsThanItCaches) {
    for (std::size_t i = 0; i < Session::statements_cached_max + 50; ++i) {
        ASSERT_EQ(session->query_integer("select " + std::to_string(i)).value(),
                  static_cast<std::int64_t>(i));
    }
    EXPECT_EQ(session->query_integer("select 3").value(), 3);
}

TEST_F(SessionTest, ReadOnlySessionCannotWrite) {
    auto reader = Session::connect({.path = folder.path("t.db"), .read_only = true}).value();
    EXPECT_EQ(reader->query_integer("select count(*) from t").value(), 0);
    EXPECT_THAT(reader->execute("insert into t (id) values (1)"), FailsWith(ErrorKind::io));
}

TEST_F(SessionTest, ASecondWriterIsToldToComeLater) {
    auto other = Session::connect({.path = folder.path("t.db"), .busy_timeout_ms = 1}).value();
    ASSERT_THAT(session->begin_write(), Succeeds());
    EXPECT_THAT(other->begin_write(), FailsWith(ErrorKind::unavailable));
    ASSERT_THAT(session->rollback(), Succeeds());
    EXPECT_THAT(other->begin_write(), Succeeds());
}

TEST_F(SessionTest, AFullDiskIsExhausted) {
    ASSERT_THAT(session->execute("pragma max_page_count = 10"), Succeeds());
    const std::string large(1 << 20, 'x');
    EXPECT_THAT(session->execute("insert into t (id, name) values (1, ?1)", {large}),
                FailsWith(ErrorKind::exhausted));
}

TEST(SessionConnectTest, NamesThePathThatCannotBeOpened) {
    EXPECT_THAT(Session::connect({.path = "/nonexistent/folder/x.db"}),
                FailsWith(ErrorKind::io, HasSubstr("/nonexistent/folder/x.db")));
}

}  // namespace
}  // namespace bascule::sql
