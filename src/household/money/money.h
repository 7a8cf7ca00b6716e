#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "foundation/base/result.h"
#include "household/money/currency.h"
#include "household/money/decimal.h"

namespace bascule::money {

/// An exact amount: minor units (cents) of one currency. Positive is money in, from the holder's
/// view.
///
/// Arithmetic is checked: a result outside ±(2^63 - 1) minor units is an error, never a wrap.
/// Amounts of different currencies do not mix: that is an error here and a CHECK in MoneySum.
class Money {
  public:
    constexpr Money() = default;
    constexpr Money(std::int64_t minor, Currency currency) : minor_(minor), currency_(currency) {}

    /// Reads exact decimal text in the plain style (`-12.34`). Digits below the minor unit must be
    /// zero. Errors: `invalid` (no number, or surplus digits), `exhausted` (out of range).
    static Result<Money> parse(std::string_view text, Currency currency);

    std::int64_t minor() const { return minor_; }
    const Currency& currency() const { return currency_; }
    bool is_zero() const { return minor_ == 0; }
    bool is_negative() const { return minor_ < 0; }

    /// `-12.34`, with exactly the currency's number of digits after the mark. Parses back to the
    /// same value.
    std::string to_text() const { return decimal_text(minor_, currency_.exponent()); }

    /// Errors: `invalid` (different currencies), `exhausted` (out of range).
    Result<Money> plus(const Money& other) const;
    Result<Money> minus(const Money& other) const;
    Result<Money> times(std::int64_t factor) const;
    Result<Money> negated() const;

    friend bool operator==(const Money&, const Money&) = default;

  private:
    std::int64_t minor_ = 0;
    Currency currency_;
};

/// A running total of one currency in 128 bits, so that no order of additions can overflow on the
/// way.
class MoneySum {
  public:
    MoneySum() = default;
    explicit MoneySum(Currency currency) : currency_(currency) {}

    /// The amount must be of this sum's currency (checked: mixing currencies is our mistake, not
    /// the user's).
    void add(const Money& amount);
    void subtract(const Money& amount);
    void add(const MoneySum& other);
    void add_minor(std::int64_t minor) { minor_ += minor; }
    void subtract_minor(Int128 minor) { minor_ -= minor; }

    Int128 minor() const { return minor_; }
    const Currency& currency() const { return currency_; }

    /// Errors: `exhausted` when the total does not fit in Money.
    Result<Money> total() const;

    /// Exact at any size.
    std::string to_text() const { return decimal_text(minor_, currency_.exponent()); }

    friend bool operator==(const MoneySum&, const MoneySum&) = default;

  private:
    Int128 minor_ = 0;
    Currency currency_;
};

/// `value` * `numerator` / `denominator`, rounded half to even, computed in 128 bits.
/// Denominator above 0 (checked). Errors: `exhausted` when the answer does not fit.
Result<std::int64_t> scaled_half_even(std::int64_t value, std::int64_t numerator,
                                      std::int64_t denominator);

}  // namespace bascule::money
