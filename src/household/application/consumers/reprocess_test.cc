#include "household/application/consumers/consumers_test_kit.h"
#include "household/application/consumers/import.h"

namespace bascule::application {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* dmy = R"({"date_format":"DMY"})";
constexpr const char* mdy = R"({"date_format":"MDY"})";

/// A file that is read once more, in another way, or taken away.
class ReprocessTest : public ConsumersTest {
  protected:
    File uploaded_as(const std::string& name, const std::string& csv, const std::string& account_id,
                     const std::string& mapping) {
        const File file = world
                              .wait<File>([&](auto done) {
                                  world.household.files.upload(world.actor(),
                                                               {.file_name = name,
                                                                .content = csv,
                                                                .account_id = account_id,
                                                                .mapping = mapping},
                                                               std::move(done));
                              })
                              .value();
        pump();
        return file;
    }

    std::vector<event::Event> process(const std::string& id, const std::string& mapping) {
        EXPECT_THAT(world.wait<File>([&](auto done) {
            world.household.files.process(world.actor(), id, mapping, std::nullopt,
                                          std::move(done));
        }),
                    Succeeds());
        return pump();
    }

    Result<File> moved(const std::string& id, const std::string& account_id) {
        return world.wait<File>([&](auto done) {
            world.household.files.associate(world.actor(), id, account_id, std::move(done));
        });
    }
    void associate(const std::string& id, const std::string& account_id) {
        EXPECT_THAT(moved(id, account_id), Succeeds());
        pump();
    }

    FileRemoval removed(const std::string& id, const std::string& key = "") {
        return world
            .wait<FileRemoval>([&](auto done) {
                world.household.files.remove(world.actor("ada", key), id, std::move(done));
            })
            .value();
    }

    void edit(const std::string& id, TransactionEdit edit) {
        EXPECT_THAT(world.wait<Transaction>([&](auto done) {
            world.household.transactions.update(world.actor(), id, std::move(edit),
                                                std::move(done));
        }),
                    Succeeds());
        pump();
    }

    std::string id_of(const std::string& payee) {
        return rows("select id from transactions where payee = '" + payee + "'").at(0);
    }

    const std::string two = "Date,Payee,Amount\n01/02/2025,A,-1.00\n03/04/2025,B,-2.00\n";
};

TEST_F(ReprocessTest, ACorrectedMappingReplacesWhatTheWrongOneMade) {
    const Account giro = world.account("Giro");
    const File uploaded = uploaded_as("two.csv", two, giro.id, dmy);
    const auto before = rows("select id from transactions order by id");
    const auto events = process(uploaded.id, mdy);

    EXPECT_THAT(rows("select booking_date from transactions order by line"),
                ElementsAre("2025-01-02", "2025-03-04"));
    EXPECT_EQ(file(uploaded.id).transaction_count, 2);
    EXPECT_EQ(file(uploaded.id).duplicate_count, 0);
    EXPECT_EQ(world.household.accounts.get("ada", giro.id)->transaction_count, 2);
    const auto deleted = of_type(events, "transactions.deleted");
    ASSERT_THAT(deleted, SizeIs(1));
    EXPECT_EQ(member(deleted[0], "/deletionType"), "\"file_reprocessing\"");
    EXPECT_THAT(member(deleted[0], "/transactionIds"),
                AllOf(HasSubstr(before.at(0)), HasSubstr(before.at(1))));
    EXPECT_EQ(member(of_type(events, "transactions.created").at(0), "/transactionCount"), "2");
}

TEST_F(ReprocessTest, TheSameReadingAgainChangesNothing) {
    const Account giro = world.account("Giro");
    const File uploaded = uploaded_as("two.csv", two, giro.id, dmy);
    const auto before = rows("select * from transactions order by id");
    const auto events = process(uploaded.id, dmy);
    EXPECT_EQ(rows("select * from transactions order by id"), before);
    EXPECT_THAT(of_type(events, "transactions.deleted"), IsEmpty());
    EXPECT_THAT(of_type(events, "transactions.created"), IsEmpty());
    EXPECT_EQ(file(uploaded.id).transaction_count, 2);
    EXPECT_EQ(file(uploaded.id).duplicate_count, 0);
}

TEST_F(ReprocessTest, RowsThatStayKeepIdCategoryAndEdits) {
    const Account giro = world.account("Giro");
    const File uploaded = uploaded_as(
        "mixed.csv", "Date,Payee,Amount\n05/05/2025,Same,-1.00\n03/04/2025,Moves,-2.00\n", giro.id,
        dmy);
    const std::string same = id_of("Same");
    const std::string food = category("Food", "EXPENSE");
    edit(same, {.notes = "mine", .category_id = food});
    process(uploaded.id, mdy);
    EXPECT_THAT(rows("select id, notes, category_id from transactions where payee = 'Same'"),
                ElementsAre(same + "|mine|" + food));
    EXPECT_THAT(rows("select booking_date from transactions where payee = 'Moves'"),
                ElementsAre("2025-03-04"));
}

/// A person's work on a row is not lost with a wrong date: the bank's part of it is corrected.
TEST_F(ReprocessTest, ATouchedRowIsCorrectedInPlace) {
    const Account giro = world.account("Giro");
    const File uploaded = uploaded_as("two.csv", two, giro.id, dmy);
    const std::string touched = id_of("A");
    edit(touched, {.payee = "Aunt Ada"});
    const auto events = process(uploaded.id, mdy);
    EXPECT_THAT(rows("select id, booking_date, bank_date, payee, bank_payee from transactions"
                     " where line = 2"),
                ElementsAre(touched + "|2025-01-02|2025-01-02|Aunt Ada|A"));
    EXPECT_EQ(file(uploaded.id).transaction_count, 2);
    const auto updated = of_type(events, "transaction.updated");
    ASSERT_THAT(updated, SizeIs(1));
    EXPECT_THAT(updated[0].data, HasSubstr(R"("oldValue":"2025-02-01","newValue":"2025-01-02")"));
}

TEST_F(ReprocessTest, ATouchedRowThatTheNewReadingLacksIsKeptAndToldOf) {
    const Account giro = world.account("Giro");
    const File uploaded = uploaded_as("two.csv", two, giro.id, dmy);
    const std::string touched = id_of("A");
    edit(touched, {.notes = "mine"});
    process(uploaded.id, R"({"date_format":"DMY","skip_lines":2,"header":false,)"
                         R"("columns":{"date":0,"payee":1,"amount":2}})");
    EXPECT_THAT(rows("select payee from transactions order by line"), ElementsAre("A", "B"));
    EXPECT_THAT(file(uploaded.id).notes,
                Contains(AllOf(Field(&FileNote::code, "kept_edited"), Field(&FileNote::line, 2U),
                               Field(&FileNote::message, HasSubstr(touched)))));
}

TEST_F(ReprocessTest, ARowThatAnotherFileStatesToBecomesItsOwn) {
    const Account giro = world.account("Giro");
    const File wrong = uploaded_as("two.csv", two, giro.id, dmy);
    const File other =
        uploaded_as("other.csv", "Date,Payee,Amount\n2025-02-01,A,-1.00\n", giro.id, "");
    ASSERT_EQ(file(other.id).duplicate_count, 1);
    const std::string shared = id_of("A");
    process(wrong.id, mdy);
    EXPECT_THAT(rows("select id, file_id from transactions where booking_date = '2025-02-01'"),
                ElementsAre(shared + "|" + other.id));
    EXPECT_EQ(file(other.id).transaction_count, 1);
    EXPECT_EQ(file(other.id).duplicate_count, 0);
    EXPECT_EQ(file(wrong.id).transaction_count, 2);
    EXPECT_EQ(world.count("select count(*) from transactions"), 3);
}

/// A row entered by hand that the wrong reading took for its own is a person's again, and the right
/// reading finds its own partner.
TEST_F(ReprocessTest, WhatAWrongReadingSettledIsTakenBack) {
    const Account giro = world.account("Giro");
    const Transaction manual = world.transaction(giro.id, "2025-02-02", "-1.00", "Kim");
    const File uploaded = uploaded_as("two.csv", two, giro.id, dmy);
    ASSERT_THAT(rows("select status from transactions where id = '" + manual.id + "'"),
                ElementsAre("booked"));
    process(uploaded.id, mdy);
    EXPECT_THAT(rows("select status, booking_date, payee, bank_date, bank_payee from transactions"
                     " where id = '" +
                     manual.id + "'"),
                ElementsAre("manual|2025-02-02|Kim|2025-02-02|"));
    EXPECT_EQ(world.count("select count(*) from transactions"), 3);
    process(uploaded.id, dmy);
    EXPECT_THAT(rows("select status, bank_payee from transactions where id = '" + manual.id + "'"),
                ElementsAre("booked|A"));
    EXPECT_EQ(world.count("select count(*) from transactions"), 2);
    EXPECT_EQ(file(uploaded.id).transaction_count, 1);
    EXPECT_EQ(file(uploaded.id).duplicate_count, 1);
}

TEST_F(ReprocessTest, DeletingAFileLeavesWhatAnotherFileStates) {
    const Account giro = world.account("Giro");
    const File first = uploaded_as("first.csv", two, giro.id, dmy);
    const std::string shared = id_of("B");
    const File later = uploaded_as(
        "later.csv", "Date,Payee,Amount\n2025-04-03,B,-2.00\n2025-04-05,C,-3.00\n", giro.id, "");
    ASSERT_EQ(file(later.id).duplicate_count, 1);

    const FileRemoval answer = removed(first.id, "once");
    EXPECT_EQ(answer.deleted_count, 1);
    EXPECT_EQ(answer.kept_count, 1);
    EXPECT_THAT(rows("select payee, file_id, line from transactions order by line"),
                ElementsAre("B|" + later.id + "|2", "C|" + later.id + "|3"));
    EXPECT_EQ(id_of("B"), shared);
    EXPECT_EQ(file(later.id).transaction_count, 2);
    EXPECT_EQ(file(later.id).duplicate_count, 0);
    const FileRemoval repeated = removed(first.id, "once");
    EXPECT_EQ(repeated.deleted_count, 1);
    EXPECT_EQ(repeated.kept_count, 1);

    EXPECT_EQ(removed(later.id).deleted_count, 2);
    EXPECT_EQ(world.count("select count(*) from transactions"), 0);
    EXPECT_EQ(world.count("select count(*) from known_rows"), 0);
}

/// As long as one file states a row that a person entered, it is booked; then it is theirs again.
TEST_F(ReprocessTest, DeletingTheLastFileThatSettledARowGivesItBack) {
    const Account giro = world.account("Giro");
    const Transaction manual = world.transaction(giro.id, "2025-02-02", "-1.00", "Kim");
    const File one = uploaded_as("one.csv", two, giro.id, dmy);
    const File other = uploaded_as("other.csv", two, giro.id, dmy);
    const auto kim = "select status, bank_payee from transactions where id = '" + manual.id + "'";
    EXPECT_EQ(removed(one.id).kept_count, 1);
    EXPECT_THAT(rows(kim), ElementsAre("booked|A"));
    EXPECT_EQ(removed(other.id).deleted_count, 1);
    EXPECT_THAT(rows(kim), ElementsAre("manual|"));
}

/// Rows that are not the file's alone would be taken from others, or be missing where it goes; the
/// way that the refusal names does right.
TEST_F(ReprocessTest, AFileThatSharesRowsDoesNotMove) {
    const Account giro = world.account("Giro");
    const Account savings = world.account("Savings");
    const File first = uploaded_as(
        "first.csv", "Date,Payee,Amount\n2025-02-01,A,-1.00\n2025-02-02,B,-2.00\n", giro.id, "");
    const std::string overlapping = "Date,Payee,Amount\n2025-02-02,B,-2.00\n2025-02-03,C,-3.00\n";
    const File second = uploaded_as("second.csv", overlapping, giro.id, "");
    const auto before = rows("select * from transactions order by id");
    for (const File& shares : {first, second}) {
        EXPECT_THAT(moved(shares.id, savings.id),
                    FailsWith(ErrorKind::conflict, HasSubstr("another file states 1 too")));
    }
    EXPECT_EQ(rows("select * from transactions order by id"), before);

    EXPECT_EQ(removed(second.id).kept_count, 0);
    uploaded_as("second.csv", overlapping, savings.id, "");
    const auto in = [&](const Account& account) {
        return rows("select payee from transactions where account_id = '" + account.id +
                    "' order by booking_date");
    };
    EXPECT_THAT(in(giro), ElementsAre("A", "B"));
    EXPECT_THAT(in(savings), ElementsAre("B", "C"));
}

TEST_F(ReprocessTest, AFileThatSettledWhatAPersonEnteredDoesNotMove) {
    const Account giro = world.account("Giro");
    const Account savings = world.account("Savings");
    world.transaction(giro.id, "2025-02-02", "-2.00", "Kim");
    const File settles =
        uploaded_as("a.csv", "Date,Payee,Amount\n2025-02-03,B,-2.00\n", giro.id, "");
    EXPECT_THAT(moved(settles.id, savings.id),
                FailsWith(ErrorKind::conflict, HasSubstr("a person entered them")));
}

TEST_F(ReprocessTest, AFileDoesNotMoveToWhereItsRowsMayBe) {
    const Account giro = world.account("Giro");
    const Account savings = world.account("Savings");
    const File wrong = uploaded_as(
        "wrong.csv", "Date,Payee,Amount\n2025-02-01,A,-1.00\n2025-02-02,B,-2.00\n", giro.id, "");
    uploaded_as("right.csv", "Date,Payee,Amount\n2025-02-02,B,-2.00\n2025-02-03,C,-3.00\n",
                savings.id, "");
    EXPECT_THAT(
        moved(wrong.id, savings.id),
        FailsWith(ErrorKind::conflict,
                  HasSubstr("1 of the file's transactions may be in that account already")));
    EXPECT_EQ(world.household.accounts.get("ada", savings.id)->transaction_count, 2);
}

/// A file of two accounts is moved away from the first; what it states of the second stays so.
TEST_F(ReprocessTest, AFileOfTwoAccountsMovesFromItsOwnAlone) {
    const auto statement = [](const std::string& number) {
        return "<STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>" + number +
               "<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><STMTTRN><TRNTYPE>DEBIT<DTPOSTED>"
               "20250301<TRNAMT>-5.00<FITID>" +
               number + "1<NAME>Kiosk</STMTTRN><STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20250302<TRNAMT>" +
               "-6.00<FITID>" + number +
               "2<NAME>Baker</STMTTRN></BANKTRANLIST></STMTRS></STMTTRNRS>";
    };
    const auto ofx = [](const std::string& statements) {
        return "<OFX><BANKMSGSRSV1>" + statements + "</BANKMSGSRSV1></OFX>";
    };
    const Account giro = world.account("DE11");
    const Account savings = world.account("DE22");
    const Account third = world.account("Third");
    const File earlier = uploaded_as("savings.ofx", ofx(statement("DE22")), "", "");
    const File both =
        uploaded_as("both.ofx", ofx(statement("DE11") + statement("DE22")), giro.id, "");
    ASSERT_EQ(file(both.id).transaction_count, 2) << file(both.id).message;
    ASSERT_EQ(file(both.id).duplicate_count, 2);

    associate(both.id, third.id);
    const auto counts = [&] {
        std::vector<std::int64_t> found;
        for (const Account& account : {giro, savings, third}) {
            found.push_back(world.household.accounts.get("ada", account.id)->transaction_count);
        }
        return found;
    };
    EXPECT_THAT(counts(), ElementsAre(0, 2, 2));
    EXPECT_EQ(removed(earlier.id).kept_count, 2) << "the file still states them";
    EXPECT_THAT(counts(), ElementsAre(0, 2, 2));
}

TEST_F(ReprocessTest, AReadingThatAsksLeavesWhatIsThere) {
    const Account giro = world.account("Giro");
    const File uploaded = uploaded_as("two.csv", two, giro.id, dmy);
    const auto before = rows("select * from transactions order by id");
    process(uploaded.id, R"({"columns":{"amount":"Nowhere"}})");
    EXPECT_NE(file(uploaded.id).status, FileStatus::processed);
    EXPECT_EQ(rows("select * from transactions order by id"), before);
    EXPECT_EQ(file(uploaded.id).transaction_count, 2);
}

TEST_F(ReprocessTest, ARepeatedRunChangesNothingMore) {
    const Account giro = world.account("Giro");
    const File uploaded = uploaded_as("two.csv", two, giro.id, dmy);
    process(uploaded.id, mdy);
    const auto before = state();
    for (const auto& [consumer, event, offset] : std::vector(delivered)) {
        outcome_of_run(handler(consumer), delivery_of(consumer, {event}, offset));
    }
    EXPECT_EQ(state(), before);
}

}  // namespace
}  // namespace bascule::application
