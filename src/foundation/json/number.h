#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

/// JSON numbers as texts: nothing here goes through double, so no digit is lost and no exponent
/// overflows.
namespace bascule::json {

/// Whether `text` is a number by JSON's grammar, all of it.
bool is_number(std::string_view text);

/// The end of the number that begins at `at`, or nullptr if none does.
const char* number_end(const char* at, const char* end);

/// The number if it is whole and within int64, however it is written (`300`, `3e2`, `300.0`); else
/// nothing.
std::optional<std::int64_t> int64_of(std::string_view number);

/// Compares two JSON numbers by their exact decimal value: 1.10 = 1.1, -0 = 0, 1e400 < 2e400.
/// O(digits). Both are numbers (see is_number). Exponents beyond ±10^15 count as ±10^15.
std::strong_ordering compare_numbers(std::string_view left, std::string_view right);

}  // namespace bascule::json
