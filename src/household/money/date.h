#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "foundation/base/result.h"

namespace bascule::money {

enum class Weekday { monday, tuesday, wednesday, thursday, friday, saturday, sunday };

int days_in_month(int year, int month);

/// A civil day of the proleptic Gregorian calendar, 0001-01-01 to 9999-12-31: what a bank means by
/// a booking date. No time of day, no zone. A default-made Date is 1970-01-01. Four bytes, ordered,
/// hashable.
class Date {
  public:
    constexpr Date() = default;

    /// Errors: `invalid`, naming the part that is out of range ("month is 13; 1 to 12 is allowed").
    static Result<Date> create(int year, int month, int day);

    /// Reads exactly `YYYY-MM-DD`. Errors: `invalid`.
    static Result<Date> parse(std::string_view text);

    /// Days since 1970-01-01; the value must lie in the range above (checked).
    static Date from_days(std::int32_t days_since_1970);

    std::int32_t days_since_1970() const { return days_; }
    int year() const;
    int month() const;  ///< 1 to 12
    int day() const;    ///< 1 to 31
    int quarter() const { return (month() + 2) / 3; }
    Weekday weekday() const;

    std::string to_text() const;  ///< `YYYY-MM-DD`

    /// So many days later or earlier, but not beyond the range's first and last day: what lies
    /// around a date that a bank wrote must not depend on where it stands in the calendar.
    Date plus_days(std::int32_t days) const;

    /// The same day of another month, or that month's last day when it is shorter: 31 January + 1
    /// is 28 February.
    Date plus_months(int months) const;

    friend std::int32_t operator-(Date later, Date earlier) { return later.days_ - earlier.days_; }
    friend constexpr auto operator<=>(Date, Date) = default;

  private:
    constexpr explicit Date(std::int32_t days) : days_(days) {}

    std::int32_t days_ = 0;
};

/// A calendar month, the unit analytics count in.
class Month {
  public:
    constexpr Month() = default;

    static Result<Month> create(int year, int month);
    static Result<Month> parse(std::string_view text);  ///< exactly `YYYY-MM`
    static Month of(Date date);

    int year() const { return index_ / 12; }
    int month() const { return index_ % 12 + 1; }
    int quarter() const { return index_ % 12 / 3 + 1; }
    std::int32_t index() const {
        return index_;
    }  ///< year * 12 + month - 1: consecutive months differ by 1

    Date first_day() const;
    Date last_day() const;
    Month plus(int months) const;
    std::string to_text() const;

    friend std::int32_t operator-(Month later, Month earlier) {
        return later.index_ - earlier.index_;
    }
    friend constexpr auto operator<=>(Month, Month) = default;

  private:
    constexpr explicit Month(std::int32_t index) : index_(index) {}

    std::int32_t index_ = 1970 * 12;
};

/// Two days and everything between them, both included. Empty when `last < first`.
struct DateSpan {
    Date first;
    Date last;

    bool contains(Date date) const { return first <= date && date <= last; }
    std::int32_t days() const { return last < first ? 0 : last - first + 1; }

    static DateSpan month(Month month);
    static Result<DateSpan> quarter(int year, int quarter);
    static Result<DateSpan> year(int year);

    friend bool operator==(const DateSpan&, const DateSpan&) = default;
};

}  // namespace bascule::money

template <>
struct std::hash<bascule::money::Date> {
    std::size_t operator()(bascule::money::Date date) const {
        return std::hash<std::int32_t>{}(date.days_since_1970());
    }
};

template <>
struct std::hash<bascule::money::Month> {
    std::size_t operator()(bascule::money::Month month) const {
        return std::hash<std::int32_t>{}(month.index());
    }
};
