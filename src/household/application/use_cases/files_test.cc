#include "household/application/use_cases/files.h"

#include <gtest/gtest.h>

#include <future>

#include "foundation/base/testing.h"
#include "household/application/household_test_kit.h"
#include "household/application/stores/file_store.h"

namespace bascule::application {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FilesTest : public testing::Test {
  protected:
    Result<File> upload(Upload upload) {
        return world.wait<File>([&](auto done) {
            world.household.files.upload(world.actor(), std::move(upload), std::move(done));
        });
    }
    Result<File> associate(const std::string& id, const std::string& account_id) {
        return world.wait<File>([&](auto done) {
            world.household.files.associate(world.actor(), id, account_id, std::move(done));
        });
    }
    Result<File> process(const std::string& id, std::optional<std::string> mapping,
                         std::optional<std::string> account_id = std::nullopt) {
        return world.wait<File>([&](auto done) {
            world.household.files.process(world.actor(), id, mapping, account_id, std::move(done));
        });
    }
    Result<std::int64_t> remove(const std::string& id) {
        const auto removal = world.wait<FileRemoval>(
            [&](auto done) { world.household.files.remove(world.actor(), id, std::move(done)); });
        return TRY(removal)
        .deleted_count;
    }
    void set_status(const std::string& id, FileStatus status) {
        ASSERT_THAT(world.wait<void>([&](auto done) {
            world.writer().submit(
                [&](sql::Session& session) -> Result<> {
                    UnitOfWork unit(session, world.actor(), world.clock.wall());
                    FileStore store(session, "ada");
                    File file = TRY(store.find(id))
                    .value();
                    file.status = status;
                    file.notes = {{"rejected", 7, "bad_date", "no date", "x;y"}};
                    TRY(store.update(file));
                    unit.publish(event::file_processed(
                        unit.occasion(), {.file_id = id, .account_id = file.account_id}));
                    return unit.finish();
                },
                std::move(done));
        }),
                    Succeeds());
    }

    TestHousehold world;
};

TEST_F(FilesTest, UploadStoresBytesRowAndEvent) {
    const auto account = world.account("Giro");
    world.new_events();
    const auto file =
        upload({.file_name = "a.csv", .content = "Datum;Betrag\n", .account_id = account.id});
    ASSERT_THAT(file, Succeeds());
    EXPECT_EQ(file->size, 13);
    EXPECT_EQ(file->status, FileStatus::pending);
    EXPECT_EQ(world.household.files.content("ada", file->id).value(), "Datum;Betrag\n");
    const auto events = world.new_events();
    ASSERT_EQ(events.size(), 1);
    EXPECT_EQ(events[0].event_type, "file.uploaded");
    EXPECT_EQ(events[0].event_id, file->event_id);
    EXPECT_THAT(events[0].data, HasSubstr(file->sha256.substr(2)));
    EXPECT_THAT(events[0].data, HasSubstr(account.id));
}

/// Not as content that is missing: nobody deleted it.
TEST_F(FilesTest, ARowWhoseDigestIsDamagedIsCorrupt) {
    const File file = world.file("a.csv", "Datum;Betrag\n", "");
    ASSERT_THAT(world.wait<void>([&](auto done) {
        world.writer().submit(
            [&](sql::Session& session) -> Result<> {
                UnitOfWork unit(session, world.actor(), world.clock.wall());
                TRY(session.execute("update files set sha256 = ?1 where id = ?2",
                                    {std::string(64, 'z'), file.id}));
                unit.publish(event::file_processed(unit.occasion(), {.file_id = file.id}));
                return unit.finish();
            },
            std::move(done));
    }),
                Succeeds());
    EXPECT_THAT(world.household.files.content("ada", file.id),
                FailsWith(ErrorKind::corrupt, HasSubstr(file.id)));
}

TEST_F(FilesTest, UploadRefusesWhatIsWrongAndKeepsNoBytes) {
    EXPECT_THAT(upload({.file_name = "", .content = "x"}),
                FailsWith(ErrorKind::invalid, HasSubstr("fileName: ")));
    EXPECT_THAT(upload({.file_name = "a", .content = ""}),
                FailsWith(ErrorKind::invalid, HasSubstr("file: it is empty")));
    EXPECT_THAT(upload({.file_name = "a", .content = "x", .mapping = "[]"}),
                FailsWith(ErrorKind::invalid, HasSubstr("mapping: must be a JSON object")));
    EXPECT_THAT(upload({.file_name = "a", .content = "x", .mapping = R"({"colour": "red"})"}),
                FailsWith(ErrorKind::invalid, HasSubstr("colour")));
    EXPECT_THAT(upload({.file_name = "a", .content = "lost", .account_id = "nowhere"}),
                FailsWith(ErrorKind::not_found));
    EXPECT_EQ(world.blobs().exists(sha256("lost")).value(), false);
    EXPECT_TRUE(world.new_events().empty());
}

TEST_F(FilesTest, EqualContentsShareABlobUntilTheLastIsDeleted) {
    const auto one = world.file("a", "same", "");
    const auto two = world.file("b", "same", "");
    EXPECT_NE(one.id, two.id);
    EXPECT_EQ(remove(one.id).value(), 0);
    EXPECT_EQ(world.household.files.content("ada", two.id).value(), "same");
    EXPECT_EQ(remove(two.id).value(), 0);
    EXPECT_EQ(world.blobs().exists(sha256("same")).value(), false);
}

/// An upload that is refused while another of the same bytes is under way takes nothing from it:
/// the writer is held until both have stored their bytes.
TEST_F(FilesTest, ARefusedUploadLeavesTheBytesOfOneUnderWay) {
    std::optional<HeldWriter> held(world.writer());
    std::promise<Result<File>> refused;
    std::promise<Result<File>> stored;
    world.household.files.upload(
        world.actor(), {.file_name = "a", .content = "same", .account_id = "nowhere"},
        [&](Result<File> answer) { refused.set_value(std::move(answer)); });
    world.household.files.upload(world.actor(), {.file_name = "b", .content = "same"},
                                 [&](Result<File> answer) { stored.set_value(std::move(answer)); });
    held.reset();
    EXPECT_THAT(refused.get_future().get(), FailsWith(ErrorKind::not_found));
    const auto file = stored.get_future().get();
    ASSERT_THAT(file, Succeeds());
    EXPECT_EQ(world.household.files.content("ada", file->id).value(), "same");
}

TEST_F(FilesTest, RemoveTakesItsTransactionsAlong) {
    const auto account = world.account("Giro");
    const auto file = world.file("a", "x", account.id);
    world.bring(file.id, account.id, {"a", "b"});
    world.transaction(account.id, "2026-01-02", "1");
    world.new_events();
    EXPECT_EQ(remove(file.id).value(), 2);
    const auto events = world.new_events();
    ASSERT_EQ(events.size(), 2);
    EXPECT_THAT(events[0].data, HasSubstr(R"("deletionType":"file_deleted")"));
    EXPECT_EQ(events[1].event_type, "file.deleted");
    EXPECT_THAT(events[1].data, HasSubstr(R"("transactionCount":2)"));
    EXPECT_EQ(world.count("select count(*) from transactions"), 1);
    EXPECT_THAT(world.household.files.get("ada", file.id), FailsWith(ErrorKind::not_found));
}

TEST_F(FilesTest, AssociateMovesFileAndRows) {
    const auto from = world.account("From");
    const auto to = world.account("To");
    const auto file = world.file("a", "x", from.id);
    const auto ids = world.bring(file.id, from.id, {"Lidl"});
    world.new_events();
    EXPECT_EQ(associate(file.id, to.id)->account_id, to.id);
    const auto events = world.new_events();
    ASSERT_EQ(events.size(), 1);
    EXPECT_EQ(events[0].event_type, "file.associated");
    EXPECT_THAT(events[0].data, HasSubstr(from.id));
    const auto row = world.household.transactions.get("ada", ids[0]).value();
    EXPECT_EQ(row.account_id, to.id);
    EXPECT_EQ(world.household.accounts.get("ada", from.id)->transaction_count, 0);
    EXPECT_EQ(world.household.accounts.get("ada", to.id)->transaction_count, 1);
}

/// A file of two accounts is tied to the first of them.
TEST_F(FilesTest, AssociateMovesTheRowsOfTheFilesOwnAccountOnly) {
    const auto own = world.account("Own");
    const auto other = world.account("Other");
    const auto to = world.account("To");
    const auto file = world.file("a", "x", own.id);
    const auto moves = world.bring(file.id, own.id, {"Lidl"});
    const auto stays = world.bring(file.id, other.id, {"Rent"});
    EXPECT_EQ(associate(file.id, to.id)->account_id, to.id);
    EXPECT_EQ(world.household.transactions.get("ada", moves[0])->account_id, to.id);
    EXPECT_EQ(world.household.transactions.get("ada", stays[0])->account_id, other.id);
    EXPECT_EQ(world.household.accounts.get("ada", other.id)->transaction_count, 1);
}

TEST_F(FilesTest, RowsInOtherAccountsDoNotHoldAFileToItsOwn) {
    const auto own = world.account("Own");
    const auto other = world.account("Other");
    const auto file = world.file("a", "x", own.id);
    const auto stays = world.bring(file.id, other.id, {"Rent"});
    EXPECT_EQ(associate(file.id, "")->account_id, "");
    EXPECT_EQ(associate(file.id, own.id)->account_id, own.id);
    set_status(file.id, FileStatus::processed);
    EXPECT_EQ(process(file.id, std::nullopt, other.id)->account_id, other.id);
    EXPECT_EQ(world.household.transactions.get("ada", stays[0])->account_id, other.id);
}

TEST_F(FilesTest, AnAccountThatGoesLeavesTheFileItsOtherRows) {
    const auto own = world.account("Own");
    const auto other = world.account("Other");
    const auto file = world.file("a", "x", own.id);
    world.bring(file.id, own.id, {"Lidl", "Aldi"});
    world.bring(file.id, other.id, {"Rent"});
    EXPECT_EQ(world
                  .wait<std::int64_t>([&](auto done) {
                      world.household.accounts.remove(world.actor(), own.id, std::move(done));
                  })
                  .value(),
              2);
    const File left = world.household.files.get("ada", file.id).value();
    EXPECT_EQ(left.account_id, "");
    EXPECT_EQ(left.transaction_count, 1);
}

TEST_F(FilesTest, AmountsDoNotMoveToAnAccountOfAnotherCurrency) {
    const auto from = world.account("From");
    const auto to = world.account("Dollars", "ada", "USD");
    const auto file = world.file("a", "x", from.id);
    const auto ids = world.bring(file.id, from.id, {"Lidl"});
    world.new_events();
    EXPECT_THAT(
        associate(file.id, to.id),
        FailsWith(ErrorKind::conflict,
                  HasSubstr("accountId: the file has brought amounts in EUR, and \"Dollars\" is an "
                            "account in USD; amounts are not converted")));
    EXPECT_TRUE(world.new_events().empty());
    EXPECT_EQ(world.household.transactions.get("ada", ids[0])->account_id, from.id);
    EXPECT_EQ(world.household.files.get("ada", file.id)->account_id, from.id);
}

/// Amounts that are in no balance where they are, lose nothing: euros in an account in dollars come
/// home, and move on to one in pounds.
TEST_F(FilesTest, AmountsBesideTheBalanceMoveAnywhere) {
    const auto from = world.account("Dollars", "ada", "USD");
    const auto home = world.account("Euros");
    const auto pounds = world.account("Pounds", "ada", "GBP");
    for (const std::string& to : {home.id, pounds.id}) {
        const auto file = world.file("a", "x", from.id);
        const auto ids = world.bring(file.id, from.id, {"Lidl"});
        EXPECT_THAT(associate(file.id, to), Succeeds());
        EXPECT_EQ(world.household.transactions.get("ada", ids[0])->account_id, to);
    }
    EXPECT_EQ(world.household.accounts.get("ada", pounds.id)->other_currencies.size(), 1);
}

TEST_F(FilesTest, UntiesOnlyAFileWithoutTransactions) {
    const auto account = world.account("Giro");
    const auto file = world.file("a", "x", account.id);
    EXPECT_EQ(associate(file.id, "")->account_id, "");
    EXPECT_EQ(associate(file.id, account.id)->account_id, account.id);
    world.bring(file.id, account.id, {"Lidl"});
    EXPECT_THAT(associate(file.id, ""), FailsWith(ErrorKind::conflict));
}

TEST_F(FilesTest, AssociateWithItsOwnAccountChangesNothing) {
    const auto account = world.account("Giro");
    const auto file = world.file("a", "x", account.id);
    world.new_events();
    EXPECT_THAT(associate(file.id, account.id), Succeeds());
    EXPECT_TRUE(world.new_events().empty());
}

TEST_F(FilesTest, ProcessAgainPublishesTheUploadAgain) {
    const auto file = world.file("a", "x", "");
    EXPECT_THAT(process(file.id, "{}"), FailsWith(ErrorKind::conflict));
    set_status(file.id, FileStatus::needs_mapping);
    EXPECT_EQ(world.household.files.get("ada", file.id)->notes.size(), 1);
    const auto account = world.account("Giro");
    world.new_events();
    const auto again =
        process(file.id, R"({"columns": {"date": "Datum", "amount": 2}})", account.id);
    ASSERT_THAT(again, Succeeds());
    EXPECT_EQ(again->status, FileStatus::pending);
    EXPECT_EQ(again->account_id, account.id);
    EXPECT_NE(again->event_id, file.event_id);
    EXPECT_THAT(world.new_types(), ElementsAre("file.uploaded"));
    EXPECT_THAT(process(file.id, std::nullopt), FailsWith(ErrorKind::conflict));
}

TEST_F(FilesTest, ListFiltersAndPagesNewestFirst) {
    const auto account = world.account("Giro");
    std::vector<std::string> ids;
    for (const char* name : {"a", "b", "c"}) {
        ids.push_back(world.file(name, name, account.id).id);
        world.clock.advance(1s);
    }
    world.file("d", "d", "");
    set_status(ids[0], FileStatus::processed);
    const auto first =
        world.household.files.list("ada", {.account_id = account.id}, {.limit = 2}).value();
    EXPECT_EQ(first.total, 3);
    ASSERT_EQ(first.items.size(), 2);
    EXPECT_EQ(first.items[0].id, ids[2]);
    const auto second =
        world.household.files
            .list("ada", {.account_id = account.id}, {.cursor = first.next_cursor, .limit = 2})
            .value();
    ASSERT_EQ(second.items.size(), 1);
    EXPECT_EQ(second.items[0].id, ids[0]);
    EXPECT_EQ(world.household.files.list("ada", {.status = FileStatus::processed}, {})->total, 1);
    EXPECT_EQ(world.household.files.list("ada", {}, {})->total, 4);
}

TEST_F(FilesTest, AProfileIsKeptPerAccountAndShape) {
    auto& session = world.database().writer();
    const MappingProfile profile{"p1", "acc", "shape", "Sparkasse", "{}"};
    ASSERT_THAT(save_profile(session, "ada", profile, world.clock.wall()), Succeeds());
    MappingProfile changed = profile;
    changed.id = "p2";
    changed.mapping = R"({"delimiter":";"})";
    ASSERT_THAT(save_profile(session, "ada", changed, world.clock.wall()), Succeeds());
    const auto found = find_profile(session, "ada", "acc", "shape").value().value();
    EXPECT_EQ(found.id, "p1");
    EXPECT_EQ(found.mapping, changed.mapping);
    EXPECT_FALSE(find_profile(session, "bob", "acc", "shape").value().has_value());
}

}  // namespace
}  // namespace bascule::application
