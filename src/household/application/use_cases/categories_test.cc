#include "household/application/use_cases/categories.h"

#include <gtest/gtest.h>

#include "foundation/base/testing.h"
#include "household/application/household_test_kit.h"
#include "household/application/stores/condition_json.h"
#include "household/application/stores/rule_store.h"

namespace bascule::application {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CategoriesTest : public testing::Test {
  protected:
    Result<Category> create(CategoryEdit edit) {
        return world.wait<Category>([&](auto done) {
            world.household.categories.create(world.actor(), std::move(edit), std::move(done));
        });
    }
    Result<Category> update(const std::string& id, CategoryEdit edit) {
        return world.wait<Category>([&](auto done) {
            world.household.categories.update(world.actor(), id, std::move(edit), std::move(done));
        });
    }
    Result<std::int64_t> remove(const std::string& id) {
        return world.wait<std::int64_t>([&](auto done) {
            world.household.categories.remove(world.actor(), id, std::move(done));
        });
    }
    Result<CategoryRule> create_rule(RuleEdit edit) {
        return world.wait<CategoryRule>([&](auto done) {
            world.household.rules.create(world.actor(), std::move(edit), std::move(done));
        });
    }
    Result<CategoryRule> update_rule(const std::string& id, RuleEdit edit) {
        return world.wait<CategoryRule>([&](auto done) {
            world.household.rules.update(world.actor(), id, std::move(edit), std::move(done));
        });
    }
    static finance::ConditionNode payee_contains(const std::string& text) {
        return finance::ConditionNode::of({.value = text});
    }
    std::uint64_t generation() {
        return rules_generation(world.database().read().value().session(), "ada").value();
    }
    std::vector<std::string> names(const std::vector<Category>& categories) {
        std::vector<std::string> found;
        for (const Category& category : categories) {
            found.push_back(category.node.name);
        }
        return found;
    }

    TestHousehold world;
};

TEST_F(CategoriesTest, TreeIsListedParentsFirstSiblingsByName) {
    const auto food = world.category("Food");
    world.category("Car");
    world.category("Market", food.node.id);
    world.category("Bakery", food.node.id);
    const auto page = world.household.categories.list("ada", {}).value();
    EXPECT_THAT(names(page.items), ElementsAre("Car", "Food", "Bakery", "Market"));
    const auto first = world.household.categories.list("ada", {.limit = 2}).value();
    const auto second =
        world.household.categories.list("ada", {.cursor = first.next_cursor, .limit = 2}).value();
    EXPECT_THAT(names(second.items), ElementsAre("Bakery", "Market"));
}

TEST_F(CategoriesTest, CreateChecksNameTypeAndPlace) {
    EXPECT_THAT(create({.type = "EXPENSE"}), FailsWith(ErrorKind::invalid, HasSubstr("name")));
    EXPECT_THAT(create({.name = "a"}), FailsWith(ErrorKind::invalid, HasSubstr("type")));
    EXPECT_THAT(create({.name = "a", .type = "FUN"}),
                FailsWith(ErrorKind::invalid, HasSubstr("type")));
    EXPECT_THAT(create({.name = "a", .type = "EXPENSE", .parent_id = "nowhere"}),
                FailsWith(ErrorKind::not_found));
    const auto food = world.category("Food");
    EXPECT_THAT(create({.name = "Food", .type = "EXPENSE"}),
                FailsWith(ErrorKind::conflict, HasSubstr("\"Food\"")));
    // A child is of its parent's type.
    EXPECT_THAT(create({.name = "Wages", .type = "INCOME", .parent_id = food.node.id}),
                FailsWith(ErrorKind::invalid));
}

TEST_F(CategoriesTest, NothingBecomesItsOwnAncestor) {
    const auto top = world.category("Top");
    const auto middle = world.category("Middle", top.node.id);
    const auto bottom = world.category("Bottom", middle.node.id);
    world.new_events();
    EXPECT_THAT(update(top.node.id, {.parent_id = bottom.node.id}), FailsWith(ErrorKind::invalid));
    EXPECT_THAT(update(top.node.id, {.parent_id = top.node.id}), FailsWith(ErrorKind::invalid));
    EXPECT_TRUE(world.new_events().empty());
    EXPECT_EQ(update(bottom.node.id, {.parent_id = ""})->node.parent_id, "");
    EXPECT_THAT(world.new_types(), ElementsAre("category.updated"));
}

TEST_F(CategoriesTest, RemoveUncategorisesAndTakesItsRulesAlong) {
    const auto account = world.account("Giro");
    const auto food = world.category("Food");
    const auto row = world.transaction(account.id, "2026-01-02", "-1");
    ASSERT_THAT(world.wait<Transaction>([&](auto done) {
        world.household.transactions.update(world.actor(), row.id, {.category_id = food.node.id},
                                            std::move(done));
    }),
                Succeeds());
    ASSERT_THAT(create_rule({.category_id = food.node.id, .conditions = payee_contains("lidl")}),
                Succeeds());
    world.new_events();
    EXPECT_EQ(remove(food.node.id).value(), 1);
    EXPECT_THAT(world.new_types(), ElementsAre("transaction.categorized", "category.rule_deleted",
                                               "category.deleted"));
    const auto after = world.household.transactions.get("ada", row.id).value();
    EXPECT_EQ(after.assignment.category_id, "");
    // Nobody decided that the row is to have none: rules may speak again.
    EXPECT_TRUE(finance::may_assign(after.assignment));
    EXPECT_FALSE(after.assigned_at);
}

TEST_F(CategoriesTest, RemoveWaitsForChildren) {
    const auto food = world.category("Food");
    world.category("Market", food.node.id);
    EXPECT_THAT(remove(food.node.id),
                FailsWith(ErrorKind::conflict, HasSubstr("1 categories below")));
}

TEST_F(CategoriesTest, ARuleIsCheckedStoredAndPublished) {
    const auto food = world.category("Food");
    world.new_events();
    const auto before = generation();
    const auto rule = create_rule({.category_id = food.node.id,
                                   .name = "lidl",
                                   .conditions = payee_contains("lidl"),
                                   .priority = 60,
                                   .confidence = 90,
                                   .auto_apply = true});
    ASSERT_THAT(rule, Succeeds());
    EXPECT_GT(generation(), before);
    const auto read = world.household.rules.get("ada", rule->rule.id).value();
    EXPECT_EQ(read.rule.priority, 60);
    EXPECT_EQ(read.rule.confidence, 90);
    EXPECT_TRUE(read.rule.auto_apply);
    EXPECT_EQ(to_json(read.rule.conditions), to_json(payee_contains("lidl")));
    const auto events = world.new_events();
    ASSERT_EQ(events.size(), 1);
    EXPECT_EQ(events[0].event_type, "category.rule_created");
    EXPECT_THAT(events[0].data, HasSubstr(R"(payee contains \"lidl\")"));
}

TEST_F(CategoriesTest, AConditionOnAnAccountWantsOneThatIsThere) {
    const auto food = world.category("Food");
    const auto giro = world.account("Giro");
    const auto on_account = [](const std::string& id) {
        using enum finance::RuleOperator;
        return finance::ConditionNode::all(
            {payee_contains("x"),
             finance::ConditionNode::any({finance::ConditionNode::of(
                 {.field = finance::RuleField::account, .op = equals, .value = id})})});
    };
    const auto made = create_rule({.category_id = food.node.id, .conditions = on_account(giro.id)});
    EXPECT_THAT(made, Succeeds());
    EXPECT_THAT(
        create_rule({.category_id = food.node.id, .conditions = on_account("Giro")}),
        FailsWith(ErrorKind::invalid, HasSubstr("the account of that name has the id " + giro.id)));
    EXPECT_THAT(update_rule(made->rule.id, {.conditions = on_account("nowhere")}),
                FailsWith(ErrorKind::invalid, HasSubstr("no account with the id 'nowhere'")));
    const auto others = world.account("Theirs", "bob");
    EXPECT_THAT(create_rule({.category_id = food.node.id, .conditions = on_account(others.id)}),
                FailsWith(ErrorKind::invalid));
}

TEST_F(CategoriesTest, ARuleThatCannotWorkIsRefused) {
    const auto food = world.category("Food");
    EXPECT_THAT(create_rule({.conditions = payee_contains("x")}),
                FailsWith(ErrorKind::invalid, HasSubstr("categoryId: is missing")));
    EXPECT_THAT(create_rule({.category_id = food.node.id}),
                FailsWith(ErrorKind::invalid, HasSubstr("conditions: is missing")));
    EXPECT_THAT(create_rule({.category_id = "none", .conditions = payee_contains("x")}),
                FailsWith(ErrorKind::not_found));
    EXPECT_THAT(create_rule({.category_id = food.node.id,
                             .conditions = finance::ConditionNode::of(
                                 {.op = finance::RuleOperator::regex, .value = "(fuel"})}),
                FailsWith(ErrorKind::invalid, HasSubstr("(fuel")));
    EXPECT_THAT(
        create_rule(
            {.category_id = food.node.id, .conditions = payee_contains("x"), .confidence = 101}),
        FailsWith(ErrorKind::invalid, HasSubstr("confidence")));
}

TEST_F(CategoriesTest, RulesTogetherHaveABoundedNumberOfRegularExpressions) {
    const std::string food = world.category("Food").node.id;
    const auto regexes = [](std::size_t count) {
        std::vector<finance::ConditionNode> all;
        for (std::size_t i = 0; i < count; ++i) {
            all.push_back(finance::ConditionNode::of(
                {.op = finance::RuleOperator::regex, .value = "x" + std::to_string(i)}));
        }
        return finance::ConditionNode::any({finance::ConditionNode::all(std::move(all))});
    };
    std::string id;
    for (std::size_t made = 0; made < finance::RuleSet::regexes_max; made += 100) {
        id = create_rule({.category_id = food, .conditions = regexes(100)}).value().rule.id;
    }
    EXPECT_THAT(create_rule({.category_id = food, .conditions = regexes(1)}),
                FailsWith(ErrorKind::conflict, HasSubstr("would have 1001 regular expressions")));
    EXPECT_THAT(create_rule({.category_id = food, .conditions = payee_contains("x")}), Succeeds());
    EXPECT_THAT(update_rule(id, {.conditions = regexes(99)}), Succeeds());
    const auto last = create_rule({.category_id = food, .conditions = regexes(1)});
    ASSERT_THAT(last, Succeeds());
    EXPECT_THAT(update_rule(last->rule.id, {.conditions = regexes(2)}),
                FailsWith(ErrorKind::conflict));
    EXPECT_THAT(update_rule(last->rule.id, {.name = "the last"}), Succeeds());
}

TEST_F(CategoriesTest, AChangedRuleIsANewVersion) {
    const auto food = world.category("Food");
    const auto rule =
        create_rule({.category_id = food.node.id, .conditions = payee_contains("lidl")}).value();
    world.new_events();
    EXPECT_EQ(update_rule(rule.rule.id, {.enabled = true})->rule.version, 1);
    EXPECT_TRUE(world.new_events().empty());
    const auto before = generation();
    EXPECT_EQ(update_rule(rule.rule.id, {.conditions = payee_contains("aldi"), .enabled = false})
                  ->rule.version,
              2);
    EXPECT_GT(generation(), before);
    const auto events = world.new_events();
    ASSERT_EQ(events.size(), 1);
    EXPECT_EQ(events[0].event_type, "category.rule_updated");
    EXPECT_THAT(events[0].data, HasSubstr("aldi"));
    EXPECT_THAT(events[0].data, HasSubstr("\"enabled\""));
}

TEST_F(CategoriesTest, RulesAreListedInTheOrderTheyAreTried) {
    const auto food = world.category("Food");
    const auto add = [&](const char* name, int priority, std::int64_t position) {
        ASSERT_THAT(create_rule({.category_id = food.node.id,
                                 .name = name,
                                 .conditions = payee_contains("x"),
                                 .priority = priority,
                                 .position = position}),
                    Succeeds());
    };
    add("late", 10, 0);
    add("second", 90, 2);
    add("first", 90, -1);
    std::vector<std::string> found;
    PageRequest request{.limit = 1};
    do {
        const auto page = world.household.rules.list("ada", "", request).value();
        found.push_back(page.items.at(0).rule.name);
        request.cursor = page.next_cursor;
    } while (!request.cursor.empty());
    EXPECT_THAT(found, ElementsAre("first", "second", "late"));
    EXPECT_EQ(rules_of(world.database().read().value().session(), "ada")->rules.size(), 3);
}

}  // namespace
}  // namespace bascule::application
