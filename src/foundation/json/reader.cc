#include "foundation/json/reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "foundation/base/check.h"
#include "foundation/json/number.h"
#include "foundation/json/plain.h"
#include "foundation/json/utf8.h"

namespace bascule::json {

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The code unit of `\uXXXX` whose digits begin at `at`, or -1.
int code_unit(const char* at, const char* end) {
    if (end - at < 4) {
        return -1;
    }
    int unit = 0;
    for (int i = 0; i < 4; ++i) {
        const int digit = hex_digit(at[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

bool is_high_surrogate(int unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low_surrogate(int unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

/// The length of the escape at `at` (a backslash), or 0 if it is none. A surrogate pair counts as
/// one.
std::size_t escape_length(const char* at, const char* end) {
    if (end - at < 2) {
        return 0;
    }
    if (at[1] != 'u') {
        return std::strchr("\"\\/bfnrt", at[1]) != nullptr && at[1] != '\0' ? 2 : 0;
    }
    const int unit = code_unit(at + 2, end);
    if (unit < 0 || is_low_surrogate(unit)) {
        return 0;
    }
    if (!is_high_surrogate(unit)) {
        return 6;
    }
    const bool paired =
        end - at >= 12 && at[6] == '\\' && at[7] == 'u' && is_low_surrogate(code_unit(at + 8, end));
    return paired ? 12 : 0;
}

/// Appends what a checked escape stands for and answers its length.
std::size_t append_escape(std::string& out, const char* at, const char* end) {
    switch (at[1]) {
        case 'b':
            out += '\b';
            return 2;
        case 'f':
            out += '\f';
            return 2;
        case 'n':
            out += '\n';
            return 2;
        case 'r':
            out += '\r';
            return 2;
        case 't':
            out += '\t';
            return 2;
        case 'u':
            break;
        default:
            out += at[1];
            return 2;
    }
    const int unit = code_unit(at + 2, end);
    CHECK(unit >= 0);
    if (!is_high_surrogate(unit)) {
        append_utf8(out, static_cast<char32_t>(unit));
        return 6;
    }
    const int low = code_unit(at + 8, end);
    append_utf8(out, static_cast<char32_t>(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)));
    return 12;
}

std::string shown(char c) {
    if (c >= ' ' && c <= '~') {
        return std::string("'") + c + "'";
    }
    constexpr const char* digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    return std::string("the byte 0x") + digits[byte >> 4] + digits[byte & 15];
}

}  // namespace

std::string_view Text::decoded(std::string& scratch) const {
    if (!escaped_) {
        return raw();
    }
    scratch.clear();
    append_decoded(scratch);
    return scratch;
}

std::string Text::decoded() const {
    std::string out;
    out.reserve(size_);
    append_decoded(out);
    return out;
}

void Text::append_decoded(std::string& out) const {
    const char* at = begin_;
    const char* const end = at + size_;
    while (at != end) {
        const char* const stop = escaped_ ? std::find(at, end, '\\') : end;
        out.append(at, stop);
        at = stop;
        if (at != end) {
            at += append_escape(out, at, end);
        }
    }
}

Reader::Reader(std::string_view text, const Limits& limits)
    : begin_(text.data()),
      end_(text.data() + text.size()),
      at_(begin_),
      depth_max_(limits.depth_max) {
    if (text.size() > limits.bytes_max) {
        fault_here("the text has " + std::to_string(text.size()) + " bytes; at most " +
                   std::to_string(limits.bytes_max) + " are allowed");
    }
}

Kind Reader::peek() {
    skip_blanks();
    if (at_ == end_) {
        return Kind::null;
    }
    switch (*at_) {
        case '{':
            return Kind::object;
        case '[':
            return Kind::array;
        case '"':
            return Kind::string;
        case 't':
        case 'f':
            return Kind::boolean;
        case 'n':
            return Kind::null;
        default:
            return Kind::number;  // or nothing JSON knows; number() will say so
    }
}

bool Reader::enter_object() { return open('{', "an object"); }
bool Reader::enter_array() { return open('[', "an array"); }

bool Reader::open(char bracket, const char* wanted) {
    skip_blanks();
    if (at_ == end_ || *at_ != bracket) {
        expected(wanted);
        return false;
    }
    if (depth_ == depth_max_) {
        fault_here("objects and arrays are nested more than " + std::to_string(depth_max_) +
                   " deep");
        return false;
    }
    ++at_;
    ++depth_;
    fresh_ = true;
    return true;
}

void Reader::close() {
    ++at_;
    --depth_;
    fresh_ = false;
}

std::optional<Text> Reader::next_member() {
    skip_blanks();
    if (failed_) {
        return std::nullopt;
    }
    if (at_ != end_ && *at_ == '}') {
        close();
        return std::nullopt;
    }
    if (!fresh_) {
        if (at_ == end_ || *at_ != ',') {
            expected("',' or '}'");
            return std::nullopt;
        }
        ++at_;
        skip_blanks();
    }
    fresh_ = false;
    if (at_ == end_ || *at_ != '"') {
        expected("a member's name in double quotes");
        return std::nullopt;
    }
    const Text key = string();
    skip_blanks();
    if (at_ == end_ || *at_ != ':') {
        expected("':'");
        return std::nullopt;
    }
    ++at_;
    return key;
}

bool Reader::next_item() {
    skip_blanks();
    if (failed_) {
        return false;
    }
    if (at_ != end_ && *at_ == ']') {
        close();
        return false;
    }
    if (!fresh_) {
        if (at_ == end_ || *at_ != ',') {
            expected("',' or ']'");
            return false;
        }
        ++at_;
    }
    fresh_ = false;
    return true;
}

Text Reader::string() {
    skip_blanks();
    if (at_ == end_ || *at_ != '"') {
        expected("a string");
        return {};
    }
    ++at_;
    const char* const first = at_;
    scan_string();
    if (failed_) {
        return {};
    }
    const char* const last = at_++;
    return Text({first, last}, string_escaped_);
}

/// Moves to the closing quote of the string whose first character is at `at_`.
void Reader::scan_string() {
    string_escaped_ = false;
    while (true) {
        at_ = plain_end(at_, end_);
        if (at_ == end_) {
            fault_here("the string is not closed");
            return;
        }
        const auto byte = static_cast<unsigned char>(*at_);
        if (byte == '"') {
            return;
        }
        if (byte < 0x20) {
            fault_here(shown(*at_) + " must be escaped inside a string");
            return;
        }
        if (byte == '\\') {
            const std::size_t length = escape_length(at_, end_);
            if (length == 0) {
                fault_here("invalid escape in a string (a single surrogate is one, too)");
                return;
            }
            string_escaped_ = true;
            at_ += length;
            continue;
        }
        const std::size_t length = utf8_sequence(at_, end_);
        if (length == 0) {
            fault_here("invalid UTF-8: " + shown(*at_));
            return;
        }
        at_ += length;
    }
}

std::string_view Reader::number() {
    skip_blanks();
    const char* const stop = failed_ ? nullptr : number_end(at_, end_);
    if (stop == nullptr) {
        expected(at_ != end_ && (*at_ == '-' || (*at_ >= '0' && *at_ <= '9')) ? "a complete number"
                                                                              : "a value");
        return {};
    }
    if (stop != end_ &&
        ((*stop >= '0' && *stop <= '9') || *stop == '.' || *stop == 'e' || *stop == 'E')) {
        expected("a number without leading zeros");
        return {};
    }
    const std::string_view digits(at_, static_cast<std::size_t>(stop - at_));
    at_ = stop;
    return digits;
}

bool Reader::scan_literal(std::string_view word) {
    if (static_cast<std::size_t>(end_ - at_) < word.size() ||
        std::memcmp(at_, word.data(), word.size()) != 0) {
        return false;
    }
    at_ += word.size();
    return true;
}

bool Reader::boolean() {
    skip_blanks();
    if (scan_literal("true")) {
        return true;
    }
    if (!scan_literal("false")) {
        expected("true or false");
    }
    return false;
}

void Reader::null() {
    skip_blanks();
    if (!scan_literal("null")) {
        expected("null");
    }
}

std::string_view Reader::skip() {
    skip_blanks();
    const char* const first = at_;
    switch (peek()) {
        case Kind::object:
            if (enter_object()) {
                while (next_member()) {
                    skip();
                }
            }
            break;
        case Kind::array:
            if (enter_array()) {
                while (next_item()) {
                    skip();
                }
            }
            break;
        case Kind::string:
            string();
            break;
        case Kind::boolean:
            boolean();
            break;
        case Kind::null:
            if (at_ == end_) {
                expected("a value");
            } else {
                null();
            }
            break;
        case Kind::number:
            number();
            break;
    }
    return failed_ ? std::string_view()
                   : std::string_view(first, static_cast<std::size_t>(at_ - first));
}

void Reader::refuse(std::string message) { fault_here(std::move(message)); }

Result<> Reader::finish() {
    skip_blanks();
    if (!failed_ && at_ != end_) {
        fault_here("the value ends, but " + shown(*at_) + " follows");
    }
    if (failed_) {
        return fail(ErrorKind::invalid,
                    place_of({begin_, static_cast<std::size_t>(end_ - begin_)}, fault_byte_) +
                        ": " + fault_);
    }
    return {};
}

void Reader::skip_some_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) {
        ++at_;
        saw_blanks_ = true;
    }
}

void Reader::expected(const char* what) {
    fault_here(std::string("expected ") + what +
               (at_ == end_ ? ", but the text ends" : ", found " + shown(*at_)));
}

/// The first fault stands. Everything behind it is given up, so that every loop over this reader
/// ends.
void Reader::fault_here(std::string message) {
    if (failed_) {
        return;
    }
    failed_ = true;
    fault_ = std::move(message);
    fault_byte_ = byte();
    at_ = end_;
}

std::string place_of(std::string_view text, std::size_t byte) {
    const std::string_view before = text.substr(0, byte);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 = 0
    return "line " + std::to_string(line) + ", column " +
           std::to_string(before.size() - line_start + 1) + " (byte " + std::to_string(byte) + ")";
}

}  // namespace bascule::json
