#include <gtest/gtest.h>

#include "foundation/base/testing.h"
#include "household/application/stores/condition_json.h"
#include "household/application/stores/mapping_json.h"

namespace bascule::application {
namespace {

using testing::HasSubstr;

struct RoundTrip {
    const char* claim;
    const char* text;
};

class ConditionJsonTest : public testing::TestWithParam<RoundTrip> {};

TEST_P(ConditionJsonTest, ReadsBackWhatItWrites) {
    const auto node = parse_conditions(GetParam().text);
    ASSERT_THAT(node, Succeeds());
    EXPECT_EQ(to_json(*node), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ConditionJsonTest,
    testing::Values(
        RoundTrip{"Single", R"({"field":"payee","operator":"contains","value":"lidl"})"},
        RoundTrip{"Between",
                  R"({"field":"amount","operator":"between","value":"1","value2":"2.50"})"},
        RoundTrip{
            "Flags",
            R"({"field":"memo","operator":"regex","value":"a\\d","negate":true,"caseSensitive":true})"},
        RoundTrip{
            "Groups",
            R"({"all":[{"field":"payee","operator":"equals","value":"x"},{"any":[{"field":"memo","operator":"ends_with","value":"y"}]}]})"}),
    [](const auto& info) { return info.param.claim; });

TEST(ConditionJsonErrorTest, NamesThePlace) {
    EXPECT_THAT(parse_conditions("[]"),
                FailsWith(ErrorKind::invalid, HasSubstr("conditions: must be an object")));
    EXPECT_THAT(parse_conditions(R"({"field":"payee","operator":"contains"})"),
                FailsWith(ErrorKind::invalid, HasSubstr("conditions.value: is missing")));
    EXPECT_THAT(parse_conditions(R"({"all":[{"field":"payee","operator":"like","value":"x"}]})"),
                FailsWith(ErrorKind::invalid, HasSubstr("conditions.all[0].operator: ")));
    EXPECT_THAT(parse_conditions(R"({"any":[]})"),
                FailsWith(ErrorKind::invalid, HasSubstr("conditions.any: must be an array")));
    EXPECT_THAT(parse_conditions(R"({"any":[1],"all":[1]})"),
                FailsWith(ErrorKind::invalid, HasSubstr("one member")));
    EXPECT_THAT(parse_conditions(R"({"field":"payee","operator":"contains","value":"x","mood":1})"),
                FailsWith(ErrorKind::invalid, HasSubstr("conditions.mood: is not known")));
}

TEST(MappingJsonTest, ReadsBackWhatItWrites) {
    const auto mapping = parse_mapping(R"({
        "columns": {"date": "Buchungstag", "amount": 4, "memo": ["VWZ1", "VWZ2"]},
        "date_format": "DMY", "decimal_mark": ",", "skip_lines": 3, "header": true,
        "delimiter": ";", "encoding": "windows-1252", "currency": "EUR",
        "debit_marks": ["S", "Soll"]})");
    ASSERT_THAT(mapping, Succeeds());
    const std::string text = to_json(*mapping);
    EXPECT_THAT(text, HasSubstr(R"("memo":["VWZ1","VWZ2"])"));
    EXPECT_THAT(text, HasSubstr(R"("amount":4)"));
    EXPECT_THAT(text, HasSubstr(R"("header":true)"));
    EXPECT_THAT(text, HasSubstr(R"("debit_marks":["S","Soll"])"));
    const auto again = parse_mapping(text);
    ASSERT_THAT(again, Succeeds());
    EXPECT_EQ(to_json(*again), text);
}

TEST(MappingJsonTest, NamesWhatIsWrong) {
    EXPECT_THAT(parse_mapping("7"),
                FailsWith(ErrorKind::invalid, HasSubstr("must be a JSON object")));
    EXPECT_THAT(parse_mapping(R"({"date_format": "XYZ"})"),
                FailsWith(ErrorKind::invalid, HasSubstr("date_format")));
    EXPECT_THAT(
        parse_mapping(R"({"skip_lines": {"a": 1}})"),
        FailsWith(ErrorKind::invalid, HasSubstr("mapping: skip_lines: must not be an object")));
}

}  // namespace
}  // namespace bascule::application
