#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "bus/pattern/engine/event_values.h"
#include "bus/pattern/matcher.h"
#include "bus/pattern/pattern.h"
#include "bus/pattern/rule_set.h"
#include "foundation/base/testing.h"

namespace {

thread_local std::size_t allocations = 0;
thread_local std::size_t bytes_taken = 0;  ///< and not given back

}  // namespace

// All of this program's memory comes through here, so that it can be counted. The address sanitizer
// has operators of its own, which must not be mixed with others.
#ifndef __SANITIZE_ADDRESS__
constexpr bool is_counted = true;
void* operator new(std::size_t size) {
    ++allocations;
    if (void* const memory = std::malloc(size)) {
        bytes_taken += malloc_usable_size(memory);
        return memory;
    }
    std::abort();
}
void operator delete(void* memory) noexcept {
    bytes_taken -= malloc_usable_size(memory);
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    bytes_taken -= malloc_usable_size(memory);
    std::free(memory);
}
#else
constexpr bool is_counted = false;
#endif

namespace bascule::pattern {
namespace {

/// Goal: a match allocates nothing once its buffers have grown, whatever its values look like.
/// Method: every way a value can take through the engine, each event matched before it is counted.
TEST(AllocationTest, MatchingAllocatesNothingInTheSteadyState) {
    if (!is_counted) {
        GTEST_SKIP() << "the address sanitizer allocates with operators of its own";
    }
    const std::vector<std::string> patterns = {
        R"({"a":["x","a\"b",{"prefix":"a\u00e9"},{"suffix":"\n"},{"wildcard":"*b*c*"}]})",
        R"({"a":[{"equals-ignore-case":"straße"},{"prefix":{"equals-ignore-case":"é"}}]})",
        R"({"a":[{"suffix":{"equals-ignore-case":"ßx"}},{"anything-but":["x","y"]}]})",
        R"({"a":[{"cidr":"10.0.0.0/8"},{"cidr":"2001:db8::/32"},"1.2.3.4"]})",
        R"({"a":[{"numeric":[">",0.1,"<=",3e100]},9007199254740993,12]})",
        R"({"a":[{"exists":true}],"b":[{"exists":false}],"$or":[{"c":[1]},{"d":[2]}]})",
        R"({"p":{"a":["x"],"b":[{"anything-but":"y"}],"q":{"c":[{"numeric":["<",5]}]}}})",
        R"({"a\"b":["x"],"detail":{"timestamp":[{"numeric":[">",1]}]}})",
    };
    const std::vector<std::string> events = {
        R"({"a":"x"})",
        R"({"a":"a\"b and a good deal more, so that no small buffer holds it: \u00e9\n"})",
        R"({"a":"aé0000000000000000000000000000000b0000000000000000000000000000c00000000"})",
        R"({"a":["STRASSE","straße","É and more","xßx","SSX"]})",
        R"({"a":["10.20.30.40","2001:db8:0:1::2","::ffff:a01:203","1.2.3.4","300.1.1.1"]})",
        R"({"a":[12,1.2e1,9007199254740993,0.30000000000000004,3e99,1e400,-5,12345678901234567890]})",
        R"({"a":1,"c":[1,2],"d":2})",
        R"({"p":[{"a":"x","b":"z","q":[{"c":1},{"c":7}]},{"a":"w","b":"y","q":[{"c":9}]}]})",
        R"({"a\"b":"x","\u0061":"x","a.b":1})",
        R"({"a":[true,false,null,[],{},[[1]]],"e":{"a":"\ud83d\ude42"}})",
    };
    RuleSet rules;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        ASSERT_THAT(
            rules.add(RuleId(static_cast<std::uint32_t>(i)), Pattern::parse(patterns[i]).value()),
            Succeeds());
    }
    const auto matcher = rules.snapshot();
    Scratch scratch;
    std::vector<RuleId> matched;
    const auto subject_of = [](const std::string& event) {
        Subject subject;
        subject.json("", event).number("detail.timestamp", 1'732'521'600'123'456'789);
        return subject;
    };
    std::size_t matches = 0;
    for (const std::string& event : events) {
        matcher->match(subject_of(event), scratch, matched);
        matches += matched.size();
    }
    EXPECT_GT(matches, events.size());
    for (const std::string& event : events) {
        const std::size_t before = allocations;
        matcher->match(subject_of(event), scratch, matched);
        EXPECT_EQ(allocations, before) << event;
    }
}

/// Goal: what is kept between events is bounded by one event, not by the largest one that each
/// field, or each place of a decoded string, ever met.
TEST(AllocationTest, KeepsLittleBetweenEvents) {
    if (!is_counted) {
        GTEST_SKIP() << "the address sanitizer allocates with operators of its own";
    }
    constexpr std::size_t event_bytes = 300'000;
    constexpr std::size_t many = 60;
    RuleSet rules;
    for (std::uint32_t i = 0; i < many; ++i) {
        ASSERT_THAT(rules.add(RuleId(i),
                              Pattern::parse(R"({"f)" + std::to_string(i) + R"(":[2]})").value()),
                    Succeeds());
    }
    ASSERT_THAT(rules.add(RuleId(many), Pattern::parse(R"({"a":["x"]})").value()), Succeeds());
    const auto matcher = rules.snapshot();
    const auto with_numbers = [&](std::size_t field) {
        std::string event = R"({"f)" + std::to_string(field) + R"(":[1)";
        while (event.size() < event_bytes) {
            event += ",1";
        }
        return event + "]}";
    };
    const auto with_texts = [&](std::size_t short_ones) {
        std::string event = R"({"a":[)";
        for (std::size_t i = 0; i < short_ones; ++i) {
            event += R"("\n",)";
        }
        return event + R"("\n)" + std::string(event_bytes, 'x') + R"("]})";
    };
    Scratch scratch;
    std::vector<RuleId> matched;
    matched.reserve(many);
    // Structural positions are kept for the largest event: one without arrays, then one of nothing
    // else.
    std::string arrays = R"({"a":[[])";
    for (int i = 0; i < 1'000'000; ++i) {
        arrays += ",[]";
    }
    arrays += "]}";
    const std::string one_text = R"({"b":")" + std::string(arrays.size() - 8, ',') + R"("})";
    matcher->match_event(one_text, scratch, matched);
    matcher->match_event("{}", scratch, matched);
    const std::size_t after_text = bytes_taken;
    matcher->match_event(arrays, scratch, matched);
    matcher->match_event("{}", scratch, matched);
    EXPECT_LE(bytes_taken, after_text + EventValues::kept_bytes_max);
    std::size_t after_first = 0;
    for (std::size_t i = 0; i < many; ++i) {
        for (const std::string& event : {with_numbers(i), with_texts(i), std::string("{}")}) {
            matcher->match_event(event, scratch, matched);
        }
        if (i == 0) {
            after_first = bytes_taken;
        }
        EXPECT_LE(bytes_taken, after_first + 2 * EventValues::kept_bytes_max) << i;
    }
}

/// Goal: the estimate that bounds memory is not below what rules take, parsed patterns included:
/// also where `$or` multiplies one with many fields to as many maps of them.
TEST(AllocationTest, EstimatesAtLeastWhatRulesTake) {
    if (!is_counted) {
        GTEST_SKIP() << "the address sanitizer allocates with operators of its own";
    }
    std::string alternatives;
    for (const char* const name : {"a", "b", "c"}) {
        alternatives += (name[0] == 'a' ? "\"" : ",\"") + std::string(name) + R"(":{"$or":[)";
        for (int i = 0; i < 6; ++i) {
            alternatives +=
                std::string(i > 0 ? "," : "") + R"({"x)" + std::to_string(i) + R"(":[1]})";
        }
        alternatives += "]}";
    }
    std::string fields;
    for (int i = 0; i < 60; ++i) {
        fields += R"(,"a name of more than a few bytes )" + std::to_string(i) + R"(":[1])";
    }
    // Of each of these one thing takes most: each of them must be counted.
    const std::string text = "#" + std::string(300, 't');
    const auto list = [](const std::string& term) {
        std::string terms;
        for (int i = 10; i < 90; ++i) {
            std::string one = term;
            one.replace(one.find('_'), 1, std::to_string(i));
            terms += (i > 10 ? "," : "") + one;
        }
        return terms;
    };
    const std::string texts = list(R"("#_")");
    std::string pieces;
    for (int i = 0; i < 80; ++i) {
        pieces += "*p";
    }
    std::string path;
    for (int i = 0; i < 60; ++i) {
        path += R"({"s":)";
    }
    for (const std::string& shape :
         {R"({"a":[")" + text + R"("]})",
          R"({"a":[{"prefix":")" + text + R"("}]})",
          R"({"a":[{"suffix":")" + text + R"("}]})",
          R"({"a":[{"equals-ignore-case":")" + text + R"("}]})",
          R"({"a":[{"prefix":{"equals-ignore-case":")" + text + R"("}}]})",
          R"({"a":[{"wildcard":"*)" + text + R"(*"}]})",
          R"({"a":[{"wildcard":"*)" + text + R"(*x*y*z*"}]})",
          R"({"a":[{"anything-but":[")" + text + R"("]}]})",
          R"({"a":[{"anything-but":[)" + texts + "]}]}",
          R"({"a":[)" + texts + "]}",
          R"({"a":[)" + list("1#_") + "]}",
          R"({"a":[)" + list(R"({"wildcard":"#_*"})") + "]}",
          R"({"a":[{"wildcard":"#)" + pieces + R"("}]})",
          R"({"a":[)" + list(R"({"cidr":"10.#._.0/24"})") + "]}",
          std::string(R"({"a":["#.1.1.1","2001:db8::#"]})"),
          std::string(R"({"a":[{"numeric":[">",#,"<",1000]},{"numeric":[">=",-#]}]})"),
          std::string(R"({"a":[{"cidr":"10.0.#.0/24"},#,true,{"exists":false}]})"),
          R"({"a#":)" + path + "[1]" + std::string(60, '}') + "}",
          "{" + alternatives + R"(,"z":["#"])" + fields + "}",
          std::string(R"({"source":["s#"]})"),
          std::string(R"({"source":["s"],"detail":{"a":["#"],"b":[{"prefix":"#"}],"c":[1,2,3]}})"),
          std::string(
              R"({"a":[{"anything-but":["#","x","y","a longer text than fits in place"]}]})")}) {
        const std::size_t before = bytes_taken;
        RuleSet rules;
        for (std::uint32_t i = 0; i < 20; ++i) {
            std::string text = shape;
            for (std::size_t at = text.find('#'); at != std::string::npos; at = text.find('#')) {
                text.replace(at, 1, std::to_string(i));
            }
            const auto pattern = Pattern::parse(text, Dialect::eventbridge,
                                                {.complexity_max = Limits::any_complexity});
            ASSERT_THAT(pattern, Succeeds()) << text;
            ASSERT_THAT(rules.add(RuleId(i), *pattern), Succeeds());
        }
        const auto matcher = rules.snapshot();
        const std::size_t taken = bytes_taken - before;
        EXPECT_GE(rules.memory_bytes_estimated(), taken) << shape;
        EXPECT_LE(rules.memory_bytes_estimated(), taken * 6) << shape;
    }
}

}  // namespace
}  // namespace bascule::pattern
