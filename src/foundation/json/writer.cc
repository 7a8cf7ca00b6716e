#include "foundation/json/writer.h"

#include <cmath>

#include "foundation/json/plain.h"
#include "foundation/json/utf8.h"

namespace bascule::json {

namespace {

void append_escaped(std::string& out, char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    constexpr const char* digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    out += "\\u00";
    out += digits[byte >> 4];
    out += digits[byte & 15];
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    out += '"';
    while (at != end) {
        const char* const stop = plain_end(at, end);
        out.append(at, stop);
        at = stop;
        if (at == end) {
            break;
        }
        if (static_cast<unsigned char>(*at) < 0x80) {
            append_escaped(out, *at);
            ++at;
        } else if (const std::size_t length = utf8_sequence(at, end); length != 0) {
            out.append(at, length);
            at += length;
        } else {
            out += "\xEF\xBF\xBD";
            ++at;
        }
    }
    out += '"';
}

Writer& Writer::real(double value) {
    if (!std::isfinite(value)) {
        return null();
    }
    char digits[32];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
    return raw({digits, static_cast<std::size_t>(end - digits)});
}

Writer& Writer::members_of(std::string_view object) {
    const std::size_t open = object.find('{');
    const std::size_t close = object.rfind('}');
    if (open == std::string_view::npos || close == std::string_view::npos) {
        return *this;
    }
    const std::string_view inside = object.substr(open + 1, close - open - 1);
    return inside.find_first_not_of(" \t\r\n") == std::string_view::npos ? *this : raw(inside);
}

}  // namespace bascule::json
