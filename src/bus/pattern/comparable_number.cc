#include "bus/pattern/comparable_number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "foundation/json/number.h"

namespace bascule::pattern {

namespace {

/// Whether the number's power of ten, once its decimal point is moved to the end, fits a Java int.
bool is_within_limits(std::string_view number) {
    constexpr std::int64_t exponent_max = 2'147'483'647;
    const std::size_t mark = number.find_first_of("eE");
    const std::size_t point = number.substr(0, mark).find('.');
    std::int64_t exponent = 0;
    if (point != std::string_view::npos) {
        exponent -= static_cast<std::int64_t>(std::min(mark, number.size()) - point - 1);
    }
    if (mark == std::string_view::npos) {
        return true;
    }
    std::string_view digits = number.substr(mark + 1);
    const bool is_negative = digits.front() == '-';
    digits.remove_prefix(is_negative || digits.front() == '+' ? 1 : 0);
    std::int64_t written = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), written).ec != std::errc()) {
        return false;
    }
    exponent += is_negative ? -written : written;
    return exponent >= -exponent_max && exponent <= exponent_max;
}

}  // namespace

bool is_comparable(std::string_view number) {
    if (!is_within_limits(number)) {
        return false;
    }
    double value = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc()) {
        return false;
    }
    // The shortest digits that read back as the double; Java writes two at least, the two nearest.
    std::array<char, 32> written{};
    char* const end = written.data() + written.size();
    auto shown = std::to_chars(written.data(), end, value, std::chars_format::scientific);
    if (std::find(written.data(), shown.ptr, '.') == shown.ptr) {
        shown = std::to_chars(written.data(), end, value, std::chars_format::scientific, 1);
    }
    return json::compare_numbers(number, {written.data(), shown.ptr}) == 0;
}

std::optional<std::string> objection_to(std::string_view number) {
    if (is_comparable(number)) {
        return std::nullopt;
    }
    return is_within_limits(number) ? "Cannot compare number : " + std::string(number)
                                    : std::string("value exceeds limits");
}

}  // namespace bascule::pattern
