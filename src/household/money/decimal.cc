#include "household/money/decimal.h"

#include <array>
#include <limits>

#include "foundation/base/check.h"

namespace bascule::money {

namespace {

constexpr auto powers_of_ten = [] {
    std::array<Int128, Decimal::digits_max + 1> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i) {
        powers[i] = powers[i - 1] * 10;
    }
    return powers;
}();

constexpr std::int64_t minor_max = std::numeric_limits<std::int64_t>::max();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::unexpected<Error> unreadable(std::string_view text, std::string_view why) {
    return fail(ErrorKind::invalid,
                "\"" + std::string(text.substr(0, 64)) + "\" is not a number: " + std::string(why));
}

/// Watches the groups of a whole part go by: sizes 1-3 then 3 3 3, or 1-3 then 2 2 … and a last 3.
class Groups {
  public:
    void digit() { ++size_; }
    bool mark() {
        const bool fits = marks_ == 0 ? size_ >= 1 && size_ <= 3 : size_ == 3 || size_ == 2;
        threes_ = threes_ && (marks_ == 0 || size_ == 3);
        twos_ = twos_ && size_ <= 2;
        ++marks_;
        size_ = 0;
        return fits;
    }
    bool finish() const { return marks_ == 0 || (size_ == 3 && (threes_ || twos_)); }

  private:
    int marks_ = 0;
    int size_ = 0;
    bool threes_ = true;
    bool twos_ = true;
};

}  // namespace

Decimal::Decimal(Int128 units, int scale) : units_(units), scale_(scale) {
    CHECK(scale >= 0 && scale <= scale_max);
}

Result<Decimal> Decimal::parse(std::string_view text, DecimalStyle style) {
    std::string_view rest = text;
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) {
        rest.remove_prefix(1);
    }

    Int128 units = 0;
    int significant = 0;
    int digits = 0;
    int scale = -1;  // -1 until the decimal mark is seen
    Groups groups;
    for (const char c : rest) {
        if (is_digit(c)) {
            significant += significant > 0 || c != '0' ? 1 : 0;
            ++digits;
            if (significant > digits_max || scale >= scale_max) {
                return fail(ErrorKind::exhausted,
                            "\"" + std::string(text.substr(0, 64)) +
                                "\" has too many digits; 38 in all and 30 after the decimal "
                                "mark are allowed");
            }
            units = units * 10 + (c - '0');
            if (scale < 0) {
                groups.digit();
            } else {
                ++scale;
            }
        } else if (c == style.decimal_mark) {
            if (scale >= 0) {
                return unreadable(text, "it has two decimal marks");
            }
            scale = 0;
        } else if (c == style.grouping && c != '\0') {
            if (scale >= 0 || !groups.mark()) {
                return unreadable(text, "its digits are not grouped in threes");
            }
        } else {
            return unreadable(text, std::string("unexpected character '") + c + "'");
        }
    }
    if (digits == 0) {
        return unreadable(text, "it has no digits");
    }
    if (!groups.finish()) {
        return unreadable(text, "its digits are not grouped in threes");
    }
    return Decimal(negative ? -units : units, scale < 0 ? 0 : scale);
}

Result<MinorUnits> Decimal::to_minor(int exponent) const {
    const Int128 magnitude = units_ < 0 ? -units_ : units_;
    Int128 minor = magnitude;
    bool rounded = false;
    if (exponent >= scale_) {
        const Int128 factor = powers_of_ten[static_cast<std::size_t>(exponent - scale_)];
        minor = magnitude > minor_max ? magnitude : magnitude * factor;  // too large either way
    } else {
        const Int128 divisor = powers_of_ten[static_cast<std::size_t>(scale_ - exponent)];
        const Int128 lost = magnitude % divisor;
        const Int128 half = divisor / 2;
        minor = magnitude / divisor;
        rounded = lost != 0;
        minor += lost > half || (lost == half && minor % 2 != 0) ? 1 : 0;
    }
    if (minor > minor_max) {
        return fail(ErrorKind::exhausted,
                    to_text() +
                        " is too large; at most 9223372036854775807 minor units are "
                        "allowed");
    }
    return MinorUnits{static_cast<std::int64_t>(units_ < 0 ? -minor : minor), rounded};
}

std::string Decimal::to_text() const { return decimal_text(units_, scale_); }

std::string decimal_text(Int128 units, int exponent) {
    std::array<char, 64> buffer;
    char* const end = buffer.data() + buffer.size();
    char* out = end;
    __extension__ using Unsigned = unsigned __int128;
    Unsigned rest = units < 0 ? -static_cast<Unsigned>(units) : static_cast<Unsigned>(units);
    int written = 0;
    // Nearly every amount fits 64 bits, where a division costs a tenth of one in 128.
    while (rest > std::numeric_limits<std::uint64_t>::max()) {
        *--out = static_cast<char>('0' + static_cast<int>(rest % 10));
        rest /= 10;
        if (++written == exponent) {
            *--out = '.';
        }
    }
    for (auto small = static_cast<std::uint64_t>(rest); small != 0 || written <= exponent;
         small /= 10) {
        *--out = static_cast<char>('0' + small % 10);
        if (++written == exponent) {
            *--out = '.';
        }
    }
    if (units < 0) {
        *--out = '-';
    }
    return std::string(out, end);
}

}  // namespace bascule::money
