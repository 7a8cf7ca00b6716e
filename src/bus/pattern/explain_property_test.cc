#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "bus/pattern/explain.h"
#include "bus/pattern/random_cases_testing.h"
#include "foundation/base/testing.h"

namespace bascule::pattern {
namespace {

/// What must hold of every explanation.
void check(const Explanation& explanation) {
    bool some_way_matches = false;
    for (const Explanation::Way& way : explanation.ways) {
        const bool all_met = std::all_of(
            way.fields.begin(), way.fields.end(),
            [](const auto& field) { return field.verdict == Explanation::Field::Verdict::met; });
        EXPECT_EQ(way.verdict == Explanation::Verdict::yes, all_met);
        some_way_matches = some_way_matches || all_met;
        for (const Explanation::Field& field : way.fields) {
            const auto chosen = std::count_if(field.values.begin(), field.values.end(),
                                              [](const auto& value) { return value.is_chosen; });
            EXPECT_LE(chosen, 1);
            for (const Explanation::Value& value : field.values) {
                EXPECT_TRUE(value.fits || !value.is_chosen);
                EXPECT_TRUE(!value.fits || field.verdict != Explanation::Field::Verdict::differs);
            }
        }
    }
    EXPECT_EQ(explanation.matches(), some_way_matches);
}

/// Terms written anew are satisfied by what the terms themselves are satisfied by.
void check_wanted(const Explanation& explanation, const Subject& subject) {
    for (const Explanation::Way& way : explanation.ways) {
        for (const Explanation::Field& field : way.fields) {
            std::string text;
            for (const std::string& term : field.wanted) {
                text += (text.empty() ? "" : ",") + term;
            }
            const auto again = Pattern::parse("{\"" + field.path + "\":[" + text + "]}", {},
                                              {.complexity_max = Limits::any_complexity});
            ASSERT_THAT(again, Succeeds());
            const bool could_be_met = field.verdict == Explanation::Field::Verdict::met ||
                                      field.verdict == Explanation::Field::Verdict::elsewhere;
            const Explanation alone = explain(*again, subject);
            EXPECT_EQ(alone.ways.at(0).fields.at(0).wanted, field.wanted);
            if (field.verdict != Explanation::Field::Verdict::present) {
                EXPECT_TRUE(could_be_met || !alone.matches());
            }
        }
    }
}

/// Goal: an explanation never tells another story than the matcher, and is consistent in itself.
TEST(ExplainTest, AgreesWithThePlainMatcherOnRandomPatternsAndEvents) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);
    std::size_t pairs = 0;
    std::size_t matches = 0;
    for (std::uint64_t seed = 1; std::chrono::steady_clock::now() < end && !HasFailure(); ++seed) {
        RandomCases cases(seed);
        const std::string text = cases.pattern();
        const auto pattern = Pattern::parse(text);
        EXPECT_EQ(Pattern::faults(text).empty(), pattern.has_value()) << text;
        if (!pattern) {
            EXPECT_EQ(Pattern::faults(text).front().message(), pattern.error().message());
            continue;
        }
        for (int i = 0; i < 10; ++i) {
            const std::string event = cases.event();
            SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + text + "\n" + event);
            Subject subject;
            subject.json("", event);
            const Explanation explanation = explain(*pattern, subject);
            EXPECT_EQ(explanation.matches(), pattern->matches(subject));
            EXPECT_NE(explanation.verdict, Explanation::Verdict::undecided);
            check(explanation);
            check_wanted(explanation, subject);
            ++pairs;
            matches += explanation.matches() ? 1 : 0;
        }
    }
    EXPECT_GT(matches, pairs / 100) << "the cases hardly ever match: they prove nothing";
}

}  // namespace
}  // namespace bascule::pattern
