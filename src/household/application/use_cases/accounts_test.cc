#include "household/application/use_cases/accounts.h"

#include <gtest/gtest.h>

#include "foundation/base/testing.h"
#include "household/application/household_test_kit.h"
#include "household/application/stores/account_store.h"

namespace bascule::application {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AccountsTest : public testing::Test {
  protected:
    Result<Account> create(AccountEdit edit) {
        return world.wait<Account>([&](auto done) {
            world.household.accounts.create(world.actor(), std::move(edit), std::move(done));
        });
    }
    Result<Account> update(const std::string& id, AccountEdit edit) {
        return world.wait<Account>([&](auto done) {
            world.household.accounts.update(world.actor(), id, std::move(edit), std::move(done));
        });
    }
    Result<std::int64_t> remove(const std::string& id) {
        return world.wait<std::int64_t>([&](auto done) {
            world.household.accounts.remove(world.actor(), id, std::move(done));
        });
    }

    TestHousehold world;
};

TEST_F(AccountsTest, CreateAnswersTheAccountAndPublishesIt) {
    const auto created = create({.name = "Giro",
                                 .type = "checking",
                                 .institution = "Sparkasse",
                                 .currency = "EUR",
                                 .identifiers = std::vector<std::string>{"DE02 1203"},
                                 .opening_balance = "100.50",
                                 .opening_date = "2025-12-31"});
    ASSERT_THAT(created, Succeeds());
    EXPECT_EQ(created->balance->to_text(), "100.50");
    const auto read = world.household.accounts.get("ada", created->id).value();
    EXPECT_EQ(read.name, "Giro");
    EXPECT_EQ(read.institution, "Sparkasse");
    EXPECT_THAT(read.identifiers, ElementsAre("DE02 1203"));
    EXPECT_EQ(read.opening_date->to_text(), "2025-12-31");
    const auto events = world.new_events();
    ASSERT_EQ(events.size(), 1);
    EXPECT_EQ(events[0].event_type, "account.created");
    EXPECT_EQ(events[0].user_id, "ada");
    EXPECT_EQ(events[0].metadata, R"({"actor":"token:test","requestId":"r1"})");
    EXPECT_THAT(events[0].data, HasSubstr(created->id));
}

struct RefusedAccount {
    const char* claim;
    AccountEdit edit;
    const char* message;
};

class RefusedAccountTest : public AccountsTest,
                           public testing::WithParamInterface<RefusedAccount> {};

TEST_P(RefusedAccountTest, NamesTheField) {
    EXPECT_THAT(create(GetParam().edit),
                FailsWith(ErrorKind::invalid, HasSubstr(GetParam().message)));
    EXPECT_EQ(world.count("select count(*) from accounts"), 0);
    EXPECT_TRUE(world.new_events().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedAccountTest,
    testing::Values(
        RefusedAccount{"NoName", {.type = "checking", .currency = "EUR"}, "name: is missing"},
        RefusedAccount{"EmptyName",
                       {.name = "", .type = "checking", .currency = "EUR"},
                       "name: must not be empty"},
        RefusedAccount{"NoType", {.name = "a", .currency = "EUR"}, "type: is missing"},
        RefusedAccount{
            "BadType", {.name = "a", .type = "purse", .currency = "EUR"}, "type: is \"purse\""},
        RefusedAccount{"NoCurrency", {.name = "a", .type = "other"}, "currency: is missing"},
        RefusedAccount{
            "BadCurrency", {.name = "a", .type = "other", .currency = "E1"}, "currency: "},
        RefusedAccount{
            "BadAmount",
            {.name = "a", .type = "other", .currency = "EUR", .opening_balance = "1,005"},
            "openingBalance: "},
        RefusedAccount{
            "OpeningBalanceWithSurplusDigits",
            {.name = "a", .type = "other", .currency = "EUR", .opening_balance = "-1.0151"},
            "openingBalance: -1.0151 has more digits than EUR, which has 2 behind the point; "
            "-1.02 is the nearest"},
        RefusedAccount{"BadDate",
                       {.name = "a",
                        .type = "other",
                        .currency = "EUR",
                        .opening_balance = "1",
                        .opening_date = "2025-02-30"},
                       "openingDate: "},
        RefusedAccount{
            "DateWithoutBalance",
            {.name = "a", .type = "other", .currency = "EUR", .opening_date = "2025-02-03"},
            "openingDate: needs an openingBalance"}),
    [](const auto& info) { return info.param.claim; });

TEST_F(AccountsTest, ANameIsTakenOncePerUser) {
    world.account("Giro");
    EXPECT_THAT(create({.name = "Giro", .type = "other", .currency = "EUR"}),
                FailsWith(ErrorKind::conflict, HasSubstr("\"Giro\"")));
    EXPECT_EQ(world.account("Giro", "bob").name, "Giro");
}

/// An account whose balance does not fit is refused before it is one; rows that come later leave it
/// readable, without a balance.
TEST_F(AccountsTest, ABalanceThatDoesNotFitIsRefusedByField) {
    const auto account = world.account("Giro");
    world.transaction(account.id, "2026-01-02", "0.01");
    world.new_events();
    const std::string most = "92233720368547758.07";
    EXPECT_THAT(update(account.id, {.opening_balance = most}),
                FailsWith(ErrorKind::invalid,
                          testing::AllOf(HasSubstr("openingBalance: "), HasSubstr("±" + most))));
    EXPECT_TRUE(world.new_events().empty());
    EXPECT_FALSE(world.household.accounts.get("ada", account.id)->opening_balance.has_value());
    EXPECT_THAT(update(account.id, {.opening_balance = "92233720368547758.06"}), Succeeds());
    world.transaction(account.id, "2026-01-03", "0.01");
    const auto found = world.household.accounts.get("ada", account.id);
    ASSERT_THAT(found, Succeeds());
    EXPECT_FALSE(found->balance.has_value());
    EXPECT_EQ(found->transaction_count, 2);
    EXPECT_THAT(update(account.id, {.name = "Vast"}), Succeeds());
    EXPECT_THAT(update(account.id, {.opening_balance = "1"}), Succeeds());
}

TEST_F(AccountsTest, UpdatePublishesExactlyWhatChanged) {
    const auto account = world.account("Giro");
    world.new_events();
    const auto updated =
        update(account.id, {.name = "Girokonto", .type = "checking", .opening_balance = "5"});
    ASSERT_THAT(updated, Succeeds());
    EXPECT_EQ(updated->balance->to_text(), "5.00");
    const auto events = world.new_events();
    ASSERT_EQ(events.size(), 1);
    EXPECT_EQ(events[0].event_type, "account.updated");
    EXPECT_THAT(events[0].data, HasSubstr("Girokonto"));
    EXPECT_THAT(events[0].data, HasSubstr("\"5.00\""));
    EXPECT_THAT(events[0].data, testing::Not(HasSubstr("\"type\"")));
}

TEST_F(AccountsTest, UpdateOfNothingPublishesNothing) {
    const auto account = world.account("Giro");
    world.new_events();
    EXPECT_THAT(update(account.id, {.name = "Giro", .active = true}), Succeeds());
    EXPECT_TRUE(world.new_events().empty());
}

TEST_F(AccountsTest, CurrencyIsForEver) {
    const auto account = world.account("Giro");
    EXPECT_THAT(update(account.id, {.currency = "USD"}),
                FailsWith(ErrorKind::invalid, HasSubstr("currency:")));
}

TEST_F(AccountsTest, BalanceIsOpeningAndEveryTransaction) {
    const auto account = world.account("Giro");
    EXPECT_FALSE(world.household.accounts.get("ada", account.id)->balance);
    ASSERT_THAT(update(account.id, {.opening_balance = "10.00"}), Succeeds());
    const auto row = world.transaction(account.id, "2026-01-02", "-3.25");
    world.transaction(account.id, "2026-01-03", "1");
    auto read = world.household.accounts.get("ada", account.id).value();
    EXPECT_EQ(read.balance->to_text(), "7.75");
    EXPECT_EQ(read.transaction_count, 2);
    ASSERT_THAT(world.wait<std::int64_t>([&](auto done) {
        world.household.transactions.remove(world.actor(), {row.id}, std::move(done));
    }),
                Succeeds());
    read = world.household.accounts.get("ada", account.id).value();
    EXPECT_EQ(read.balance->to_text(), "11.00");
    EXPECT_EQ(read.transaction_count, 1);
}

TEST_F(AccountsTest, RowsBookedBeforeTheOpeningDateAreInTheOpeningBalance) {
    const auto account = world.account("Giro");
    ASSERT_THAT(update(account.id, {.opening_balance = "100", .opening_date = "2026-03-02"}),
                Succeeds());
    world.transaction(account.id, "2026-02-10", "-5");
    world.transaction(account.id, "2026-04-01", "-6");
    auto read = world.household.accounts.get("ada", account.id).value();
    EXPECT_EQ(read.balance->to_text(), "94.00");
    EXPECT_EQ(read.transaction_count, 2);
    EXPECT_EQ(read.before_opening_count, 1);
    EXPECT_EQ(world.household.accounts.list("ada", {})->items[0].balance->to_text(), "94.00");

    // The opening balance is that with which its day begins.
    world.transaction(account.id, "2026-03-02", "-1");
    ASSERT_THAT(update(account.id, {.opening_balance = "0"}), Succeeds());
    read = world.household.accounts.get("ada", account.id).value();
    EXPECT_EQ(read.balance->to_text(), "-7.00");
    EXPECT_EQ(read.opening_date->to_text(), "2026-03-02");

    ASSERT_THAT(update(account.id, {.opening_date = ""}), Succeeds());
    read = world.household.accounts.get("ada", account.id).value();
    EXPECT_EQ(read.balance->to_text(), "-12.00") << "without a day it is that before all rows";
    EXPECT_EQ(read.before_opening_count, 0);
}

TEST_F(AccountsTest, VastAmountsBeforeTheOpeningDateAreAddedUpExactly) {
    const auto account = world.account("Giro");
    ASSERT_THAT(update(account.id, {.opening_balance = "1", .opening_date = "2026-03-02"}),
                Succeeds());
    // In this order their sum would leave 64 bits on the way.
    for (const char* amount : {"-92233720368547758.07", "92233720368547758.07",
                               "92233720368547758.07", "-92233720368547758.07", "-0.01"}) {
        world.transaction(account.id, "2026-02-01", amount);
    }
    EXPECT_EQ(world.household.accounts.get("ada", account.id)->balance->to_text(), "1.00");
}

TEST_F(AccountsTest, RemoveTakesTransactionsAndTiesAlongAndCountsThem) {
    const auto account = world.account("Giro");
    const auto other = world.account("Spar");
    const auto file = world.file("a.csv", "x", account.id);
    world.bring(file.id, account.id, {"a", "b"});
    world.transaction(account.id, "2026-01-02", "1");
    world.transaction(other.id, "2026-01-02", "1");
    world.new_events();
    EXPECT_EQ(remove(account.id).value(), 3);
    const auto events = world.new_events();
    ASSERT_EQ(events.size(), 3);
    EXPECT_EQ(events[0].event_type, "transactions.deleted");
    EXPECT_THAT(events[0].data, HasSubstr("\"account_deleted\""));
    EXPECT_EQ(events[1].event_type, "file.associated");
    EXPECT_EQ(events[2].event_type, "account.deleted");
    EXPECT_THAT(events[2].data, HasSubstr("\"transactionCount\":3"));
    // One chain, known by its first event.
    EXPECT_EQ(events[2].correlation_id, events[0].event_id);
    EXPECT_EQ(world.household.files.get("ada", file.id)->account_id, "");
    EXPECT_EQ(world.count("select count(*) from transactions"), 1);
    EXPECT_THAT(world.household.accounts.get("ada", account.id), FailsWith(ErrorKind::not_found));
}

TEST_F(AccountsTest, ManyDeletedTransactionsAreToldInChunks) {
    const auto account = world.account("Giro");
    const auto file = world.file("a.csv", "x", account.id);
    world.bring(file.id, account.id, std::vector<std::string>(2500, "p"));
    EXPECT_EQ(world.new_types(),
              (std::vector<std::string>{"account.created", "file.uploaded", "transactions.created",
                                        "transactions.created", "transactions.created"}));
    EXPECT_EQ(remove(account.id).value(), 2500);
    const auto events = world.new_events();
    ASSERT_EQ(events.size(), 5);
    EXPECT_THAT(events[2].data, HasSubstr(R"("chunk":{"index":2,"count":3})"));
}

TEST_F(AccountsTest, ListPagesByName) {
    for (const char* name : {"c", "a", "d", "b"}) {
        world.account(name);
    }
    const auto first = world.household.accounts.list("ada", {.limit = 2}).value();
    EXPECT_EQ(first.total, 4);
    ASSERT_EQ(first.items.size(), 2);
    EXPECT_EQ(first.items[1].name, "b");
    // What comes and goes meanwhile neither repeats nor hides others.
    ASSERT_THAT(remove(first.items[1].id), Succeeds());
    world.account("aa");
    const auto second =
        world.household.accounts.list("ada", {.cursor = first.next_cursor, .limit = 2}).value();
    ASSERT_EQ(second.items.size(), 2);
    EXPECT_EQ(second.items[0].name, "c");
    EXPECT_EQ(second.next_cursor, "");
    EXPECT_THAT(world.household.accounts.list("ada", {.cursor = "zz"}),
                FailsWith(ErrorKind::invalid, HasSubstr("cursor")));
    EXPECT_THAT(world.household.accounts.list("ada", {.limit = 0}),
                FailsWith(ErrorKind::invalid, HasSubstr("limit: is 0")));
}

TEST_F(AccountsTest, IsFoundByAnIdentifierHoweverItIsSpaced) {
    ASSERT_THAT(create({.name = "Giro",
                        .type = "checking",
                        .currency = "EUR",
                        .identifiers = std::vector<std::string>{"DE02 1203 0000"}}),
                Succeeds());
    auto snapshot = world.database().read().value();
    AccountStore store(snapshot.session(), "ada");
    EXPECT_EQ(store.find_by_identifier("de0212030000").value()->name, "Giro");
    EXPECT_FALSE(store.find_by_identifier("DE99").value().has_value());
}

}  // namespace
}  // namespace bascule::application
