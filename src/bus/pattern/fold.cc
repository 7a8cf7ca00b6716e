#include "bus/pattern/fold.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <string>

#include "bus/pattern/code_units.h"
#include "bus/pattern/long_upper.h"

namespace bascule::pattern {

namespace {

/// The character at the front of `text`, which is valid UTF-8 or gives its first byte.
std::string_view first_character(std::string_view text) {
    utf8proc_int32_t point = 0;
    const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                         static_cast<utf8proc_ssize_t>(text.size()), &point);
    return text.substr(0, length > 0 ? static_cast<std::size_t>(length) : 1);
}

std::string encoded(utf8proc_int32_t point) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    const auto length = utf8proc_encode_char(point, bytes.data());
    return {reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length)};
}

/// What a character of the pattern stands for: its upper and its lower case. A character that is
/// neither, `ǅ`, does not stand for itself.
std::vector<std::string> spellings(std::string_view character) {
    utf8proc_int32_t point = 0;
    const auto length =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(character.data()),
                         static_cast<utf8proc_ssize_t>(character.size()), &point);
    if (length <= 0 || point > 0xFFFF) {
        return {std::string(character)};
    }
    const std::u16string_view upper = long_upper(static_cast<char16_t>(point));
    return {upper.empty() ? encoded(utf8proc_toupper(point)) : to_utf8(upper),
            // The lower case of İ keeps its dot.
            point == 0x130 ? "i\xCC\x87" : encoded(utf8proc_tolower(point))};
}

}  // namespace

std::vector<std::size_t> ends_ignoring_case(std::string_view pattern, std::string_view value) {
    std::vector<std::size_t> ends = {0};
    while (!pattern.empty() && !ends.empty()) {
        const std::string_view character = first_character(pattern);
        pattern.remove_prefix(character.size());
        std::vector<std::size_t> next;
        for (const std::string& spelling : spellings(character)) {
            for (const std::size_t end : ends) {
                if (value.substr(end).starts_with(spelling)) {
                    next.push_back(end + spelling.size());
                }
            }
        }
        std::sort(next.begin(), next.end());
        next.erase(std::unique(next.begin(), next.end()), next.end());
        ends = std::move(next);
    }
    return ends;
}

bool equals_ignoring_case(std::string_view pattern, std::string_view value) {
    const auto ends = ends_ignoring_case(pattern, value);
    return std::find(ends.begin(), ends.end(), value.size()) != ends.end();
}

bool ends_with_ignoring_case(std::string_view pattern, std::string_view value) {
    // A character's spellings have at most 3 times its bytes, so only that much of the value's end
    // can matter.
    const std::size_t reach = std::min(value.size(), pattern.size() * 3);
    for (std::size_t bytes = 0; bytes <= reach; ++bytes) {
        const bool is_boundary =
            bytes == 0 ||
            (static_cast<unsigned char>(value[value.size() - bytes]) & 0xC0U) != 0x80U;
        if (is_boundary && equals_ignoring_case(pattern, value.substr(value.size() - bytes))) {
            return true;
        }
    }
    return false;
}

}  // namespace bascule::pattern
