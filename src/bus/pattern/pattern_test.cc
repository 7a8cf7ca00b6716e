#include "bus/pattern/pattern.h"

#include <gtest/gtest.h>

#include <chrono>

#include "foundation/base/random.h"
#include "foundation/base/testing.h"

namespace bascule::pattern {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

bool matches(std::string_view pattern, std::string_view event,
             Dialect dialect = Dialect::eventbridge) {
    Subject subject;
    subject.json("", event);
    return Pattern::parse(pattern, dialect).value().matches(subject);
}

struct MatchCase {
    const char* claim;
    const char* pattern;
    const char* event;
    bool matches;
};

class MatchTest : public testing::TestWithParam<MatchCase> {};

TEST_P(MatchTest, IsAsEventBridgeHasIt) {
    EXPECT_EQ(matches(GetParam().pattern, GetParam().event), GetParam().matches)
        << GetParam().pattern << " against " << GetParam().event;
}

const auto claim_of = [](const auto& info) { return info.param.claim; };

INSTANTIATE_TEST_SUITE_P(
    Exact, MatchTest,
    testing::Values(
        MatchCase{"OneOfTheValues", R"({"a":["x","y"]})", R"({"a":"y"})", true},
        MatchCase{"NoneOfTheValues", R"({"a":["x","y"]})", R"({"a":"z"})", false},
        MatchCase{"EveryFieldMustMatch", R"({"a":["x"],"b":["y"]})", R"({"a":"x","b":"n"})", false},
        MatchCase{"OtherFieldsDoNotMatter", R"({"a":["x"]})", R"({"a":"x","b":1})", true},
        MatchCase{"MissingField", R"({"a":["x"]})", R"({"b":"x"})", false},
        MatchCase{"CaseMatters", R"({"a":["x"]})", R"({"a":"X"})", false},
        MatchCase{"StringIsNoNumber", R"({"a":["1"]})", R"({"a":1})", false},
        MatchCase{"NumberIsNoString", R"({"a":[1]})", R"({"a":"1"})", false},
        MatchCase{"NumbersByValue", R"({"a":[300]})", R"({"a":3.0e2})", true},
        MatchCase{"NegativeZero", R"({"a":[0]})", R"({"a":-0.0})", true},
        MatchCase{"LongNumbersByEveryDigit", R"({"a":[9007199254740993]})",
                  R"({"a":9007199254740992})", false},
        MatchCase{"LongNumberItself", R"({"a":[12345678901234567890]})",
                  R"({"a":12345678901234567890})", true},
        MatchCase{"NoDoubleEqualsItself", R"({"a":[1e999999999]})", R"({"a":1e999999999})", true},
        MatchCase{"NoDoubleEqualsNoOtherSpelling", R"({"a":[1e999999999]})",
                  R"({"a":10e999999998})", false},
        MatchCase{"NoDoubleInNoOtherSpelling", R"({"a":[9007199254740993]})",
                  R"({"a":9007199254740993.0})", false},
        MatchCase{"OfManyDigitsButADouble", R"({"a":[9223372036854775808]})",
                  R"({"a":9223372036854775808.0})", false},
        MatchCase{"GreatestDouble", R"({"a":[1.7976931348623157e308]})",
                  R"({"a":17976931348623157e292})", true},
        MatchCase{"SmallestDouble", R"({"a":[4.9e-324]})", R"({"a":49e-325})", true},
        MatchCase{"SmallestDoubleIsWrittenWithTwoDigits", R"({"a":[5e-324]})", R"({"a":50e-325})",
                  false},
        MatchCase{"True", R"({"a":[true]})", R"({"a":true})", true},
        MatchCase{"TrueIsNoString", R"({"a":["true"]})", R"({"a":true})", false},
        MatchCase{"Null", R"({"a":[null]})", R"({"a":null})", true},
        MatchCase{"NullIsNotMissing", R"({"a":[null]})", R"({})", false},
        MatchCase{"NullIsNoString", R"({"a":[null]})", R"({"a":"null"})", false},
        MatchCase{"EscapesAreDecoded", R"({"\u0061":["\u00e9\n"]})", "{\"a\":\"\xC3\xA9\\u000a\"}",
                  true},
        MatchCase{"NoNormalisation", "{\"a\":[\"\xC3\xA9\"]}", "{\"a\":\"e\xCC\x81\"}", false},
        MatchCase{"StarIsALiteral", R"({"a":["*"]})", R"({"a":"x"})", false},
        MatchCase{"EmptyString", R"({"a":[""]})", R"({"a":""})", true},
        MatchCase{"Exactly", R"({"a":[{"exactly":"x"}]})", R"({"a":"x"})", true},
        MatchCase{"IpInAnotherSpelling", R"({"a":["2001:db8::1"]})",
                  R"({"a":"2001:0db8:0:0:0:0:0:1"})", true},
        MatchCase{"IpMappedToV6", R"({"a":["10.0.0.1"]})", R"({"a":"::ffff:a00:1"})", true},
        MatchCase{"IpWithManyZeros", R"({"a":["10.0.0.1"]})", R"({"a":"0000010.0.0.1"})", true},
        MatchCase{"IpOfTooManyCharacters", R"({"a":["10.0.0.1"]})", R"({"a":"000000010.0.0.01"})",
                  false},
        MatchCase{"IpWithQuadAtItsEnd", R"({"a":["::a00:1"]})", R"({"a":"::10.0.0.1"})", false},
        MatchCase{"HalfASurrogatePair", R"({"a":["\ud83d"]})", R"({"a":"?"})", true},
        MatchCase{"IpWithLeadingZero", R"({"a":["10.0.0.1"]})", R"({"a":"10.0.0.01"})", true},
        MatchCase{"JsonInAStringIsAString", R"({"a":{"b":["x"]}})", R"({"a":"{\"b\":\"x\"}"})",
                  false}),
    claim_of);

INSTANTIATE_TEST_SUITE_P(
    Paths, MatchTest,
    testing::Values(
        MatchCase{"Nested", R"({"a":{"b":{"c":["x"]}}})", R"({"a":{"b":{"c":"x"}}})", true},
        MatchCase{"NestedElsewhere", R"({"a":{"b":["x"]}})", R"({"b":"x"})", false},
        MatchCase{"DotInThePattern", R"({"a.b":["x"]})", R"({"a":{"b":"x"}})", true},
        MatchCase{"DotInTheEvent", R"({"a":{"b":["x"]}})", R"({"a.b":"x"})", true},
        MatchCase{"ObjectIsNoLeaf", R"({"a":["x"]})", R"({"a":{"x":1}})", false},
        MatchCase{"LastOfEqualPatternFields", R"({"a":["x"],"a":["y"]})", R"({"a":"x"})", false},
        MatchCase{"EqualPatternObjectsAreMerged", R"({"a":{"b":["x"]},"a":{"c":["y"]}})",
                  R"({"a":{"b":"x","c":"n"}})", false},
        MatchCase{"EitherOfEqualEventFields", R"({"a":["x"]})", R"({"a":"x","a":"y"})", true},
        MatchCase{"TextAfterThePattern", R"({"a":["x"]} and more)", R"({"a":"x"})", true},
        MatchCase{"EventThatIsNoJson", R"({"a":["x"]})", R"({"a":"x")", false}),
    claim_of);

INSTANTIATE_TEST_SUITE_P(
    Arrays, MatchTest,
    testing::Values(
        MatchCase{"AnyElement", R"({"a":["x"]})", R"({"a":["y","x"]})", true},
        MatchCase{"NestedArrays", R"({"a":["x"]})", R"({"a":[["y",["x"]]]})", true},
        MatchCase{"ElementsOfObjects", R"({"a":{"b":["x"]}})", R"({"a":[{"b":"y"},{"b":"x"}]})",
                  true},
        MatchCase{"FieldsOfOneElement", R"({"a":{"b":["x"],"c":["1"]}})",
                  R"({"a":[{"b":"x","c":"1"},{"b":"y","c":"2"}]})", true},
        MatchCase{"FieldsOfTwoElements", R"({"a":{"b":["x"],"c":["2"]}})",
                  R"({"a":[{"b":"x","c":"1"},{"b":"y","c":"2"}]})", false},
        MatchCase{"FieldsOfTwoElementsDeepDown", R"({"a":{"b":{"c":["x"]},"d":["2"]}})",
                  R"({"a":[{"b":[{"c":"x"}],"d":"1"},{"b":[{"c":"y"}],"d":"2"}]})", false},
        MatchCase{"TwoArraysAreIndependent", R"({"a":["x"],"b":["y"]})",
                  R"({"a":["n","x"],"b":["y","n"]})", true},
        MatchCase{"LaterChoiceMayFit", R"({"a":{"b":["x"],"c":["2"]}})",
                  R"({"a":[{"b":"x","c":"1"},{"b":"x","c":"2"}]})", true},
        MatchCase{"EmptyArrayLeavesNothing", R"({"a":[{"exists":true}]})", R"({"a":[]})", false},
        MatchCase{"ScalarsBelongToNoElement", R"({"a":["x"],"a.b":["y"]})",
                  R"({"a":["x",{"b":"y"}]})", true},
        MatchCase{"ScalarsBelongToTheElementAroundThem", R"({"a":["x"],"a.b":["y"]})",
                  R"({"a":[["x"],{"b":"y"}]})", false},
        MatchCase{"ScalarsOfTheChosenElement", R"({"a":{"x":["i"],"y":["i"],"z":["i"]}})",
                  R"({"a":[{"x":["n","n"],"y":"n","z":"i"},{"x":"i","y":["i","n"],"z":"i"}]})",
                  true},
        MatchCase{"ScalarsOfTwoElements", R"({"a":{"x":["i"],"y":["i"],"z":["i"]}})",
                  R"({"a":[{"x":["n","i"],"y":"n","z":"i"},{"x":"n","y":["i","n"],"z":"i"}]})",
                  false},
        MatchCase{"FirstElementLacksAField", R"({"a":{"x":["i"],"y":["i"],"z":["i"]}})",
                  R"({"a":[{"y":"n","z":"n"},{"x":"i","y":"i","z":"i"}]})", true},
        MatchCase{"LastElementLacksAField", R"({"a":{"x":["i"],"y":["i"],"z":["i"]}})",
                  R"({"a":[{"x":"i","y":"i","z":"i"},{"y":"n","z":"n"}]})", true},
        MatchCase{"BlanksOfEveryKind", R"({"a":{"b":["x"],"c":[5]}})",
                  "\r\n{\t\"a\" \r:\r[\r{\r\"c\"\r:\r5\r,\r\"b\"\r:\r\"x\"\r}\r]\r}\r", true},
        MatchCase{"NullElement", R"({"a":[null]})", R"({"a":["x",null]})", true}),
    claim_of);

INSTANTIATE_TEST_SUITE_P(
    Existence, MatchTest,
    testing::Values(
        MatchCase{"Present", R"({"a":[{"exists":true}]})", R"({"a":0})", true},
        MatchCase{"NullIsPresent", R"({"a":[{"exists":true}]})", R"({"a":null})", true},
        MatchCase{"Missing", R"({"a":[{"exists":true}]})", R"({"b":0})", false},
        MatchCase{"ObjectIsNotPresent", R"({"a":[{"exists":true}]})", R"({"a":{"b":1}})", false},
        MatchCase{"Absent", R"({"a":[{"exists":false}]})", R"({"b":0})", true},
        MatchCase{"NotAbsent", R"({"a":[{"exists":false}]})", R"({"a":null})", false},
        MatchCase{"AbsentBelowAnObject", R"({"a":{"b":[{"exists":false}]}})", R"({"a":{"c":1}})",
                  true},
        MatchCase{"AbsentOrValue", R"({"a":[{"exists":false},"x"]})", R"({"a":"x"})", true},
        MatchCase{"AbsentOrOtherValue", R"({"a":[{"exists":false},"x"]})", R"({"a":"y"})", false},
        MatchCase{"AbsentInTheChosenElement", R"({"a":{"b":["x"],"z":[{"exists":false}]}})",
                  R"({"a":[{"b":"x"},{"b":"y","z":1}]})", true},
        MatchCase{"PresentInTheChosenElement", R"({"a":{"b":["y"],"z":[{"exists":false}]}})",
                  R"({"a":[{"b":"x"},{"b":"y","z":1}]})", false},
        MatchCase{"AbsentAloneMeansInNoElement", R"({"a":{"z":[{"exists":false}]}})",
                  R"({"a":[{"b":"x"},{"b":"y","z":1}]})", false},
        MatchCase{"AbsentBeforeTheChoiceMeansInNoElement",
                  R"({"a":{"b":["x"],"A":[{"exists":false}]}})",
                  R"({"a":[{"b":"x"},{"b":"y","A":1}]})", false}),
    claim_of);

INSTANTIATE_TEST_SUITE_P(
    Strings, MatchTest,
    testing::Values(
        MatchCase{"Prefix", R"({"a":[{"prefix":"file."}]})", R"({"a":"file.uploaded"})", true},
        MatchCase{"NotThePrefix", R"({"a":[{"prefix":"file."}]})", R"({"a":"a file."})", false},
        MatchCase{"EmptyPrefix", R"({"a":[{"prefix":""}]})", R"({"a":""})", true},
        MatchCase{"EmptyPrefixOfANumber", R"({"a":[{"prefix":""}]})", R"({"a":1})", false},
        MatchCase{"PrefixOfANumber", R"({"a":[{"prefix":"1"}]})", R"({"a":12})", false},
        MatchCase{"PrefixIgnoringCase", R"({"a":[{"prefix":{"equals-ignore-case":"FiLe"}}]})",
                  R"({"a":"file.uploaded"})", true},
        MatchCase{"Suffix", R"({"a":[{"suffix":".csv"}]})", R"({"a":"x.csv"})", true},
        MatchCase{"NotTheSuffix", R"({"a":[{"suffix":".csv"}]})", R"({"a":"x.csv.gz"})", false},
        MatchCase{"SuffixIgnoringCase", R"({"a":[{"suffix":{"equals-ignore-case":".CSV"}}]})",
                  R"({"a":"x.cSv"})", true},
        MatchCase{"SuffixIgnoringCaseOfAShorterText",
                  R"({"a":[{"suffix":{"equals-ignore-case":".CSV"}}]})", R"({"a":"csv"})", false},
        MatchCase{"EqualsIgnoringCase", R"({"a":[{"equals-ignore-case":"AlIce"}]})",
                  R"({"a":"aLiCE"})", true},
        MatchCase{"LongerIgnoringCase", R"({"a":[{"equals-ignore-case":"alice"}]})",
                  R"({"a":"alices"})", false},
        MatchCase{"SharpSIsDoubleS",
                  "{\"a\":[{\"equals-ignore-case\":\"stra\xC3\x9F"
                  "e\"}]}",
                  R"({"a":"STRASSE"})", true},
        MatchCase{"SharpSIsNotItsCapital", "{\"a\":[{\"equals-ignore-case\":\"\xC3\x9F\"}]}",
                  "{\"a\":\"\xE1\xBA\x9E\"}", false},
        MatchCase{"KIsNoKelvin", R"({"a":[{"equals-ignore-case":"k"}]})",
                  "{\"a\":\"\xE2\x84\xAA\"}", false},
        MatchCase{"KelvinIsK", "{\"a\":[{\"equals-ignore-case\":\"\xE2\x84\xAA\"}]}",
                  R"({"a":"k"})", true},
        MatchCase{"SigmaIsNotFinalSigma", "{\"a\":[{\"equals-ignore-case\":\"\xCF\x83\"}]}",
                  "{\"a\":\"\xCF\x82\"}", false},
        MatchCase{"LongUpperCase", "{\"a\":[{\"prefix\":{\"equals-ignore-case\":\"\xC5\x89\"}}]}",
                  "{\"a\":\"\xCA\xBCN\"}", true},
        MatchCase{"TitleCaseIsBoth", "{\"a\":[{\"equals-ignore-case\":\"\xC7\x85\"}]}",
                  "{\"a\":\"\xC7\x86\"}", true},
        MatchCase{"TitleCaseIsNotItself", "{\"a\":[{\"equals-ignore-case\":\"\xC7\x85\"}]}",
                  "{\"a\":\"\xC7\x85\"}", false},
        MatchCase{"UmlautsIgnoringCase", "{\"a\":[{\"equals-ignore-case\":\"\xC3\x84\"}]}",
                  "{\"a\":\"\xC3\xA4\"}", true},
        MatchCase{"SupplementaryIsNotFolded",
                  "{\"a\":[{\"equals-ignore-case\":\"\xF0\x90\x90\x80\"}]}",
                  "{\"a\":\"\xF0\x90\x90\xA8\"}", false},
        MatchCase{"Wildcard", R"({"a":[{"wildcard":"a*b*c"}]})", R"({"a":"a\nxxbyyc"})", true},
        MatchCase{"WildcardMayBeEmpty", R"({"a":[{"wildcard":"a*b"}]})", R"({"a":"ab"})", true},
        MatchCase{"WildcardDoesNotOverlap", R"({"a":[{"wildcard":"ab*ba"}]})", R"({"a":"aba"})",
                  false},
        MatchCase{"WildcardTakesTheLastEnd", R"({"a":[{"wildcard":"*ab"}]})", R"({"a":"abxab"})",
                  true},
        MatchCase{"QuestionMarkIsALiteral", R"({"a":[{"wildcard":"a?"}]})", R"({"a":"ab"})", false},
        MatchCase{"EscapedStar", R"({"a":[{"wildcard":"a\\*\\\\"}]})", R"({"a":"a*\\"})", true},
        MatchCase{"EscapedStarIsNoWildcard", R"({"a":[{"wildcard":"a\\*"}]})", R"({"a":"ab"})",
                  false},
        MatchCase{"EmptyWildcard", R"({"a":[{"wildcard":""}]})", R"({"a":"x"})", false},
        MatchCase{"WildcardOfANumber", R"({"a":[{"wildcard":"*"}]})", R"({"a":1})", false},
        MatchCase{"StarsBehindAnEscapedOne", R"({"a":[{"wildcard":"\\**"}]})", R"({"a":"*x"})",
                  true},
        MatchCase{"AsComplexAsCanBe", R"({"a":[{"wildcard":"*a*a*a*a*b"}]})", R"({"a":"aaaab"})",
                  true},
        MatchCase{"CidrWithSignAndSlashes", R"({"a":[{"cidr":"10.0.0.0/+8//"}]})",
                  R"({"a":"10.1.1.1"})", true},
        MatchCase{"CidrOfNumbers", R"({"a":[{"cidr":"0.0.0.0/0"}]})", R"({"a":5})", false},
        MatchCase{"CidrOfTheOtherFamily", R"({"a":[{"cidr":"::/0"}]})", R"({"a":"10.0.0.1"})",
                  false},
        MatchCase{"Cidr", R"({"a":[{"cidr":"10.0.0.9/24"}]})", R"({"a":"10.0.0.255"})", true},
        MatchCase{"OutsideTheCidr", R"({"a":[{"cidr":"10.0.0.0/24"}]})", R"({"a":"10.0.1.0"})",
                  false},
        MatchCase{"CidrV6", R"({"a":[{"cidr":"2001:db8::/32"}]})", R"({"a":"2001:0db8::ffff"})",
                  true},
        MatchCase{"CidrV4IsNotMappedV6", R"({"a":[{"cidr":"0.0.0.0/0"}]})",
                  R"({"a":"::ffff:10.0.0.1"})", false}),
    claim_of);

INSTANTIATE_TEST_SUITE_P(
    Numbers, MatchTest,
    testing::Values(
        MatchCase{"Equal", R"({"a":[{"numeric":["=",5]}]})", R"({"a":5.0})", true},
        MatchCase{"Greater", R"({"a":[{"numeric":[">",5]}]})", R"({"a":5.000000001})", true},
        MatchCase{"WhatIsNoDoubleIsInNoRange", R"({"a":[{"numeric":[">",5]}]})",
                  R"({"a":6.0000000000000000000001})", false},
        MatchCase{"TooGreatIsInNoRange", R"({"a":[{"numeric":[">",5]}]})", R"({"a":1e400})", false},
        MatchCase{"NotGreater", R"({"a":[{"numeric":[">",5]}]})", R"({"a":5})", false},
        MatchCase{"GreaterOrEqual", R"({"a":[{"numeric":[">=",5]}]})", R"({"a":5e0})", true},
        MatchCase{"Less", R"({"a":[{"numeric":["<",-5]}]})", R"({"a":-5.1})", true},
        MatchCase{"LessOrEqual", R"({"a":[{"numeric":["<=",5]}]})", R"({"a":5.1})", false},
        MatchCase{"InRange", R"({"a":[{"numeric":[">",0,"<=",5]}]})", R"({"a":5})", true},
        MatchCase{"AtTheOpenEnd", R"({"a":[{"numeric":[">",0,"<",5]}]})", R"({"a":5})", false},
        MatchCase{"StringIsNoNumber", R"({"a":[{"numeric":["=",5]}]})", R"({"a":"5"})", false},
        MatchCase{"BeyondDouble", R"({"a":[{"numeric":["<",0.1]}]})",
                  R"({"a":0.09999999999999999999999999})", false},
        MatchCase{"AnyElementInRange", R"({"a":[{"numeric":[">",9]}]})", R"({"a":[1,10]})", true}),
    claim_of);

INSTANTIATE_TEST_SUITE_P(
    AnythingBut, MatchTest,
    testing::Values(
        MatchCase{"Another", R"({"a":[{"anything-but":"x"}]})", R"({"a":"y"})", true},
        MatchCase{"TheOne", R"({"a":[{"anything-but":"x"}]})", R"({"a":"x"})", false},
        MatchCase{"MissingIsNotAnything", R"({"a":[{"anything-but":"x"}]})", R"({})", false},
        MatchCase{"NullIsSomething", R"({"a":[{"anything-but":"x"}]})", R"({"a":null})", true},
        MatchCase{"NumberIsSomethingElse", R"({"a":[{"anything-but":"5"}]})", R"({"a":5})", true},
        MatchCase{"EqualNumber", R"({"a":[{"anything-but":5}]})", R"({"a":5.0})", false},
        MatchCase{"StringOfTheNumber", R"({"a":[{"anything-but":[5,6]}]})", R"({"a":"5"})", true},
        MatchCase{"InTheList", R"({"a":[{"anything-but":["x","y"]}]})", R"({"a":"y"})", false},
        MatchCase{"AnyAllowedElement", R"({"a":[{"anything-but":"x"}]})", R"({"a":["x","y"]})",
                  true},
        MatchCase{"NoAllowedElement", R"({"a":[{"anything-but":"x"}]})", R"({"a":["x"]})", false},
        MatchCase{"ObjectIsNotAnything", R"({"a":[{"anything-but":"x"}]})", R"({"a":{"b":1}})",
                  false},
        MatchCase{"Prefix", R"({"a":[{"anything-but":{"prefix":"x"}}]})", R"({"a":"xy"})", false},
        MatchCase{"OtherPrefix", R"({"a":[{"anything-but":{"prefix":["x","y"]}}]})",
                  R"({"a":"zx"})", true},
        MatchCase{"Suffix", R"({"a":[{"anything-but":{"suffix":["x"]}}]})", R"({"a":"yx"})", false},
        MatchCase{"IgnoringCase", R"({"a":[{"anything-but":{"equals-ignore-case":["X"]}}]})",
                  R"({"a":"x"})", false},
        MatchCase{"Wildcard", R"({"a":[{"anything-but":{"wildcard":"*/x"}}]})", R"({"a":"a/x"})",
                  false},
        MatchCase{"PrefixOfANumberIsSomethingElse", R"({"a":[{"anything-but":{"prefix":"1"}}]})",
                  R"({"a":12})", true}),
    claim_of);

INSTANTIATE_TEST_SUITE_P(
    Or, MatchTest,
    testing::Values(
        MatchCase{"First", R"({"$or":[{"a":["x"]},{"b":["y"]}]})", R"({"a":"x"})", true},
        MatchCase{"Second", R"({"$or":[{"a":["x"]},{"b":["y"]}]})", R"({"b":"y"})", true},
        MatchCase{"Neither", R"({"$or":[{"a":["x"]},{"b":["y"]}]})", R"({"a":"y","b":"x"})", false},
        MatchCase{"WithOuterFieldsBefore", R"({"c":["z"],"$or":[{"a":["x"]},{"b":["y"]}]})",
                  R"({"a":"x"})", false},
        MatchCase{"WithOuterFieldsAfter", R"({"$or":[{"a":["x"]},{"b":["y"]}],"c":["z"]})",
                  R"({"b":"y","c":"z"})", true},
        MatchCase{"BelowAField", R"({"d":{"$or":[{"a":["x"]},{"b":["y"]}]}})", R"({"d":{"b":"y"}})",
                  true},
        MatchCase{"InsideReplacesOutside", R"({"a":["x"],"$or":[{"a":["y"]},{"b":["z"]}]})",
                  R"({"a":"y"})", true},
        MatchCase{"TwoOfThemMultiply",
                  R"({"$or":[{"a":["x"]},{"b":["x"]}],"d":{"$or":[{"e":["1"]},{"f":["1"]}]}})",
                  R"({"b":"x","d":{"e":"1"}})", true},
        MatchCase{"Nested", R"({"$or":[{"a":["x"]},{"$or":[{"b":["y"]},{"c":["z"]}]}]})",
                  R"({"c":"z"})", true}),
    claim_of);

TEST(SubjectTest, MatchesMountsAsOneEvent) {
    Subject subject;
    subject.text("source", "transaction_service")
        .text("detail-type", "file.processed")
        .text("detail.userId", "u-1");
    subject.number("detail.timestamp", 1732521600123)
        .json("detail.data", R"({"transactionCount":3,"dateRange":null})");
    subject.json("detail.metadata", R"({"actor":"u"})")
        .json("detail", R"({"extra":[1,2]})")
        .json("resources", "[\"arn:x\"]");
    for (const char* pattern :
         {R"({"source":["transaction_service"],"detail-type":[{"prefix":"file."}]})",
          R"({"detail":{"userId":["u-1"]}})",
          R"({"detail":{"timestamp":[{"numeric":[">",1732521600122]}]}})",
          R"({"detail":{"data":{"transactionCount":[3]}}})",
          R"({"detail":{"data":{"dateRange":[null]},"metadata":{"actor":["u"]}}})",
          R"({"detail":{"extra":[2]}})", R"({"resources":["arn:x"]})",
          R"({"detail":{"data":{"missing":[{"exists":false}]}}})"}) {
        EXPECT_TRUE(Pattern::parse(pattern).value().matches(subject)) << pattern;
    }
    for (const char* pattern : {R"({"detail":["x"]})", R"({"detail":{"data":[{"exists":true}]}})",
                                R"({"data":{"transactionCount":[3]}})"}) {
        EXPECT_FALSE(Pattern::parse(pattern).value().matches(subject)) << pattern;
    }
}

TEST(RoutingDialectTest, ReadsTheSeedsFile) {
    constexpr const char* event =
        R"({"source":"account_service","detail-type":"account.deleted","detail":{"detail_type":"*"}})";
    EXPECT_TRUE(matches(R"({"source":["account_service"],"detail_type":["account.deleted"]})",
                        event, Dialect::routing));
    EXPECT_FALSE(
        matches(R"({"source":["account_service"],"detail_type":["account.deleted"]})", event));
    EXPECT_TRUE(matches(R"({"source":["*"]})", event, Dialect::routing));
    EXPECT_FALSE(matches(R"({"source":["*"]})", event))
        << "in EventBridge's dialect a star is a star";
    EXPECT_FALSE(matches(R"({"source":["*"]})", R"({"detail":{}})", Dialect::routing))
        << "any value, but a value";
    EXPECT_TRUE(matches(R"({"detail":{"detail_type":["*"]}})", event, Dialect::routing))
        << "only the outermost name is an alias";
    EXPECT_TRUE(matches(R"({"detail_type":[{"suffix":".deleted"}]})", event, Dialect::routing));
}

struct RefusedCase {
    const char* claim;
    const char* pattern;
    const char* reason;
    const char* place = "";  ///< as it ends, if it is known
};

class RefusedTest : public testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedTest, SaysItInAwsWords) {
    const auto pattern = Pattern::parse(GetParam().pattern);
    ASSERT_THAT(pattern, FailsWith(ErrorKind::invalid,
                                   StartsWith(std::string("Event pattern is not valid. Reason: ") +
                                              GetParam().reason)));
    EXPECT_TRUE(pattern.error().message().ends_with(GetParam().place)) << pattern.error().message();
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedTest,
    testing::Values(
        RefusedCase{"Nothing", "", "Filter is not an object", "line: 1, column: 1]"},
        RefusedCase{"List", "[]", "Filter is not an object", "line: 1, column: 2]"},
        RefusedCase{"EmptyObject", "{}", "Empty objects are not allowed",
                    "\n at [Source: (String)\"{}\"; line: 1, column: 3]"},
        RefusedCase{"EmptyInnerObject", R"({"a":{}})", "Empty objects are not allowed",
                    "column: 8]"},
        RefusedCase{"EmptyArray", R"({"a":[]})", "Empty arrays are not allowed", "column: 8]"},
        RefusedCase{"SecondLine", "{\n \"a\": []}", "Empty arrays are not allowed",
                    "line: 2, column: 9]"},
        RefusedCase{"StringInPlaceOfArray", R"({"a":"x"})", "\"a\" must be an object or an array",
                    "column: 7]"},
        RefusedCase{"NumberInPlaceOfArray", R"({"a":12})", "\"a\" must be an object or an array",
                    "column: 8]"},
        RefusedCase{"NullInPlaceOfArray", R"({"a":null})", "\"a\" must be an object or an array"},
        RefusedCase{"ArrayInArray", R"({"a":[[]]})",
                    "Match value must be String, number, true, false, or null", "column: 8]"},
        RefusedCase{"EmptyTerm", R"({"a":[{}]})", "Match expression name not found", "column: 9]"},
        RefusedCase{"TwoOperators", R"({"a":[{"prefix":"a","suffix":"b"}]})",
                    "Only one key allowed in match expression"},
        RefusedCase{"UnknownOperator", R"({"a":[{"regex":"b"}]})", "Unrecognized match type regex",
                    "column: 17]"},
        RefusedCase{"OperatorInCapitals", R"({"a":[{"EXISTS":true}]})",
                    "Unrecognized match type EXISTS", "column: 21]"},
        RefusedCase{"PrefixOfNumber", R"({"a":[{"prefix":3}]})",
                    "prefix match pattern must be a string"},
        RefusedCase{"PrefixOfNothing", R"({"a":[{"prefix":{}}]})",
                    "Prefix expression name not found"},
        RefusedCase{"PrefixOfAnother", R"({"a":[{"suffix":{"prefix":"x"}}]})",
                    "Unsupported suffix pattern: prefix"},
        RefusedCase{"ExactlyNumber", R"({"a":[{"exactly":3}]})",
                    "exact match pattern must be a string"},
        RefusedCase{"IgnoreCaseOfList", R"({"a":[{"equals-ignore-case":[]}]})",
                    "equals-ignore-case match pattern must be a string"},
        RefusedCase{"WildcardOfNumber", R"({"a":[{"wildcard":3}]})",
                    "wildcard match pattern must be a string"},
        RefusedCase{"ConsecutiveStars", R"({"a":[{"wildcard":"a**"}]})",
                    "Consecutive wildcard characters at pos 2"},
        RefusedCase{"UnknownEscape", R"({"a":[{"wildcard":"a\\b"}]})",
                    "Invalid escape character at pos 2"},
        RefusedCase{"EscapeOfNothing", R"({"a":[{"wildcard":"\\"}]})",
                    "Invalid escape character at pos 1"},
        RefusedCase{"ExistsOfText", R"({"a":[{"exists":"true"}]})",
                    "exists match pattern must be either true or false."},
        RefusedCase{"NumericOfNumber", R"({"a":[{"numeric":5}]})",
                    "Value of numeric must be an array."},
        RefusedCase{"NumericOfNothing", R"({"a":[{"numeric":[]}]})",
                    "Invalid member in numeric match: ]"},
        RefusedCase{"NumericWithoutOperator", R"({"a":[{"numeric":[5]}]})",
                    "Invalid member in numeric match: 5"},
        RefusedCase{"UnknownComparison", R"({"a":[{"numeric":["!=",5]}]})",
                    "Unrecognized numeric range operator: !="},
        RefusedCase{"EqualToText", R"({"a":[{"numeric":["=","5"]}]})",
                    "Value of equals must be numeric"},
        RefusedCase{"GreaterThanText", R"({"a":[{"numeric":[">","5"]}]})",
                    "Value of > must be numeric"},
        RefusedCase{"MoreAfterEqual", R"({"a":[{"numeric":["=",5,"<",6]}]})",
                    "Too many elements in numeric expression"},
        RefusedCase{"BadSecondComparison", R"({"a":[{"numeric":[">",5,">",6]}]})",
                    "Bad numeric range operator: >"},
        RefusedCase{"NumberInPlaceOfComparison", R"({"a":[{"numeric":[">",5,6]}]})",
                    "Bad value in numeric range: 6"},
        RefusedCase{"ThreeComparisons", R"({"a":[{"numeric":[">",1,"<",2,"<",3]}]})",
                    "Too many terms in numeric range expression"},
        RefusedCase{"EmptyRange", R"({"a":[{"numeric":[">=",5,"<=",5]}]})",
                    "Bottom must be less than top"},
        RefusedCase{"AnythingButTrue", R"({"a":[{"anything-but":true}]})",
                    "Value of anything-but must be an array or single string/number value."},
        RefusedCase{"AnythingButNothing", R"({"a":[{"anything-but":[]}]})",
                    "Inside anything but list, either all values are number or string, mixed type "
                    "is not supported"},
        RefusedCase{"AnythingButMixture", R"({"a":[{"anything-but":["x",1]}]})",
                    "Inside anything but list, either all values are number or string, mixed type "
                    "is not supported"},
        RefusedCase{"AnythingButNull", R"({"a":[{"anything-but":[null]}]})",
                    "Inside anything but list, start|null|boolean is not supported.",
                    "column: 28]"},
        RefusedCase{"AnythingButEmptyObject", R"({"a":[{"anything-but":{}}]})",
                    "Anything-But expression name not found"},
        RefusedCase{"AnythingButUnknown", R"({"a":[{"anything-but":{"numeric":1}}]})",
                    "Unsupported anything-but pattern: numeric"},
        RefusedCase{"AnythingButPrefixOfNumber", R"({"a":[{"anything-but":{"prefix":1}}]})",
                    "prefix/suffix match pattern must be a string"},
        RefusedCase{"AnythingButEmptyPrefix", R"({"a":[{"anything-but":{"prefix":""}}]})",
                    "Null prefix/suffix not allowed"},
        RefusedCase{"AnythingButNoPrefix", R"({"a":[{"anything-but":{"prefix":[]}}]})",
                    "Empty arrays are not allowed"},
        RefusedCase{"AnythingButIgnoringCaseOfNumber",
                    R"({"a":[{"anything-but":{"equals-ignore-case":1}}]})",
                    "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not "
                    "supported."},
        RefusedCase{"AnythingButTwice", R"({"a":[{"anything-but":"x","b":1}]})",
                    "Too many elements in numeric expression"},
        RefusedCase{"CidrWithoutSlash", R"({"a":[{"cidr":"10.0.0.0"}]})",
                    "Malformed CIDR, one '/' required", "required"},
        RefusedCase{"CidrBitsAreText", R"({"a":[{"cidr":"10.0.0.0/a"}]})",
                    "Malformed CIDR, mask bits must be an integer"},
        RefusedCase{"CidrNegativeBits", R"({"a":[{"cidr":"10.0.0.0/-1"}]})",
                    "Malformed CIDR, mask bits must not be negative"},
        RefusedCase{"CidrOfOneAddress", R"({"a":[{"cidr":"10.0.0.0/32"}]})",
                    "IPv4 mask bits must be < 32"},
        RefusedCase{"CidrV6TooManyBits", R"({"a":[{"cidr":"::/128"}]})",
                    "IPv6 mask bits must be < 128"},
        RefusedCase{"CidrOfText", R"({"a":[{"cidr":"host/8"}]})", "Nonstandard IP address: host"},
        RefusedCase{"OrIsNoArray", R"({"$or":{"a":["x"]}})",
                    "It must be an Array followed with $or."},
        RefusedCase{"OrOfText", R"({"$or":["x"]})",
                    "Only JSON object is allowed in array of $or relationship."},
        RefusedCase{"OrOfOne", R"({"$or":[{"a":["x"]}]})",
                    "There must have at least 2 Objects in $or relationship."},
        RefusedCase{"OrOfNothing", R"({"$or":[{},{}]})", "Empty objects are not allowed"},
        RefusedCase{"ReservedInOr", R"({"$or":[{"numeric":["x"]},{"b":["y"]}]})",
                    "numeric is Ruler reserved fieldName which cannot be used inside $or."},
        RefusedCase{"NoJson", "this is not json",
                    "Unrecognized token 'this': was expecting (JSON String, Number, Array, Object "
                    "or token 'null', 'true' or 'false')"},
        RefusedCase{
            "SingleQuotes", "{'a':['x']}",
            "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
            "column: 2]"},
        RefusedCase{
            "Comment", R"({"a":["x"]/**/})",
            "Unexpected character ('/' (code 47)): maybe a (non-standard) comment? (not recognized "
            "as one since Feature 'ALLOW_COMMENTS' not enabled for parser)",
            "column: 11]"},
        RefusedCase{"LeadingZero", R"({"a":[01]})",
                    "Invalid numeric value: Leading zeroes not allowed", "column: 8]"},
        RefusedCase{"NotANumber", R"({"a":[NaN]})",
                    "Non-standard token 'NaN': enable "
                    "`JsonReadFeature.ALLOW_NON_NUMERIC_"
                    "NUMBERS` to allow",
                    "column: 10]"},
        RefusedCase{
            "NotClosed", R"({"a":["x")",
            "Unexpected end-of-input: expected close marker for Array (start marker at [Source: "
            "(String)\"{\"a\":[\"x\"\"; line: 1, column: 6])",
            "column: 10]"},
        RefusedCase{"InvalidUtf8", "{\"a\":[\"\xFF\"]}", "it is not UTF-8 (byte 7)"},
        RefusedCase{"WrongBracket", R"({"a":["x"})",
                    "Unexpected close marker '}': expected ']' (for Array starting at [Source: "
                    "(String)\"{\"a\":[\"x\"}\"; line: 1, column: 6])",
                    "column: 10]"},
        RefusedCase{"BracketOfNothing", "]", "Unexpected close marker ']': no open Array to close",
                    "column: 1]"},
        RefusedCase{"WordBeforeADigit", R"({"a":[true0]})",
                    "Unrecognized token 'true0': was expecting", "column: 7]"},
        RefusedCase{"UnknownWord", R"({"a":[nulle]})", "Unrecognized token 'nulle': was expecting",
                    "column: 7]"},
        RefusedCase{"UnknownUnicodeWord", "{\"a\":[\xC3\xA9t\xC3\xA9]}",
                    "Unrecognized token '\xC3\xA9t\xC3\xA9': was expecting", "column: 7]"},
        RefusedCase{"UnknownSign", "{\"a\":[\xE2\x82\xAC\xE2\x86\x92]}",
                    "Unrecognized token '\xE2\x82\xAC': was expecting", "column: 7]"},
        RefusedCase{"NoCharacterOfAValue", "{\"a\":[\xE2\x86\x92]}",
                    "Unexpected character ('\xE2\x86\x92' (code 8594 / 0x2192)): expected a valid "
                    "value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
                    "column: 7]"},
        RefusedCase{"ControlCharacter", "{\"a\":\x01[]}",
                    "Illegal character ((CTRL-CHAR, code 1)): only regular white space (\\r, \\n, "
                    "\\t) is allowed between tokens\n at [Source: (String)\"{\"a\":\\u0001[]}\"",
                    "column: 7]"},
        RefusedCase{"ControlCharacterInAString", "{\"a\":[\"x\ty\"]}",
                    "Illegal unquoted character ((CTRL-CHAR, code 9)): has to be escaped using "
                    "backslash to be included in string value",
                    "column: 9]"},
        RefusedCase{"UnknownJsonEscape", R"({"a":["\x"]})",
                    "Unrecognized character escape 'x' (code 120)", "column: 9]"},
        RefusedCase{"NoHexadecimalDigit", R"({"a":["\u00g0"]})",
                    "Unexpected character ('g' (code 103)): expected a hex-digit for character "
                    "escape sequence",
                    "column: 12]"},
        RefusedCase{"StringWithoutEnd", R"({"a":["x)",
                    "Unexpected end-of-input: was expecting closing quote for a string value",
                    "column: 9]"},
        RefusedCase{"NameWithoutEnd", R"({"a)", "Unexpected end-of-input in field name",
                    "column: 4]"},
        RefusedCase{"PlusSign", R"({"a":[+1]})",
                    "Unexpected character ('+' (code 43)) in numeric value: JSON spec does not "
                    "allow numbers to have plus signs: enable "
                    "`JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow",
                    "column: 8]"},
        RefusedCase{"MinusSignAlone", R"({"a":[-]})",
                    "Unexpected character (']' (code 93)) in numeric value: expected digit (0-9) "
                    "to follow minus sign, for valid numeric value",
                    "column: 8]"},
        RefusedCase{"PointWithoutDigit", R"({"a":[12.]})",
                    "Unexpected character (']' (code 93)) in numeric value: Decimal point not "
                    "followed by a digit",
                    "column: 9]"},
        RefusedCase{"PointWithoutDigitBehindZero", R"({"a":[0.]})",
                    "Unexpected character (']' (code 93)) in numeric value: Decimal point not "
                    "followed by a digit",
                    "column: 9]"},
        RefusedCase{"ExponentWithoutDigit", R"({"a":[1.5ex]})",
                    "Unexpected character ('x' (code 120)) in numeric value: Exponent indicator "
                    "not followed by a digit",
                    "column: 8]"},
        RefusedCase{"NumberThatIsAllThereIs", "5 ", "Filter is not an object", "column: 3]"},
        RefusedCase{"RowsOfEveryKind", "{\r\n\r\n\r\"a\":5}", "\"a\" must be an object or an array",
                    "line: 4, column: 6]"},
        RefusedCase{"ColumnsAreCodeUnits", "{\"\xF0\x9F\x98\x80\":[]}",
                    "Empty arrays are not allowed", "column: 9]"},
        RefusedCase{"NumberThatIsNoDouble", R"({"a":[{"numeric":[">",9007199254740993]}]})",
                    "Cannot compare number : 9007199254740993", "column: 40]"},
        RefusedCase{"NumberBeyondDoubles", R"({"a":[{"numeric":["=",1e400]}]})",
                    "Cannot compare number : 1e400", "column: 29]"},
        RefusedCase{"NumberBeyondEverything", R"({"a":[{"numeric":["=",1e2147483648]}]})",
                    "value exceeds limits", "column: 36]"},
        RefusedCase{"AnythingButNoDouble", R"({"a":[{"anything-but":1e400}]})",
                    "Cannot compare number : 1e400", "1e400"},
        RefusedCase{"AnythingButListOfNoDouble", R"({"a":[{"anything-but":[1e400]}]})",
                    "Cannot compare number : 1e400", "column: 29]"},
        RefusedCase{"AnythingButFaultyWildcard",
                    R"({"a":[{"anything-but":{"wildcard":["a","b**"]}}]})",
                    "Consecutive wildcard characters at pos 2", "column: 46]"},
        RefusedCase{"TooComplexWildcard", R"({"a":[{"wildcard":"*a*a*a*a*a*b"}]})",
                    "Rule is too complex - try using fewer wildcard characters or fewer repeating "
                    "character sequences after a wildcard character",
                    "wildcard character"},
        RefusedCase{"TooComplexTogether",
                    R"({"a":[{"wildcard":"*a*a*a"},{"anything-but":{"wildcard":"*a*a*b"}}]})",
                    "Rule is too complex"},
        RefusedCase{"CidrThatIsMappedV4", R"({"a":[{"cidr":"::ffff:a00:0/96"}]})",
                    "IPv4 mask bits must be < 32", "32"},
        RefusedCase{"CidrOfNoAddress", R"({"a":[{"cidr":"10.0.0.256/8"}]})",
                    "Invalid IP address: 10.0.0.256", "256"},
        RefusedCase{"CidrOfQuadInV6", R"({"a":[{"cidr":"::10.0.0.1/8"}]})",
                    "Nonstandard IP address: ::10.0.0.1", "::10.0.0.1"},
        RefusedCase{"TrailingComma", R"({"a":["x",]})",
                    "Unexpected character (']' (code 93)): expected a valid value"}),
    claim_of);

TEST(PatternTest, SaysThePlaceTwiceWhereAwsDoes) {
    const auto pattern = Pattern::parse(R"({"a":[{"anything-but":[null]}]})");
    ASSERT_FALSE(pattern);
    const std::string place =
        "\n at [Source: (String)\"{\"a\":[{\"anything-but\":[null]}]}\"; line: 1, column: 28]";
    EXPECT_TRUE(pattern.error().message().ends_with(place + place)) << pattern.error().message();
}

/// The reasons and places of all faults: `reason @ line:column`.
std::vector<std::string> faults_of(std::string_view text, const Limits& limits = {}) {
    std::vector<std::string> faults;
    for (const Error& error : Pattern::faults(text, Dialect::eventbridge, limits)) {
        const std::string& message = error.message();
        const std::size_t begin = message.find("Reason: ") + 8;
        const std::size_t end = message.find('\n');
        std::string fault = message.substr(begin, end - begin);
        if (const std::size_t line = message.rfind("; line: "); line != std::string::npos) {
            std::string place = message.substr(line + 8);
            place.pop_back();
            fault += " @ " + place;
        }
        faults.push_back(std::move(fault));
    }
    return faults;
}

TEST(PatternTest, FindsTheFaultsOfAllItsFields) {
    EXPECT_THAT(faults_of(R"({"a":["x"]})"), IsEmpty());
    EXPECT_THAT(faults_of(R"({"a":[],"b":{"c":1,"d":{}},"e":[{"prefix":5},{"foo":1}],"f":["x"]})"),
                ElementsAre("Empty arrays are not allowed @ 1, column: 8",
                            "\"c\" must be an object or an array @ 1, column: 19",
                            "Empty objects are not allowed @ 1, column: 26",
                            "prefix match pattern must be a string @ 1, column: 44"));
    EXPECT_THAT(
        faults_of(R"({"$or":[{"a":[]},{"prefix":[1]}],"b":[[1]],"$or":1,"c":[{"exists":[{}]}]})"),
        ElementsAre("Empty arrays are not allowed @ 1, column: 16",
                    "prefix is Ruler reserved fieldName which cannot be used inside $or. @ 1, "
                    "column: 29",
                    "Match value must be String, number, true, false, or null @ 1, column: 40",
                    "It must be an Array followed with $or. @ 1, column: 51",
                    "exists match pattern must be either true or false. @ 1, column: 68"));
}

TEST(PatternTest, FindsNoFaultsBehindTheEndOfItsJson) {
    EXPECT_THAT(faults_of(R"({"a":[],"b":[tru],"c":[]})"),
                ElementsAre("Empty arrays are not allowed @ 1, column: 8",
                            StartsWith("Unrecognized token 'tru'")));
    EXPECT_THAT(
        faults_of(R"({"a":[{"prefix":1},"b)"),
        ElementsAre(StartsWith("prefix match pattern"), StartsWith("Unexpected end-of-input")));
    EXPECT_THAT(faults_of("[]"), ElementsAre(StartsWith("Filter is not an object")));
    EXPECT_THAT(faults_of(R"({"a":[{"wildcard":"*a*a*a*a*a*b"}]})"),
                ElementsAre(StartsWith("Rule is too complex")));
    EXPECT_THAT(faults_of(R"({"a":[]})", {.characters_max = 3}),
                ElementsAre(StartsWith("it has 8 characters")));
    std::string many = "{";
    for (int i = 0; i < 300; ++i) {
        many += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":1";
    }
    EXPECT_EQ(faults_of(many + "}").size(), 100u);
}

TEST(PatternTest, KeepsItsTextByteForByte) {
    constexpr const char* text = " { \"a\" : [ \"\\u0061\" ] } ";
    EXPECT_EQ(Pattern::parse(text).value().text(), text);
}

TEST(PatternTest, CutsLongPatternsInItsErrors) {
    const std::string text = "{\"a\":[\"" + std::string(600, 'x') + "\"],\"b\":[]}";
    EXPECT_THAT(Pattern::parse(text),
                FailsWith(ErrorKind::invalid,
                          HasSubstr("\"[truncated " + std::to_string(text.size() - 500) +
                                    " chars]; line: 1, column: ")));
}

TEST(PatternTest, HoldsItsLimits) {
    EXPECT_THAT(Pattern::parse("{\"a\":[\"" + std::string(4096, 'x') + "\"]}"),
                FailsWith(ErrorKind::invalid, HasSubstr("at most 4096 are allowed")));
    EXPECT_THAT(
        Pattern::parse(R"({"a":["€"]})", Dialect::eventbridge, {.characters_max = 10}),
        FailsWith(ErrorKind::invalid, HasSubstr("it has 11 characters; at most 10 are allowed")));
    EXPECT_THAT(Pattern::parse(R"({"a":["€"]})", Dialect::eventbridge, {.characters_max = 11}),
                Succeeds());
    std::string widest;
    while (widest.size() < 4 * (Pattern::characters_max - 10)) {
        widest += "😀";
    }
    EXPECT_THAT(Pattern::parse("{\"a\":[\"" + widest + "\"]}"), Succeeds());
    EXPECT_THAT(Pattern::parse("{\"a\":[\"" + widest + "x\"]}"),
                FailsWith(ErrorKind::invalid, HasSubstr("it has 4097 characters")));
    EXPECT_THAT(Pattern::parse(std::string(Pattern::pattern_bytes_max + 1, '\x80')),
                FailsWith(ErrorKind::invalid, HasSubstr("not UTF-8")));
    const char* const complex = R"({"a":[{"wildcard":"*a*a*a*a*a*b"}]})";
    EXPECT_THAT(Pattern::parse(complex), FailsWith(ErrorKind::invalid, HasSubstr("too complex")));
    EXPECT_THAT(Pattern::parse(complex, Dialect::eventbridge, {.complexity_max = 12}), Succeeds());
    std::string deep;
    for (int i = 0; i < 1001; ++i) {
        deep += "{\"\":";
    }
    EXPECT_THAT(Pattern::parse(deep),
                FailsWith(ErrorKind::invalid, HasSubstr("nested more than 1000 deep")));
    std::string wide = "{";
    for (int i = 0; i < 10; ++i) {
        wide +=
            (i == 0 ? "\"o" : ",\"o") + std::to_string(i) + R"(":{"$or":[{"a":[1]},{"b":[1]}]})";
    }
    EXPECT_THAT(Pattern::parse(wide + "}"),
                FailsWith(ErrorKind::invalid, HasSubstr("more than 1000 combinations")));
}

// Every field has a hundred candidates and the last one none that fits: a plain search would take
// 100^8 steps.
TEST(PatternTest, AnswersInBoundedTime) {
    std::string event = "{\"z\":[{\"p\":1,\"q\":2},{\"p\":2,\"q\":1}]";
    std::string pattern = "{\"z\":{\"p\":[1],\"q\":[1]}";
    for (char field = 'a'; field < 'i'; ++field) {
        event += std::string(",\"") + field + "\":[";
        pattern += std::string(",\"") + field + "\":[1]";
        for (int i = 0; i < 100; ++i) {
            event += i == 0 ? "1" : ",1";
        }
        event += "]";
    }
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(matches(pattern + "}", event + "}"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

/// The longest patterns of their kind.
TEST(PatternTest, RefusesOrTakesTheWorstPatternsQuickly) {
    const auto repeated = [](const std::string& begin, const std::string& part,
                             const std::string& end) {
        std::string text = begin + part;
        while (text.size() + 1 + part.size() + end.size() <= Pattern::characters_max) {
            text += "," + part;
        }
        return text + end;
    };
    std::string stars;
    for (int i = 0; i < 2000; ++i) {
        stars += "*" + std::string(1, static_cast<char>('a' + i % 26));
    }
    const struct {
        const char* claim;
        std::string pattern;
        bool is_taken;
    } cases[] = {
        {"braces", std::string(4096, '{'), false},
        {"brackets", "{\"a\":" + std::string(4000, '['), false},
        {"strings", repeated("{\"a\":[", "\"b\"", "]}"), true},
        {"alternatives", repeated("{\"$or\":[", "{\"a\":[1]}", "]}"), true},
        {"alternatives of alternatives", repeated("{", R"("$or":[{"a":[1]},{"b":[1]}])", "}"),
         false},
        {"stars", "{\"a\":[{\"wildcard\":\"" + stars + "\"}]}", false},
        {"repeated stars", R"({"a":[{"wildcard":"*a*a*a*a*b"}]})", true},
        {"wildcards", repeated("{\"a\":[", R"({"wildcard":"ab*cd"})", "]}"), true},
        {"long wildcard", "{\"a\":[{\"wildcard\":\"*" + std::string(4000, 'a') + "b\"}]}", false},
        {"beyond doubles", R"({"a":[1e400,9223372036854775808,1e2147483648]})", true},
    };
    const std::string event = "{\"a\":\"" + std::string(100'000, 'a') + "\"}";
    Subject subject;
    subject.json("", event);
    for (const auto& [claim, pattern, is_taken] : cases) {
        const auto begin = std::chrono::steady_clock::now();
        const auto parsed = Pattern::parse(pattern);
        EXPECT_EQ(parsed.has_value(), is_taken)
            << claim << (parsed ? "" : ": " + parsed.error().message().substr(0, 200));
        EXPECT_FALSE(parsed && parsed->matches(subject)) << claim;
        EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2)) << claim;
    }
}

TEST(PatternTest, NeverFailsOnMutatedTexts) {
    Random random(5);
    const std::string whole =
        R"({"a":[{"anything-but":{"prefix":["x","y"]}},{"numeric":[">",1,"<=",2e3]},"\u00e9",null],"$or":[{"b":[{"wildcard":"a*\\*"}]},{"c":{"d":[{"cidr":"10.0.0.0/8"}]}}]})";
    Subject subject;
    subject.json("", R"({"a":[1,"x",null,{"c":[]}],"b":"a1*","c":{"d":"10.1.1.1"}})");
    int accepted = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string text = whole;
        for (std::uint64_t edits = 1 + random.below(3); edits > 0; --edits) {
            const std::size_t at = random.below(text.size());
            text[at] = random.below(2) == 0 ? whole[random.below(whole.size())]
                                            : static_cast<char>(random.next());
        }
        const auto pattern = Pattern::parse(text);
        const std::vector<Error> faults = Pattern::faults(text);
        ASSERT_EQ(faults.empty(), pattern.has_value()) << text;
        if (pattern) {
            ++accepted;
            pattern->matches(subject);
        } else {
            ASSERT_EQ(faults.front().message(), pattern.error().message()) << text;
            for (const Error& fault : faults) {
                ASSERT_THAT(fault.message(), StartsWith("Event pattern is not valid. Reason: "));
            }
        }
    }
    EXPECT_GT(accepted, 100);
}

TEST(PatternTest, NoOperatorNamesAFieldInAnOr) {
    for (const std::string name : {"exactly",
                                   "equals-ignore-case",
                                   "prefix",
                                   "suffix",
                                   "anything-but",
                                   "exists",
                                   "wildcard",
                                   "numeric",
                                   "cidr",
                                   "=",
                                   "<",
                                   "<=",
                                   ">",
                                   ">=",
                                   "regex",
                                   "not-wildcard",
                                   "not-equals-ignore-case",
                                   "date-after",
                                   "date-before",
                                   "date-on-or-after",
                                   "date-on-or-before",
                                   "in-date-range",
                                   "ip-address-in-range",
                                   "ip-address-not-in-range"}) {
        const std::string pattern = R"({"$or":[{")" + name + R"(":["x"]},{"b":["y"]}]})";
        EXPECT_THAT(Pattern::parse(pattern),
                    FailsWith(ErrorKind::invalid, HasSubstr(name + " is Ruler reserved fieldName")))
            << name;
        EXPECT_THAT(Pattern::parse(R"({")" + name + R"(":["x"]})"), Succeeds()) << name;
    }
}

}  // namespace
}  // namespace bascule::pattern
