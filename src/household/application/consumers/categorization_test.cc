#include "household/application/consumers/categorization.h"

#include "household/application/consumers/consumers_test_kit.h"

namespace bascule::application {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// Rules over new rows and over those that are there.
class CategorizationTest : public ConsumersTest {
  protected:
    std::vector<event::Event> change_rule(const std::string& id, RuleEdit edit) {
        EXPECT_THAT(world.wait<CategoryRule>([&](auto done) {
            world.household.rules.update(world.actor(), id, std::move(edit), std::move(done));
        }),
                    Succeeds());
        return pump();
    }
};

TEST_F(CategorizationTest, NewRowsGetTheCategoryOfTheirRule) {
    const Account giro = world.account("Giro");
    const std::string food = category("Food", "EXPENSE");
    const std::string fun = category("Fun", "EXPENSE");
    const std::string lidl = rule(food, "lidl", true);
    rule(fun, "bookshop", false);
    pump();
    world.file("giro.csv", giro_csv, giro.id);
    const auto events = pump();
    EXPECT_THAT(rows("select payee, assignment_type, rule_version, confidence from transactions"
                     " where category_id <> '' order by line"),
                ElementsAre("Lidl 42|rule_based|1|85", "Lidl 42|rule_based|1|85",
                            "Bookshop|suggested|1|85"));
    const auto categorized = of_type(events, "transaction.categorized");
    ASSERT_THAT(categorized, SizeIs(3));
    EXPECT_EQ(member(categorized[0], "/ruleId"), "\"" + lidl + "\"");
    EXPECT_EQ(member(categorized[0], "/assignmentType"), "\"rule_based\"");
    const auto applied = of_type(events, "category.rules_applied");
    ASSERT_THAT(applied, SizeIs(2)) << "one for each category, whatever the number of parts";
    for (const event::Event& event : applied) {
        const bool is_food = member(event, "/categoryId") == "\"" + food + "\"";
        EXPECT_EQ(member(event, "/transactionIds/1") != "absent", is_food);
        EXPECT_EQ(member(event, "/applicationType"), "\"automated\"");
    }
}

TEST_F(CategorizationTest, ARuleThatAppliesItselfRunsOverExistingRows) {
    const Account giro = world.account("Giro");
    const std::string food = category("Food", "EXPENSE");
    const std::string mine = category("Mine", "EXPENSE");
    world.file("giro.csv", giro_csv, giro.id);
    pump();
    const auto coffees =
        rows("select id from transactions where payee = 'Coffee bar' order by line");
    const auto edit = [&](const std::string& id, const std::string& category_id) {
        ASSERT_THAT(world.wait<Transaction>([&](auto done) {
            world.household.transactions.update(world.actor(), id, {.category_id = category_id},
                                                std::move(done));
        }),
                    Succeeds());
    };
    edit(coffees[0], mine);
    pump();
    rule(food, "coffee", true);
    const auto events = pump();
    EXPECT_THAT(rows("select category_id, assignment_type from transactions"
                     " where payee = 'Coffee bar' order by line"),
                ElementsAre(mine + "|manual", food + "|rule_based"));
    EXPECT_THAT(of_type(events, "transaction.categorized"), SizeIs(1));
    const auto applied = of_type(events, "category.rules_applied");
    ASSERT_THAT(applied, SizeIs(1));
    EXPECT_EQ(member(applied[0], "/applicationType"), "\"bulk\"");

    // A person takes the category away: no rule brings it back.
    edit(coffees[1], "");
    rule(food, "bar", true);
    EXPECT_THAT(of_type(pump(), "category.rules_applied"), IsEmpty());
    EXPECT_THAT(rows("select category_id from transactions where id = '" + coffees[1] + "'"),
                ElementsAre(""));
}

TEST_F(CategorizationTest, ASuggestingRuleLeavesExistingRows) {
    const Account giro = world.account("Giro");
    const std::string food = category("Food", "EXPENSE");
    world.file("giro.csv", giro_csv, giro.id);
    pump();
    rule(food, "lidl", false);
    EXPECT_THAT(of_type(pump(), "transaction.categorized"), IsEmpty());
}

TEST_F(CategorizationTest, AChangedRuleThatAppliesItselfRunsOverExistingRows) {
    const Account giro = world.account("Giro");
    const std::string food = category("Food", "EXPENSE");
    const std::string lidl = rule(food, "lidl", false);
    world.file("giro.csv", giro_csv, giro.id);
    pump();
    ASSERT_EQ(world.count("select count(*) from transactions where counted_category_id <> ''"), 0);

    const auto events = change_rule(lidl, {.auto_apply = true});
    EXPECT_THAT(rows("select payee, assignment_type, rule_version from transactions"
                     " where counted_category_id = '" +
                     food + "'"),
                ElementsAre("Lidl 42|rule_based|2", "Lidl 42|rule_based|2"));
    EXPECT_THAT(of_type(events, "transaction.categorized"), SizeIs(2));
    const auto applied = of_type(events, "category.rules_applied");
    ASSERT_THAT(applied, SizeIs(1));
    EXPECT_EQ(member(applied[0], "/applicationType"), "\"bulk\"");

    // Other words find other rows; what it assigned before stays, and is not told again.
    const auto wider =
        change_rule(lidl, {.conditions = finance::ConditionNode::of(
                               {.field = finance::RuleField::payee, .value = "bookshop"})});
    EXPECT_THAT(of_type(wider, "transaction.categorized"), SizeIs(1));
    EXPECT_EQ(member(of_type(wider, "category.rules_applied").at(0), "/transactionIds/1"),
              "absent");
    EXPECT_THAT(of_type(change_rule(lidl, {.name = "Food shops"}), "transaction.categorized"),
                IsEmpty());
}

TEST_F(CategorizationTest, ADisabledOrSuggestingRuleThatChangesLeavesExistingRows) {
    const Account giro = world.account("Giro");
    const std::string food = category("Food", "EXPENSE");
    const std::string lidl = rule(food, "nothing", true);
    world.file("giro.csv", giro_csv, giro.id);
    pump();
    const auto words =
        finance::ConditionNode::of({.field = finance::RuleField::payee, .value = "lidl"});
    EXPECT_THAT(of_type(change_rule(lidl, {.conditions = words, .enabled = false}),
                        "transaction.categorized"),
                IsEmpty());
    EXPECT_THAT(of_type(change_rule(lidl, {.enabled = true, .auto_apply = false}),
                        "transaction.categorized"),
                IsEmpty());
    EXPECT_THAT(of_type(change_rule(lidl, {.auto_apply = true}), "transaction.categorized"),
                SizeIs(2));
}

TEST_F(CategorizationTest, LateDecisionOfAPersonWinsOverARunUnderWay) {
    const Account giro = world.account("Giro");
    const std::string food = category("Food", "EXPENSE");
    rule(food, "lidl", true);
    pump();
    world.file("giro.csv", giro_csv, giro.id);
    const event::Event created = rows_created();
    const std::string id = rows("select id from transactions where memo = 'refund'").at(0);
    ASSERT_THAT(world.wait<Transaction>([&](auto done) {
        world.household.transactions.update(world.actor(), id, {.category_id = ""},
                                            std::move(done));
    }),
                Succeeds());
    ASSERT_THAT(world.wait<Transaction>([&](auto done) {
        world.household.transactions.update(world.actor(), id, {.category_id = food},
                                            std::move(done));
    }),
                Succeeds());
    outcome_of_run(handler("categorization"), delivery_of("categorization", {created}, 99));
    EXPECT_THAT(rows("select assignment_type from transactions where id = '" + id + "'"),
                ElementsAre("manual"));
}

// An attempt commits two of its parts and fails at the third; the next one cuts other parts.
TEST_F(CategorizationTest, NoRowIsSkippedWhenThePartSizeChanges) {
    const Account giro = world.account("Giro");
    rule(category("Food", "EXPENSE"), "lidl", true);
    pump();
    execute(
        "create trigger refusal before update of category_id on transactions"
        " when old.amount_minor = -600"
        " and exists (select 1 from generations where subject = 'refuse')"
        " begin select raise(abort, 'as wanted'); end");
    for (const std::uint32_t size : {1U, 3U, 5U, 8U}) {
        const std::string day = "2025-03-1" + std::to_string(size);
        std::string csv = "Date;Payee;Amount;Currency\n";
        for (int i = 1; i <= 8; ++i) {
            csv += day + ";Lidl;-" + std::to_string(i) + ".00;EUR\n";
        }
        world.file(day, csv, giro.id);
        const event::Event created = rows_created();
        const auto run = [&](std::uint32_t part_size) {
            Categorization categorization(world.environment(), part_size);
            return outcome_of_run(categorization, delivery_of("categorization", {created}, size));
        };
        execute("insert into generations values ('', 'refuse', 1)");
        EXPECT_EQ(run(2).kind, delivery::Outcome::Kind::permanent);
        execute("delete from generations where subject = 'refuse'");
        ASSERT_THAT(of_type(world.new_events(), "transaction.categorized"), SizeIs(4));

        const auto again = run(size);
        EXPECT_EQ(again.kind, delivery::Outcome::Kind::done) << size << ": " << again.text;
        const auto events = world.new_events();
        EXPECT_THAT(of_type(events, "transaction.categorized"), SizeIs(4)) << size;
        EXPECT_EQ(world.count("select count(*) from transactions where category_id = ''"), 0);
        EXPECT_EQ(world.count("select min(complete) from inbox where consumer = 'categorization'"),
                  1)
            << size;
        const auto applied = of_type(events, "category.rules_applied");
        ASSERT_THAT(applied, SizeIs(1)) << size;
        EXPECT_NE(member(applied[0], "/transactionIds/7"), "absent") << "rows of both attempts";
        EXPECT_EQ(member(applied[0], "/transactionIds/8"), "absent");
        EXPECT_EQ(run(2).kind, delivery::Outcome::Kind::done);
        EXPECT_THAT(world.new_events(), IsEmpty());
    }
}

}  // namespace
}  // namespace bascule::application
