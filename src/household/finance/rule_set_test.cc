#include "household/finance/rule_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "foundation/base/random.h"
#include "foundation/base/testing.h"
#include "household/finance/assignment.h"
#include "household/finance/text.h"

namespace bascule::finance {
namespace {

using enum RuleField;
using enum RuleOperator;
using testing::ElementsAre;
using testing::HasSubstr;
using Node = ConditionNode;

const money::Currency eur = money::Currency::parse("EUR").value();
const money::Currency jpy = money::Currency::parse("JPY").value();
const money::Currency kwd = money::Currency::parse("KWD").value();

Node is(RuleField field, RuleOperator op, std::string value, std::string value2 = {}) {
    return Node::of({field, op, std::move(value), std::move(value2)});
}

Node is_not(RuleField field, RuleOperator op, std::string value) {
    return Node::of({.field = field, .op = op, .value = std::move(value), .negate = true});
}

Node exactly(RuleField field, RuleOperator op, std::string value) {
    return Node::of({.field = field, .op = op, .value = std::move(value), .case_sensitive = true});
}

Rule rule(std::string id, Node conditions) {
    return {
        .id = id, .category_id = "c-" + id, .name = "n-" + id, .conditions = std::move(conditions)};
}

const RuleSubject lidl = {.payee = "LIDL Filiale 42",
                          .memo = "Kartenzahlung  Danke",
                          .minor = -2350,
                          .currency = eur,
                          .account_id = "giro"};

struct ConditionCase {
    const char* claim;
    Node conditions;
    RuleSubject subject;
    bool matches;
};

class ConditionTest : public testing::TestWithParam<ConditionCase> {};

TEST_P(ConditionTest, IsAsTheContractSays) {
    const auto rules = RuleSet::compile({rule("r", GetParam().conditions)});
    ASSERT_THAT(rules, Succeeds());
    EXPECT_EQ(!rules->match(GetParam().subject).empty(), GetParam().matches);
}

RuleSubject payee_is(const char* payee) { return {.payee = payee, .currency = eur}; }
RuleSubject amount_is(std::int64_t minor, money::Currency currency = eur) {
    return {.payee = "x", .minor = minor, .currency = currency};
}

INSTANTIATE_TEST_SUITE_P(
    Text, ConditionTest,
    testing::Values(
        ConditionCase{"ContainsIgnoresCase", is(payee, contains, "lidl"), lidl, true},
        ConditionCase{"ContainsFindsTheMiddle", is(payee, contains, "FILIALE"), lidl, true},
        ConditionCase{"ContainsMisses", is(payee, contains, "aldi"), lidl, false},
        ConditionCase{"ContainsFoldsBlanks", is(memo, contains, "kartenzahlung danke"), lidl, true},
        ConditionCase{"FieldsAreApart", is(memo, contains, "lidl"), lidl, false},
        ConditionCase{"SharpSIsDoubleS", is(payee, contains, "STRASSE"), payee_is("Haupt-Straße"),
                      true},
        ConditionCase{"ComposedAndNot", is(payee, equals, "caf\xC3\xA9"), payee_is("Cafe\xCC\x81"),
                      true},
        ConditionCase{"StartsWith", is(payee, starts_with, "lidl f"), lidl, true},
        ConditionCase{"StartsWithIsNotContains", is(payee, starts_with, "filiale"), lidl, false},
        ConditionCase{"BlankAtTheEndCounts", is(payee, starts_with, "Kino "), payee_is("Kinobar"),
                      false},
        ConditionCase{"BlankAtTheEndIsFound", is(payee, starts_with, "Kino "),
                      payee_is("kino  Arsenal"), true},
        ConditionCase{"EndsWith", is(payee, ends_with, " 42"), lidl, true},
        ConditionCase{"EndsWithIsNotContains", is(payee, ends_with, "lidl"), lidl, false},
        ConditionCase{"EndsWithFindsALaterOccurrence", is(payee, ends_with, "aa"),
                      payee_is("aa aa"), true},
        ConditionCase{"EqualsTheWhole", is(payee, equals, "lidl filiale 42"), lidl, true},
        ConditionCase{"EqualsIsNotAPart", is(payee, equals, "lidl"), lidl, false},
        ConditionCase{"EqualsNothing", is(memo, equals, ""), payee_is("x"), true},
        ConditionCase{"SomethingIsNotNothing", is(memo, equals, ""), lidl, false},
        ConditionCase{"NotEmpty", is_not(memo, equals, ""), lidl, true},
        ConditionCase{"CaseSensitiveHits", exactly(payee, contains, "LIDL"), lidl, true},
        ConditionCase{"CaseSensitiveMisses", exactly(payee, contains, "Lidl"), lidl, false},
        ConditionCase{"NegatedHit", is_not(payee, contains, "lidl"), lidl, false},
        ConditionCase{"NegatedMiss", is_not(payee, contains, "aldi"), lidl, true},
        ConditionCase{"RegexIgnoresCase", is(payee, regex, "^lidl .*[0-9]+$"), lidl, true},
        ConditionCase{"RegexCaseSensitive", exactly(payee, regex, "^lidl"), lidl, false},
        ConditionCase{"RegexAlternativesStayTogether", is(payee, regex, "^aldi|^rewe"), lidl,
                      false},
        ConditionCase{"RegexWithLongRepeats", is(payee, regex, "^.{4,200}[\\w -]{2,40}$"), lidl,
                      true},
        ConditionCase{"RegexOverUnicode", is(payee, regex, "^m.ller$"), payee_is("M\xC3\x9CLLER"),
                      true},
        ConditionCase{"DescriptionOfItsOwn",
                      is(description, equals, "d"),
                      {.payee = "p", .description = "d"},
                      true},
        ConditionCase{"DescriptionIsPayeeAndMemo", is(description, contains, "42 kartenzahlung"),
                      lidl, true},
        ConditionCase{"DescriptionRegex", is(description, regex, "42 karten"), lidl, true}),
    [](const auto& info) { return info.param.claim; });

INSTANTIATE_TEST_SUITE_P(
    Amount, ConditionTest,
    testing::Values(
        ConditionCase{"SpendingIsNegative", is(amount, less, "-23.49"), amount_is(-2350), true},
        ConditionCase{"LessIsStrict", is(amount, less, "-23.50"), amount_is(-2350), false},
        ConditionCase{"GreaterIsStrict", is(amount, greater, "23.5"), amount_is(2350), false},
        ConditionCase{"Greater", is(amount, greater, "23.4999"), amount_is(2350), true},
        ConditionCase{"BetweenIncludesTheLowerEnd", is(amount, between, "-20", "0"),
                      amount_is(-2000), true},
        ConditionCase{"BetweenIncludesTheUpperEnd", is(amount, between, "-20", "0"), amount_is(0),
                      true},
        ConditionCase{"BelowBetween", is(amount, between, "-20", "0"), amount_is(-2001), false},
        ConditionCase{"EqualsWhateverTheDigits", is(amount, equals, "12.500"), amount_is(1250),
                      true},
        ConditionCase{"YenHaveNoCents", is(amount, equals, "1250"), amount_is(1250, jpy), true},
        ConditionCase{"DinarsHaveThreeDigits", is(amount, equals, "1.25"), amount_is(1250, kwd),
                      true},
        ConditionCase{"AbsoluteDropsTheSign", is(absolute_amount, greater, "20"), amount_is(-2350),
                      true},
        ConditionCase{"SignedDoesNot", is(amount, greater, "20"), amount_is(-2350), false},
        ConditionCase{"AbsoluteOfTheLowest", is(absolute_amount, greater, "1"),
                      amount_is(INT64_MIN), true},
        ConditionCase{"DirectionIn", is(direction, equals, "in"), amount_is(1), true},
        ConditionCase{"DirectionOut", is(direction, equals, "out"), amount_is(-1), true},
        ConditionCase{"ZeroHasNoDirection", is(direction, equals, "out"), amount_is(0), false},
        ConditionCase{"Account", is(account, equals, "giro"), lidl, true},
        ConditionCase{"OtherAccount", is(account, equals, "Giro"), lidl, false},
        ConditionCase{"Currency", is(currency, equals, "eur"), lidl, true},
        ConditionCase{"NotTheCurrency", is_not(currency, equals, "USD"), lidl, true}),
    [](const auto& info) { return info.param.claim; });

INSTANTIATE_TEST_SUITE_P(
    Groups, ConditionTest,
    testing::Values(
        ConditionCase{"AllNeedsAll",
                      Node::all({is(payee, contains, "lidl"), is(amount, greater, "0")}), lidl,
                      false},
        ConditionCase{"AllHolds", Node::all({is(payee, contains, "lidl"), is(amount, less, "0")}),
                      lidl, true},
        ConditionCase{"AnyNeedsOne",
                      Node::any({is(payee, contains, "aldi"), is(memo, contains, "danke")}), lidl,
                      true},
        ConditionCase{"AnyOfNone",
                      Node::any({is(payee, contains, "aldi"), is(memo, contains, "lidl")}), lidl,
                      false},
        ConditionCase{"AnyOfTextAndAmount",
                      Node::any({is(payee, contains, "aldi"), is(amount, less, "0")}), lidl, true},
        ConditionCase{
            "GroupsNest",
            Node::all({Node::any({is(payee, contains, "aldi"), is(payee, contains, "lidl")}),
                       Node::any({is(memo, contains, "bar"), is(amount, less, "-20")})}),
            lidl, true},
        ConditionCase{"NegationInsideAny",
                      Node::any({is_not(payee, contains, "lidl"), is(memo, contains, "bar")}), lidl,
                      false}),
    [](const auto& info) { return info.param.claim; });

struct ConfidenceCase {
    const char* claim;
    Node conditions;
    int confidence;
    int expected;
};

class ConfidenceTest : public testing::TestWithParam<ConfidenceCase> {};

TEST_P(ConfidenceTest, IsTheRulesPlusTheBestBonus) {
    Rule r = rule("r", GetParam().conditions);
    r.confidence = GetParam().confidence;
    const auto set = RuleSet::compile({r});
    ASSERT_THAT(set, Succeeds());
    const auto matches = set->match(lidl);
    ASSERT_EQ(matches.size(), 1U);
    EXPECT_EQ(matches[0].confidence, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ConfidenceTest,
    testing::Values(
        ConfidenceCase{"PayeeContains", is(payee, contains, "lidl"), 70, 75},
        ConfidenceCase{"PayeeEquals", is(payee, equals, "lidl filiale 42"), 70, 85},
        ConfidenceCase{"PayeeRegex", is(payee, regex, "lidl"), 70, 80},
        ConfidenceCase{"PayeePrefix", is(payee, starts_with, "lidl"), 70, 77},
        ConfidenceCase{"MemoContains", is(memo, contains, "danke"), 70, 68},
        ConfidenceCase{"MemoSuffix", is(memo, ends_with, "danke"), 70, 70},
        ConfidenceCase{"AmountBetween", is(amount, between, "-30", "-20"), 70, 78},
        ConfidenceCase{"AmountLess", is(amount, less, "0"), 70, 73},
        ConfidenceCase{"AmountEquals", is(amount, equals, "-23.50"), 70, 83},
        ConfidenceCase{"Direction", is(direction, equals, "out"), 70, 80},
        ConfidenceCase{"OnlyNegated", is_not(payee, equals, "aldi"), 70, 70},
        ConfidenceCase{"BestOfAGroup",
                       Node::all({is(memo, contains, "danke"), is(payee, contains, "lidl")}), 70,
                       75},
        ConfidenceCase{"WhatDidNotHoldDoesNotCount",
                       Node::any({is(payee, equals, "aldi"), is(memo, contains, "danke")}), 70, 68},
        ConfidenceCase{"NotAboveAHundred", is(payee, equals, "lidl filiale 42"), 95, 100},
        ConfidenceCase{"NotBelowZero", is(memo, contains, "danke"), 1, 0}),
    [](const auto& info) { return info.param.claim; });

std::vector<std::string> matched_ids(const RuleSet& rules, const RuleSubject& subject) {
    std::vector<std::string> ids;
    for (const RuleMatch& match : rules.match(subject)) {
        ids.push_back(match.rule->id);
    }
    return ids;
}

TEST(RuleSetTest, TriesByPriorityThenPositionThenId) {
    std::vector<Rule> rules;
    const auto add = [&](const char* id, int priority, int position) {
        Rule r = rule(id, is(payee, contains, "lidl"));
        r.priority = priority;
        r.position = position;
        rules.push_back(r);
    };
    add("late", 50, 2);
    add("b", 50, 1);
    add("a", 50, 1);
    add("top", 90, 9);
    const auto set = RuleSet::compile(rules).value();
    EXPECT_THAT(matched_ids(set, lidl), ElementsAre("top", "a", "b", "late"));
    RuleMatcher matcher(set);
    EXPECT_EQ(matcher.first(lidl)->rule->id, "top");
}

TEST(RuleSetTest, StopEndsTheListOnlyIfItsRuleMatches) {
    Rule first = rule("a", is(payee, contains, "lidl"));
    Rule second = rule("b", is(memo, contains, "danke"));
    Rule third = rule("c", is(amount, less, "0"));
    second.stop = true;
    const auto set = RuleSet::compile({first, second, third}).value();
    EXPECT_THAT(matched_ids(set, lidl), ElementsAre("a", "b"));
    RuleSubject without_memo = lidl;
    without_memo.memo = "";
    EXPECT_THAT(matched_ids(set, without_memo), ElementsAre("a", "c"));
}

TEST(RuleSetTest, DisabledRulesAreCheckedButDoNotMatch) {
    Rule off = rule("off", is(payee, contains, "lidl"));
    off.enabled = false;
    EXPECT_TRUE(RuleSet::compile({off})->match(lidl).empty());
    off.conditions = is(payee, regex, "(");
    EXPECT_THAT(RuleSet::compile({off}), FailsWith(ErrorKind::invalid));
}

TEST(RuleSetTest, SaysWhy) {
    const auto set =
        RuleSet::compile(
            {rule("r", Node::all({is(payee, contains, "lidl"), is_not(memo, regex, "bar"),
                                  is(amount, between, "-30", "-20")}))})
            .value();
    EXPECT_EQ(set.match(lidl).at(0).why,
              "payee contains \"lidl\", not memo regex \"bar\", amount between -30 and -20");
}

struct RefusalCase {
    const char* claim;
    Node conditions;
    const char* message;
};

class RuleRefusalTest : public testing::TestWithParam<RefusalCase> {};

TEST_P(RuleRefusalTest, NamesRuleAndField) {
    EXPECT_THAT(RuleSet::compile({rule("r", GetParam().conditions)}),
                FailsWith(ErrorKind::invalid,
                          testing::AllOf(testing::StartsWith("rule \"n-r\" (r): conditions"),
                                         HasSubstr(GetParam().message))));
}

Node deep(int groups) {
    Node node = is(payee, contains, "x");
    for (int i = 0; i < groups; ++i) {
        node = Node::all({node});
    }
    return node;
}

INSTANTIATE_TEST_SUITE_P(
    Table, RuleRefusalTest,
    testing::Values(
        RefusalCase{"BrokenRegex", Node::any({is(payee, contains, "a"), is(payee, regex, "(fuel")}),
                    "conditions.any[1].value: missing ): (fuel"},
        RefusalCase{"RegexThatOnlyBalancesWrapped", is(payee, regex, "a)(b"), "conditions.value: "},
        RefusalCase{"RegexTooLarge", is(payee, regex, "((a{100}){100}){100}"),
                    "conditions.value: "},
        RefusalCase{"RegexThatIsSlowToCompile", is(payee, regex, "\\pL{50}"), "pattern too large"},
        RefusalCase{"BackReference", is(payee, regex, "(a)\\1"), "invalid escape sequence"},
        RefusalCase{"EmptyText", is(payee, contains, ""), "conditions.value: is empty"},
        RefusalCase{"LongText", is(payee, contains, std::string(1001, 'x')),
                    "longer than 1000 bytes"},
        RefusalCase{"OperatorOfAnotherField", is(payee, greater, "1"),
                    "conditions.operator: greater does not go with payee"},
        RefusalCase{"TextOperatorOnAmount", is(amount, contains, "1"),
                    "greater, less, between and equals are allowed"},
        RefusalCase{"AmountIsNoNumber", is(amount, less, "12,50"), "12,50"},
        RefusalCase{"AmountTooLong", is(amount, less, "0.123456789"), "at most 18 digits"},
        RefusalCase{"BetweenWithoutEnd", is(amount, between, "1"), "conditions.value2"},
        RefusalCase{"BetweenTurnedRound", is(amount, between, "0", "-20"),
                    "-20 is below value (0)"},
        RefusalCase{"NegativeAbsolute", is(absolute_amount, less, "-1"),
                    "absolute_amount never is"},
        RefusalCase{"UnknownDirection", is(direction, equals, "up"), "in or out is allowed"},
        RefusalCase{"UnknownCurrency", is(currency, equals, "E"), "conditions.value"},
        RefusalCase{"EmptyAccount", is(account, equals, ""), "account's id"},
        RefusalCase{"EmptyGroup", Node::all({}), "conditions.all: the group is empty"},
        RefusalCase{"ThreeGroupsDeep", deep(3),
                    "conditions.all[0].all[0].all: groups may stand 2 deep"},
        RefusalCase{"TooManyConditions",
                    Node::all(std::vector<Node>(101, is(payee, contains, "x"))),
                    "at most 100 conditions"}),
    [](const auto& info) { return info.param.claim; });

TEST(RuleSetTest, RefusesNumbersOutOfRange) {
    Rule r = rule("r", is(payee, contains, "x"));
    r.confidence = 101;
    EXPECT_THAT(RuleSet::validate(r),
                FailsWith(ErrorKind::invalid, HasSubstr("confidence: is 101")));
    r.confidence = 100;
    r.priority = INT32_MIN;
    EXPECT_THAT(RuleSet::validate(r), FailsWith(ErrorKind::invalid, HasSubstr("priority")));
    r.priority = 0;
    EXPECT_THAT(RuleSet::validate(r), Succeeds());
    r.category_id.clear();
    EXPECT_THAT(RuleSet::validate(r), FailsWith(ErrorKind::invalid, HasSubstr("categoryId")));
}

TEST(RuleSetTest, TwoGroupsDeepIsAllowed) {
    EXPECT_THAT(RuleSet::validate(rule("r", deep(2))), Succeeds());
}

TEST(RuleSetTest, RefusesMoreRulesThanItsLimit) {
    EXPECT_THAT(RuleSet::compile(std::vector<Rule>(10'001, rule("r", is(payee, contains, "x")))),
                FailsWith(ErrorKind::exhausted, HasSubstr("10000")));
}

// --- an example whose answers were worked out by hand

struct HandChecked {
    const char* payee;
    const char* memo;
    std::int64_t minor;
    const char* rule;  ///< the one that decides, or "" for none
};

TEST(RuleSetTest, DecidesTheHandCheckedExample) {
    const auto with = [](const char* id, int priority, Node conditions) {
        Rule r = rule(id, std::move(conditions));
        r.priority = priority;
        return r;
    };
    const auto set =
        RuleSet::compile(
            {with("salary", 60,
                  Node::all({is(payee, equals, "Uhrwerk Systeme AG"), is(amount, greater, "0")})),
             with("rent", 60,
                  Node::all({is(memo, starts_with, "Miete "), is(amount, less, "-1000")})),
             with("groceries", 50,
                  Node::any({is(payee, contains, "SUPERMARKT LINDNER"),
                             is(payee, regex, "^green basket market [0-9]+$")})),
             with("bakery", 50,
                  Node::all({is(payee, equals,
                                "B\xC3\x84"
                                "CKEREI M\xC3\x96HRLE"),
                             is(memo, contains, "BAHNHOFSTRASSE")})),
             with("fuel-shop-snack", 70,
                  Node::all(
                      {is(payee, equals, "Tankstelle Nordring"), is(amount, between, "-20", "0")})),
             with("fuel", 50,
                  Node::any({is(payee, contains, "Tankstelle"), is(payee, regex, "\\bfuel\\b")})),
             with("restaurants", 50,
                  Node::all({is(payee, contains, "trattoria"), is_not(memo, contains,
                                                                      "R\xC3\xBC"
                                                                      "ckerstattung")})),
             with("parking", 50, exactly(payee, starts_with, "PARKMOBILE*")),
             with("cinema", 50, is(payee, starts_with, "Kino "))})
            .value();
    for (const HandChecked& row :
         std::vector<HandChecked>{{"UHRWERK  SYSTEME AG", "Gehalt", 310'000, "salary"},
                                  {"Uhrwerk Systeme AG",
                                   "Reisekosten zur\xC3\xBC"
                                   "ck",
                                   -1'000, ""},
                                  {"Hausverwaltung", "Miete April", -114'000, "rent"},
                                  {"Hausverwaltung", "Mietebegleichung", -114'000, ""},
                                  {"Hausverwaltung", "Miete Garage", -8'000, ""},
                                  {"Supermarkt Lindner 0815", "", -4'512, "groceries"},
                                  {"GREEN BASKET MARKET 12", "", -900, "groceries"},
                                  {"GREEN BASKET MARKET", "", -900, ""},
                                  {"B\xC3\xA4"
                                   "ckerei M\xC3\xB6hrle",
                                   "Filiale Bahnhofstra\xC3\x9F"
                                   "e 3",
                                   -350, "bakery"},
                                  {"Tankstelle Nordring", "", -2'000, "fuel-shop-snack"},
                                  {"Tankstelle Nordring", "", -2'001, "fuel"},
                                  {"SUNRISE FUEL #37", "", -5'713, "fuel"},
                                  {"Refueling Ltd", "", -5'713, ""},
                                  {"Trattoria Da Nino", "Abend", -4'000, "restaurants"},
                                  {"Trattoria Da Nino",
                                   "R\xC3\x9C"
                                   "CKERSTATTUNG",
                                   1'000, ""},
                                  {"PARKMOBILE*123", "", -300, "parking"},
                                  {"Parkmobile*123", "", -300, ""},
                                  {"kino Arsenal", "", -1'100, "cinema"},
                                  {"Kinobar", "", -1'100, ""}}) {
        const auto matches =
            set.match({.payee = row.payee, .memo = row.memo, .minor = row.minor, .currency = eur});
        EXPECT_EQ(matches.empty() ? "" : matches[0].rule->id, row.rule)
            << row.payee << " / " << row.memo;
    }
}

// --- against a plain reading of the definitions

bool plainly_holds(const Condition& c, const RuleSubject& s) {
    const auto letters = c.case_sensitive ? LetterCase::kept : LetterCase::folded;
    const std::string text = match_text(c.field == payee ? s.payee : s.memo, letters);
    const std::string value = match_pattern(c.value, letters);
    switch (c.op) {
        case contains:
            return text.find(value) != std::string::npos;
        case starts_with:
            return text.starts_with(value);
        case ends_with:
            return text.ends_with(value);
        case equals:
            return text == value;
        case less:
            return s.minor < std::stoll(c.value) * 100;
        default:
            return s.minor > std::stoll(c.value) * 100;
    }
}

bool plainly_holds(const Node& node, const RuleSubject& s) {
    const auto child = [&](const Node& n) { return plainly_holds(n, s); };
    switch (node.kind) {
        case Node::Kind::all:
            return std::ranges::all_of(node.children, child);
        case Node::Kind::any:
            return std::ranges::any_of(node.children, child);
        default:
            return plainly_holds(node.condition, s) != node.condition.negate;
    }
}

std::string random_text(Random& random, std::size_t length_max) {
    std::string text;
    for (auto length = 1 + random.below(length_max); length > 0; --length) {
        text += "abAB"[random.below(4)];
    }
    return text;
}

Node random_node(Random& random, int depth) {
    if (depth > 0 && random.below(2) == 0) {
        std::vector<Node> children;
        for (auto count = 1 + random.below(3); count > 0; --count) {
            children.push_back(random_node(random, depth - 1));
        }
        return random.below(2) == 0 ? Node::all(children) : Node::any(children);
    }
    Condition c{.negate = random.below(4) == 0, .case_sensitive = random.below(3) == 0};
    if (random.below(5) == 0) {
        c.field = amount;
        c.op = random.below(2) == 0 ? less : greater;
        c.value = std::to_string(static_cast<int>(random.below(7)) - 3);
    } else {
        c.field = random.below(2) == 0 ? payee : memo;
        c.op = std::array{contains, starts_with, ends_with, equals}[random.below(4)];
        c.value = random_text(random, 4);
    }
    return Node::of(c);
}

TEST(RuleSetPropertyTest, AgreesWithTryingEveryRuleByItself) {
    std::size_t matched = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Random random(seed);
        std::vector<Rule> rules;
        for (auto count = 1 + random.below(30); count > 0; --count) {
            rules.push_back(rule("r" + std::to_string(count), random_node(random, 2)));
            rules.back().priority = static_cast<int>(random.below(4));
        }
        const auto set = RuleSet::compile(rules);
        ASSERT_THAT(set, Succeeds());
        RuleMatcher matcher(*set);
        for (int row = 0; row < 20; ++row) {
            const std::string payee_text = random_text(random, 6);
            const std::string memo_text = random_text(random, 6);
            const RuleSubject subject{.payee = payee_text,
                                      .memo = memo_text,
                                      .minor = static_cast<std::int64_t>(random.below(801)) - 400,
                                      .currency = eur};
            std::vector<std::string> wanted;
            for (const Rule& r : set->rules()) {
                if (plainly_holds(r.conditions, subject)) {
                    wanted.push_back(r.id);
                }
            }
            std::vector<std::string> found;
            for (const RuleMatch& match : matcher.match(subject)) {
                found.push_back(match.rule->id);
            }
            ASSERT_EQ(found, wanted) << "seed " << seed << " row " << row;
            matched += found.size();
        }
    }
    EXPECT_GT(matched, 1000U);
}

// --- what a match may do to a row

TEST(AssignmentTest, PersonsDecisionsStand) {
    EXPECT_TRUE(may_assign({}));
    EXPECT_TRUE(may_assign({.category_id = "c", .type = AssignmentType::rule_based}));
    EXPECT_TRUE(may_assign({.category_id = "c", .type = AssignmentType::suggested}));
    EXPECT_FALSE(may_assign({.category_id = "c", .type = AssignmentType::manual}));
    EXPECT_FALSE(may_assign({.category_id = "", .type = AssignmentType::manual}));
}

TEST(AssignmentTest, AutoApplyAssignsAndOthersSuggest) {
    Rule r = rule("r", is(payee, contains, "lidl"));
    r.version = 7;
    const RuleMatch match{.rule = &r, .confidence = 88, .why = ""};
    EXPECT_EQ(assignment_of(match).type, AssignmentType::suggested);
    r.auto_apply = true;
    const Assignment assigned = assignment_of(match);
    EXPECT_EQ(assigned.type, AssignmentType::rule_based);
    EXPECT_EQ(assigned.category_id, "c-r");
    EXPECT_EQ(assigned.rule_id, "r");
    EXPECT_EQ(assigned.rule_version, 7U);
    EXPECT_EQ(assigned.confidence, 88);
}

TEST(AssignmentTest, OnlyNewsIsWorthWriting) {
    const Assignment assigned{"c", AssignmentType::rule_based, "r", 1, 80};
    Assignment later = assigned;
    later.rule_version = 2;
    later.confidence = 90;
    EXPECT_FALSE(is_worth_writing(assigned, later));
    EXPECT_TRUE(is_worth_writing({}, assigned));
    EXPECT_TRUE(is_worth_writing(assigned, {"d", AssignmentType::rule_based, "r", 1, 80}));
    EXPECT_TRUE(is_worth_writing(assigned, {"c", AssignmentType::rule_based, "s", 1, 80}));
    const Assignment suggested{"d", AssignmentType::suggested, "s", 1, 80};
    EXPECT_FALSE(is_worth_writing(assigned, suggested));
    EXPECT_TRUE(is_worth_writing({}, suggested));
    EXPECT_TRUE(is_worth_writing(suggested, assigned));
}

TEST(RuleNamesTest, AreReadBackAndOthersRefused) {
    EXPECT_EQ(parse_rule_field("absolute_amount").value(), absolute_amount);
    EXPECT_EQ(parse_rule_operator("starts_with").value(), starts_with);
    EXPECT_THAT(parse_rule_field("colour"),
                FailsWith(ErrorKind::invalid, HasSubstr("payee, description")));
    EXPECT_THAT(parse_rule_operator("like"),
                FailsWith(ErrorKind::invalid, HasSubstr("starts_with")));
}

}  // namespace
}  // namespace bascule::finance
