#include "household/statement/text.h"

#include <algorithm>

namespace bascule::statement {

namespace {

bool is_ascii_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

/// U+00A0, U+2000 to U+200B, U+202F, U+205F, U+3000, U+FEFF.
bool is_wide_blank(std::string_view three) {
    if (three.starts_with("\xE2\x80")) {
        const auto last = static_cast<unsigned char>(three[2]);
        return (last >= 0x80 && last <= 0x8B) || last == 0xAF;
    }
    return three == "\xE2\x81\x9F" || three == "\xE3\x80\x80" || three == "\xEF\xBB\xBF";
}

std::size_t blank_width_at_end(std::string_view text) {
    if (is_ascii_blank(text.back())) {
        return 1;
    }
    if (text.ends_with("\xC2\xA0")) {
        return 2;
    }
    return text.size() >= 3 && is_wide_blank(text.substr(text.size() - 3)) ? 3 : 0;
}

}  // namespace

std::size_t blank_width(std::string_view text) {
    if (text.empty()) {
        return 0;
    }
    if (is_ascii_blank(text.front())) {
        return 1;
    }
    if (text.starts_with("\xC2\xA0")) {
        return 2;
    }
    return text.size() >= 3 && is_wide_blank(text.substr(0, 3)) ? 3 : 0;
}

std::string_view trimmed(std::string_view text) {
    const auto plain = [](char c) { return c > ' '; };
    if (!text.empty() && plain(text.front()) && plain(text.back())) {
        return text;  // nearly always
    }
    while (const std::size_t width = blank_width(text)) {
        text.remove_prefix(width);
    }
    while (!text.empty()) {
        const std::size_t width = blank_width_at_end(text);
        if (width == 0) {
            break;
        }
        text.remove_suffix(width);
    }
    return text;
}

std::string upper_ascii(std::string_view text) {
    std::string upper(text);
    std::ranges::transform(upper, upper.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    });
    return upper;
}

std::string_view cut(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) {
        return text;
    }
    while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0) == 0x80) {
        --bytes_max;
    }
    return text.substr(0, bytes_max);
}

std::string quoted(std::string_view text) {
    const std::string_view shown = cut(text, 60);
    std::string out = "\"" + std::string(shown) + (shown.size() < text.size() ? "…\"" : "\"");
    std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return out;
}

}  // namespace bascule::statement
