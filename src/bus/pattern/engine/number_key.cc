#include "bus/pattern/engine/number_key.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstring>

#include "bus/pattern/comparable_number.h"
#include "foundation/base/check.h"
#include "foundation/json/number.h"

namespace bascule::pattern {

namespace {

constexpr int digits_max = 19;
/// As json::compare_numbers: beyond this an exponent is taken for it.
constexpr std::int64_t exponent_max = 1'000'000'000'000'000;
/// Above every magnitude, so that ranks of positive numbers are positive.
constexpr std::int64_t rank_of_magnitude_zero = 2 * exponent_max;

constexpr std::array<std::uint64_t, digits_max + 1> powers_of_ten = [] {
    std::array<std::uint64_t, digits_max + 1> powers{};
    std::uint64_t power = 1;
    for (std::uint64_t& value : powers) {
        value = power;
        power *= 10;
    }
    return powers;
}();

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

/// The digits at the front of eight characters, of which the first is the lowest byte. Source: the
/// well-known SWAR tricks.
struct FrontDigits {
    int count = 0;
    std::uint64_t number = 0;

    explicit FrontDigits(std::uint64_t word) {
        word ^= 0x3030303030303030;  // digits are 0 to 9 now, and only they
        const std::uint64_t others = ((word + 0x7676767676767676) | word) & 0x8080808080808080;
        count = std::countr_zero(others) / 8;
        if (count > 0) {
            word <<= 8 * (8 - count);  // zeros go before
            word = word * 10 + (word >> 8);
            number = (((word & 0x000000FF000000FF) * 0x000F424000000064) +
                      (((word >> 16) & 0x000000FF000000FF) * 0x0000271000000001)) >>
                     32;
        }
    }
};

/// Takes the digits at `at`, behind those that `digits` holds; their end. More than `digits_max`
/// overflow.
const char* read_digits(const char* at, const char* end, std::uint64_t& digits) {
    if constexpr (std::endian::native == std::endian::little) {
        while (end - at >= 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, at, 8);
            const FrontDigits front(word);
            digits = digits * powers_of_ten[static_cast<std::size_t>(front.count)] + front.number;
            at += front.count;
            if (front.count < 8) {
                return at;
            }
        }
    }
    for (; at != end && is_digit(*at); ++at) {
        digits = digits * 10 + static_cast<unsigned>(*at - '0');
    }
    return at;
}

/// Takes the first `digits_max` digits of [at, end), where there are digits and perhaps a point.
/// Whether others than zeros follow.
bool read_first_digits(const char* at, const char* end, std::uint64_t& digits) {
    bool cut = false;
    digits = 0;
    for (int count = 0; at != end; ++at) {
        if (*at == '.') {
            continue;
        }
        if (count++ < digits_max) {
            digits = digits * 10 + static_cast<unsigned>(*at - '0');
        } else {
            cut = cut || *at != '0';
        }
    }
    return cut;
}

/// Reads `e±digits` at `at`; nullptr if it is none.
const char* read_exponent(const char* at, const char* end, std::int64_t& exponent) {
    ++at;
    const bool negative = at != end && *at == '-';
    at += at != end && (*at == '-' || *at == '+') ? 1 : 0;
    if (at == end || !is_digit(*at)) {
        return nullptr;
    }
    for (; at != end && is_digit(*at); ++at) {
        exponent = std::min(exponent_max, exponent * 10 + (*at - '0'));
    }
    exponent = negative ? -exponent : exponent;
    return at;
}

}  // namespace

const char* read_number(const char* at, const char* end, NumberKey& key) {
    const bool negative = at != end && *at == '-';
    at += negative ? 1 : 0;
    if (at == end || !is_digit(*at)) {
        return nullptr;
    }
    const char* first = at;  // of the significant digits
    std::uint64_t digits = 0;
    std::int64_t magnitude = 0;
    std::ptrdiff_t count = 0;
    if (*at == '0') {
        ++at;
    } else {
        at = read_digits(at, end, digits);
        count = magnitude = at - first;
    }
    const char* last = at;
    if (at != end && *at == '.') {
        const char* const begin = ++at;
        if (count == 0) {
            for (; at != end && *at == '0'; ++at) {
                --magnitude;
            }
            first = at;
        }
        const char* const significant = at;
        at = last = read_digits(at, end, digits);
        count += at - significant;
        if (at == begin) {
            return nullptr;
        }
    }
    if (at != end && (*at == 'e' || *at == 'E')) {
        std::int64_t exponent = 0;
        at = read_exponent(at, end, exponent);
        if (at == nullptr) {
            return nullptr;
        }
        magnitude += exponent;
    }
    if (count == 0) {
        key = {};
        return at;
    }
    bool cut = false;
    if (count <= digits_max) {
        digits *= powers_of_ten[static_cast<std::size_t>(digits_max - count)];
    } else {
        cut = read_first_digits(first, last, digits);
    }
    const std::int64_t rank = rank_of_magnitude_zero + magnitude;
    key = {negative ? -rank : rank, negative ? ~digits : digits, cut};
    return at;
}

std::strong_ordering compare(const Number& left, const Number& right) {
    if (left.key.rank != right.key.rank) {
        return left.key.rank <=> right.key.rank;
    }
    if (left.key.digits != right.key.digits) {
        return left.key.digits <=> right.key.digits;
    }
    if (!left.key.cut && !right.key.cut) {
        return std::strong_ordering::equal;
    }
    return json::compare_numbers(left.text, right.text);
}

bool is_comparable(const Number& number) {
    constexpr std::size_t always_comparable = 3;  // characters: 0, 1.5, 9e9
    if (number.text.size() <= always_comparable) {
        return true;
    }
    const bool negative = number.key.rank < 0;
    const std::uint64_t digits = negative ? ~number.key.digits : number.key.digits;
    const std::int64_t rank = negative ? -number.key.rank : number.key.rank;
    const std::int64_t magnitude = rank - rank_of_magnitude_zero;
    // Within these, doubles have all their digits.
    constexpr std::int64_t magnitude_max = 300;
    if (number.key.cut || magnitude < -magnitude_max || magnitude > magnitude_max) {
        return is_comparable(number.text);
    }
    // Every decimal of 15 digits is the shortest that reads back as its double.
    constexpr std::uint64_t behind_15_digits = 10'000;
    if (digits % behind_15_digits == 0) {
        return true;
    }
    double value = 0;
    std::from_chars(number.text.data(), number.text.data() + number.text.size(), value);
    std::array<char, 32> shortest{};
    const auto shown = std::to_chars(shortest.data(), shortest.data() + shortest.size(), value,
                                     std::chars_format::scientific);
    NumberKey key;
    return read_number(shortest.data(), shown.ptr, key) == shown.ptr &&
           key.rank == number.key.rank && key.digits == number.key.digits;
}

Number number_of(std::string_view text) {
    Number number{.key = {}, .text = text};
    CHECK(read_number(text.data(), text.data() + text.size(), number.key) ==
          text.data() + text.size());
    return number;
}

}  // namespace bascule::pattern
