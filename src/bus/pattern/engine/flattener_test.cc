#include "bus/pattern/engine/flattener.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace bascule::pattern {
namespace {

/// The values at the one path that is asked for, each as `kind:text@place`.
std::vector<std::string> values_at(std::string_view path, const Subject& subject) {
    PathTrie trie;
    const Field field = trie.insert(path);
    EventValues values;
    values.begin(trie.fields());
    const auto root = trie.publish();
    Flattener flattener;
    flattener.begin(*root, values);
    for (const Subject::Mount& mount : subject) {
        flattener.add(mount);
    }
    flattener.finish();
    std::vector<std::string> shown;
    for (const Value& value : values.values(field)) {
        shown.push_back(std::string(1, "snl"[static_cast<int>(value.kind)]) + ":" +
                        std::string(value.text) + "@" + std::to_string(value.place));
    }
    return shown;
}

std::vector<std::string> values_at(std::string_view path, std::string_view json) {
    // A copy of exactly these bytes, so that a sanitizer sees any reading beyond them.
    const auto exact = std::make_unique<char[]>(json.size());
    std::copy(json.begin(), json.end(), exact.get());
    Subject subject;
    subject.json("", {exact.get(), json.size()});
    return values_at(path, subject);
}

using Shown = std::vector<std::string>;

struct Case {
    const char* claim;
    const char* path;
    const char* json;
    Shown values;
};

class FlattenerTest : public testing::TestWithParam<Case> {};

TEST_P(FlattenerTest, TakesTheValues) {
    EXPECT_EQ(values_at(GetParam().path, GetParam().json), GetParam().values) << GetParam().json;
}

INSTANTIATE_TEST_SUITE_P(
    All, FlattenerTest,
    testing::Values(
        Case{"Kinds",
             "a",
             R"({"a":["x",1.50,true,false,null]})",
             {"s:x@0", "n:1.50@0", "l:true@0", "l:false@0", "l:null@0"}},
        Case{"Nested", "a.b", R"({"a":{"c":{"b":1},"b":2}})", {"n:2@0"}},
        Case{"PointInAName", "a.b", R"({"a.b":1,"a":{"b":2}})", {"n:1@0", "n:2@0"}},
        Case{"RepeatedNames", "a", R"({"a":1,"a":{"a":3},"a":2})", {"n:1@0", "n:2@0"}},
        Case{"EscapedName", "a\"b", R"({"a\"b":1,"\u0061\"b":2})", {"n:1@0", "n:2@0"}},
        Case{"NameWithBackslash", "a\\b", R"({"a\\b":1,"a\b":2})", {"n:1@0"}},
        Case{"EscapedPoint", "a.b", R"({"a\u002eb":1})", {"n:1@0"}},
        Case{"EscapedText", "a", R"({"a":"\u00e9\n\ud83d\ude42"})", {"s:é\n🙂@0"}},
        Case{"EmptyName", "a.", R"({"a":{"":1}})", {"n:1@0"}},
        Case{"EmptyNameAtTheTop", "a", R"({"":{"a":1}})", {"n:1@0"}},
        Case{"TopLevelValue", "", R"("x")", {"s:x@0"}},
        Case{"Blanks", "a", " { \"a\" :\t1 , \"b\" : [ ] }\r\n", {"n:1@0"}},
        Case{"Elements", "a.b", R"({"a":[{"b":1},{"b":2}]})", {"n:1@1", "n:2@2"}},
        Case{"ArraysOfArrays",
             "a",
             R"({"a":[[1,2],[[3]],4]})",
             {"n:4@0", "n:1@1", "n:2@1", "n:3@3"}},
        Case{"LooksLikeAnEnd", "a", R"({"x":"}],{","a":1})", {"n:1@0"}},
        Case{"ContainersLeaveNothing", "a", R"({"a":{},"a":[],"a":[{}]})", {}},
        Case{"TextBehindTheEnd", "a", R"({"a":1} x)", {}},
        Case{"TwoTexts", "a", R"({"a":1}{"a":1})", {}}, Case{"CutShort", "a", R"({"a":1)", {}},
        Case{"CutInAName", "a", R"({"a)", {}}, Case{"CutInAText", "a", R"({"a":"x)", {}},
        Case{"CutInAPassedPart", "a", R"({"a":1,"b":[[{)", {}},
        Case{"NoColon", "a", R"({"a" 1})", {}}, Case{"NoValue", "a", R"({"a":})", {}},
        Case{"NoComma", "a", R"({"a":[1 2]})", {}}, Case{"CommaTooMany", "a", R"({"a":[1,]})", {}},
        Case{"CommaTooManyInAnObject", "a", R"({"a":1,})", {}},
        Case{"WrongBracket", "a", R"({"a":[1}})", {}}, Case{"NoNumber", "a", R"({"a":01})", {}},
        Case{"NoWord", "a", R"({"a":True})", {}}, Case{"WrongEscape", "a", R"({"a":"\x"})", {}},
        Case{"HalfASurrogatePair", "a", R"({"a":"\ud800"})", {}},
        Case{"NotUtf8", "a", "{\"a\":1,\"b\":\"\xFF\"}", {}},
        Case{"ControlCharacter", "a", "{\"a\":1,\"b\":\"\n\"}", {}}, Case{"Nothing", "a", "", {}},
        Case{"OnlyBlanks", "a", " \n ", {}}),
    [](const auto& info) { return info.param.claim; });

TEST(FlattenerTest, UnitesMounts) {
    Subject subject;
    subject.json("a", R"({"b":1})").json("", R"({"a":{"b":[2]}})").number("a.b", -3);
    EXPECT_EQ(values_at("a.b", subject), (Shown{"n:1@0", "n:2@0", "n:-3@0"}));
    subject.text("a.c", "x").json("", R"({"a":{"b":4,"c":5}})").json("a", R"({"c":[{"c":6}]})");
    EXPECT_EQ(values_at("a.b", subject), (Shown{"n:1@0", "n:2@0", "n:-3@0"}));
    EXPECT_EQ(values_at("a.c", subject), (Shown{"s:x@0"}));
}

TEST(FlattenerTest, TakesBackOnlyThePartThatIsNotJson) {
    Subject subject;
    subject.json("a", R"({"b":1})").json("a", R"({"b":2},)").json("a", R"({"b":[{"b":3}]})");
    EXPECT_EQ(values_at("a.b", subject), (Shown{"n:1@0"}));
}

/// However much is in it, and whatever closes with it.
TEST(FlattenerTest, PassesNoMoreThanThePartThatNobodyAsksFor) {
    for (std::size_t elements = 0; elements < 40; ++elements) {
        std::string flat = "[0";
        std::string nested = "[[]";
        for (std::size_t i = 0; i < elements; ++i) {
            flat += ",1";
            nested += i % 3 == 0 ? R"(,{"b":[{}]})" : ",[]";
        }
        flat += "]";
        nested += "]";
        for (const std::string& passed :
             {flat, nested, "[" + flat + "]", R"({"c":)" + nested + "}",
              "[[[[[[[[[" + flat + "]]]]]]]]]", "[" + flat + "," + nested + "]"}) {
            EXPECT_EQ(values_at("a", R"({"b":)" + passed + R"(,"a":1})"), (Shown{"n:1@0"}))
                << passed;
            EXPECT_EQ(values_at("a", R"({"a":1,"b":)" + passed + "}"), (Shown{"n:1@0"})) << passed;
            EXPECT_EQ(values_at("a", R"({"a":1,"b":)" + passed), Shown()) << passed;
            EXPECT_EQ(values_at("a", R"({"a":1,"b":)" + passed + "]}"), Shown()) << passed;
        }
    }
}

TEST(FlattenerTest, BoundsNesting) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + "1" + std::string(depth, ']');
    };
    EXPECT_EQ(values_at("a", R"({"a":)" + nested(999) + "}").size(), 1U);
    EXPECT_EQ(values_at("a", R"({"a":)" + nested(1000) + "}").size(), 0U);
    EXPECT_EQ(values_at("a", R"({"a":1,"b":)" + nested(999) + "}").size(), 1U);
    EXPECT_EQ(values_at("a", R"({"a":1,"b":)" + nested(1000) + "}").size(), 0U);
    EXPECT_EQ(values_at("a", std::string(1'000'000, '[')).size(), 0U);
}

}  // namespace
}  // namespace bascule::pattern
