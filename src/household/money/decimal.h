#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "foundation/base/result.h"

namespace bascule::money {

__extension__ typedef __int128 Int128;

/// How a number is written: which character ends its whole part and which one, if any, groups its
/// digits.
struct DecimalStyle {
    char decimal_mark = '.';
    char grouping = '\0';  ///< `\0`: none allowed
};

/// A whole number of minor units, and whether digits had to be rounded away to get there.
struct MinorUnits {
    std::int64_t value = 0;
    bool rounded = false;  ///< further non-zero digits were rounded half to even
};

/// An exact decimal number that remembers how many digits were written after its mark: `30.000` is
/// not `30`.
///
/// Limits: 38 significant digits, of which at most 30 after the mark. Zero has no sign.
class Decimal {
  public:
    static constexpr int digits_max = 38;
    static constexpr int scale_max = 30;

    constexpr Decimal() = default;

    /// `units` / 10^`scale`. Scale is 0 to scale_max (checked).
    Decimal(Int128 units, int scale);

    /// Reads an optional `+` or `-`, digits, at most one decimal mark; `5.` and `.5` are numbers,
    /// `.` is none. Grouping marks must stand between groups: one to three digits, then groups of
    /// three (or Indian groups of two before a last one of three), never after the decimal mark. No
    /// exponent, no blanks. Errors: `invalid`, naming the text and what is wrong; `exhausted` above
    /// the limits. O(length).
    static Result<Decimal> parse(std::string_view text, DecimalStyle style = {});

    Int128 units() const { return units_; }
    int scale() const { return scale_; }
    bool is_zero() const { return units_ == 0; }
    bool is_negative() const { return units_ < 0; }
    Decimal negated() const { return Decimal(-units_, scale_); }

    /// The number in units of 10^-exponent, rounded half to even. Errors: `exhausted` outside
    /// ±(2^63 - 1).
    Result<MinorUnits> to_minor(int exponent) const;

    /// `-1234.50`: no grouping, no exponent, trailing zeros kept, a digit on both sides of the
    /// mark.
    std::string to_text() const;

    /// Same value and same digits; 1.0 differs from 1.00. Compare `to_minor` for the value alone.
    friend bool operator==(const Decimal&, const Decimal&) = default;

  private:
    Int128 units_ = 0;
    int scale_ = 0;
};

/// `units` / 10^`exponent` as text: (-5, 2) is `-0.05`.
std::string decimal_text(Int128 units, int exponent);

}  // namespace bascule::money
