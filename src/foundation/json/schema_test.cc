#include "foundation/json/schema.h"

#include <gtest/gtest.h>

#include <chrono>

#include "foundation/base/testing.h"

namespace bascule::json {
namespace {

using testing::HasSubstr;

std::vector<Violation> violations(const char* schema, const std::string& text) {
    return Schema::compile(schema).value().validate(Value::parse(text).value());
}

TEST(SchemaTest, AcceptsWhatFits) {
    EXPECT_TRUE(
        violations(
            R"({"type":"object","required":["a"],"properties":{"a":{"type":"integer","minimum":0}}})",
            R"({"a":3})")
            .empty());
}

TEST(SchemaTest, PointsAtWhatIsWrong) {
    const auto found =
        violations(R"({"properties":{"a":{"items":{"properties":{"x/y":{"type":"string"}}}}}})",
                   R"({"a":[{},{"x/y":3}]})");
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found.front().pointer, "/a/1/x~1y");
}

TEST(SchemaTest, KnowsIntegersFromNumbersAndStrings) {
    constexpr const char* integer = R"({"type":"integer"})";
    EXPECT_TRUE(violations(integer, "3").empty());
    EXPECT_TRUE(violations(integer, "3.0").empty());
    EXPECT_FALSE(violations(integer, "3.5").empty());
    EXPECT_FALSE(violations(integer, "\"3\"").empty());
}

TEST(SchemaTest, FollowsReferencesWithinTheDocument) {
    constexpr const char* tree =
        R"({"$ref":"#/definitions/t","definitions":{"t":{"properties":{"kids":{"items":{"$ref":"#/definitions/t"}},"n":{"type":"string"}}}}})";
    EXPECT_TRUE(violations(tree, R"({"n":"a","kids":[{"n":"b"}]})").empty());
    EXPECT_FALSE(violations(tree, R"({"n":"a","kids":[{"n":3}]})").empty());
}

// The value would keep a backtracking engine busy for longer than the universe has been.
TEST(SchemaTest, MatchesPatternsInLinearTime) {
    const std::string value = '"' + std::string(50000, 'a') + "!\"";
    EXPECT_FALSE(violations(R"({"pattern":"^(a+)+$"})", value).empty());
    EXPECT_TRUE(violations(R"({"pattern":"^(a+)+!$"})", value).empty());
}

TEST(SchemaTest, LetsAPropertyBeCalledPattern) {
    constexpr const char* schema =
        R"({"properties":{"pattern":{"type":"string","pattern":"^x"}},"required":["pattern"]})";
    EXPECT_TRUE(violations(schema, R"({"pattern":"xy"})").empty());
    EXPECT_FALSE(violations(schema, R"({"pattern":"y"})").empty());
    EXPECT_FALSE(violations(schema, R"({})").empty());
}

// Each of these would recurse without end, or for 2^40 steps, inside the library.
TEST(SchemaTest, RefusesWhatWouldNotEnd) {
    for (
        const char* endless :
        {R"({"$ref":"#"})", R"({"allOf":[{"$ref":"#"}]})",
         R"({"properties":{"a":{"not":{"$ref":"#/properties/a"}}}})",
         R"({"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},"b":{"if":{"$ref":"#/definitions/a"}}}})"}) {
        EXPECT_THAT(Schema::compile(endless),
                    FailsWith(ErrorKind::invalid, HasSubstr("leads back to itself")))
            << endless;
    }
    std::string doubling = R"({"definitions":{"d0":{})";
    for (int i = 1; i <= 40; ++i) {
        const std::string below = R"({"$ref":"#/definitions/d)" + std::to_string(i - 1) + R"("})";
        doubling += ",\"d" + std::to_string(i) + "\":{\"allOf\":[" + below + "," + below + "]}";
    }
    EXPECT_THAT(Schema::compile(doubling + "}}"),
                FailsWith(ErrorKind::invalid, HasSubstr("more than 10000")));
    EXPECT_TRUE(violations(R"({"properties":{"a":{"$ref":"#"}}})", R"({"a":{"a":1}})").empty());
}

TEST(SchemaTest, RefusesWhatIsNoSchema) {
    EXPECT_THAT(Schema::compile("{"), FailsWith(ErrorKind::invalid, HasSubstr("line 1")));
    EXPECT_THAT(Schema::compile("[]"), FailsWith(ErrorKind::invalid, HasSubstr("is an object")));
    EXPECT_THAT(Schema::compile(R"({"type":3})"),
                FailsWith(ErrorKind::invalid, HasSubstr("not a JSON Schema")));
    EXPECT_THAT(Schema::compile(R"({"pattern":"("})"),
                FailsWith(ErrorKind::invalid, HasSubstr("regular expression")));
    EXPECT_THAT(Schema::compile(R"({"properties":{"a":{"patternProperties":{}}}})"),
                FailsWith(ErrorKind::invalid, HasSubstr("propertyNames")));
    EXPECT_THAT(Schema::compile(R"({"$ref":"http://example.org/schema"})"),
                FailsWith(ErrorKind::invalid));
    EXPECT_THAT(Schema::compile(R"({"$ref":"#/nowhere"})"), FailsWith(ErrorKind::invalid));
}

}  // namespace
}  // namespace bascule::json
