#include "foundation/json/number.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>

namespace bascule::json {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The end of the run of digits at `at`.
const char* digits_end(const char* at, const char* end) {
    while (at != end && is_digit(*at)) {
        ++at;
    }
    return at;
}

/// A number taken apart: ± 0.d₁d₂d₃… × 10^magnitude with d₁ ≠ 0, or zero.
struct Decimal {
    bool negative = false;
    std::string_view whole;  ///< digits before the point, then those behind it
    std::string_view fraction;
    std::size_t leading_zeros = 0;  ///< of whole and fraction together
    std::size_t digits = 0;         ///< of both together, without trailing zeros
    std::int64_t magnitude = 0;

    bool is_zero() const { return leading_zeros >= digits; }

    /// The i-th significant digit; zeros beyond the last.
    char digit(std::size_t i) const {
        i += leading_zeros;
        if (i >= digits) {
            return '0';
        }
        return i < whole.size() ? whole[i] : fraction[i - whole.size()];
    }
    std::size_t significant() const { return is_zero() ? 0 : digits - leading_zeros; }
};

/// Beyond this an exponent is taken for it; digits of a text cannot outweigh it.
constexpr std::int64_t exponent_max = 1'000'000'000'000'000;

std::int64_t exponent_of(std::string_view text) {
    const bool negative = !text.empty() && text.front() == '-';
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
        text.remove_prefix(1);
    }
    std::int64_t value = 0;
    for (const char c : text) {
        value = std::min(exponent_max, value * 10 + (c - '0'));
    }
    return negative ? -value : value;
}

Decimal taken_apart(std::string_view number) {
    Decimal decimal;
    const char* at = number.data();
    const char* const end = at + number.size();
    decimal.negative = *at == '-';
    at += decimal.negative ? 1 : 0;
    const char* stop = digits_end(at, end);
    decimal.whole = {at, static_cast<std::size_t>(stop - at)};
    at = stop;
    if (at != end && *at == '.') {
        stop = digits_end(at + 1, end);
        decimal.fraction = {at + 1, static_cast<std::size_t>(stop - at - 1)};
        at = stop;
    }
    const std::int64_t exponent =
        at != end ? exponent_of({at + 1, static_cast<std::size_t>(end - at - 1)}) : 0;

    decimal.digits = decimal.whole.size() + decimal.fraction.size();
    while (decimal.digits > 0 && decimal.digit(decimal.digits - 1) == '0') {
        --decimal.digits;
    }
    std::size_t zeros = 0;
    while (zeros < decimal.digits && decimal.digit(zeros) == '0') {
        ++zeros;
    }
    decimal.leading_zeros = zeros;
    decimal.magnitude = static_cast<std::int64_t>(decimal.whole.size()) -
                        static_cast<std::int64_t>(zeros) + exponent;
    return decimal;
}

std::strong_ordering compare_sizes(const Decimal& left, const Decimal& right) {
    if (left.magnitude != right.magnitude) {
        return left.magnitude <=> right.magnitude;
    }
    const std::size_t digits = std::max(left.significant(), right.significant());
    for (std::size_t i = 0; i < digits; ++i) {
        if (left.digit(i) != right.digit(i)) {
            return left.digit(i) <=> right.digit(i);
        }
    }
    return std::strong_ordering::equal;
}

}  // namespace

const char* number_end(const char* at, const char* end) {
    if (at != end && *at == '-') {
        ++at;
    }
    if (at == end || !is_digit(*at)) {
        return nullptr;
    }
    at = *at == '0' ? at + 1 : digits_end(at, end);
    if (at != end && *at == '.') {
        const char* const stop = digits_end(at + 1, end);
        if (stop == at + 1) {
            return nullptr;
        }
        at = stop;
    }
    if (at != end && (*at == 'e' || *at == 'E')) {
        ++at;
        if (at != end && (*at == '+' || *at == '-')) {
            ++at;
        }
        const char* const stop = digits_end(at, end);
        if (stop == at) {
            return nullptr;
        }
        at = stop;
    }
    return at;
}

bool is_number(std::string_view text) {
    const char* const end = text.data() + text.size();
    return !text.empty() && number_end(text.data(), end) == end;
}

std::optional<std::int64_t> int64_of(std::string_view number) {
    if (!is_number(number)) {
        return std::nullopt;
    }
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error == std::errc() && stop == number.data() + number.size()) {
        return value;
    }
    const Decimal decimal = taken_apart(number);
    if (decimal.is_zero()) {
        return 0;
    }
    constexpr std::int64_t digits_max = 19;  // of 9223372036854775807
    if (decimal.magnitude > digits_max ||
        decimal.magnitude < static_cast<std::int64_t>(decimal.significant())) {
        return std::nullopt;
    }
    __extension__ using Wide = __int128;
    Wide wide = 0;
    for (std::int64_t i = 0; i < decimal.magnitude; ++i) {
        wide = wide * 10 + (decimal.digit(static_cast<std::size_t>(i)) - '0');
    }
    wide = decimal.negative ? -wide : wide;
    if (wide < INT64_MIN || wide > INT64_MAX) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(wide);
}

std::strong_ordering compare_numbers(std::string_view left_text, std::string_view right_text) {
    const Decimal left = taken_apart(left_text);
    const Decimal right = taken_apart(right_text);
    const auto sign = [](const Decimal& decimal) {
        return decimal.is_zero() ? 0 : decimal.negative ? -1 : 1;
    };
    if (sign(left) != sign(right)) {
        return sign(left) <=> sign(right);
    }
    if (sign(left) == 0) {
        return std::strong_ordering::equal;
    }
    return sign(left) > 0 ? compare_sizes(left, right) : compare_sizes(right, left);
}

}  // namespace bascule::json
