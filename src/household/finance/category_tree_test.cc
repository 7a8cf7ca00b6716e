#include "household/finance/category_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/base/testing.h"

namespace bascule::finance {
namespace {

using enum CategoryType;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Category category(std::string id, std::string parent = {}, CategoryType type = expense) {
    return {id, "name of " + id, type, std::move(parent)};
}

CategoryTree food() {
    return CategoryTree::create({category("groceries", "food"), category("food"),
                                 category("bakery", "groceries"), category("salary", "", income)})
        .value();
}

TEST(CategoryTreeTest, KnowsAncestorsAndDescendants) {
    const CategoryTree tree = food();
    const auto above = tree.ancestors("bakery");
    ASSERT_EQ(above.size(), 2U);
    EXPECT_EQ(above[0]->id, "groceries");
    EXPECT_EQ(above[1]->id, "food");
    EXPECT_THAT(tree.subtree("food"), ElementsAre("food", "groceries", "bakery"));
    EXPECT_TRUE(tree.is_within("bakery", "food"));
    EXPECT_TRUE(tree.is_within("food", "food"));
    EXPECT_FALSE(tree.is_within("food", "bakery"));
    EXPECT_FALSE(tree.is_within("nobody", "nobody"));
    EXPECT_EQ(tree.find("nobody"), nullptr);
    EXPECT_TRUE(tree.ancestors("nobody").empty());
    EXPECT_EQ(tree.children("").size(), 2U);
}

struct RefusalCase {
    const char* claim;
    std::vector<Category> categories;
    const char* message;
};

class CategoryTreeRefusalTest : public testing::TestWithParam<RefusalCase> {};

TEST_P(CategoryTreeRefusalTest, NamesTheCategoryAndTheReason) {
    EXPECT_THAT(CategoryTree::create(GetParam().categories),
                FailsWith(ErrorKind::invalid, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, CategoryTreeRefusalTest,
    testing::Values(
        RefusalCase{"OwnParent",
                    {category("a", "a")},
                    "category \"name of a\" (a) would stand below itself"},
        RefusalCase{
            "Cycle", {category("a", "b"), category("b", "c"), category("c", "a")}, "below itself"},
        RefusalCase{
            "BelowACycle", {category("a", "c"), category("b", "c"), category("c", "b")}, "cycle"},
        RefusalCase{"UnknownParent", {category("a", "z")}, "\"z\" does not exist"},
        RefusalCase{"OtherType", {category("a"), category("b", "a", income)}, "must be EXPENSE"},
        RefusalCase{"SameId", {category("a"), category("a")}, "another category has this id"},
        RefusalCase{"NoId", {category("")}, "has no id"}),
    [](const auto& info) { return info.param.claim; });

TEST(CategoryTreeTest, AllowsOnlyMovesThatKeepItATree) {
    const CategoryTree tree = food();
    EXPECT_THAT(tree.allows(category("bakery", "food")), Succeeds());
    EXPECT_THAT(tree.allows(category("new", "bakery")), Succeeds());
    EXPECT_THAT(tree.allows(category("food", "bakery")),
                FailsWith(ErrorKind::invalid, HasSubstr("below itself")));
    EXPECT_THAT(tree.allows(category("food", "", income)),
                FailsWith(ErrorKind::invalid, HasSubstr("must be INCOME")));
}

TEST(CategoryTreeTest, RefusesTooManyLevels) {
    std::vector<Category> chain = {category("0")};
    for (int i = 1; i <= 32; ++i) {
        chain.push_back(category(std::to_string(i), std::to_string(i - 1)));
    }
    EXPECT_THAT(CategoryTree::create(chain), FailsWith(ErrorKind::invalid, HasSubstr("32 levels")));
    chain.pop_back();
    EXPECT_THAT(CategoryTree::create(chain), Succeeds());
}

TEST(CategoryTypeTest, ReadsItsNamesAndRefusesOthers) {
    for (const auto type : {income, expense, transfer}) {
        EXPECT_EQ(parse_category_type(name(type)).value(), type);
    }
    EXPECT_EQ(parse_category_type("income").value(), income);
    EXPECT_THAT(parse_category_type("GIFT"),
                FailsWith(ErrorKind::invalid, AllOf(HasSubstr("GIFT"), HasSubstr("TRANSFER"))));
}

}  // namespace
}  // namespace bascule::finance
