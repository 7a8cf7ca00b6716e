#include "household/application/consumers/file_processor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/base/testing.h"
#include "foundation/json/value.h"
#include "household/application/consumers/test_kit.h"
#include "household/application/household_test_kit.h"

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
        for (const event::Event& event : world.new_events()) {
            if (event.event_type == "file.uploaded") {
                FileProcessor processor(environment);
                return outcome_of_run(processor,
                                      delivery_of("file_processor", {event}, next_offset++));
            }
        }
        return delivery::Outcome::permanent("nothing was uploaded");
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

    TestHousehold world;
    std::uint64_t next_offset = 1;
};

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
