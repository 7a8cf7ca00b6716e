#include "foundation/json/value.h"

#include <gtest/gtest.h>

#include "foundation/base/random.h"
#include "foundation/base/testing.h"
#include "foundation/json/raw.h"

namespace bascule::json {
namespace {

using testing::HasSubstr;

struct TextCase {
    const char* claim;
    std::string text;
    bool valid;
};

const TextCase texts[] = {
    {"Null", "null", true},
    {"BlanksAround", " \t\r\n true \n", true},
    {"EmptyObject", "{}", true},
    {"EmptyArray", "[ ]", true},
    {"Nested", R"({"a":[1,{"b":[]},"c"],"d":null})", true},
    {"LongNumber", "123456789012345678901234567890.000000000000000000001e-400", true},
    {"NegativeZero", "-0", true},
    {"Escapes", R"("\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")", true},
    {"Utf8", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"", true},
    {"EscapedKey", R"({"\u0061":1})", true},
    {"DuplicateKeys", R"({"a":1,"a":2})", true},
    {"Nothing", "", false},
    {"OnlyBlanks", "  ", false},
    {"TrailingText", "{} {}", false},
    {"TrailingCommaInArray", "[1,]", false},
    {"TrailingCommaInObject", R"({"a":1,})", false},
    {"MissingComma", "[1 2]", false},
    {"MissingColon", R"({"a" 1})", false},
    {"MissingValue", R"({"a":})", false},
    {"LeadingComma", "[,1]", false},
    {"UnquotedKey", "{a:1}", false},
    {"SingleQuotes", "{'a':1}", false},
    {"Comment", "[1/**/]", false},
    {"LeadingZero", "01", false},
    {"LeadingPlus", "+1", false},
    {"BareFraction", ".5", false},
    {"EmptyFraction", "1.", false},
    {"EmptyExponent", "1e", false},
    {"MinusAlone", "-", false},
    {"NotANumber", "NaN", false},
    {"HalfLiteral", "tru", false},
    {"LongLiteral", "truex", false},
    {"WrongCase", "True", false},
    {"OpenString", "\"abc", false},
    {"OpenObject", R"({"a":1)", false},
    {"OpenArray", "[1", false},
    {"WrongBracket", "[1}", false},
    {"ControlInString", "\"a\nb\"", false},
    {"UnknownEscape", R"("\x")", false},
    {"ShortUnicodeEscape", R"("\u12")", false},
    {"LoneHighSurrogate", R"("\ud800")", false},
    {"LoneLowSurrogate", R"("\udc00")", false},
    {"HighSurrogateTwice", R"("\ud800\ud800")", false},
    {"OverlongUtf8", "\"\xC0\xAF\"", false},
    {"SurrogateInUtf8", "\"\xED\xA0\x80\"", false},
    {"CutUtf8", "\"\xE2\x82\"", false},
    {"Utf8OutsideString", "\xC3\xA9", false},
    {"ByteOrderMark", "\xEF\xBB\xBF{}", false},
    {"NulByte", std::string("[\0]", 3), false},
};

class TextTest : public testing::TestWithParam<TextCase> {};

// Both readers, simdjson's and ours, must draw the same line.
TEST_P(TextTest, IsJsonOrNot) {
    const TextCase& row = GetParam();
    EXPECT_EQ(Value::parse(row.text).has_value(), row.valid);
    EXPECT_EQ(check_text(row.text).has_value(), row.valid);
}

INSTANTIATE_TEST_SUITE_P(Table, TextTest, testing::ValuesIn(texts),
                         [](const auto& info) { return info.param.claim; });

TEST(ValueTest, LosesNothing) {
    const std::string text =
        R"({"z":1.10,"a":[12345678901234567890123,1E5,-0.0],"z":"\u00e9\n","e":{}})";
    const auto value = Value::parse(text);
    ASSERT_THAT(value, Succeeds());
    EXPECT_EQ(
        value->text(),
        "{\"z\":1.10,\"a\":[12345678901234567890123,1E5,-0.0],\"z\":\"\xC3\xA9\\n\",\"e\":{}}");
}

TEST(ValueTest, FindsTheLastOfDuplicates) {
    const auto value = Value::parse(R"({"a":1,"b":2,"a":3})");
    ASSERT_THAT(value, Succeeds());
    EXPECT_EQ(value->members().size(), 3U);
    EXPECT_EQ(value->find("a")->as_int64(), 3);
    EXPECT_EQ(value->find("c"), nullptr);
}

TEST(ValueTest, FollowsPointers) {
    const auto value = Value::parse(R"({"a":[{"b/c":1},{"~":2}],"":3})");
    ASSERT_THAT(value, Succeeds());
    EXPECT_EQ(value->at("/a/0/b~1c")->as_int64(), 1);
    EXPECT_EQ(value->at("/a/1/~0")->as_int64(), 2);
    EXPECT_EQ(value->at("/")->as_int64(), 3);
    EXPECT_EQ(value->at(""), &*value);
    EXPECT_EQ(value->at("/a/01"), nullptr);
    EXPECT_EQ(value->at("/a/2"), nullptr);
    EXPECT_EQ(value->at("a"), nullptr);
}

TEST(ValueTest, ConvertsNumbersOnlyIfNothingIsLost) {
    EXPECT_EQ(Value::number_text("9223372036854775807").as_int64(), INT64_MAX);
    EXPECT_EQ(Value::number_text("-9223372036854775808").as_int64(), INT64_MIN);
    EXPECT_EQ(Value::number_text("9223372036854775808").as_int64(), std::nullopt);
    EXPECT_EQ(Value::number_text("3e2").as_int64(), 300);
    EXPECT_EQ(Value::number_text("300.000").as_int64(), 300);
    EXPECT_EQ(Value::number_text("0.5e1").as_int64(), 5);
    EXPECT_EQ(Value::number_text("0e999999999999").as_int64(), 0);
    EXPECT_EQ(Value::number_text("0.5").as_int64(), std::nullopt);
    EXPECT_EQ(Value::number_text("1e999999999999").as_int64(), std::nullopt);
    EXPECT_EQ(Value::number_text("1e400").as_double(), std::nullopt);
    EXPECT_EQ(Value::string("3").as_int64(), std::nullopt);
}

TEST(ValueTest, SaysWhereTheTextIsWrong) {
    EXPECT_THAT(Value::parse("{\"a\":1,\n \"b\":tru}"),
                FailsWith(ErrorKind::invalid,
                          "line 2, column 6 (byte 13): expected true or false, found 't'"));
    EXPECT_THAT(Value::parse("[1,]"),
                FailsWith(ErrorKind::invalid, HasSubstr("column 4 (byte 3)")));
    EXPECT_THAT(Value::parse("[1"), FailsWith(ErrorKind::invalid, HasSubstr("the text ends")));
}

TEST(ValueTest, HoldsTheLimits) {
    const std::string deep = std::string(50, '[') + std::string(50, ']');
    EXPECT_THAT(Value::parse(deep, {.depth_max = 50}), Succeeds());
    EXPECT_THAT(Value::parse(deep, {.depth_max = 49}),
                FailsWith(ErrorKind::invalid, HasSubstr("more than 49 deep")));
    EXPECT_THAT(Value::parse("[1,2]", {.bytes_max = 4}),
                FailsWith(ErrorKind::invalid, HasSubstr("at most 4")));
    EXPECT_THAT(Value::parse(std::string(1'000'000, '[')),
                FailsWith(ErrorKind::invalid, HasSubstr("1000 deep")));
}

TEST(ValueTest, IsBuiltByHand) {
    Value value = Value::object();
    value.set("b", Value::number(-7)).set("a", Value::array()).set("b", Value::string("x\"y"));
    EXPECT_EQ(value.text(), R"({"b":"x\"y","a":[]})");
}

/// Mutates valid texts at random; the two readers must agree on every one, and what they accept
/// must survive a round trip.
TEST(ValueTest, AgreesWithTheReaderOnMutatedTexts) {
    Random random(20261125);
    const std::string alphabet = "{}[]\",:0123456789.eE+-truefalsn\\u \n\x80\xC3\xA9";
    int accepted = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string text = texts[random.below(11)].text;
        for (std::uint64_t edits = random.below(3); edits > 0 && !text.empty(); --edits) {
            const std::size_t at = random.below(text.size());
            if (random.below(2) == 0) {
                text.erase(at, 1);
            } else {
                text.insert(at, 1, alphabet[random.below(alphabet.size())]);
            }
        }
        const auto value = Value::parse(text);
        ASSERT_EQ(value.has_value(), check_text(text).has_value()) << text;
        if (value) {
            ++accepted;
            ASSERT_EQ(Value::parse(value->text()).value(), *value) << text;
        }
    }
    EXPECT_GT(accepted, 5000);
}

}  // namespace
}  // namespace bascule::json
