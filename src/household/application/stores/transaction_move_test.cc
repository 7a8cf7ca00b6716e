#include <gmock/gmock.h>

#include "foundation/base/testing.h"
#include "household/application/household_test_kit.h"
#include "household/application/stores/transaction_store.h"

namespace bascule::application {
namespace {

/// Rows that find their places in another account.
class TransactionMoveTest : public testing::Test {
  protected:
    TransactionMoveTest() : session(world.database().writer()) {
        EXPECT_THAT(session.begin_write(), Succeeds());
    }
    ~TransactionMoveTest() override { EXPECT_THAT(session.rollback(), Succeeds()); }

    /// A row of the file "f", or of another; the user sees it on `shown`, where that is given.
    void add(const std::string& id, const std::string& account_id, const std::string& bank_date,
             std::uint32_t occurrence, const std::string& shown = "") {
        StoredTransaction stored;
        stored.row.id = id;
        stored.row.account_id = account_id;
        stored.row.file_id = "f";
        stored.bank_date = money::Date::parse(bank_date).value();
        stored.row.date = shown.empty() ? stored.bank_date : money::Date::parse(shown).value();
        stored.row.amount = money::Money(-100, money::Currency::parse("EUR").value());
        stored.bank_minor = -100;
        stored.row.bank_payee = "Lidl";
        stored.row.status = "booked";
        stored.row.occurrence = occurrence;
        EXPECT_THAT(store.insert({&stored, 1}), Succeeds());
    }
    std::string place(const std::string& id) {
        const auto stored = store.find(id).value().value();
        return stored.row.account_id + "/" + std::to_string(stored.row.occurrence);
    }
    std::string totals() {
        std::string text;
        EXPECT_THAT(session.query("select account_id, transaction_count, total_minor from"
                                  " account_totals order by account_id",
                                  {},
                                  [&](const sql::Row& row) {
                                      text += row.text(0) + " " + std::to_string(row.integer(1)) +
                                              " " + std::to_string(row.integer(2)) + ";";
                                  }),
                    Succeeds());
        return text;
    }

    TestHousehold world;
    sql::Session& session;
    TransactionStore store{session, "ada"};
    const WallTime now{5000ms};
};

TEST_F(TransactionMoveTest, EqualRowsFollowThoseThatAreThereInTheirOrder) {
    add("there", "to", "2026-01-02", 1);
    add("a", "from", "2026-01-02", 1);
    add("b", "from", "2026-01-02", 2);
    add("other day", "from", "2026-01-03", 1);
    add("stays", "from", "2026-01-02", 3);
    const std::vector<std::string> ids = {"b", "a", "other day"};
    const auto generations = [&] {
        return generation(session, "ada", account_subject("from")).value() +
               generation(session, "ada", account_subject("to")).value();
    };
    const auto before = generations();
    ASSERT_THAT(store.move(ids, "to", now), Succeeds());
    EXPECT_EQ(place("there"), "to/1");
    EXPECT_EQ(place("b"), "to/2");
    EXPECT_EQ(place("a"), "to/3");
    EXPECT_EQ(place("other day"), "to/1");
    EXPECT_EQ(place("stays"), "from/3");
    EXPECT_EQ(totals(), "from 1 -100;to 4 -400;");
    EXPECT_EQ(generations(), before + 2) << "once for each account";
    EXPECT_EQ(store.find("a").value()->row.updated_at, now);
    EXPECT_EQ(store.find("stays").value()->row.updated_at, WallTime());
}

/// Goal: the place is among the rows of the bank's day, whatever day the user sees.
TEST_F(TransactionMoveTest, RowsThatTheUserDatedOtherwiseCount) {
    add("shown later", "to", "2026-01-02", 4, "2026-02-01");
    add("shown on it", "to", "2026-01-05", 7, "2026-01-02");
    add("a", "from", "2026-01-02", 1);
    const std::vector<std::string> ids = {"a"};
    ASSERT_THAT(store.move(ids, "to", now), Succeeds());
    EXPECT_EQ(place("a"), "to/5");
}

TEST_F(TransactionMoveTest, AMovedRowIsFoundByItsIdentity) {
    add("a", "from", "2026-01-02", 1);
    const std::vector<std::string> ids = {"a"};
    ASSERT_THAT(store.move(ids, "to", now), Succeeds());
    EXPECT_EQ(store.count_present("to", {store.find("a").value().value()}).value(), 1);
    EXPECT_EQ(store.count_present("from", {store.find("a").value().value()}).value(), 0);
}

TEST_F(TransactionMoveTest, MoreThanARoundMovesWhole) {
    std::vector<std::string> ids;
    for (int i = 0; i < 1201; ++i) {
        ids.push_back("r" + std::to_string(i));
        add(ids.back(), "from", "2026-01-02", static_cast<std::uint32_t>(i) + 1);
    }
    ASSERT_THAT(store.move(ids, "to", now), Succeeds());
    EXPECT_EQ(place("r0"), "to/1");
    EXPECT_EQ(place("r1200"), "to/1201");
    EXPECT_EQ(totals(), "from 0 0;to 1201 -120100;");
}

TEST_F(TransactionMoveTest, AnotherUsersRowIsNotFound) {
    add("a", "from", "2026-01-02", 1);
    const std::vector<std::string> ids = {"a"};
    EXPECT_THAT(TransactionStore(session, "bob").move(ids, "to", now),
                FailsWith(ErrorKind::not_found));
    EXPECT_EQ(place("a"), "from/1");
}

}  // namespace
}  // namespace bascule::application
