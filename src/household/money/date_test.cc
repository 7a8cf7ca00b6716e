#include "household/money/date.h"

#include <gtest/gtest.h>

#include "foundation/base/testing.h"

namespace bascule::money {
namespace {

using testing::HasSubstr;

Date date(std::string_view text) { return Date::parse(text).value(); }

TEST(DateTest, EveryDayOfFourCenturiesRoundTrips) {
    const Date last = date("2399-12-31");
    int day = 1;
    int month = 1;
    int year = 2000;
    for (Date today = date("2000-01-01"); today <= last; today = today.plus_days(1)) {
        ASSERT_EQ(today, Date::create(year, month, day).value());
        ASSERT_EQ(today.to_text(), date(today.to_text()).to_text());
        ASSERT_EQ(today.day(), day);
        ASSERT_EQ(today.month(), month);
        ASSERT_EQ(today.year(), year);
        if (++day > days_in_month(year, month)) {
            day = 1;
            year += month == 12 ? 1 : 0;
            month = month % 12 + 1;
        }
    }
}

TEST(DateTest, DaysAroundTheEndsOfTheCalendarStayInIt) {
    EXPECT_EQ(date("9999-12-30").plus_days(1), date("9999-12-31"));
    EXPECT_EQ(date("9999-12-30").plus_days(2), date("9999-12-31"));
    EXPECT_EQ(date("0001-01-02").plus_days(-2), date("0001-01-01"));
    EXPECT_EQ(date("2000-01-01").plus_days(INT32_MAX), date("9999-12-31"));
    EXPECT_EQ(date("2000-01-01").plus_days(INT32_MIN), date("0001-01-01"));
}

TEST(DateTest, KnowsLeapYears) {
    EXPECT_THAT(Date::create(2024, 2, 29), Succeeds());
    EXPECT_THAT(Date::create(2000, 2, 29), Succeeds());
    EXPECT_THAT(Date::create(1900, 2, 29),
                FailsWith(ErrorKind::invalid, HasSubstr("day is 29; 1 to 28")));
    EXPECT_THAT(Date::create(2023, 2, 29), FailsWith(ErrorKind::invalid));
}

TEST(DateTest, NamesThePartThatIsWrong) {
    EXPECT_THAT(Date::parse("2024-13-01"),
                FailsWith(ErrorKind::invalid, HasSubstr("month is 13; 1 to 12")));
    EXPECT_THAT(Date::parse("0000-01-01"), FailsWith(ErrorKind::invalid, HasSubstr("year is 0")));
    for (const char* text :
         {"", "2024-1-01", "2024-01-01 ", "20240101", "+024-01-01", "2024-01-0x"}) {
        EXPECT_THAT(Date::parse(text), FailsWith(ErrorKind::invalid, HasSubstr("YYYY-MM-DD")))
            << text;
    }
}

TEST(DateTest, CountsDaysAndWeekdays) {
    EXPECT_EQ(date("2024-03-01") - date("2024-02-01"), 29);
    EXPECT_EQ(date("1970-01-01").weekday(), Weekday::thursday);
    EXPECT_EQ(date("1969-12-31").weekday(), Weekday::wednesday);
    EXPECT_EQ(date("2024-02-29").weekday(), Weekday::thursday);
    EXPECT_EQ(date("0001-01-01").to_text(), "0001-01-01");
    EXPECT_EQ(date("9999-12-31").quarter(), 4);
}

TEST(DateTest, MonthsClampToTheShorterMonth) {
    EXPECT_EQ(date("2024-01-31").plus_months(1), date("2024-02-29"));
    EXPECT_EQ(date("2023-01-31").plus_months(1), date("2023-02-28"));
    EXPECT_EQ(date("2024-03-31").plus_months(-13), date("2023-02-28"));
    EXPECT_EQ(date("2024-12-15").plus_months(1), date("2025-01-15"));
}

TEST(MonthTest, IsAnIntervalOfDays) {
    const Month month = Month::parse("2024-02").value();
    EXPECT_EQ(month.first_day(), date("2024-02-01"));
    EXPECT_EQ(month.last_day(), date("2024-02-29"));
    EXPECT_EQ(month.plus(11).to_text(), "2025-01");
    EXPECT_EQ(Month::of(date("2025-01-15")) - month, 11);
    EXPECT_THAT(Month::parse("2024-00"), FailsWith(ErrorKind::invalid));
    EXPECT_THAT(Month::parse("2024-2"), FailsWith(ErrorKind::invalid));
}

TEST(DateSpanTest, CoversMonthsQuartersAndYears) {
    const DateSpan quarter = DateSpan::quarter(2024, 1).value();
    EXPECT_EQ(quarter, (DateSpan{date("2024-01-01"), date("2024-03-31")}));
    EXPECT_EQ(quarter.days(), 91);
    EXPECT_TRUE(quarter.contains(date("2024-03-31")));
    EXPECT_FALSE(quarter.contains(date("2024-04-01")));
    EXPECT_EQ(DateSpan::year(2024).value().days(), 366);
    EXPECT_EQ((DateSpan{date("2024-01-02"), date("2024-01-01")}).days(), 0);
    EXPECT_THAT(DateSpan::quarter(2024, 5),
                FailsWith(ErrorKind::invalid, HasSubstr("quarter is 5")));
}

}  // namespace
}  // namespace bascule::money
