#include "household/money/money.h"

#include <gtest/gtest.h>

#include <limits>

#include "foundation/base/testing.h"

namespace bascule::money {
namespace {

using testing::HasSubstr;

Currency currency(std::string_view code) { return Currency::parse(code).value(); }

TEST(CurrencyTest, KnowsHowManyDigitsAMinorUnitTakes) {
    EXPECT_EQ(currency("EUR").exponent(), 2);
    EXPECT_EQ(currency("jpy").exponent(), 0);
    EXPECT_EQ(currency("KWD").exponent(), 3);
    EXPECT_EQ(currency("CLF").exponent(), 4);
    EXPECT_EQ(currency("BTC").exponent(), 8);
    EXPECT_EQ(currency("USDT").exponent(), 8);
    EXPECT_EQ(currency("QQQ").exponent(), 2);
    EXPECT_FALSE(currency("QQQ").is_known());
    EXPECT_EQ(currency("jpy").code(), "JPY");
}

TEST(CurrencyTest, RefusesWhatIsNoCode) {
    for (const char* text : {"", "E", "EURO", "E1R", "€", "TOOLONGCODE"}) {
        EXPECT_THAT(Currency::parse(text), FailsWith(ErrorKind::invalid, HasSubstr("ISO 4217")))
            << text;
    }
}

TEST(CurrencyTest, TakesOnlySignsOfOneCurrency) {
    EXPECT_EQ(currency_of_symbol("€").value().code(), "EUR");
    EXPECT_THAT(currency_of_symbol("$"), FailsWith(ErrorKind::invalid));
}

struct DecimalCase {
    const char* claim;
    const char* text;
    DecimalStyle style;
    const char* read;  // empty: refused
};

class DecimalParseTest : public testing::TestWithParam<DecimalCase> {};

TEST_P(DecimalParseTest, ReadsExactly) {
    const auto& [claim, text, style, read] = GetParam();
    const auto decimal = Decimal::parse(text, style);
    if (*read == '\0') {
        EXPECT_THAT(decimal, FailsWith(ErrorKind::invalid)) << text;
    } else {
        ASSERT_THAT(decimal, Succeeds()) << text;
        EXPECT_EQ(decimal->to_text(), read);
    }
}

constexpr DecimalStyle english = {.decimal_mark = '.', .grouping = ','};
constexpr DecimalStyle german = {.decimal_mark = ',', .grouping = '.'};

INSTANTIATE_TEST_SUITE_P(
    Table, DecimalParseTest,
    testing::Values(DecimalCase{"KeepsTrailingZeros", "-30.000", {}, "-30.000"},
                    DecimalCase{"DropsPlusAndLeadingZeros", "+007.50", {}, "7.50"},
                    DecimalCase{"NeedsNoWholePart", ".5", {}, "0.5"},
                    DecimalCase{"NeedsNoFraction", "5.", {}, "5"},
                    DecimalCase{"ZeroHasNoSign", "-0.00", {}, "0.00"},
                    DecimalCase{"GroupsInThrees", "1,234,567.89", english, "1234567.89"},
                    DecimalCase{"GroupsTheIndianWay", "12,34,567.89", english, "1234567.89"},
                    DecimalCase{"SwapsTheMarks", "-1.234,5", german, "-1234.5"},
                    DecimalCase{"RefusesShortGroup", "1.23,4", german, ""},
                    DecimalCase{"RefusesLongFirstGroup", "1234,567", english, ""},
                    DecimalCase{"RefusesMixedGroups", "1,23,456,789", english, ""},
                    DecimalCase{"RefusesGroupInFraction", "1.234,567", english, ""},
                    DecimalCase{"RefusesUnnamedGrouping", "1,234", {}, ""},
                    DecimalCase{"RefusesTwoMarks", "1.2.3", {}, ""},
                    DecimalCase{"RefusesExponent", "1e5", {}, ""},
                    DecimalCase{"RefusesLoneMark", ".", {}, ""},
                    DecimalCase{"RefusesLoneSign", "-", {}, ""},
                    DecimalCase{"RefusesBlank", "1 2", {}, ""},
                    DecimalCase{"RefusesNothing", "", {}, ""}),
    [](const auto& info) { return info.param.claim; });

TEST(DecimalTest, HoldsThirtyEightDigitsAndSaysSo) {
    const std::string most(38, '9');
    EXPECT_EQ(Decimal::parse(most).value().to_text(), most);
    EXPECT_THAT(Decimal::parse(most + "9"), FailsWith(ErrorKind::exhausted, HasSubstr("38")));
    EXPECT_THAT(Decimal::parse("0." + std::string(31, '1')), FailsWith(ErrorKind::exhausted));
}

struct RoundCase {
    const char* claim;
    const char* text;
    int exponent;
    std::int64_t minor;
    bool rounded;
};

class ToMinorTest : public testing::TestWithParam<RoundCase> {};

TEST_P(ToMinorTest, RoundsHalfEvenAndSaysSo) {
    const auto& [claim, text, exponent, minor, rounded] = GetParam();
    const auto units = Decimal::parse(text).value().to_minor(exponent);
    ASSERT_THAT(units, Succeeds());
    EXPECT_EQ(units->value, minor);
    EXPECT_EQ(units->rounded, rounded);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ToMinorTest,
    testing::Values(RoundCase{"ZerosAreNotLost", "-30.000", 2, -3000, false},
                    RoundCase{"HalfGoesDownToEven", "0.125", 2, 12, true},
                    RoundCase{"HalfGoesUpToEven", "0.135", 2, 14, true},
                    RoundCase{"AboveHalfGoesUp", "0.1251", 2, 13, true},
                    RoundCase{"NegativeMirrorsPositive", "-0.135", 2, -14, true},
                    RoundCase{"MinorUnitMayBeWhole", "1234", 0, 1234, false},
                    RoundCase{"ThreeDigits", "1.5", 3, 1500, false},
                    RoundCase{"LargestFits", "92233720368547758.07", 2,
                              std::numeric_limits<std::int64_t>::max(), false}),
    [](const auto& info) { return info.param.claim; });

TEST(DecimalTest, RefusesMinorUnitsAboveRange) {
    EXPECT_THAT(Decimal::parse("92233720368547758.08").value().to_minor(2),
                FailsWith(ErrorKind::exhausted));
    EXPECT_THAT(Decimal::parse(std::string(38, '9')).value().to_minor(8),
                FailsWith(ErrorKind::exhausted));
}

TEST(MoneyTest, TextRoundTripsAtEveryExponent) {
    EXPECT_EQ(Money(-5, currency("EUR")).to_text(), "-0.05");
    EXPECT_EQ(Money(1234, currency("JPY")).to_text(), "1234");
    EXPECT_EQ(Money(0, currency("KWD")).to_text(), "0.000");
    for (const auto* code : {"EUR", "JPY", "KWD", "BTC"}) {
        for (const std::int64_t minor :
             {0L, 1L, -99L, 100L, 123456789012345L, -std::numeric_limits<std::int64_t>::max()}) {
            const Money money(minor, currency(code));
            EXPECT_EQ(Money::parse(money.to_text(), money.currency()).value(), money);
        }
    }
}

TEST(MoneyTest, RefusesSurplusDigits) {
    EXPECT_THAT(Money::parse("1.005", currency("EUR")),
                FailsWith(ErrorKind::invalid, HasSubstr("EUR")));
    EXPECT_EQ(Money::parse("1.000", currency("EUR")).value().minor(), 100);
}

TEST(MoneyTest, ArithmeticNeverWrapsAndNeverMixes) {
    const Money most(std::numeric_limits<std::int64_t>::max(), currency("EUR"));
    const Money cent(1, currency("EUR"));
    EXPECT_EQ(most.minus(cent).value().plus(cent).value(), most);
    EXPECT_THAT(most.plus(cent), FailsWith(ErrorKind::exhausted));
    EXPECT_THAT(most.negated().value().minus(cent), FailsWith(ErrorKind::exhausted));
    EXPECT_THAT(most.times(2), FailsWith(ErrorKind::exhausted));
    EXPECT_THAT(cent.plus(Money(1, currency("USD"))),
                FailsWith(ErrorKind::invalid, HasSubstr("EUR and USD")));
}

TEST(MoneySumTest, PassesThroughSixtyFourBitsUnharmed) {
    const Money most(std::numeric_limits<std::int64_t>::max(), currency("EUR"));
    MoneySum sum(currency("EUR"));
    sum.add(most);
    sum.add(most);
    EXPECT_THAT(sum.total(), FailsWith(ErrorKind::exhausted));
    EXPECT_EQ(sum.to_text(), "184467440737095516.14");
    sum.subtract(most);
    EXPECT_EQ(sum.total().value(), most);
}

TEST(ScaledHalfEvenTest, DividesOnceAndRoundsOnce) {
    EXPECT_EQ(scaled_half_even(5, 1, 2).value(), 2);
    EXPECT_EQ(scaled_half_even(7, 1, 2).value(), 4);
    EXPECT_EQ(scaled_half_even(-7, 1, 2).value(), -4);
    EXPECT_EQ(scaled_half_even(std::numeric_limits<std::int64_t>::max(), 1000, 1000).value(),
              std::numeric_limits<std::int64_t>::max());
    EXPECT_THAT(scaled_half_even(std::numeric_limits<std::int64_t>::max(), 2, 1),
                FailsWith(ErrorKind::exhausted));
}

}  // namespace
}  // namespace bascule::money
