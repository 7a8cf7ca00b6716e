#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace bascule::pattern {

/// A JSON number in a form that compares in two instructions, without loss.
///
/// A number is ± 0.d₁d₂d₃… × 10^magnitude with d₁ ≠ 0. `rank` holds sign and magnitude, `digits`
/// the first 19 digits (they fill 64 bits); both are turned round for negatives, so that keys order
/// as the numbers do. A number with more digits is `cut`: only if all else is equal must the texts
/// be compared.
struct NumberKey {
    std::int64_t rank = 0;
    std::uint64_t digits = 0;
    bool cut = false;
};

/// A key as one number, rank above digits: orders as keys do, except that what was cut counts as
/// equal.
__extension__ using NumberOrder = __int128;
constexpr NumberOrder order_of(const NumberKey& key) {
    return static_cast<NumberOrder>(key.rank) * (static_cast<NumberOrder>(1) << 64) +
           static_cast<NumberOrder>(key.digits);
}
/// Before and behind every number.
inline constexpr NumberOrder order_first = order_of({.rank = INT64_MIN});
inline constexpr NumberOrder order_last = order_of({.rank = INT64_MAX});

/// A number with its key. `text` is as written and outlives this.
struct Number {
    NumberKey key;
    std::string_view text;
};

/// As json::compare_numbers, exact decimal.
std::strong_ordering compare(const Number& left, const Number& right);

/// As is_comparable, at once for numbers of few digits.
bool is_comparable(const Number& number);

/// Reads the number that begins at `at`: its end, or nullptr if JSON's grammar finds none.
const char* read_number(const char* at, const char* end, NumberKey& key);

/// The number that all of `text` is; it must be one (CHECK).
Number number_of(std::string_view text);

}  // namespace bascule::pattern
