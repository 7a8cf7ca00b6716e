#include "bus/pattern/fold.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <optional>
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

/// The same at the end.
std::string_view last_character(std::string_view text) {
    std::size_t bytes = 1;
    while (bytes < std::min<std::size_t>(text.size(), 4) &&
           (static_cast<unsigned char>(text[text.size() - bytes]) & 0xC0U) == 0x80U) {
        ++bytes;
    }
    const std::string_view character = text.substr(text.size() - bytes);
    return first_character(character).size() == bytes ? character : text.substr(text.size() - 1);
}

std::string encoded(utf8proc_int32_t point) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    const auto length = utf8proc_encode_char(point, bytes.data());
    return {reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length)};
}

/// Where in `value` the match of all of `pattern` ends that begins at its start.
std::optional<std::size_t> end_of_match(std::string_view pattern, std::string_view value) {
    std::size_t end = 0;
    while (!pattern.empty()) {
        const std::string_view character = first_character(pattern);
        pattern.remove_prefix(character.size());
        const auto spellings = spellings_ignoring_case(character);
        const auto found = std::find_if(
            spellings.begin(), spellings.end(),
            [&](const std::string& spelling) { return value.substr(end).starts_with(spelling); });
        if (found == spellings.end()) {
            return std::nullopt;
        }
        end += found->size();
    }
    return end;
}

}  // namespace

std::array<std::string, 2> spellings_ignoring_case(std::string_view character) {
    utf8proc_int32_t point = 0;
    const auto length =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(character.data()),
                         static_cast<utf8proc_ssize_t>(character.size()), &point);
    if (length <= 0 || point > 0xFFFF) {
        return {std::string(character), std::string(character)};
    }
    const std::u16string_view upper = long_upper(static_cast<char16_t>(point));
    return {upper.empty() ? encoded(utf8proc_toupper(point)) : to_utf8(upper),
            // The lower case of İ keeps its dot.
            point == 0x130 ? "i\xCC\x87" : encoded(utf8proc_tolower(point))};
}

bool equals_ignoring_case(std::string_view pattern, std::string_view value) {
    return end_of_match(pattern, value) == value.size();
}

bool begins_ignoring_case(std::string_view pattern, std::string_view value) {
    return end_of_match(pattern, value).has_value();
}

bool ends_ignoring_case(std::string_view pattern, std::string_view value) {
    while (!pattern.empty()) {
        const std::string_view character = last_character(pattern);
        pattern.remove_suffix(character.size());
        const auto spellings = spellings_ignoring_case(character);
        const auto found =
            std::find_if(spellings.begin(), spellings.end(),
                         [&](const std::string& spelling) { return value.ends_with(spelling); });
        if (found == spellings.end()) {
            return false;
        }
        value.remove_suffix(found->size());
    }
    return true;
}

}  // namespace bascule::pattern
