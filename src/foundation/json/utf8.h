#pragma once

#include <cstddef>
#include <string>

/// UTF-8 as JSON needs it; shared by the sources of this room.
namespace bascule::json {

/// Bytes of the well-formed UTF-8 sequence at `at` (1–4), or 0 if it is none: overlong, surrogate,
/// cut short, above U+10FFFF. `at` < `end`. Source: Unicode 15, table 3-7.
inline std::size_t utf8_sequence(const char* at, const char* end) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(at[i]); };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const auto left = static_cast<std::size_t>(end - at);
    const unsigned char lead = byte(0);
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return left >= 2 && tail(1) ? 2 : 0;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        const bool second_fits = left >= 3 && tail(1) && (lead != 0xE0 || byte(1) >= 0xA0) &&
                                 (lead != 0xED || byte(1) < 0xA0);
        return second_fits && tail(2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const bool second_fits = left >= 4 && tail(1) && (lead != 0xF0 || byte(1) >= 0x90) &&
                                 (lead != 0xF4 || byte(1) < 0x90);
        return second_fits && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

inline void append_utf8(std::string& out, char32_t point) {
    const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xC0 | (point >> 6));
        put(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        put(0xE0 | (point >> 12));
        put(0x80 | ((point >> 6) & 0x3F));
        put(0x80 | (point & 0x3F));
    } else {
        put(0xF0 | (point >> 18));
        put(0x80 | ((point >> 12) & 0x3F));
        put(0x80 | ((point >> 6) & 0x3F));
        put(0x80 | (point & 0x3F));
    }
}

}  // namespace bascule::json
