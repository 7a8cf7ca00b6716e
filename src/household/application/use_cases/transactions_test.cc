#include "household/application/use_cases/transactions.h"

#include <gtest/gtest.h>

#include "foundation/base/testing.h"
#include "household/application/household_test_kit.h"

namespace bascule::application {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TransactionsTest : public testing::Test {
  protected:
    TransactionsTest() { account = world.account("Giro"); }

    Result<Transaction> create(TransactionEdit edit) {
        return world.wait<Transaction>([&](auto done) {
            world.household.transactions.create(world.actor(), std::move(edit), std::move(done));
        });
    }
    Result<Transaction> update(const std::string& id, TransactionEdit edit) {
        return world.wait<Transaction>([&](auto done) {
            world.household.transactions.update(world.actor(), id, std::move(edit),
                                                std::move(done));
        });
    }
    Result<std::int64_t> remove(std::vector<std::string> ids) {
        return world.wait<std::int64_t>([&](auto done) {
            world.household.transactions.remove(world.actor(), std::move(ids), std::move(done));
        });
    }
    StoredTransaction stored(const std::string& id) {
        auto snapshot = world.database().read().value();
        return TransactionStore(snapshot.session(), "ada").find(id).value().value();
    }

    TestHousehold world;
    Account account;
};

TEST_F(TransactionsTest, ByHandIsPublishedAsManual) {
    world.new_events();
    const auto created = create({.account_id = account.id,
                                 .date = "2026-01-31",
                                 .amount = "-12.34",
                                 .payee = "Bäcker",
                                 .notes = "Brot"});
    ASSERT_THAT(created, Succeeds());
    EXPECT_EQ(created->amount.to_text(), "-12.34");
    EXPECT_EQ(created->status, "manual");
    EXPECT_EQ(created->payee, "Bäcker");
    EXPECT_EQ(created->bank_payee, "");
    const auto events = world.new_events();
    ASSERT_EQ(events.size(), 1);
    EXPECT_EQ(events[0].event_type, "transactions.created");
    EXPECT_THAT(events[0].data, HasSubstr(R"("fileId":"")"));
    EXPECT_THAT(events[0].data, HasSubstr(R"("origin":"manual")"));
    EXPECT_THAT(events[0].data, HasSubstr("2026-01-31"));
}

TEST_F(TransactionsTest, CreateRefusesWhatIsWrong) {
    EXPECT_THAT(create({.date = "2026-01-31", .amount = "1"}),
                FailsWith(ErrorKind::invalid, HasSubstr("accountId: is missing")));
    EXPECT_THAT(create({.account_id = account.id, .amount = "1"}),
                FailsWith(ErrorKind::invalid, HasSubstr("date: is missing")));
    EXPECT_THAT(create({.account_id = account.id, .date = "31.1.26", .amount = "1"}),
                FailsWith(ErrorKind::invalid, HasSubstr("date: ")));
    EXPECT_THAT(create({.account_id = account.id, .date = "2026-01-31", .amount = "1,00"}),
                FailsWith(ErrorKind::invalid, HasSubstr("amount: ")));
    EXPECT_THAT(create({.account_id = "nowhere", .date = "2026-01-31", .amount = "1"}),
                FailsWith(ErrorKind::not_found, HasSubstr("account \"nowhere\"")));
    EXPECT_THAT(
        create(
            {.account_id = account.id, .date = "2026-01-31", .amount = "1", .category_id = "none"}),
        FailsWith(ErrorKind::not_found, HasSubstr("category \"none\"")));
    EXPECT_EQ(world.count("select count(*) from transactions"), 0);
}

TEST_F(TransactionsTest, EqualRowsOfADayAreCounted) {
    EXPECT_EQ(world.transaction(account.id, "2026-01-02", "-1").occurrence, 1);
    EXPECT_EQ(world.transaction(account.id, "2026-01-02", "-1").occurrence, 2);
    EXPECT_EQ(world.transaction(account.id, "2026-01-03", "-1").occurrence, 1);
}

TEST_F(TransactionsTest, UpdateListsEveryChangedFieldWithOldAndNew) {
    const auto row = world.transaction(account.id, "2026-01-02", "-1", "Alt");
    world.new_events();
    const auto updated = update(row.id, {.date = "2026-01-03",
                                         .amount = "-2.50",
                                         .payee = "Neu",
                                         .description = "d",
                                         .memo = "m",
                                         .notes = "n"});
    ASSERT_THAT(updated, Succeeds());
    EXPECT_EQ(updated->date.to_text(), "2026-01-03");
    EXPECT_EQ(updated->amount.to_text(), "-2.50");
    const auto events = world.new_events();
    ASSERT_EQ(events.size(), 1);
    EXPECT_EQ(events[0].event_type, "transaction.updated");
    for (const char* part :
         {"\"date\"", "\"2026-01-02\"", "\"2026-01-03\"", "\"amount\"", "\"-1.00\"", "\"-2.50\"",
          "\"payee\"", "\"Alt\"", "\"Neu\"", "\"description\"", "\"memo\"", "\"notes\""}) {
        EXPECT_THAT(events[0].data, HasSubstr(part));
    }
}

TEST_F(TransactionsTest, UpdateOfNothingPublishesNothing) {
    const auto row = world.transaction(account.id, "2026-01-02", "-1", "Alt");
    world.new_events();
    EXPECT_THAT(update(row.id, {.date = "2026-01-02", .amount = "-1.00", .payee = "Alt"}),
                Succeeds());
    EXPECT_TRUE(world.new_events().empty());
}

TEST_F(TransactionsTest, AnEditLeavesWhatTheBankWrote) {
    const auto file = world.file("a.csv", "x", account.id);
    const auto id = world.bring(file.id, account.id, {"REWE SAGT DANKE"})[0];
    ASSERT_THAT(update(id, {.date = "2026-02-01", .amount = "-7", .payee = "Rewe"}), Succeeds());
    const auto row = stored(id);
    EXPECT_EQ(row.row.payee, "Rewe");
    EXPECT_EQ(row.row.bank_payee, "REWE SAGT DANKE");
    EXPECT_EQ(row.bank_date.to_text(), "2026-01-15");
    EXPECT_EQ(row.bank_minor, -100);
    EXPECT_TRUE(row.is_edited(EditedField::payee));
    EXPECT_FALSE(row.is_edited(EditedField::memo));
    // The next file finds it by the bank's own day and text.
    auto snapshot = world.database().read().value();
    const auto day = money::Date::parse("2026-01-15").value();
    const auto existing =
        TransactionStore(snapshot.session(), "ada").existing_rows(account.id, {day, day}).value();
    ASSERT_EQ(existing.size(), 1);
    EXPECT_EQ(existing[0].row.minor, -100);
    EXPECT_EQ(existing[0].row.text, finance::bank_text("REWE SAGT DANKE", ""));
}

TEST_F(TransactionsTest, ACategoryByHandIsADecision) {
    const auto food = world.category("Food");
    const auto row = world.transaction(account.id, "2026-01-02", "-1");
    world.new_events();
    const auto updated = update(row.id, {.category_id = food.node.id});
    ASSERT_THAT(updated, Succeeds());
    EXPECT_EQ(updated->assignment.category_id, food.node.id);
    EXPECT_EQ(updated->assignment.type, finance::AssignmentType::manual);
    auto events = world.new_events();
    ASSERT_EQ(events.size(), 1);
    EXPECT_EQ(events[0].event_type, "transaction.categorized");
    EXPECT_THAT(events[0].data, HasSubstr(R"("assignmentType":"manual")"));
    // Once more: the same decision.
    ASSERT_THAT(update(row.id, {.category_id = food.node.id}), Succeeds());
    EXPECT_TRUE(world.new_events().empty());
    // Taken away for good: no rule may put one there again.
    const auto cleared = update(row.id, {.category_id = ""}).value();
    EXPECT_FALSE(finance::may_assign(cleared.assignment));
    events = world.new_events();
    ASSERT_EQ(events.size(), 1);
    EXPECT_THAT(events[0].data, HasSubstr(R"("categoryId":"")"));
    EXPECT_THAT(events[0].data, HasSubstr(food.node.id));
}

TEST_F(TransactionsTest, RemoveIsSingleOrBulk) {
    const auto one = world.transaction(account.id, "2026-01-02", "-1");
    const auto two = world.transaction(account.id, "2026-01-02", "-2");
    const auto three = world.transaction(account.id, "2026-01-02", "-3");
    world.new_events();
    EXPECT_EQ(remove({one.id}).value(), 1);
    EXPECT_EQ(remove({two.id, three.id, two.id}).value(), 2);
    const auto events = world.new_events();
    ASSERT_EQ(events.size(), 2);
    EXPECT_THAT(events[0].data, HasSubstr(R"("deletionType":"single")"));
    EXPECT_THAT(events[1].data, HasSubstr(R"("deletionType":"bulk")"));
    EXPECT_EQ(world.count("select count(*) from transactions"), 0);
}

TEST_F(TransactionsTest, RemoveIsAllOrNothing) {
    const auto row = world.transaction(account.id, "2026-01-02", "-1");
    EXPECT_THAT(remove({row.id, "zzz"}), FailsWith(ErrorKind::not_found, HasSubstr("\"zzz\"")));
    EXPECT_EQ(world.count("select count(*) from transactions"), 1);
    EXPECT_THAT(remove({}), FailsWith(ErrorKind::invalid, HasSubstr("ids: has 0 items")));
}

TEST_F(TransactionsTest, AnIdThatStandsTwiceIsOneRowLess) {
    const auto row = [&](const char* amount) {
        return world.transaction(account.id, "2026-01-01", amount).id;
    };
    const std::string gone = row("-1.00");
    row("-2.00");
    sql::Session& session = world.database().writer();
    const auto erased =
        TransactionStore(session, "ada").erase(std::vector{gone, std::string("none"), gone});
    ASSERT_THAT(erased, Succeeds());
    EXPECT_EQ(erased->count, 1);
    EXPECT_THAT(erased->account_ids, ElementsAre(account.id));
    EXPECT_EQ(world.count("select transaction_count from account_totals"), 1);
    EXPECT_EQ(world.count("select total_minor from account_totals"), -200);
}

class TransactionListTest : public TransactionsTest {
  protected:
    TransactionListTest() {
        other = world.account("Yen", "ada", "JPY");
        food = world.category("Food");
        add(account.id, "2026-01-01", "-10.00", "Lidl");
        add(account.id, "2026-01-02", "-20.00", "STRASSE 12%");
        add(account.id, "2026-01-03", "30.00", "Lohn", food.node.id);
        add(other.id, "2026-01-02", "-15", "Tokio");
    }

    void add(const std::string& account_id, const std::string& date, const std::string& amount,
             const std::string& payee, const std::string& category_id = "") {
        ASSERT_THAT(create({.account_id = account_id,
                            .date = date,
                            .amount = amount,
                            .payee = payee,
                            .category_id = category_id}),
                    Succeeds());
    }

    std::vector<std::string> payees(const TransactionFilter& filter) {
        const auto page = world.household.transactions.list("ada", filter, {}).value();
        std::vector<std::string> found;
        for (const Transaction& row : page.items) {
            found.push_back(row.payee);
        }
        EXPECT_EQ(page.total, found.size());
        return found;
    }

    static money::Date day(const char* text) { return money::Date::parse(text).value(); }

    Account other;
    Category food;
};

TEST_F(TransactionListTest, FiltersAloneAndTogether) {
    EXPECT_EQ(payees({}).size(), 4);
    EXPECT_THAT(payees({.account_id = other.id}), ElementsAre("Tokio"));
    EXPECT_THAT(payees({.category_id = food.node.id}), ElementsAre("Lohn"));
    EXPECT_THAT(payees({.from = day("2026-01-03")}), ElementsAre("Lohn"));
    EXPECT_THAT(payees({.to = day("2026-01-01")}), ElementsAre("Lidl"));
    EXPECT_THAT(payees({.account_id = account.id, .uncategorized = true}),
                ElementsAre("STRASSE 12%", "Lidl"));
    EXPECT_THAT(payees({.account_id = account.id, .from = day("2026-01-02"), .text = "lo"}),
                ElementsAre("Lohn"));
}

TEST_F(TransactionListTest, ASuggestedCategoryDoesNotCount) {
    const auto id = world.household.transactions.list("ada", {.text = "lidl"}, {})->items.at(0).id;
    ASSERT_THAT(world.wait<void>([&](auto done) {
        world.writer().submit(
            [&](sql::Session& session) -> Result<> {
                UnitOfWork unit(session, world.actor(), world.clock.wall());
                TRY(TransactionStore(session, "ada")
                        .assign(id,
                                {.category_id = food.node.id,
                                 .type = finance::AssignmentType::suggested,
                                 .rule_id = "r",
                                 .rule_version = 3,
                                 .confidence = 55},
                                unit.now()));
                unit.publish(event::transaction_categorized(
                    unit.occasion(), {.transaction_id = id,
                                      .account_id = account.id,
                                      .category_id = food.node.id,
                                      .assignment_type = event::AssignmentType::suggested}));
                return unit.finish();
            },
            std::move(done));
    }),
                Succeeds());
    EXPECT_THAT(payees({.category_id = food.node.id}), ElementsAre("Lohn"));
    EXPECT_THAT(payees({.account_id = account.id, .uncategorized = true}),
                ElementsAre("STRASSE 12%", "Lidl"));
    EXPECT_THAT(payees({.suggested = true}), ElementsAre("Lidl"));
    EXPECT_THAT(payees({.category_id = food.node.id, .suggested = true}), ElementsAre("Lidl"));
    EXPECT_THAT(payees({.category_id = "other", .suggested = true}), ElementsAre());
    EXPECT_EQ(world.household.transactions.list("ada", {.suggested = true}, {})->total, 1);
    const auto row = world.household.transactions.get("ada", id).value();
    EXPECT_EQ(row.assignment.category_id, food.node.id);
    EXPECT_EQ(row.assignment.rule_version, 3);
    EXPECT_EQ(row.assignment.confidence, 55);
    // It goes with its category.
    EXPECT_EQ(world
                  .wait<std::int64_t>([&](auto done) {
                      world.household.categories.remove(world.actor(), food.node.id,
                                                        std::move(done));
                  })
                  .value(),
              2);
}

TEST_F(TransactionListTest, TextIgnoresCaseAndTakesWildcardsLiterally) {
    EXPECT_THAT(payees({.text = "straße 12%"}), ElementsAre("STRASSE 12%"));
    EXPECT_THAT(payees({.text = "l%l"}), ElementsAre());
    EXPECT_THAT(payees({.text = "_idl"}), ElementsAre());
}

TEST_F(TransactionListTest, AmountsAreComparedAsDecimals) {
    // 15 yen are 15 minor units, 15 euros 1500.
    EXPECT_THAT(payees({.amount_min = "-15", .amount_max = "0"}),
                testing::UnorderedElementsAre("Lidl", "Tokio"));
    EXPECT_THAT(payees({.amount_max = "-15.01"}), ElementsAre("STRASSE 12%"));
    EXPECT_THAT(payees({.amount_min = "29.999"}), ElementsAre("Lohn"));
    EXPECT_THAT(payees({.amount_min = "30.001"}), ElementsAre());
    EXPECT_THAT(world.household.transactions.list("ada", {.amount_min = "ten"}, {}),
                FailsWith(ErrorKind::invalid, HasSubstr("minAmount: ")));
}

TEST_F(TransactionListTest, SortsByDateOrAmount) {
    const TransactionFilter euros{.account_id = account.id};
    auto filter = euros;
    EXPECT_THAT(payees(filter), ElementsAre("Lohn", "STRASSE 12%", "Lidl"));
    filter.order = TransactionOrder::date;
    EXPECT_THAT(payees(filter), ElementsAre("Lidl", "STRASSE 12%", "Lohn"));
    filter.order = TransactionOrder::amount;
    EXPECT_THAT(payees(filter), ElementsAre("STRASSE 12%", "Lidl", "Lohn"));
    filter.order = TransactionOrder::amount_descending;
    EXPECT_THAT(payees(filter), ElementsAre("Lohn", "Lidl", "STRASSE 12%"));
}

TEST_F(TransactionListTest, PagesStayTrueUnderWrites) {
    for (int i = 0; i < 20; ++i) {
        add(account.id, "2026-02-0" + std::to_string(1 + i % 9), "-1", "p" + std::to_string(i));
    }
    for (const auto order : {TransactionOrder::date, TransactionOrder::date_descending,
                             TransactionOrder::amount, TransactionOrder::amount_descending}) {
        std::vector<std::string> seen;
        PageRequest request{.limit = 7};
        std::string last_deleted;
        do {
            const auto page = world.household.transactions
                                  .list("ada", {.account_id = account.id, .order = order}, request)
                                  .value();
            for (const Transaction& row : page.items) {
                seen.push_back(row.id);
            }
            request.cursor = page.next_cursor;
        } while (!request.cursor.empty());
        EXPECT_EQ(seen.size(), 23);
        std::ranges::sort(seen);
        EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
    }
    // The row that the cursor names may vanish.
    const auto first = world.household.transactions.list("ada", {}, {.limit = 3}).value();
    const auto rest_before =
        world.household.transactions.list("ada", {}, {.cursor = first.next_cursor}).value();
    ASSERT_THAT(remove({first.items.back().id}), Succeeds());
    const auto rest_after =
        world.household.transactions.list("ada", {}, {.cursor = first.next_cursor}).value();
    EXPECT_EQ(rest_after.items.size(), rest_before.items.size());
    EXPECT_EQ(rest_after.items[0].id, rest_before.items[0].id);
}

TEST_F(TransactionListTest, RefusesACursorOfAnotherOrder) {
    const auto page = world.household.transactions.list("ada", {}, {.limit = 1}).value();
    EXPECT_THAT(world.household.transactions.list("ada", {.order = TransactionOrder::amount},
                                                  {.cursor = page.next_cursor}),
                FailsWith(ErrorKind::invalid, HasSubstr("cursor")));
}

}  // namespace
}  // namespace bascule::application
