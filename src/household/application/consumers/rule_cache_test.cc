#include "household/application/consumers/rule_cache.h"

#include <gtest/gtest.h>

#include "foundation/base/testing.h"
#include "household/application/household_test_kit.h"
#include "household/application/stores/rule_store.h"

namespace bascule::application {
namespace {

class RuleCacheTest : public testing::Test {
  protected:
    /// The rule that matches the payee, by name; empty for none.
    static std::string match(const CompiledRules& rules, const std::string& payee) {
        finance::RuleMatcher matcher(rules.rules);
        const auto* found = matcher.first({.payee = payee});
        return found == nullptr ? "" : found->rule->name;
    }
    std::shared_ptr<const CompiledRules> committed() {
        return cache.get(world.database().read().value(), "ada").value();
    }
    Result<CategoryRule> create(const std::string& payee) {
        return world.wait<CategoryRule>([&](auto done) {
            world.household.rules.create(
                world.actor(),
                {.category_id = category, .name = payee, .conditions = conditions(payee)},
                std::move(done));
        });
    }
    static finance::ConditionNode conditions(const std::string& payee) {
        return finance::ConditionNode::of({.field = finance::RuleField::payee, .value = payee});
    }

    TestHousehold world;
    RuleCache cache;
    std::string category = world.category("Food").node.id;
};

TEST_F(RuleCacheTest, KeepsNothingOfATransactionThatIsRolledBack) {
    ASSERT_THAT(create("lidl"), Succeeds());
    const auto before = committed();
    std::shared_ptr<const CompiledRules> inside;
    EXPECT_THAT(world.wait<int>([&](auto done) {
        world.writer().submit(
            [&](sql::Session& session) -> Result<int> {
                TRY(RuleStore(session, "ada")
                        .insert({.rule = {.id = "phantom",
                                          .version = 1,
                                          .category_id = category,
                                          .name = "phantom",
                                          .conditions = conditions("kiosk")}}));
                inside = TRY(cache.look(session, "ada"));
                return fail(ErrorKind::conflict, "as wanted");
            },
            std::move(done));
    }),
                FailsWith(ErrorKind::conflict));
    ASSERT_NE(inside, nullptr);
    EXPECT_EQ(match(*inside, "kiosk"), "phantom");

    ASSERT_THAT(create("bakery"), Succeeds());
    const auto after = committed();
    EXPECT_EQ(after->generation, inside->generation) << "the case that deceives";
    EXPECT_EQ(match(*after, "kiosk"), "");
    EXPECT_EQ(match(*after, "bakery"), "bakery");
    EXPECT_EQ(committed(), after) << "cached";
    EXPECT_NE(after, before);
}

}  // namespace
}  // namespace bascule::application
