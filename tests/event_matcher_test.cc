#include "bascule/event_matcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "foundation/base/testing.h"

namespace bascule {
namespace {

using pattern::RuleId;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<RuleId> matched(const EventMatcher& matcher, std::string_view event) {
    std::vector<RuleId> found{RuleId(99)};
    EXPECT_EQ(matcher.match(event, found), EventMatcher::Outcome::decided);
    return found;
}

TEST(EventMatcherTest, ChangesAreInForceFromTheCommitOn) {
    EventMatcher matcher;
    EXPECT_THAT(matched(matcher, R"({"a":1})"), IsEmpty());
    ASSERT_THAT(matcher.add(RuleId(7), R"({"a":[1]})"), Succeeds());
    ASSERT_THAT(matcher.add(RuleId(3), R"({"a":[{"exists":true}]})"), Succeeds());
    EXPECT_THAT(matched(matcher, R"({"a":1})"), IsEmpty());
    EXPECT_EQ(matcher.size(), 0u);
    matcher.commit();
    EXPECT_THAT(matched(matcher, R"({"a":1})"), ElementsAre(RuleId(3), RuleId(7)));
    EXPECT_THAT(matched(matcher, R"({"a":2})"), ElementsAre(RuleId(3)));
    EXPECT_TRUE(matcher.remove(RuleId(3)));
    EXPECT_FALSE(matcher.remove(RuleId(3)));
    EXPECT_THAT(matched(matcher, R"({"a":2})"), ElementsAre(RuleId(3)));
    matcher.commit();
    EXPECT_THAT(matched(matcher, R"({"a":2})"), IsEmpty());
    EXPECT_EQ(matcher.size(), 1u);
}

TEST(EventMatcherTest, WhatIsRefusedChangesNothing) {
    EventMatcher matcher({.memory_bytes_max = 100'000, .pattern = {.characters_max = 40}});
    ASSERT_THAT(matcher.add(RuleId(1), R"({"a":[1]})"), Succeeds());
    EXPECT_THAT(matcher.add(RuleId(2), R"({"a":[]})"),
                FailsWith(ErrorKind::invalid, HasSubstr("Empty arrays are not allowed")));
    EXPECT_THAT(matcher.add(RuleId(2), R"({"a":["longer than forty characters are"]})"),
                FailsWith(ErrorKind::invalid, HasSubstr("at most 40 are allowed")));
    EXPECT_THAT(matcher.add(RuleId(1), R"({"a":[2]})"), FailsWith(ErrorKind::conflict));
    Result<> last;
    for (std::uint32_t id = 2; last && id < 100'000; ++id) {
        last = matcher.add(RuleId(id), "{\"b\":[" + std::to_string(id) + "]}");
    }
    EXPECT_THAT(last, FailsWith(ErrorKind::exhausted));
    matcher.commit();
    EXPECT_THAT(matched(matcher, R"({"a":[1,2]})"), ElementsAre(RuleId(1)));
}

/// Run under tsan. Rule 1 is always there, and of 2 and 3 exactly one: no match may see a half of a
/// change.
TEST(EventMatcherTest, MatchesWhilePatternsComeAndGo) {
    EventMatcher matcher;
    ASSERT_THAT(matcher.add(RuleId(1), R"({"a":[1]})"), Succeeds());
    ASSERT_THAT(matcher.add(RuleId(2), R"({"a":[{"numeric":["<",5]}]})"), Succeeds());
    matcher.commit();
    std::atomic<bool> done = false;
    std::atomic<std::size_t> halves = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&] {
            std::vector<RuleId> found;
            do {
                matcher.match(R"({"a":1})", found);
                halves += found.size() == 2 && found.front() == RuleId(1) ? 0 : 1;
            } while (!done);
        });
    }
    for (int round = 0; round < 200; ++round) {
        const bool is_even = round % 2 == 0;
        EXPECT_TRUE(matcher.remove(RuleId(is_even ? 2 : 3)));
        ASSERT_THAT(matcher.add(RuleId(is_even ? 3 : 2), R"({"a":[{"prefix":"x"},1]})"),
                    Succeeds());
        matcher.commit();
    }
    done = true;
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(halves, 0u);
}

}  // namespace
}  // namespace bascule
