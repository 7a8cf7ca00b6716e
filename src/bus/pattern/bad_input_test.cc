#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bus/pattern/engine/workspace.h"
#include "bus/pattern/matcher.h"
#include "bus/pattern/pattern.h"
#include "bus/pattern/rule_set.h"
#include "foundation/base/testing.h"

// Patterns and events that are made to be slow, to take memory or to break something get a clear
// verdict at once. Most would run for minutes, or out of stack, if the work were not bounded.

namespace bascule::pattern {
namespace {

using testing::HasSubstr;

/// Far above what any of them takes, far below what they would take unbounded.
constexpr std::chrono::seconds at_once(5);

std::string repeated(std::string_view part, std::size_t count) {
    std::string text;
    for (; count > 0; --count) {
        text += part;
    }
    return text;
}

/// `part`s with commas between them, `#` replaced by their numbers.
std::string list(const std::string& part, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        std::string one = part;
        if (const std::size_t mark = one.find('#'); mark != std::string::npos) {
            one.replace(mark, 1, std::to_string(i));
        }
        text += (i > 0 ? "," : "") + one;
    }
    return text;
}

struct BadPattern {
    const char* claim;
    std::string pattern;
    const char* refused_with;  ///< "" = it is taken
};

class BadPatternTest : public testing::TestWithParam<BadPattern> {};

TEST_P(BadPatternTest, GetsItsVerdictAtOnce) {
    const auto begin = std::chrono::steady_clock::now();
    const auto pattern = Pattern::parse(GetParam().pattern);
    if (std::string_view(GetParam().refused_with).empty()) {
        ASSERT_THAT(pattern, Succeeds());
        RuleSet rules;
        EXPECT_THAT(rules.add(RuleId(1), *pattern), Succeeds());
        EXPECT_EQ(rules.snapshot()->size(), 1U);
    } else {
        EXPECT_THAT(pattern, FailsWith(ErrorKind::invalid, HasSubstr(GetParam().refused_with)));
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, at_once);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadPatternTest,
    testing::Values(
        BadPattern{"BracesWithoutNames", repeated("{", 4096), "Unexpected character"},
        BadPattern{"BracketsOnly", repeated("[", 4096), "Filter is not an object"},
        BadPattern{"BracesTooDeep", repeated("{\"\":", 1001), "nested more than 1000 deep"},
        BadPattern{"BracesJustDeepEnough", repeated("{\"a\":", 600) + "[1]" + repeated("}", 600),
                   ""},
        BadPattern{"TenThousandValues", "{\"a\":[" + list("#", 10'000) + "]}",
                   "at most 4096 are allowed"},
        BadPattern{"AsManyValuesAsFit", "{\"a\":[" + list("1", 2044) + "]}", ""},
        BadPattern{"TenThousandCombinations",
                   "{" + list(R"("o#":{"$or":[{"a":[1]},{"b":[1]}]})", 14) + "}",
                   "more than 1000 combinations"},
        BadPattern{"ManyStarsOfOneLetter", R"({"a":[{"wildcard":"*a*a*a*a*b"}]})", ""},
        BadPattern{"TooManyStarsOfOneLetter", R"({"a":[{"wildcard":"*a*a*a*a*a*a*a*a*b"}]})",
                   "Rule is too complex"},
        BadPattern{"NotUtf8", "{\"a\":[\"\xC3\x28\"]}", "not UTF-8"},
        BadPattern{"NotANumber", R"({"a":[NaN]})", "NaN"},
        BadPattern{"NumberBeyondDoubles", R"({"a":[{"numeric":["=",1e400]}]})",
                   "Cannot compare number"},
        BadPattern{"NumberBeyondDigits", R"({"a":[{"numeric":["=",9223372036854775807]}]})",
                   "Cannot compare number"},
        BadPattern{"TwoToThe63", R"({"a":[{"numeric":["=",9223372036854775808]}]})",
                   "Cannot compare number"},
        BadPattern{"EndlessExponent", R"({"a":[{"numeric":["=",1e)" + repeated("9", 4000) + "]}]}",
                   "value exceeds limits"},
        BadPattern{"EndlessDigits", R"({"a":[{"numeric":["=",1)" + repeated("0", 4000) + "]}]}",
                   "Cannot compare number"},
        BadPattern{"Nothing", "", "Filter is not an object"}),
    [](const auto& info) { return info.param.claim; });

struct BadEvent {
    const char* claim;
    const char* pattern;
    std::string event;
    bool matches;
};

class BadEventTest : public testing::TestWithParam<BadEvent> {};

TEST_P(BadEventTest, GetsItsVerdictAtOnce) {
    const auto pattern = Pattern::parse(GetParam().pattern, Dialect::eventbridge,
                                        {.complexity_max = Limits::any_complexity});
    ASSERT_THAT(pattern, Succeeds());
    RuleSet rules;
    EXPECT_THAT(rules.add(RuleId(1), *pattern), Succeeds());
    const auto matcher = rules.snapshot();
    Scratch scratch;
    std::vector<RuleId> matched;
    const auto begin = std::chrono::steady_clock::now();
    matcher->match_event(GetParam().event, scratch, matched);
    EXPECT_EQ(matched.size(), GetParam().matches ? 1U : 0U);
    Subject subject;
    subject.json("", GetParam().event);
    EXPECT_EQ(pattern->matches(subject), GetParam().matches) << "the plain matcher";
    EXPECT_LT(std::chrono::steady_clock::now() - begin, at_once);
    EXPECT_EQ(scratch.events_undecided(), 0U);
}

constexpr const char* any_a = R"({"a":[{"exists":true}]})";
constexpr const char* positive = R"({"a":[{"numeric":[">",0]}]})";
constexpr std::size_t megabyte = 1'000'000;

INSTANTIATE_TEST_SUITE_P(
    Table, BadEventTest,
    testing::Values(
        BadEvent{"ManyStarsInALongText", R"({"a":[{"wildcard":"*a*a*a*a*b"}]})",
                 "{\"a\":\"" + repeated("a", megabyte) + "\"}", false},
        BadEvent{"ManyStarsInALongTextThatFits", R"({"a":[{"wildcard":"*a*a*a*a*b"}]})",
                 "{\"a\":\"" + repeated("a", megabyte) + "b\"}", true},
        BadEvent{"ALongPieceInALongText", R"({"a":[{"wildcard":"*aaaaaaaaaaaaaaaaaaab*c"}]})",
                 "{\"a\":\"" + repeated("a", megabyte) + "\"}", false},
        BadEvent{"SuffixOfALongText", R"({"a":[{"suffix":"ab"}]})",
                 "{\"a\":\"" + repeated("a", megabyte) + "b\"}", true},
        BadEvent{"EveryLetterEscaped", R"({"a":[{"suffix":{"equals-ignore-case":"ß"}}]})",
                 "{\"a\":\"" + repeated("\\u0053", megabyte / 6) + "\"}", true},
        BadEvent{"LongNames", any_a, "{\"" + repeated("a", megabyte) + "\":1}", false},
        BadEvent{"ManyNames", any_a, "{" + list("\"b#\":1", 100'000) + ",\"a\":1}", true},
        BadEvent{"OneNameManyTimes", any_a, "{" + list("\"a\":#", 100'000) + "}", true},
        BadEvent{"PointsInNames", any_a, "{\"" + repeated("a.", megabyte / 2) + "\":1}", false},
        BadEvent{"DeepButAllowed", any_a,
                 "{\"a\":" + repeated("[", 998) + "1" + repeated("]", 998) + "}", true},
        BadEvent{"TooDeep", any_a,
                 "{\"a\":" + repeated("[", 1000) + "1" + repeated("]", 1000) + "}", false},
        BadEvent{"BracketsWithoutEnd", any_a, "{\"a\":" + repeated("[", megabyte), false},
        BadEvent{"BracesWithoutEnd", any_a, repeated("{\"a\":", megabyte / 5), false},
        BadEvent{"ArraysBesideArrays", any_a,
                 "{\"a\":[" + list("[[],[[1],[]]]", megabyte / 14) + "]}", true},
        BadEvent{"NotUtf8", any_a, "{\"a\":\"\xC3\x28\"}", false},
        BadEvent{"CutCharacter", any_a, "{\"a\":\"\xE2\x82\"}", false},
        BadEvent{"HalfAPair", any_a, R"({"a":"\ud83d"})", false},
        BadEvent{"NotANumber", positive, R"({"a":NaN})", false},
        BadEvent{"Infinity", positive, R"({"a":Infinity})", false},
        BadEvent{"HexNumber", positive, R"({"a":0x10})", false},
        BadEvent{"BeyondDoubles", positive, R"({"a":1e400})", false},
        BadEvent{"TwoToThe63", positive, R"({"a":9223372036854775808})", false},
        BadEvent{"TwoToThe53", positive, R"({"a":9007199254740992})", true},
        BadEvent{"EndlessDigits", positive, "{\"a\":1" + repeated("0", megabyte) + "}", false},
        BadEvent{"EndlessFraction", positive, "{\"a\":0." + repeated("0", megabyte) + "1}", false},
        BadEvent{"EndlessExponent", positive, "{\"a\":1e" + repeated("9", megabyte) + "}", false},
        BadEvent{"Nothing", any_a, "", false},
        BadEvent{"ZeroBytes", any_a, std::string(100, '\0'), false}),
    [](const auto& info) { return info.param.claim; });

/// An event and rules that multiply to far more work than either says. `#` is a number of the
/// rule's.
struct Multiplied {
    const char* claim;
    std::string pattern;
    std::size_t rules;
    std::string (*event)(std::size_t size);
    std::size_t size;
};

class MultipliedTest : public testing::TestWithParam<Multiplied> {};

/// Goal: whatever multiplies is charged to the one budget of an event, so that its steps bound its
/// time; and what ends early told nothing wrong.
TEST_P(MultipliedTest, EndsUndecided) {
    const auto& [claim, pattern, count, event, size] = GetParam();
    RuleSet rules;
    for (std::uint32_t i = 0; i < count; ++i) {
        std::string one = pattern;
        for (std::size_t at = one.find('#'); at != std::string::npos; at = one.find('#')) {
            one.replace(at, 1, std::to_string(i + 1));
        }
        EXPECT_THAT(rules.add(RuleId(i), Pattern::parse(one).value()), Succeeds());
    }
    const auto matcher = rules.snapshot();
    Scratch scratch;
    std::vector<RuleId> matched;
    const std::string small = event(size / 400 + 1);
    matcher->match_event(small, scratch, matched);
    EXPECT_EQ(scratch.events_undecided(), 0U) << small;
    EXPECT_THAT(matched, testing::IsEmpty());
    matcher->match_event(event(size), scratch, matched);
    EXPECT_EQ(scratch.events_undecided(), 1U);
    EXPECT_THAT(matched, testing::IsEmpty());
    matcher->match_event(small, scratch, matched);
    EXPECT_EQ(scratch.events_undecided(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Table, MultipliedTest,
    testing::Values(
        Multiplied{"ValuesByAnythingButs", R"({"a":[{"anything-but":[1,1000#]}]})", 400,
                   [](std::size_t n) { return "{\"a\":[" + list("1", n) + "]}"; }, 100'000},
        Multiplied{"NumbersByRanges", R"({"a":[{"numeric":["<",1000#]}],"b":[{"exists":true}]})",
                   400, [](std::size_t n) { return "{\"a\":[" + list("1", n) + "]}"; }, 100'000},
        Multiplied{"NumbersByBounds", R"({"a":[{"numeric":[">",1,"<",1000#]}]})", 400,
                   [](std::size_t n) { return "{\"a\":[" + list("1", n) + "]}"; }, 100'000},
        Multiplied{
            "LongNumbersByBounds", R"({"a":[{"numeric":[">",1,"<",1000#]}]})", 400,
            [](std::size_t n) { return "{\"a\":[" + list("1." + repeated("0", 1000), n) + "]}"; },
            1'600},
        Multiplied{"NumbersByNumbers", R"({"a":[1,1000#],"b":[{"exists":true}]})", 400,
                   [](std::size_t n) { return "{\"a\":[" + list("1", n) + "]}"; }, 100'000},
        Multiplied{"ValuesByTexts", R"({"a":["x","r#"],"b":[{"exists":true}]})", 400,
                   [](std::size_t n) { return "{\"a\":[" + list("\"x\"", n) + "]}"; }, 100'000},
        Multiplied{"ValuesByPrefixes", R"({"a":[{"prefix":"x"},"r#"],"b":[{"exists":true}]})", 400,
                   [](std::size_t n) { return "{\"a\":[" + list("\"xy\"", n) + "]}"; }, 100'000},
        Multiplied{"WordsByRules", R"({"a":[true,"r#"],"b":[{"exists":true}]})", 400,
                   [](std::size_t n) { return "{\"a\":[" + list("true", n) + "]}"; }, 100'000},
        Multiplied{"ValuesByAddresses", R"({"a":[{"cidr":"138.0.0.0/#"}]})", 31,
                   [](std::size_t n) { return "{\"a\":[" + list(R"("10.0.0.1")", n) + "]}"; },
                   60'000},
        Multiplied{"TextByWildcards", R"({"a":[{"wildcard":"aaaa*bc*#"}]})", 400,
                   [](std::size_t n) { return "{\"a\":\"" + repeated("a", n) + "9bc\"}"; },
                   megabyte},
        Multiplied{"ValuesByTerms", R"({"a":["y","r#"],"b":[{"prefix":"m"},{"prefix":"r#"}]})", 400,
                   [](std::size_t n) { return "{\"a\":\"y\",\"b\":[" + list(R"("n")", n) + "]}"; },
                   100'000},
        Multiplied{"ElementsByRules", R"({"x":{"a":["v"],"b":["w","r#"]}})", 100,
                   [](std::size_t n) {
                       return "{\"x\":[" + list(R"({"a":"v"})", n) + "," + list(R"({"b":"w"})", n) +
                              "]}";
                   },
                   30'000},
        Multiplied{"ElementsBySearches",
                   R"({"x":{"a":["v"],"q":{"b":[{"anything-but":["n","r#"]}]}}})", 100,
                   [](std::size_t n) {
                       return "{\"x\":[" + list(R"({"a":"v","q":[{"b":"n"}]})", n) + "]}";
                   },
                   38'000}),
    [](const auto& info) { return info.param.claim; });

/// Goal: processes agree on what is undecided. Many texts, of which a hash rules most out at once
/// and leaves some to be compared, must take the same steps.
TEST(BadInputTest, NoStepDependsOnHashes) {
    RuleSet rules;
    const auto pattern = Pattern::parse(R"({"x":{"a":["v"],"b":["w","wv","vw"]}})");
    ASSERT_THAT(rules.add(RuleId(1), pattern.value()), Succeeds());
    const auto matcher = rules.snapshot();
    Scratch scratch;
    std::vector<RuleId> matched;
    std::set<std::size_t> left;
    for (int i = 0; i < 1000; ++i) {
        const std::string event =
            R"({"x":[{"a":"v","b":"n)" + std::to_string(i) + R"("},{"a":"v","b":"o"}]})";
        matcher->match_event(event, scratch, matched);
        EXPECT_TRUE(matched.empty());
        left.insert(scratch.workspace().budget.left());
    }
    EXPECT_EQ(left.size(), 1U);
}

/// Arrays under one name may be used together, elements of one array may not. Eleven fields that
/// lie in different elements of each of ten arrays: one array is always missing, but to find that
/// out takes 10! attempts. Many such rules must not take that many times as long.
TEST(BadInputTest, LongSearchesShareTheirSteps) {
    const std::string array = R"("p":[)" + list(R"({"f#":"x"})", 11) + "]";
    const std::string event = "{" + repeated(array + ",", 10) + R"("q":1})";
    constexpr std::uint32_t rules_count = 300;
    RuleSet rules;
    for (std::uint32_t i = 0; i < rules_count; ++i) {
        const std::string pattern = R"({"p":{)" + list(R"("f#":["x"])", 11) + R"(},"q":[1,"r)" +
                                    std::to_string(i) + R"("]})";
        EXPECT_THAT(rules.add(RuleId(i), Pattern::parse(pattern).value()), Succeeds());
    }
    EXPECT_THAT(rules.add(RuleId(rules_count), Pattern::parse(R"({"q":[1]})").value()), Succeeds());
    Scratch scratch;
    std::vector<RuleId> matched;
    const auto begin = std::chrono::steady_clock::now();
    rules.snapshot()->match_event(event, scratch, matched);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, at_once);
    EXPECT_EQ(scratch.events_undecided(), 1U);
}

}  // namespace
}  // namespace bascule::pattern
