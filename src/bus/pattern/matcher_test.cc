#include "bus/pattern/matcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "bus/pattern/engine/workspace.h"
#include "bus/pattern/pattern.h"
#include "bus/pattern/rule_set.h"
#include "foundation/base/testing.h"

namespace bascule::pattern {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::shared_ptr<const Matcher> matcher_of(const std::vector<std::string>& patterns) {
    RuleSet rules;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        EXPECT_THAT(
            rules.add(RuleId(static_cast<std::uint32_t>(i)), Pattern::parse(patterns[i]).value()),
            Succeeds());
    }
    return rules.snapshot();
}

std::vector<RuleId> matched(const Matcher& matcher, std::string_view event) {
    Scratch scratch;
    std::vector<RuleId> found = {RuleId(77)};
    matcher.match_event(event, scratch, found);
    return found;
}

TEST(MatcherTest, TellsEachRuleOnceAscending) {
    const auto matcher = matcher_of({R"({"a":["x",{"prefix":"x"},{"exists":true}]})",
                                     R"({"$or":[{"a":["x"]},{"b":[1]}]})", R"({"b":[2]})",
                                     R"({"a":[{"anything-but":"y"}]})"});
    EXPECT_THAT(matched(*matcher, R"({"a":["x","x","xy"],"b":1})"),
                ElementsAre(RuleId(0), RuleId(1), RuleId(3)));
    EXPECT_THAT(matched(*matcher, "{}"), IsEmpty());
}

/// Goal: names and texts are read by words of eight bytes; no size, and no place of an escape, of a
/// point or of a letter that differs, falls between them.
TEST(MatcherTest, ReadsNamesAndTextsOfEverySize) {
    for (std::size_t size = 1; size <= 40; ++size) {
        const std::string text(size, 'x');
        RuleSet rules;
        const std::array<std::string, 3> patterns = {R"({"a":[")" + text + R"("]})",
                                                     "{\"" + text + R"(":["v"]})",
                                                     "{\"" + text + R"(":{"b":["v"]}})"};
        for (std::uint32_t i = 0; i < patterns.size(); ++i) {
            ASSERT_THAT(rules.add(RuleId(i), Pattern::parse(patterns[i]).value()), Succeeds());
        }
        const auto matcher = rules.snapshot();
        Scratch scratch;
        std::vector<RuleId> matched;
        const auto matches = [&](const std::string& event) {
            matcher->match_event(event, scratch, matched);
            return matched.size();
        };
        EXPECT_EQ(matches("{\"" + text + R"(.b":"v"})"), 1U) << size;
        for (std::size_t place = 0; place < size; ++place) {
            std::string escaped = text;
            escaped.replace(place, 1, R"(\u0078)");
            std::string other = text;
            other[place] = 'y';
            EXPECT_EQ(matches(R"({"a":")" + escaped + R"("})"), 1U) << size << ", " << place;
            EXPECT_EQ(matches(R"({"a":")" + other + R"("})"), 0U) << size << ", " << place;
            EXPECT_EQ(matches("{\"" + escaped + R"(":"v"})"), 1U) << size << ", " << place;
            EXPECT_EQ(matches("{\"" + other + R"(":"v"})"), 0U) << size << ", " << place;
            EXPECT_EQ(matches("{\"" + escaped + R"(.b":"v"})"), 1U) << size << ", " << place;
            EXPECT_EQ(matches("{\"" + other + R"(.b":"v"})"), 0U) << size << ", " << place;
        }
    }
}

TEST(MatcherTest, MatchesAbsenceAlone) {
    const auto matcher = matcher_of({R"({"a":[{"exists":false}]})"});
    EXPECT_THAT(matched(*matcher, R"({"b":1})"), ElementsAre(RuleId(0)));
    EXPECT_THAT(matched(*matcher, R"({"a":null})"), IsEmpty());
}

/// Whether a number is comparable is asked last: what it does not decide must be left to others.
TEST(MatcherTest, PassesOverNumbersThatCannotBeCompared) {
    const auto matcher =
        matcher_of({R"({"a":[{"numeric":[">",0]}]})", R"({"a":[{"numeric":[">",0]}],"b":["x"]})",
                    R"({"a":[{"numeric":[">",0]},9007199254740993]})",
                    R"({"p":{"a":[{"numeric":[">",0]}],"b":["x"]}})"});
    EXPECT_THAT(matched(*matcher, R"({"a":9007199254740993,"b":"x"})"), ElementsAre(RuleId(2)));
    EXPECT_THAT(
        matched(
            *matcher_of(
                {R"({"a":[{"numeric":[">",0]},{"anything-but":["y"]}],"c":[{"exists":false}]})"}),
            R"({"a":9007199254740993,"b":"x"})"),
        ElementsAre(RuleId(0)));
    EXPECT_THAT(matched(*matcher, R"({"a":[9007199254740993,5],"b":"x"})"),
                ElementsAre(RuleId(0), RuleId(1), RuleId(2)));
    EXPECT_THAT(matched(*matcher, R"({"a":[5,9007199254740993],"b":"x"})"),
                ElementsAre(RuleId(0), RuleId(1), RuleId(2)));
    EXPECT_THAT(matched(*matcher, R"({"p":[{"a":9007199254740993,"b":"x"},{"a":5,"b":"y"}]})"),
                IsEmpty());
    EXPECT_THAT(matched(*matcher, R"({"p":[{"a":9007199254740993,"b":"x"},{"a":5,"b":"x"}]})"),
                ElementsAre(RuleId(3)));
}

/// A text or number mount says all that stands at its path.
TEST(MatcherTest, AddsNothingToATextThatIsMounted) {
    const char* const others =
        R"({"source":["b",{"n":1}],"":{"source":"c"},"count":[1],"d":{"e":2}})";
    Subject subject;
    subject.text("source", "a").number("count", 7).json("", others).json("d", R"({"f":3})");
    const std::vector<std::string> patterns = {
        R"({"source":["a"]})", R"({"source":["b"]})", R"({"source":["c"]})", R"({"count":[7]})",
        R"({"count":[1]})",    R"({"d":{"e":[2]}})",  R"({"d":{"f":[3]}})"};
    Scratch scratch;
    std::vector<RuleId> found;
    matcher_of(patterns)->match(subject, scratch, found);
    EXPECT_THAT(found, ElementsAre(RuleId(0), RuleId(3), RuleId(5), RuleId(6)));
    for (std::uint32_t i = 0; i < patterns.size(); ++i) {
        EXPECT_EQ(Pattern::parse(patterns[i]).value().matches(subject),
                  std::ranges::count(found, RuleId(i)) == 1)
            << patterns[i];
    }
}

/// One scratch serves any number of matchers in turn, and remembers those that are in use.
TEST(MatcherTest, SharesAScratch) {
    std::vector<std::shared_ptr<const Matcher>> matchers;
    for (int i = 0; i < 40; ++i) {
        matchers.push_back(
            matcher_of({R"({"a":["x"]})", R"({"a":[")" + std::to_string(i) + "\"]}"}));
    }
    Scratch scratch;
    const auto& tiers = scratch.workspace().tiers;
    std::vector<RuleId> found;
    std::vector<const void*> memory;
    for (int round = 0; round < 3; ++round) {
        std::vector<const void*> now;
        for (std::size_t i = 0; i < matchers.size(); ++i) {
            matchers[i]->match_event(R"({"a":")" + std::to_string(i) + "\"}", scratch, found);
            EXPECT_THAT(found, ElementsAre(RuleId(1)));
            now.push_back(tiers.at(i).known.data());
        }
        EXPECT_TRUE(round == 0 || now == memory) << "begun anew";
        memory = std::move(now);
    }
    EXPECT_EQ(tiers.size(), 40U);
    matchers.resize(1);
    matcher_of({R"({"a":["y"]})"})->match_event(R"({"a":"y"})", scratch, found);
    EXPECT_THAT(found, ElementsAre(RuleId(0)));
    EXPECT_EQ(tiers.size(), 2U) << "the others are gone";
    matchers[0]->match_event(R"({"a":"0"})", scratch, found);
    EXPECT_THAT(found, ElementsAre(RuleId(1)));
}

/// Goal: inputs made to be slow or to break something get their verdict at once. Each would run for
/// minutes if the work were not bounded.
TEST(MatcherTest, BearsBadInput) {
    const std::string long_text(1'000'000, 'a');
    std::string alternatives = R"({"detail":{)";
    for (const char* list : {"a", "b", "c"}) {
        alternatives += std::string(list[0] == 'a' ? "" : ",") + "\"" + list + R"(":{"$or":[)";
        for (int i = 0; i < 10; ++i) {
            alternatives +=
                std::string(i > 0 ? "," : "") + R"({"x)" + std::to_string(i) + R"(":["1"]})";
        }
        alternatives += "]}";
    }
    alternatives += "}}";
    const auto matcher =
        matcher_of({R"({"a":[{"wildcard":"*a*b"}]})", R"({"a":[{"wildcard":"*aaab*"}]})",
                    R"({"a":[{"suffix":"a"}]})", R"({"a":[{"equals-ignore-case":"aß"}]})",
                    R"({"a":[{"numeric":[">",0]}]})", alternatives});
    EXPECT_THAT(matched(*matcher, "{\"a\":\"" + long_text + "\"}"), ElementsAre(RuleId(2)));
    EXPECT_THAT(matched(*matcher, "{\"a\":\"" + long_text + "b\"}"),
                ElementsAre(RuleId(0), RuleId(1)));
    EXPECT_THAT(matched(*matcher, R"({"a":1e400})"), IsEmpty());
    EXPECT_THAT(matched(*matcher, R"({"a":9223372036854775808})"), IsEmpty())
        << "no double's digits";
    EXPECT_THAT(matched(*matcher, R"({"a":9007199254740992})"), ElementsAre(RuleId(4)));
    EXPECT_THAT(matched(*matcher, R"({"a":NaN})"), IsEmpty());
    EXPECT_THAT(matched(*matcher,
                        "{\"a\":\"\xC3\x28"
                        "a\"}"),
                IsEmpty());
    EXPECT_THAT(matched(*matcher, "{\"a\":" + std::string(500'000, '[') + "1"), IsEmpty());
    EXPECT_THAT(matched(*matcher, "{\"a\":1" + std::string(100'000, '0') + "}"), IsEmpty());
    EXPECT_THAT(matched(*matcher, R"({"detail":{"a":{"x9":"1"},"b":{"x0":"1"},"c":{"x5":"1"}}})"),
                ElementsAre(RuleId(5)));
}

/// Arrays that repeat under one name make joining hard; here it stays easy.
TEST(MatcherTest, JoinsManyElementsOfManyArrays) {
    std::string event = "{";
    for (int array = 0; array < 10; ++array) {
        event += std::string(array > 0 ? "," : "") + "\"p\":[";
        for (int i = 0; i < 500; ++i) {
            event += std::string(i > 0 ? "," : "") + R"({"a":"x","q":[{"b":"y"},{"c":"z"}]})";
        }
        event += "]";
    }
    event += "}";
    const auto matcher = matcher_of({R"({"p":{"a":["x"],"q":{"b":["y"],"c":["z"]}}})",
                                     R"({"p":{"a":["x"],"q":{"b":["y"],"c":["no"]}}})"});
    EXPECT_THAT(matched(*matcher, event), ElementsAre(RuleId(0)));
}

}  // namespace
}  // namespace bascule::pattern
