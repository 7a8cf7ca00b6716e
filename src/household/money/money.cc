#include "household/money/money.h"

#include <limits>

#include "foundation/base/check.h"

namespace bascule::money {

namespace {

constexpr std::int64_t minor_max = std::numeric_limits<std::int64_t>::max();

Result<std::int64_t> narrowed(Int128 minor, int exponent) {
    if (minor > minor_max || minor < -minor_max) {
        return fail(ErrorKind::exhausted, "amount " + decimal_text(minor, exponent) +
                                              " is out of range; ±" +
                                              decimal_text(minor_max, exponent) + " is allowed");
    }
    return static_cast<std::int64_t>(minor);
}

Result<> same_currency(const Money& left, const Money& right) {
    if (left.currency() == right.currency()) {
        return {};
    }
    return fail(ErrorKind::invalid, "amounts of " + std::string(left.currency().code()) + " and " +
                                        std::string(right.currency().code()) + " cannot be added");
}

}  // namespace

Result<Money> Money::parse(std::string_view text, Currency currency) {
    const Decimal decimal = TRY(Decimal::parse(text));
    const MinorUnits minor = TRY(decimal.to_minor(currency.exponent()));
    if (minor.rounded) {
        return fail(ErrorKind::invalid, "amount " + decimal.to_text() +
                                            " has more digits after the mark than " +
                                            std::string(currency.code()) + ", which takes " +
                                            std::to_string(currency.exponent()));
    }
    return Money(minor.value, currency);
}

Result<Money> Money::plus(const Money& other) const {
    TRY(same_currency(*this, other));
    return Money(TRY(narrowed(Int128(minor_) + other.minor_, currency_.exponent())), currency_);
}

Result<Money> Money::minus(const Money& other) const {
    TRY(same_currency(*this, other));
    return Money(TRY(narrowed(Int128(minor_) - other.minor_, currency_.exponent())), currency_);
}

Result<Money> Money::times(std::int64_t factor) const {
    return Money(TRY(narrowed(Int128(minor_) * factor, currency_.exponent())), currency_);
}

Result<Money> Money::negated() const {
    return Money(TRY(narrowed(-Int128(minor_), currency_.exponent())), currency_);
}

void MoneySum::add(const Money& amount) {
    CHECK(amount.currency() == currency_);
    minor_ += amount.minor();
}

void MoneySum::subtract(const Money& amount) {
    CHECK(amount.currency() == currency_);
    minor_ -= amount.minor();
}

void MoneySum::add(const MoneySum& other) {
    CHECK(other.currency_ == currency_);
    minor_ += other.minor_;
}

Result<Money> MoneySum::total() const {
    return Money(TRY(narrowed(minor_, currency_.exponent())), currency_);
}

Result<std::int64_t> scaled_half_even(std::int64_t value, std::int64_t numerator,
                                      std::int64_t denominator) {
    CHECK(denominator > 0);
    const Int128 product = Int128(value) * numerator;
    const Int128 magnitude = product < 0 ? -product : product;
    Int128 quotient = magnitude / denominator;
    const Int128 twice_lost = magnitude % denominator * 2;
    quotient +=
        twice_lost > denominator || (twice_lost == denominator && quotient % 2 != 0) ? 1 : 0;
    return narrowed(product < 0 ? -quotient : quotient, 0);
}

}  // namespace bascule::money
