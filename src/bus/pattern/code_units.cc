#include "bus/pattern/code_units.h"

#include <utf8proc.h>

#include <array>

namespace bascule::pattern {

namespace {

bool is_high_surrogate(char16_t unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low_surrogate(char16_t unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

void append(std::string& out, utf8proc_int32_t point) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    const auto length = utf8proc_encode_char(point, bytes.data());
    out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
}

}  // namespace

std::u16string to_utf16(std::string_view text) {
    std::u16string units;
    units.reserve(text.size());
    while (!text.empty()) {
        utf8proc_int32_t point = 0;
        const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             static_cast<utf8proc_ssize_t>(text.size()), &point);
        text.remove_prefix(length > 0 ? static_cast<std::size_t>(length) : 1);
        if (length <= 0) {
            units += u'\uFFFD';
        } else if (point < 0x10000) {
            units += static_cast<char16_t>(point);
        } else {
            units += static_cast<char16_t>(0xD800 + ((point - 0x10000) >> 10));
            units += static_cast<char16_t>(0xDC00 + ((point - 0x10000) & 0x3FF));
        }
    }
    return units;
}

std::string to_utf8(std::u16string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char16_t unit = text[i];
        if (unit < 0x80) {
            out += static_cast<char>(unit);
        } else if (is_high_surrogate(unit) && i + 1 < text.size() &&
                   is_low_surrogate(text[i + 1])) {
            append(out, 0x10000 + ((unit - 0xD800) << 10) + (text[++i] - 0xDC00));
        } else if (is_high_surrogate(unit) || is_low_surrogate(unit)) {
            out += '?';
        } else {
            append(out, unit);
        }
    }
    return out;
}

bool is_control(char16_t unit) { return unit < 0x20 || (unit >= 0x7F && unit <= 0x9F); }

bool begins_identifier(char16_t unit) {
    switch (utf8proc_category(unit)) {
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LL:
        case UTF8PROC_CATEGORY_LT:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_LO:
        case UTF8PROC_CATEGORY_NL:
        case UTF8PROC_CATEGORY_SC:
        case UTF8PROC_CATEGORY_PC:
            return true;
        default:
            return false;
    }
}

bool continues_identifier(char16_t unit) {
    switch (utf8proc_category(unit)) {
        case UTF8PROC_CATEGORY_ND:
        case UTF8PROC_CATEGORY_MC:
        case UTF8PROC_CATEGORY_MN:
        case UTF8PROC_CATEGORY_CF:
            return true;
        default:
            // Controls that are no blanks may stand in an identifier and are ignored there.
            return begins_identifier(unit) || (is_control(unit) && (unit < 0x09 || unit > 0x0D) &&
                                               (unit < 0x1C || unit > 0x1F));
    }
}

}  // namespace bascule::pattern
