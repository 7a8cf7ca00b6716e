#include "foundation/json/raw.h"

#include <gtest/gtest.h>

#include "foundation/base/testing.h"
#include "foundation/json/number.h"
#include "foundation/json/reader.h"
#include "foundation/json/writer.h"

namespace bascule::json {
namespace {

using testing::HasSubstr;

TEST(RawTest, AnswersMembersAsTheyStand) {
    const std::string text = R"({ "a" : 1.50 , "b":{"c": [ 1, 2 ]}, "a":"x" , "\u0064":4})";
    EXPECT_EQ(member_raw(text, "a"), "\"x\"");
    EXPECT_EQ(member_raw(text, "d"), "4");
    EXPECT_EQ(member_raw(text, "e"), std::nullopt);
    EXPECT_EQ(raw_at(text, "/b/c"), "[ 1, 2 ]");
    EXPECT_EQ(raw_at(text, "/b/c/1"), "2");
    EXPECT_EQ(raw_at(text, "/b/c/2"), std::nullopt);
    EXPECT_EQ(raw_at_path(text, "b.c"), "[ 1, 2 ]");
    EXPECT_EQ(raw_at_path(text, "b.x.y"), std::nullopt);
    EXPECT_EQ(member_raw(R"({"a":1,"b":})", "a"), std::nullopt) << "the text as a whole is no JSON";
}

TEST(RawTest, KnowsAnObjectWhenItSeesOne) {
    EXPECT_TRUE(is_valid_object(R"( {"a":[]} )"));
    EXPECT_FALSE(is_valid_object("[]"));
    EXPECT_FALSE(is_valid_object(""));
    EXPECT_FALSE(is_valid_object("{} x"));
    EXPECT_FALSE(is_valid_object(R"({"a":01})"));
}

TEST(RawTest, CompactsWithoutTouchingAnything) {
    EXPECT_EQ(compact(" { \"b\" : [ 1.0 , { } , [ ] ] ,\n\"a\":\"\\u00e9 x\" } ").value(),
              R"({"b":[1.0,{},[]],"a":"\u00e9 x"})");
    EXPECT_THAT(compact("{\"a\":[1,2}"), FailsWith(ErrorKind::invalid, HasSubstr("byte 9")));
}

TEST(RawTest, TurnsStringsIntoText) {
    EXPECT_EQ(string_of(R"("a\u0000\ud83d\ude00\/")"), std::string("a\0\xF0\x9F\x98\x80/", 7));
    EXPECT_EQ(string_of("1"), std::nullopt);
    EXPECT_EQ(string_of("\"a\" 1"), std::nullopt);
}

struct CanonicalCase {
    const char* claim;
    const char* text;
    const char* canonical;
};

class CanonicalTest : public testing::TestWithParam<CanonicalCase> {};

TEST_P(CanonicalTest, GivesEqualBytesForEqualContent) {
    EXPECT_EQ(canonical(GetParam().text).value(), GetParam().canonical);
    EXPECT_EQ(canonical(GetParam().canonical).value(), GetParam().canonical)
        << "canonical text is its own canonical form";
}

INSTANTIATE_TEST_SUITE_P(
    Table, CanonicalTest,
    testing::Values(
        CanonicalCase{"SortsMembersAtEveryDepth", R"({"b":{"d":1,"c":2},"a":[{"f":1,"e":2}]})",
                      R"({"a":[{"e":2,"f":1}],"b":{"c":2,"d":1}})"},
        CanonicalCase{"SortsBlanksAndEscapesAway",
                      "{ \"b\" : [ {\"\\u0064\":1 ,\"c\":\"\\/\"} ] ,\"a\":{\"f\":{},\"e\":[]}}",
                      R"({"a":{"e":[],"f":{}},"b":[{"c":"/","d":1}]})"},
        CanonicalCase{"DropsBlanks", " [ 1 , { } ] ", "[1,{}]"},
        CanonicalCase{"KeepsArrayOrder", "[3,1,2]", "[3,1,2]"},
        CanonicalCase{"KeepsNumbersAsWritten", "[1.0,1,1e2,12345678901234567890]",
                      "[1.0,1,1e2,12345678901234567890]"},
        CanonicalCase{"UsesShortestEscapes", R"({"a":"\u0041\u00e9\/\u000a\u001f\""})",
                      "{\"a\":\"A\xC3\xA9/\\n\\u001f\\\"\"}"},
        CanonicalCase{"SortsByTheNameNotItsEscapes", R"({"b":1,"\u0061":2})", R"({"a":2,"b":1})"},
        CanonicalCase{"SortsByUtf16",
                      "{\"\xEF\xAC\xB3\":1,\"\xF0\x9F\x98\x82\":2,\"\xE2\x82\xAC\":3}",
                      "{\"\xE2\x82\xAC\":3,\"\xF0\x9F\x98\x82\":2,\"\xEF\xAC\xB3\":1}"},
        CanonicalCase{"KeepsDuplicatesInOrder", R"({"b":1,"a":2,"a":1})",
                      R"({"a":2,"a":1,"b":1})"}),
    [](const auto& info) { return info.param.claim; });

TEST(RawTest, AppendsTheCanonicalFormOrNothing) {
    std::string out = "before ";
    EXPECT_THAT(append_canonical(out, R"({"b":1,"a":2})"), Succeeds());
    EXPECT_EQ(out, R"(before {"a":2,"b":1})");
    EXPECT_THAT(append_canonical(out, R"({"b":1,"a":2)"), FailsWith(ErrorKind::invalid));
    EXPECT_THAT(append_canonical(out, R"({"b":"\n" "a"})"), FailsWith(ErrorKind::invalid));
    EXPECT_EQ(out, R"(before {"a":2,"b":1})");
}

struct OrderCase {
    const char* left;
    const char* right;
    int order;
};

TEST(NumberTest, ComparesByExactDecimalValue) {
    const OrderCase rows[] = {
        {"1", "1.0", 0},
        {"1.10", "1.1", 0},
        {"-0", "0", 0},
        {"0e5", "0.000", 0},
        {"300", "3e2", 0},
        {"0.003", "3E-3", 0},
        {"100", "1e2", 0},
        {"1e400", "2e400", -1},
        {"-1e400", "1", -1},
        {"10", "9", 1},
        {"-10", "-9", -1},
        {"0.1", "0.09", 1},
        {"9007199254740993", "9007199254740992", 1},
        {"9007199254740993", "9007199254740993.0", 0},
        {"0.12345678901234567890123", "0.12345678901234567890124", -1},
        {"1e-99999999999999999999", "0", 1},
        {"1e99999999999999999999", "1e99999999999999999999", 0},
    };
    for (const auto& [left, right, order] : rows) {
        EXPECT_EQ(compare_numbers(left, right), order <=> 0) << left << " against " << right;
        EXPECT_EQ(compare_numbers(right, left), 0 <=> order) << right << " against " << left;
    }
}

TEST(WriterTest, PutsCommasAndEscapes) {
    std::string out;
    Writer writer(out);
    writer.begin_object()
        .member("a\"", "x\n")
        .member("b", 3)
        .member("c", true)
        .key("d")
        .begin_array();
    writer.null()
        .string("y")
        .begin_object()
        .end_object()
        .end_array()
        .member_raw("e", "1.50")
        .key("f")
        .real(0.1);
    writer.members_of(R"({"g":1,"h":2})").members_of("{ }").end_object();
    EXPECT_EQ(out,
              R"({"a\"":"x\n","b":3,"c":true,"d":[null,"y",{}],"e":1.50,"f":0.1,"g":1,"h":2})");
    EXPECT_TRUE(is_valid(out));
}

TEST(WriterTest, NeverWritesInvalidUtf8) {
    std::string out;
    append_string(out, "a\xFF\xC3\xA9\xE2\x82");
    EXPECT_EQ(out, "\"a\xEF\xBF\xBD\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(ReaderTest, StopsEveryLoopAtTheFirstFault) {
    Reader reader(R"({"a":1,"b":[1,2,"c":3})");
    int members = 0;
    if (reader.enter_object()) {
        while (reader.next_member()) {
            ++members;
            reader.skip();
        }
    }
    EXPECT_EQ(members, 2);
    EXPECT_THAT(reader.finish(), FailsWith(ErrorKind::invalid,
                                           HasSubstr("(byte 19): expected ',' or ']', found ':'")));
}

TEST(ReaderTest, FindsEveryByteAtEveryPlaceOfAString) {
    for (std::size_t place = 0; place < 20; ++place) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string text = "\"abcdefghijklmnopqrst\"";
            text[1 + place] = static_cast<char>(byte);
            Reader reader(text);
            const Text read = reader.string();
            SCOPED_TRACE("byte " + std::to_string(byte) + " at " + std::to_string(place));
            if (byte == '"') {
                EXPECT_EQ(read.raw(), text.substr(1, place));
            } else if (byte < 0x20 || byte >= 0x80) {
                EXPECT_TRUE(reader.failed());
                EXPECT_THAT(reader.finish(),
                            FailsWith(ErrorKind::invalid,
                                      HasSubstr("(byte " + std::to_string(1 + place) + ")")));
            } else if (byte != '\\') {
                EXPECT_EQ(read.raw(), text.substr(1, 20));
            }
        }
    }
}

TEST(ReaderTest, CarriesTheCallersFault) {
    Reader reader("{\"a\": 1}");
    ASSERT_TRUE(reader.enter_object());
    ASSERT_TRUE(reader.next_member());
    reader.refuse("must be a string");
    reader.refuse("not this one");
    EXPECT_FALSE(reader.next_member());
    EXPECT_THAT(reader.finish(),
                FailsWith(ErrorKind::invalid, "line 1, column 6 (byte 5): must be a string"));
}

}  // namespace
}  // namespace bascule::json
