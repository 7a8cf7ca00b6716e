#include "household/application/consumers/file_processor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "foundation/base/testing.h"
#include "foundation/json/value.h"
#include "household/application/consumers/test_kit.h"
#include "household/application/household_test_kit.h"
#include "household/statement/parse.h"

namespace bascule::application {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

constexpr const char* vast_csv =
    "Date;Payee;Amount\n"
    "2026-01-31;X;92233720368547758,07\n"
    "2026-02-13;Y;92233720368547758,07\n";

constexpr const char* plain_csv =
    "Date;Payee;Amount\n"
    "2026-01-31;X;-1,00\n"
    "2026-02-13;Y;-2,00\n";

/// The consumer alone, on files that a user uploads.
class FileProcessorTest : public testing::Test {
  protected:
    delivery::Outcome outcome_of_next_upload(const Environment& environment) {
        const event::Event event = published("file.uploaded");
        if (event.event_id.empty()) {
            return delivery::Outcome::permanent("nothing was uploaded");
        }
        return outcome_of(event, environment);
    }

    delivery::Outcome outcome_of(const event::Event& event, const Environment& environment) {
        FileProcessor processor(environment);
        return outcome_of_run(processor, delivery_of("file_processor", {event}, next_offset++));
    }

    /// The run of a processor that has read the file when `meanwhile` is committed, and writes
    /// after it: the writer is held until both wait in its queue.
    template <class F>
    delivery::Outcome outcome_where(const event::Event& event, F meanwhile) {
        std::optional<HeldWriter> held(world.writer());
        meanwhile();
        FileProcessor processor(world.environment());
        std::promise<delivery::Outcome> outcome;
        processor.handle(delivery_of("file_processor", {event}, next_offset++),
                         [&](delivery::Outcome answer) { outcome.set_value(std::move(answer)); });
        held.reset();
        return outcome.get_future().get();
    }

    template <class T>
    static io::Completion<T> expect_success() {
        return [](Result<T> answer) { EXPECT_THAT(answer, Succeeds()); };
    }

    /// The file is read by a replay of its upload, while a person says something else about it.
    template <class F>
    void expect_that_a_change_is_seen(const std::string& id, const event::Event& uploaded,
                                      F change) {
        event::Event replayed = uploaded;
        replayed.replay_id = "r";
        const auto outcome = outcome_where(replayed, change);
        EXPECT_EQ(outcome.kind, delivery::Outcome::Kind::transient);
        EXPECT_THAT(outcome.text, HasSubstr("changed while it was read"));
        EXPECT_EQ(world.count("select count(*) from transactions"), 0);
        EXPECT_EQ(outcome_of(replayed, world.environment()).kind, delivery::Outcome::Kind::done);
        EXPECT_EQ(file(id).status, FileStatus::processed) << file(id).message;
    }

    event::Event published(std::string_view type) {
        for (event::Event& event : world.new_events()) {
            if (event.event_type == type) {
                return std::move(event);
            }
        }
        return {};
    }

    File file(const std::string& id) { return world.household.files.get("ada", id).value(); }

    static std::string ofx(const std::string& number) {
        return "<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>" +
               number +
               "<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><STMTTRN><TRNTYPE>DEBIT<DTPOSTED>"
               "20250301<TRNAMT>-5.00<FITID>F1<NAME>Kiosk</STMTTRN></BANKTRANLIST></STMTRS>"
               "</STMTTRNRS></BANKMSGSRSV1></OFX>";
    }

    Account numbered(const std::string& name, const std::string& number) {
        return world
            .wait<Account>([&](auto done) {
                world.household.accounts.create(world.actor(),
                                                {.name = name,
                                                 .type = "checking",
                                                 .currency = "EUR",
                                                 .identifiers = std::vector{number}},
                                                std::move(done));
            })
            .value();
    }

    void process(const std::string& id, std::optional<std::string> mapping,
                 std::optional<std::string> account_id) {
        world.household.files.process(world.actor(), id, std::move(mapping), std::move(account_id),
                                      expect_success<File>());
    }

    TestHousehold world;
    std::uint64_t next_offset = 1;
};

TEST_F(FileProcessorTest, AFileWithTooManyRowsFailsWhateverElseIsOpen) {
    std::string csv = "Date;Payee;Amount\n";
    for (std::size_t i = 0; i <= statement::records_max; ++i) {
        csv += "01/02/2026;S;-1.00\n";  // of January or of February
    }
    const std::string id = world.file("all.csv", csv, world.account("Giro").id).id;
    EXPECT_EQ(outcome_of_next_upload(world.environment()).kind, delivery::Outcome::Kind::done);
    EXPECT_EQ(file(id).status, FileStatus::failed);
    EXPECT_THAT(file(id).message, HasSubstr("more than 250000 rows; split it"));
    EXPECT_THAT(published("file.processed").data, HasSubstr(R"("processingStatus":"failed")"));
    EXPECT_EQ(world.count("select count(*) from transactions"), 0);
}

TEST_F(FileProcessorTest, AHeaderAloneIsToldToBeOne) {
    const std::string id = world.file("a.csv", "Date;Payee;Amount\n", world.account("Giro").id).id;
    EXPECT_EQ(outcome_of_next_upload(world.environment()).kind, delivery::Outcome::Kind::done);
    EXPECT_EQ(file(id).status, FileStatus::processed);
    ASSERT_EQ(file(id).notes.size(), 1);
    EXPECT_THAT(file(id).notes[0].message, HasSubstr("0 rows: the file holds a header"));
}

/// The file names its account itself, so that nothing about the file tells of the deletion.
TEST_F(FileProcessorTest, AnAccountDeletedWhileItsFileIsReadGetsNoRows) {
    const Account giro = numbered("Giro", "DE77");
    const File uploaded = world.file("a.ofx", ofx("DE77"), "");
    const event::Event event = published("file.uploaded");
    const auto outcome = outcome_where(event, [&] {
        world.household.accounts.remove(world.actor(), giro.id, expect_success<std::int64_t>());
    });
    EXPECT_EQ(outcome.kind, delivery::Outcome::Kind::transient);
    EXPECT_THAT(outcome.text, HasSubstr(giro.id));
    EXPECT_EQ(world.count("select count(*) from transactions"), 0);
    EXPECT_EQ(world.count("select count(*) from account_totals"), 0);

    // Once more, it is as if the account had never been there.
    EXPECT_EQ(outcome_of(event, world.environment()).kind, delivery::Outcome::Kind::done);
    EXPECT_EQ(file(uploaded.id).status, FileStatus::needs_mapping);
    EXPECT_THAT(file(uploaded.id).message, HasSubstr("no account has the identifier \"DE77\""));
    EXPECT_EQ(file(uploaded.id).account_id, "");
}

TEST_F(FileProcessorTest, AFileDeletedWhileItIsReadBringsNothing) {
    const Account giro = world.account("Giro");
    const File uploaded = world.file("plain.csv", plain_csv, giro.id);
    const auto outcome = outcome_where(published("file.uploaded"), [&] {
        world.household.files.remove(world.actor(), uploaded.id, expect_success<FileRemoval>());
    });
    EXPECT_EQ(outcome.kind, delivery::Outcome::Kind::done);
    EXPECT_EQ(world.count("select count(*) from transactions"), 0);
    EXPECT_EQ(published("file.processed").event_id, "");
}

TEST_F(FileProcessorTest, AFileTiedToAnotherAccountWhileItIsReadGoesThere) {
    const Account giro = world.account("Giro");
    const Account savings = world.account("Savings");
    const File uploaded = world.file("plain.csv", plain_csv, giro.id);
    expect_that_a_change_is_seen(uploaded.id, published("file.uploaded"), [&] {
        world.household.files.associate(world.actor(), uploaded.id, savings.id,
                                        expect_success<File>());
    });
    EXPECT_EQ(world.household.accounts.get("ada", savings.id)->transaction_count, 2);
}

TEST_F(FileProcessorTest, AMappingGivenWhileTheFileIsReadCounts) {
    const Account giro = world.account("Giro");
    const File uploaded = world.file(
        "amb.csv", "Date,Payee,Amount\n01/02/2025,A,-1.00\n03/04/2025,B,-2.00\n", giro.id);
    const event::Event event = published("file.uploaded");
    outcome_of(event, world.environment());
    ASSERT_EQ(file(uploaded.id).status, FileStatus::needs_mapping);
    expect_that_a_change_is_seen(uploaded.id, event, [&] {
        process(uploaded.id, R"({"date_format":"DMY"})", std::nullopt);
    });
    EXPECT_EQ(world.count("select count(*) from transactions where booking_date = '2025-02-01'"),
              1);
}

TEST_F(FileProcessorTest, AnAccountInsistedOnWhileTheFileIsReadCounts) {
    numbered("Savings", "DE77");
    const Account card = numbered("Card", "4711");
    const File uploaded = world.file("a.ofx", ofx("DE77"), card.id);
    const event::Event event = published("file.uploaded");
    outcome_of(event, world.environment());
    ASSERT_EQ(file(uploaded.id).status, FileStatus::needs_mapping);
    expect_that_a_change_is_seen(uploaded.id, event,
                                 [&] { process(uploaded.id, std::nullopt, card.id); });
    EXPECT_EQ(world.household.accounts.get("ada", card.id)->transaction_count, 1);
}

TEST_F(FileProcessorTest, ContentThatIsGoneOrDamagedFailsTheFile) {
    const Account giro = world.account("Giro");
    for (const bool is_gone : {true, false}) {
        const File uploaded = world.file("plain.csv", plain_csv, giro.id);
        if (is_gone) {
            ASSERT_THAT(world.blobs().remove(sha256(plain_csv)), Succeeds());
        } else {
            std::ofstream(world.blob_path(plain_csv)) << "damaged";
        }
        EXPECT_EQ(outcome_of_next_upload(world.environment()).kind, delivery::Outcome::Kind::done);
        EXPECT_EQ(file(uploaded.id).status, FileStatus::failed);
        EXPECT_THAT(file(uploaded.id).message, HasSubstr("its content cannot be read"));
    }
}

/// A folder in the content's place can be opened, but not be read.
TEST_F(FileProcessorTest, ADiskThatFailsIsNoFilesFault) {
    const Account giro = world.account("Giro");
    const File uploaded = world.file("plain.csv", plain_csv, giro.id);
    const std::string path = world.blob_path(plain_csv);
    std::filesystem::remove(path);
    std::filesystem::create_directory(path);
    const event::Event event = published("file.uploaded");
    EXPECT_EQ(outcome_of(event, world.environment()).kind, delivery::Outcome::Kind::suspended);
    EXPECT_EQ(file(uploaded.id).status, FileStatus::pending);

    std::filesystem::remove(path);
    std::ofstream(path) << plain_csv;
    EXPECT_EQ(outcome_of(event, world.environment()).kind, delivery::Outcome::Kind::done);
    EXPECT_EQ(file(uploaded.id).transaction_count, 2);
}

TEST_F(FileProcessorTest, RowsThatCanNeverBeKeptFailTheFileAndNothingOfItIsThere) {
    const Account giro = world.account("Giro");
    const File uploaded = world.file("vast.csv", vast_csv, giro.id);
    EXPECT_EQ(outcome_of_next_upload(world.environment()).kind, delivery::Outcome::Kind::done);

    const File failed = file(uploaded.id);
    EXPECT_EQ(failed.status, FileStatus::failed);
    EXPECT_THAT(failed.message, AllOf(HasSubstr("its rows cannot be imported"),
                                      HasSubstr("would no longer fit in 64 bits")));
    EXPECT_EQ(failed.row_count, 2);
    EXPECT_EQ(failed.transaction_count, 0);
    EXPECT_THAT(failed.notes, Contains(testing::Field(&FileNote::message, failed.message)));
    EXPECT_EQ(world.count("select count(*) from transactions"), 0);
    EXPECT_EQ(world.count("select count(*) from account_totals where transaction_count <> 0"), 0);

    const event::Event told = published("file.processed");
    const auto data = json::Value::parse(told.data).value();
    EXPECT_EQ(data.at("/processingStatus")->text(), "\"failed\"");
    EXPECT_THAT(data.at("/errorMessage")->text(), HasSubstr("would no longer fit in 64 bits"));
}

TEST_F(FileProcessorTest, TheNextFileIsImportedAfterOneThatNeverCanBe) {
    const Account giro = world.account("Giro");
    world.file("vast.csv", vast_csv, giro.id);
    outcome_of_next_upload(world.environment());
    const File next = world.file("plain.csv", plain_csv, giro.id);
    EXPECT_EQ(outcome_of_next_upload(world.environment()).kind, delivery::Outcome::Kind::done);
    EXPECT_EQ(file(next.id).status, FileStatus::processed) << file(next.id).message;
    EXPECT_EQ(world.count("select count(*) from transactions"), 2);
}

/// The log takes small events only, and the file's rows make a larger one.
TEST_F(FileProcessorTest, EventsThatTheLogWouldNeverTakeFailTheFile) {
    const Account giro = world.account("Giro");
    std::string csv = "Date;Payee;Amount\n";
    for (int row = 0; row < 100; ++row) {
        csv += "2026-01-31;Shop " + std::to_string(row) + ";-1,00\n";
    }
    const File uploaded = world.file("many.csv", csv + "2026-02-13;Y;-1,00\n", giro.id);

    io::ThreadPool pool({.name = "sql", .threads = 1});
    const auto narrow = sql::Database::open(
        {.path = world.database().path(), .message_bytes_max = 2048}, migrations());
    ASSERT_THAT(narrow, Succeeds());
    sql::Writer writer(**narrow, pool);
    EXPECT_EQ(outcome_of_next_upload({**narrow, writer, world.blobs(), world.clock}).kind,
              delivery::Outcome::Kind::done);
    EXPECT_THAT(io::wait_for<>([&](auto done) { writer.stop(std::move(done)); }), Succeeds());

    EXPECT_EQ(file(uploaded.id).status, FileStatus::failed);
    EXPECT_THAT(file(uploaded.id).message,
                AllOf(HasSubstr("transactions.created"), HasSubstr("at most 2048 are allowed"),
                      HasSubstr("bus.event_bytes_max")));
    EXPECT_EQ(world.count("select count(*) from transactions"), 0);
}

}  // namespace
}  // namespace bascule::application
