#include "household/money/date.h"

#include <algorithm>
#include <array>

#include "foundation/base/check.h"

namespace bascule::money {

namespace {

constexpr int year_min = 1;
constexpr int year_max = 9999;

/// Days since 1970-01-01 of a civil day, and back. Source: H. Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms": years begin in March, so that the leap day is the last one.
constexpr std::int32_t days_from_civil(int year, int month, int day) {
    year -= month <= 2 ? 1 : 0;
    const int era = (year >= 0 ? year : year - 399) / 400;
    const int year_of_era = year - era * 400;
    const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct Civil {
    int year;
    int month;
    int day;
};

constexpr Civil civil_from_days(std::int32_t days) {
    days += 719468;
    const int era = (days >= 0 ? days : days - 146096) / 146097;
    const int day_of_era = days - era * 146097;
    const int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int shifted_month = (5 * day_of_year + 2) / 153;
    const int month = shifted_month + (shifted_month < 10 ? 3 : -9);
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
            day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

constexpr std::int32_t days_first = days_from_civil(year_min, 1, 1);
constexpr std::int32_t days_last = days_from_civil(year_max, 12, 31);

/// The number that all of `text` spells in digits, or -1.
int digits(std::string_view text) {
    int value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') {
            return -1;
        }
        value = value * 10 + (c - '0');
    }
    return value;
}

void put_digits(char* out, int width, int value) {
    for (int i = width - 1; i >= 0; --i) {
        out[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

Result<> in_range(std::string_view what, int value, int least, int most) {
    if (value >= least && value <= most) {
        return {};
    }
    return fail(ErrorKind::invalid, std::string(what) + " is " + std::to_string(value) + "; " +
                                        std::to_string(least) + " to " + std::to_string(most) +
                                        " is allowed");
}

}  // namespace

int days_in_month(int year, int month) {
    CHECK(month >= 1 && month <= 12);
    constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

Result<Date> Date::create(int year, int month, int day) {
    TRY(in_range("year", year, year_min, year_max));
    TRY(in_range("month", month, 1, 12));
    TRY(in_range("day", day, 1, days_in_month(year, month)));
    return Date(days_from_civil(year, month, day));
}

Result<Date> Date::parse(std::string_view text) {
    if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
        const int year = digits(text.substr(0, 4));
        const int month = digits(text.substr(5, 2));
        const int day = digits(text.substr(8, 2));
        if (year >= 0 && month >= 0 && day >= 0) {
            auto date = create(year, month, day);
            return date ? std::move(date)
                        : fail(ErrorKind::invalid,
                               "date " + std::string(text) + ": " + date.error().message());
        }
    }
    return fail(ErrorKind::invalid,
                "\"" + std::string(text.substr(0, 32)) + "\" is not a date; YYYY-MM-DD is allowed");
}

Date Date::from_days(std::int32_t days_since_1970) {
    CHECK(days_since_1970 >= days_first && days_since_1970 <= days_last);
    return Date(days_since_1970);
}

Date Date::plus_days(std::int32_t days) const {
    return Date(static_cast<std::int32_t>(
        std::clamp(std::int64_t{days_} + days, std::int64_t{days_first}, std::int64_t{days_last})));
}

int Date::year() const { return civil_from_days(days_).year; }
int Date::month() const { return civil_from_days(days_).month; }
int Date::day() const { return civil_from_days(days_).day; }

Weekday Date::weekday() const {
    return static_cast<Weekday>(((days_ + 3) % 7 + 7) % 7);  // 1970-01-01 was a Thursday
}

std::string Date::to_text() const {
    const Civil civil = civil_from_days(days_);
    std::string text = "0000-00-00";
    put_digits(text.data(), 4, civil.year);
    put_digits(text.data() + 5, 2, civil.month);
    put_digits(text.data() + 8, 2, civil.day);
    return text;
}

Date Date::plus_months(int months) const {
    const Month target = Month::of(*this).plus(months);
    const int day_most = days_in_month(target.year(), target.month());
    return from_days(days_from_civil(target.year(), target.month(), std::min(day(), day_most)));
}

Result<Month> Month::create(int year, int month) {
    TRY(in_range("year", year, year_min, year_max));
    TRY(in_range("month", month, 1, 12));
    return Month(year * 12 + month - 1);
}

Result<Month> Month::parse(std::string_view text) {
    if (text.size() == 7 && text[4] == '-') {
        const int year = digits(text.substr(0, 4));
        const int month = digits(text.substr(5, 2));
        if (year >= year_min && month >= 1 && month <= 12) {
            return create(year, month);
        }
    }
    return fail(ErrorKind::invalid,
                "\"" + std::string(text.substr(0, 32)) + "\" is not a month; YYYY-MM is allowed");
}

Month Month::of(Date date) {
    const Civil civil = civil_from_days(date.days_since_1970());
    return Month(civil.year * 12 + civil.month - 1);
}

Date Month::first_day() const { return Date::from_days(days_from_civil(year(), month(), 1)); }

Date Month::last_day() const {
    return Date::from_days(days_from_civil(year(), month(), days_in_month(year(), month())));
}

Month Month::plus(int months) const {
    const Month sum(index_ + months);
    CHECK(sum.year() >= year_min && sum.year() <= year_max);
    return sum;
}

std::string Month::to_text() const {
    std::string text = "0000-00";
    put_digits(text.data(), 4, year());
    put_digits(text.data() + 5, 2, month());
    return text;
}

DateSpan DateSpan::month(Month month) { return {month.first_day(), month.last_day()}; }

Result<DateSpan> DateSpan::quarter(int year, int quarter) {
    TRY(in_range("quarter", quarter, 1, 4));
    const Month first = TRY(Month::create(year, quarter * 3 - 2));
    return DateSpan{first.first_day(), first.plus(2).last_day()};
}

Result<DateSpan> DateSpan::year(int year) {
    const Month first = TRY(Month::create(year, 1));
    return DateSpan{first.first_day(), first.plus(11).last_day()};
}

}  // namespace bascule::money
