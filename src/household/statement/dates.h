#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "household/money/date.h"
#include "household/statement/mapping.h"

namespace bascule::statement {

/// A set of date orders.
using DateOrders = std::uint8_t;
constexpr DateOrders only(DateOrder order) {
    return static_cast<DateOrders>(1U << static_cast<unsigned>(order));
}
inline constexpr DateOrders all_orders = 0b111;

/// Everything one cell can mean.
struct DateReadings {
    DateOrders orders = 0;
    std::array<money::Date, 3> dates{};  ///< by order, valid where `orders` says so

    bool has(DateOrder order) const { return (orders & only(order)) != 0; }
    money::Date at(DateOrder order) const { return dates[static_cast<std::size_t>(order)]; }
};

/// Reads a cell as a date: three numbers with `.`, `/`, `-` or blanks between, eight digits, or a
/// day, a month's name (English, German, French, Spanish, Italian, Dutch) and a year; a time of day
/// after it is dropped. Years of two digits are 1970 to 2069. A date with dots is never month
/// first, and one that begins with its year of four digits has one order. No readings: the cell is
/// no date, or names a day that does not exist.
DateReadings read_date(std::string_view cell);

/// read_date with a memory of one: banks list by day, and value dates repeat booking dates.
class DateReader {
  public:
    const DateReadings& read(std::string_view cell) {
        if (cell != last_ || last_.empty()) {
            readings_ = read_date(cell);
            last_ = cell;
        }
        return readings_;
    }

  private:
    std::string last_;
    DateReadings readings_;
};

/// Whether the cell has a date's form but names a day that no calendar has, like 30 February.
bool is_impossible_date(std::string_view cell);

/// Decides the order of day, month and year over a whole file.
class DateOrderVote {
  public:
    void add(const DateReadings& readings, std::string_view cell, std::uint64_t line);

    bool any() const { return count_ > 0; }
    DateOrders left() const;
    bool contradicts() const { return any() && left_ == 0; }

    /// More than one order fits every date and they do not give the same days.
    bool ambiguous() const;

    DateOrder order(DateOrders preferred) const;
    std::string evidence() const;

    /// With contradicts(): the two dates that cannot stand in one file.
    std::uint64_t contradicting_line() const { return second_.line; }

  private:
    struct Witness {
        std::uint64_t line = 0;
        std::string text;
        std::string quote() const { return "line " + std::to_string(line) + ": \"" + text + "\""; }
    };

    std::uint64_t count_ = 0;
    DateOrders left_ = all_orders;
    bool differs_dmy_mdy_ = false;
    std::array<Witness, 8> by_set_;  ///< the first date of each set of orders
    Witness first_;
    Witness second_;
};

std::string orders_text(DateOrders orders);

}  // namespace bascule::statement
