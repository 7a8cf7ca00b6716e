#include "household/application/consumers/import.h"

#include "household/application/consumers/consumers_test_kit.h"

namespace bascule::application {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// What becomes of a file.
class ImportTest : public ConsumersTest {};

TEST_F(ImportTest, ImportBringsRowsCountsAndEvents) {
    const Account giro = world.account("Giro");
    pump();
    const File uploaded = world.file("giro.csv", giro_csv, giro.id);
    const auto events = pump();
    EXPECT_THAT(types_of(events),
                testing::IsSupersetOf({"file.uploaded", "transactions.created", "file.processed",
                                       "notification.raised", "analytics.computed"}));
    const File processed = file(uploaded.id);
    EXPECT_EQ(processed.status, FileStatus::processed) << processed.message;
    EXPECT_EQ(processed.transaction_count, 6);
    EXPECT_EQ(processed.duplicate_count, 0);
    EXPECT_EQ(processed.row_count, 6);
    EXPECT_EQ(processed.date_from->to_text(), "2025-03-01");
    EXPECT_EQ(processed.date_to->to_text(), "2025-04-20");
    EXPECT_THAT(
        rows("select booking_date, amount_minor, payee, memo, occurrence, line from"
             " transactions order by line"),
        ElementsAre("2025-03-01|300000|Employer|salary|1|2", "2025-03-13|-5000|Lidl 42|card|1|3",
                    "2025-03-14|-350|Coffee bar|card|1|4", "2025-03-14|-350|Coffee bar|card|2|5",
                    "2025-03-15|1200|Lidl 42|refund|1|6", "2025-04-20|-2000|Bookshop|card|1|7"));
    const auto report = of_type(events, "file.processed").at(0);
    EXPECT_EQ(member(report, "/transactionCount"), "6");
    EXPECT_EQ(member(report, "/processingStatus"), "\"success\"");
    EXPECT_EQ(member(report, "/dateRange/startDate"), "\"2025-03-01\"");
}

TEST_F(ImportTest, EventsOfAConsumerFollowTheirCause) {
    const Account giro = world.account("Giro");
    pump();
    world.file("giro.csv", giro_csv, giro.id);
    const auto events = pump();
    const auto uploaded = of_type(events, "file.uploaded").at(0);
    const auto created = of_type(events, "transactions.created").at(0);
    EXPECT_EQ(created.causation_id, uploaded.event_id);
    EXPECT_EQ(created.correlation_id, event::correlation_of(event::view_of(uploaded)));
    EXPECT_EQ(created.hops, uploaded.hops + 1);
    const auto raised = of_type(events, "notification.raised").at(0);
    EXPECT_EQ(raised.causation_id, of_type(events, "file.processed").at(0).event_id);
    EXPECT_EQ(raised.hops, 2U);
}

/// Goal: no day that a file may hold ends the program, however near the end of the calendar.
TEST_F(ImportTest, RowsOfTheFirstAndTheLastDayOfTheCalendarAreRows) {
    const Account giro = world.account("Giro");
    world.file("ends.csv",
               "Date;Payee;Amount\n0001-01-01;first;-1.00\n2025-03-13;between;-2.00\n"
               "9999-12-31;last;-4.00\n",
               giro.id);
    world.transaction(giro.id, "9999-12-31", "-8.00");
    pump();
    EXPECT_THAT(rows("select booking_date, amount_minor from transactions order by line, 1"),
                testing::UnorderedElementsAre("0001-01-01|-100", "2025-03-13|-200",
                                              "9999-12-31|-400", "9999-12-31|-800"));
    EXPECT_EQ(world.count("select count(*) from analytics_cells"), 3);
}

TEST_F(ImportTest, SameFileAgainAddsNothing) {
    const Account giro = world.account("Giro");
    world.file("giro.csv", giro_csv, giro.id);
    pump();
    const auto before = rows("select * from transactions order by id");
    const File again = world.file("giro-again.csv", giro_csv, giro.id);
    const auto events = pump();
    EXPECT_EQ(rows("select * from transactions order by id"), before);
    EXPECT_EQ(file(again.id).duplicate_count, 6);
    EXPECT_EQ(file(again.id).transaction_count, 0);
    EXPECT_THAT(of_type(events, "transactions.created"), IsEmpty());
}

TEST_F(ImportTest, BookedRowSettlesTheOneEnteredByHand) {
    const Account giro = world.account("Giro");
    const Transaction manual =
        world.transaction(giro.id, "2025-04-18", "-20.00", "Present for Kim");
    pump();
    const File uploaded = world.file("giro.csv", giro_csv, giro.id);
    const auto events = pump();
    EXPECT_EQ(file(uploaded.id).transaction_count, 5);
    // What a person wrote stays, and what the bank wrote is what the row is known by from now on.
    EXPECT_THAT(rows("select booking_date, payee, bank_date, bank_payee, status from transactions"
                     " where id = '" +
                     manual.id + "'"),
                ElementsAre("2025-04-18|Present for Kim|2025-04-20|Bookshop|booked"));
    const auto updated = of_type(events, "transaction.updated").at(0);
    EXPECT_THAT(updated.data,
                HasSubstr(R"({"field":"status","oldValue":"manual","newValue":"booked"})"));
    const File again = world.file("giro-again.csv", giro_csv, giro.id);
    EXPECT_THAT(of_type(pump(), "transaction.updated"), IsEmpty());
    EXPECT_EQ(file(again.id).transaction_count, 0);
}

/// Goal: rows are looked for as far around the file's days as they may be found.
TEST_F(ImportTest, RowsFiveDaysBeforeTheFirstAndAfterTheLastAreSettled) {
    const Account giro = world.account("Giro");
    world.transaction(giro.id, "2025-03-05", "-1.00", "Before");
    world.transaction(giro.id, "2025-03-25", "-2.00", "After");
    const File uploaded =
        world.file("a.csv", "Date;Payee;Amount\n2025-03-10;A;-1.00\n2025-03-20;B;-2.00\n", giro.id);
    pump();
    EXPECT_EQ(file(uploaded.id).duplicate_count, 2);
    EXPECT_THAT(rows("select payee, status, bank_payee from transactions order by booking_date"),
                ElementsAre("Before|booked|A", "After|booked|B"));
}

TEST_F(ImportTest, AnOlderExportLeavesABookedRowBooked) {
    const auto csv = [](const std::string& row) {
        return "Date;Payee;Amount;Id;Status\n" + row + "\n";
    };
    const std::string pending = csv("2025-03-13;SHOP 123;-10.00;ID1;pending");
    for (const char* booked :
         {"2025-03-13;Shop;-10.00;ID1;booked", "2025-03-15;Shop;-10.00;ID1;booked"}) {
        const Account account = world.account(booked);
        const auto imported = [&](const std::string& content) {
            const std::string id = world.file("a.csv", content, account.id).id;
            pump();
            if (file(id).status == FileStatus::needs_mapping) {  // the other account has it, too
                EXPECT_THAT(world.wait<File>([&](auto done) {
                    world.household.files.process(world.actor(), id, std::nullopt, account.id,
                                                  std::move(done));
                }),
                            Succeeds());
                pump();
            }
            return file(id);
        };
        imported(pending);
        imported(csv(booked));
        const auto settled = "select * from transactions where account_id = '" + account.id + "'";
        const auto before = rows(settled);
        ASSERT_THAT(rows("select distinct payee, status from transactions"),
                    ElementsAre("Shop|booked"));
        EXPECT_EQ(imported(pending).duplicate_count, 1);
        EXPECT_EQ(rows(settled), before);
        EXPECT_THAT(before, SizeIs(1));
    }
}

TEST_F(ImportTest, APendingRowThatIsTakenForABookedOneOfAnotherTextIsNoted) {
    const auto csv = [](const std::string& row) {
        return "Date;Payee;Amount;Status\n" + row + "\n";
    };
    const Account giro = world.account("Giro");
    pump();
    world.file("booked.csv", csv("2025-01-25;Bakery;-3.50;booked"), giro.id);
    pump();
    const File guessed = world.file("pending.csv", csv("2025-01-24;Kiosk;-3.50;pending"), giro.id);
    const File same = world.file("same.csv", csv("2025-01-25;Bakery;-3.50;pending"), giro.id);
    pump();
    ASSERT_EQ(file(guessed.id).duplicate_count, 1);
    ASSERT_EQ(file(guessed.id).notes.size(), 1u);
    EXPECT_EQ(file(guessed.id).notes[0].code, "taken_for_booked");
    EXPECT_EQ(file(guessed.id).notes[0].line, 2u);
    EXPECT_THAT(file(guessed.id).notes[0].message, HasSubstr("transaction of 2025-01-25"));
    EXPECT_THAT(file(same.id).notes, IsEmpty());
}

TEST_F(ImportTest, AmbiguousFileAsksAndTakesTheAnswer) {
    const Account giro = world.account("Giro");
    pump();
    const std::string csv = "Date,Payee,Amount\n01/02/2025,A,-1.00\n03/04/2025,B,-2.00\n";
    const File uploaded = world.file("amb.csv", csv, giro.id);
    const auto events = pump();
    const File asked = file(uploaded.id);
    EXPECT_EQ(asked.status, FileStatus::needs_mapping);
    EXPECT_THAT(asked.message, HasSubstr("date_order"));
    EXPECT_EQ(world.count("select count(*) from transactions"), 0);
    const auto report = of_type(events, "file.processed").at(0);
    EXPECT_EQ(member(report, "/processingStatus"), "\"failed\"");
    EXPECT_THAT(member(report, "/errorMessage"), HasSubstr("date_order"));
    EXPECT_EQ(rows("select kind from notifications"), std::vector<std::string>{"import_question"});

    ASSERT_THAT(world.wait<File>([&](auto done) {
        world.household.files.process(world.actor(), uploaded.id, R"({"date_format":"DMY"})",
                                      std::nullopt, std::move(done));
    }),
                Succeeds());
    pump();
    EXPECT_EQ(file(uploaded.id).status, FileStatus::processed) << file(uploaded.id).message;
    EXPECT_THAT(rows("select booking_date from transactions order by line"),
                ElementsAre("2025-02-01", "2025-04-03"));

    // The answer holds for the next file of the same shape.
    const File next = world.file("next.csv", "Date,Payee,Amount\n05/06/2025,C,-3.00\n", giro.id);
    pump();
    EXPECT_EQ(file(next.id).status, FileStatus::processed) << file(next.id).message;
    EXPECT_THAT(rows("select booking_date from transactions where payee = 'C'"),
                ElementsAre("2025-06-05"));
}

TEST_F(ImportTest, BadRowsDoNotLoseGoodOnes) {
    const Account giro = world.account("Giro");
    const File uploaded = world.file(
        "bad.csv",
        "Date;Payee;Amount\n2025-03-01;A;-1.00\n2025-13-41;B;-2.00\n2025-03-03;C;-3.00\n", giro.id);
    const auto events = pump();
    const File processed = file(uploaded.id);
    EXPECT_EQ(processed.status, FileStatus::partial) << processed.message;
    EXPECT_EQ(processed.transaction_count, 2);
    EXPECT_EQ(processed.rejected_count, 1);
    EXPECT_EQ(processed.row_count, 3);
    ASSERT_THAT(processed.notes, SizeIs(1));
    EXPECT_EQ(processed.notes[0].kind, "rejected");
    EXPECT_EQ(processed.notes[0].line, 3U);
    EXPECT_EQ(member(of_type(events, "file.processed").at(0), "/processingStatus"), "\"partial\"");
}

TEST_F(ImportTest, RowsInAnotherCurrencyAreToldOfByFileAndAccount) {
    const Account giro = world.account("Giro");
    ASSERT_THAT(world.wait<Account>([&](auto done) {
        world.household.accounts.update(world.actor(), giro.id, {.opening_balance = "10"},
                                        std::move(done));
    }),
                Succeeds());
    const File uploaded = world.file("mixed.csv",
                                     "Date;Payee;Amount;Currency\n2025-03-01;A;-1.00;EUR\n"
                                     "2025-03-02;B;-100.00;CHF\n2025-03-03;C;-3.00;CHF\n",
                                     giro.id);
    pump();
    EXPECT_EQ(file(uploaded.id).status, FileStatus::processed) << file(uploaded.id).message;
    const auto notes = file(uploaded.id).notes;
    ASSERT_THAT(notes, SizeIs(1));
    EXPECT_EQ(notes[0].code, "other_currency");
    EXPECT_EQ(notes[0].line, 3U);
    EXPECT_EQ(notes[0].message,
              "2 rows are in CHF, the account is in EUR: they are not in the account's balance, "
              "they count under CHF");
    const Account told = world.household.accounts.get("ada", giro.id).value();
    EXPECT_EQ(told.balance->to_text(), "9.00");
    ASSERT_THAT(told.other_currencies, SizeIs(1));
    EXPECT_EQ(told.other_currencies[0].total.to_text(), "-103.00");
    EXPECT_EQ(told.other_currencies[0].total.currency().code(), "CHF");
    EXPECT_EQ(told.other_currencies[0].transaction_count, 2);
}

TEST_F(ImportTest, DescriptionAndMemoStandApartAndTheRowStaysTheSame) {
    const Account giro = world.account("Giro");
    const std::string csv =
        "Date,Payee,Description,Memo,Amount\n2025-03-01,Baker,Bread,two,-2.50\n";
    world.file("a.csv", csv, giro.id);
    pump();
    EXPECT_THAT(rows("select payee, description, memo, bank_memo from transactions"),
                ElementsAre("Baker|Bread|two|Bread two"));
    // What identifies the row is as it always was.
    const File joined =
        world.file("b.csv", "Date,Payee,Memo,Amount\n2025-03-01,Baker,Bread two,-2.50\n", giro.id);
    pump();
    EXPECT_EQ(file(joined.id).duplicate_count, 1);
}

TEST_F(ImportTest, ContradictingAmountsAreSettledByAMapping) {
    const Account giro = world.account("Giro");
    const File uploaded = world.file(
        "mix.csv", "Date;Payee;Amount\n2025-03-01;A;12,00\n2025-03-02;B;1.50\n", giro.id);
    pump();
    EXPECT_EQ(file(uploaded.id).status, FileStatus::needs_mapping);
    EXPECT_THAT(file(uploaded.id).notes,
                testing::Contains(AllOf(testing::Field(&FileNote::kind, "ambiguity"),
                                        testing::Field(&FileNote::code, "decimal_mark"))));
    ASSERT_THAT(world.wait<File>([&](auto done) {
        world.household.files.process(world.actor(), uploaded.id, R"({"decimal_mark":","})",
                                      std::nullopt, std::move(done));
    }),
                Succeeds());
    pump();
    EXPECT_EQ(file(uploaded.id).status, FileStatus::partial);
    EXPECT_EQ(file(uploaded.id).transaction_count, 1);
    EXPECT_EQ(file(uploaded.id).rejected_count, 1);
}

TEST_F(ImportTest, UnreadableFileFailsWithAReason) {
    const Account giro = world.account("Giro");
    const File uploaded = world.file("x.bin", std::string("\x00\x01\x02\xFF\xFE", 5), giro.id);
    pump();
    EXPECT_EQ(file(uploaded.id).status, FileStatus::failed);
    EXPECT_THAT(file(uploaded.id).message, testing::Not(IsEmpty()));
    EXPECT_EQ(rows("select kind from notifications"), std::vector<std::string>{"import_failed"});
}

TEST_F(ImportTest, FileWithoutAccountFindsItByIdentifierOrAsks) {
    const std::string ofx =
        "<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>DE77"
        "<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20250301"
        "<TRNAMT>-5.00<FITID>F1<NAME>Kiosk</STMTTRN></BANKTRANLIST></STMTRS></STMTTRNRS>"
        "</BANKMSGSRSV1></OFX>";
    const File asked = world.file("a.ofx", ofx, "");
    pump();
    EXPECT_EQ(file(asked.id).status, FileStatus::needs_mapping);
    EXPECT_THAT(file(asked.id).message, HasSubstr("\"DE77\""));

    const Account giro = world.account("Giro");
    ASSERT_THAT(world.wait<Account>([&](auto done) {
        world.household.accounts.update(world.actor(), giro.id,
                                        {.identifiers = std::vector<std::string>{"DE77"}},
                                        std::move(done));
    }),
                Succeeds());
    const File found = world.file("b.ofx", ofx, "");
    const auto events = pump();
    EXPECT_EQ(file(found.id).status, FileStatus::processed) << file(found.id).message;
    EXPECT_EQ(file(found.id).account_id, giro.id);
    EXPECT_THAT(of_type(events, "file.associated"), SizeIs(1));
    EXPECT_THAT(rows("select account_id, bank_id from transactions"), ElementsAre(giro.id + "|F1"));
}

/// Into which account a file goes that may be of another.
class ImportAccountTest : public ConsumersTest {
  protected:
    Account numbered(const std::string& name, const std::string& currency,
                     std::vector<std::string> identifiers) {
        return world
            .wait<Account>([&](auto done) {
                world.household.accounts.create(world.actor(),
                                                {.name = name,
                                                 .type = "checking",
                                                 .currency = currency,
                                                 .identifiers = std::move(identifiers)},
                                                std::move(done));
            })
            .value();
    }

    static std::string ofx(const std::string& number, const std::string& currency = "EUR") {
        return "<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>" + currency +
               "<BANKACCTFROM><BANKID>1<ACCTID>" + number +
               "<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><STMTTRN><TRNTYPE>DEBIT<DTPOSTED>"
               "20250301<TRNAMT>-5.00<FITID>F1<NAME>Kiosk</STMTTRN></BANKTRANLIST></STMTRS>"
               "</STMTTRNRS></BANKMSGSRSV1></OFX>";
    }

    File imported(const std::string& content, const std::string& account_id) {
        const File uploaded = world.file("a", content, account_id);
        last_events = pump();
        return file(uploaded.id);
    }

    File answered(const std::string& id, const std::string& account_id) {
        EXPECT_THAT(world.wait<File>([&](auto done) {
            world.household.files.process(world.actor(), id, std::nullopt, account_id,
                                          std::move(done));
        }),
                    Succeeds());
        last_events = pump();
        return file(id);
    }

    std::int64_t rows_in(const Account& account) {
        return world.household.accounts.get("ada", account.id)->transaction_count;
    }

    std::vector<std::string> numbers_of(const Account& account) {
        return world.household.accounts.get("ada", account.id)->identifiers;
    }

    std::vector<event::Event> last_events;
};

TEST_F(ImportAccountTest, AFileOfAnotherAccountAsksAndTakesTheAnswer) {
    const Account savings = numbered("savings", "EUR", {"DE77 1111 2222"});
    const Account card = numbered("card", "EUR", {});
    const File asked = imported(ofx("DE7711112222"), card.id);
    EXPECT_EQ(asked.status, FileStatus::needs_mapping);
    EXPECT_EQ(asked.message,
              "the file is of account \"DE7711112222\", which is \"savings\", not \"card\"; name "
              "the account it belongs to: naming \"card\" once more imports it there nevertheless");
    EXPECT_EQ(world.count("select count(*) from transactions"), 0);
    EXPECT_EQ(answered(asked.id, savings.id).status, FileStatus::processed);
    EXPECT_EQ(rows_in(savings), 1);
    EXPECT_EQ(rows_in(card), 0);
}

TEST_F(ImportAccountTest, NamingTheAccountOnceMoreInsists) {
    numbered("savings", "EUR", {"DE77"});
    const Account card = numbered("card", "USD", {"4711-0815"});
    const File asked = imported(ofx("DE77"), card.id);
    const File insisted = answered(asked.id, card.id);
    EXPECT_EQ(insisted.status, FileStatus::processed) << insisted.message;
    EXPECT_EQ(rows_in(card), 1);
    EXPECT_THAT(numbers_of(card), ElementsAre("4711-0815")) << "the number is that of another";
    // It holds for the file from now on.
    EXPECT_EQ(answered(asked.id, card.id).status, FileStatus::processed);
    EXPECT_EQ(imported(ofx("DE77"), card.id).status, FileStatus::needs_mapping);
}

TEST_F(ImportAccountTest, ATurnToAThirdAccountIsLookedAtAnew) {
    numbered("savings", "EUR", {"DE77"});
    const Account card = numbered("card", "EUR", {});
    const Account third = numbered("third", "USD", {});
    const File asked = imported(ofx("DE77"), card.id);
    EXPECT_THAT(answered(asked.id, third.id).message, HasSubstr("not \"third\""));
}

TEST_F(ImportAccountTest, AnotherNumberThanItsOwnIsAQuestion) {
    const Account card = numbered("card", "EUR", {"4711 0815"});
    const File asked = imported(ofx("DE77"), card.id);
    EXPECT_EQ(asked.status, FileStatus::needs_mapping);
    EXPECT_THAT(asked.message,
                HasSubstr("of account \"DE77\", and \"card\" is account \"4711 0815\""));
    answered(asked.id, card.id);
    EXPECT_THAT(numbers_of(card), ElementsAre("4711 0815", "DE77"));
    EXPECT_EQ(imported(ofx("DE77"), card.id).status, FileStatus::processed);
}

TEST_F(ImportAccountTest, AnotherCurrencyThanItsOwnIsAQuestion) {
    const Account card = numbered("card", "USD", {"DE77"});
    const File asked = imported(ofx("DE77"), card.id);
    EXPECT_EQ(asked.status, FileStatus::needs_mapping);
    EXPECT_THAT(
        asked.message,
        HasSubstr("the file is in EUR, and \"card\" is an account in USD; name the account"));
    // Nobody named an account here, and one answer is enough.
    const File found = imported(ofx("DE77"), "");
    EXPECT_EQ(found.status, FileStatus::needs_mapping);
    EXPECT_EQ(answered(found.id, card.id).status, FileStatus::processed);
}

TEST_F(ImportAccountTest, AnAccountLearnsItsNumberFromItsFirstFile) {
    const Account giro = world.account("Giro");
    EXPECT_EQ(imported(ofx("DE77"), giro.id).status, FileStatus::processed);
    EXPECT_THAT(numbers_of(giro), ElementsAre("DE77"));
    EXPECT_THAT(member(of_type(last_events, "account.updated").at(0), "/changes/0/newValue"),
                HasSubstr("DE77"));
    EXPECT_EQ(imported(ofx("DE77"), "").account_id, giro.id) << "found by its number";
    EXPECT_THAT(of_type(last_events, "account.updated"), IsEmpty());
    EXPECT_EQ(imported(ofx("DE88"), giro.id).status, FileStatus::needs_mapping);
}

TEST_F(ImportAccountTest, AnAccountNumberWithinAnIbanIsTheSameAccount) {
    const Account giro = numbered("Giro", "EUR", {"DE02 1203 0000 0000 2020 51"});
    EXPECT_EQ(imported(ofx("202051"), giro.id).status, FileStatus::processed);
    EXPECT_THAT(numbers_of(giro), SizeIs(1));
    EXPECT_EQ(imported(ofx("202051"), "").account_id, giro.id);
    const Account spar = numbered("Spar", "EUR", {"1:4711"});
    EXPECT_EQ(imported(ofx("4711"), spar.id).status, FileStatus::processed);
}

TEST_F(ImportAccountTest, RowsThatAnotherAccountHasAreAQuestion) {
    const Account giro = world.account("Giro");
    const Account other = world.account("t1");
    EXPECT_EQ(imported(giro_csv, giro.id).status, FileStatus::processed);
    const File asked = imported(giro_csv, other.id);
    EXPECT_EQ(asked.status, FileStatus::needs_mapping);
    EXPECT_THAT(asked.message, HasSubstr("are in \"Giro\" already"));
    EXPECT_EQ(rows_in(other), 0);
    EXPECT_EQ(answered(asked.id, other.id).status, FileStatus::processed);
    EXPECT_EQ(rows_in(other), 6);
    EXPECT_EQ(imported(giro_csv, other.id).status, FileStatus::processed)
        << "nothing is counted a second time";
    EXPECT_EQ(imported(giro_csv, giro.id).status, FileStatus::processed);
}

TEST_F(ImportAccountTest, AFewEqualRowsAreAQuestionOnlyInTheSameFile) {
    const Account giro = world.account("Giro");
    const Account other = world.account("t1");
    const std::string fee = "Date;Payee;Amount\n2025-03-01;Fee;-5.00\n2025-04-01;Fee;-5.00\n";
    imported(fee, giro.id);
    EXPECT_EQ(imported(fee + "\n", other.id).status, FileStatus::processed);
    const Account third = world.account("t2");
    EXPECT_EQ(imported(fee, third.id).status, FileStatus::needs_mapping);
}

TEST_F(ImportTest, LongImportIsToldOfInChunks) {
    const Account giro = world.account("Giro");
    pump();
    std::string csv = "Date;Payee;Amount;Currency\n";
    for (int i = 0; i < 2001; ++i) {
        csv += "2025-03-" + std::to_string(10 + i % 20) + ";P" + std::to_string(i) + ";-1.00;EUR\n";
    }
    world.file("long.csv", csv, giro.id);
    const auto created = of_type(pump(), "transactions.created");
    ASSERT_THAT(created, SizeIs(3));
    EXPECT_EQ(member(created[0], "/chunk"), R"({"index":0,"count":3})");
    EXPECT_EQ(member(created[0], "/transactionCount"), "1000");
    EXPECT_EQ(member(created[2], "/transactionCount"), "1");
    EXPECT_THAT(rows("select kind from notifications"), ElementsAre("import_finished"));
}

}  // namespace
}  // namespace bascule::application
