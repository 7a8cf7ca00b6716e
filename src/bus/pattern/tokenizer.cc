#include "bus/pattern/tokenizer.h"

#include <array>
#include <charconv>
#include <utility>

#include "bus/pattern/code_units.h"

namespace bascule::pattern {

namespace {

constexpr std::string_view preface = "Event pattern is not valid. Reason: ";
constexpr std::string_view values =
    "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
constexpr std::size_t echo_units_max = 500;
constexpr std::size_t word_units_max = 256;

bool is_digit(char16_t unit) { return unit >= u'0' && unit <= u'9'; }

std::string hexadecimal(unsigned value) {
    std::array<char, 8> digits{};
    const auto [end, error] =
        std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return {digits.data(), end};
}

/// `'x' (code 120)`
std::string described(char16_t unit) {
    const std::string code = std::to_string(unit);
    if (is_control(unit)) {
        return "(CTRL-CHAR, code " + code + ")";
    }
    return "'" + to_utf8({&unit, 1}) + "' (code " + code +
           (unit > 0xFF ? " / 0x" + hexadecimal(unit) : "") + ")";
}

}  // namespace

Tokenizer::Tokenizer(std::string_view source, std::size_t depth_max)
    : source_(to_utf16(source)), depth_max_(depth_max) {}

Result<Token> Tokenizer::next() {
    auto token = read_token();
    failed_ = !token;
    return token;
}

Result<Token> Tokenizer::read_token() {
    if (const std::optional<Token> ahead = std::exchange(ahead_, std::nullopt)) {
        text_ = std::move(ahead_text_);
        token_ = *ahead;
        return present(token_);
    }
    if (std::exchange(is_string_open_, false)) {
        TRY(read_quoted(false));
    }
    const Unit first = TRY(skip_blanks());
    if (!first) {
        if (!open_.empty()) {
            return at_end(std::string(": expected close marker for ") + kind() +
                          " (start marker at " + place(open_.back().row, open_.back().column) +
                          ")");
        }
        return token_ = Token::end;
    }
    if (*first == u'}' || *first == u']') {
        return close(*first);
    }
    char16_t unit = *first;
    if (!open_.empty() && !std::exchange(open_.back().is_empty, false)) {
        unit = TRY(skip_comma(unit));
    }
    if (!open_.empty() && open_.back().container == Container::object) {
        return token_ = TRY(read_name(unit));
    }
    token_ = TRY(read_value(unit));
    return present(token_);
}

/// A bracket that opens counts from when its token is handed out. Only then, and only outside
/// of `ahead_`, a string waits to be read.
Token Tokenizer::present(Token token) {
    if (token == Token::object_begin || token == Token::array_begin) {
        open_.push_back(
            {.container = token == Token::object_begin ? Container::object : Container::array,
             .row = row_,
             .column = at_ - row_begin_});
    }
    is_string_open_ = token == Token::string;
    return token;
}

Result<Token> Tokenizer::close(char16_t bracket) {
    const bool is_object = bracket == u'}';
    const std::string shown = is_object ? "}" : "]";
    if (open_.empty()) {
        return before("Unexpected close marker '" + shown + "': no open " +
                      (is_object ? "Object" : "Array") + " to close");
    }
    const Open& innermost = open_.back();
    if ((innermost.container == Container::object) != is_object) {
        return before("Unexpected close marker '" + shown + "': expected '" +
                      (is_object ? "]" : "}") + "' (for " + kind() + " starting at " +
                      place(innermost.row, innermost.column) + ")");
    }
    open_.pop_back();
    text_ = shown;
    return token_ = is_object ? Token::object_end : Token::array_end;
}

Result<char16_t> Tokenizer::skip_comma(char16_t first) {
    if (first != u',') {
        return unexpected(first,
                          std::string("was expecting comma to separate ") + kind() + " entries");
    }
    const Unit next = TRY(skip_blanks());
    if (!next) {
        return at_end(std::string(" within/between ") + kind() + " entries");
    }
    return *next;
}

/// A name, its colon, and the start of its value.
Result<Token> Tokenizer::read_name(char16_t first) {
    if (first != u'"') {
        return unexpected(first, "was expecting double-quote to start field name");
    }
    const std::u16string name = TRY(read_quoted(true));
    Unit unit = TRY(skip_blanks());
    if (unit && *unit != u':') {
        return unexpected(*unit, "was expecting a colon to separate field name and value");
    }
    if (unit) {
        unit = TRY(skip_blanks());
    }
    if (!unit) {
        return at_end(" within/between Object entries");
    }
    ahead_ = TRY(read_value(*unit));
    ahead_text_ = std::exchange(text_, to_utf8(name));
    return Token::field_name;
}

/// The value that begins with `first`, which was read; of a string no more.
Result<Token> Tokenizer::read_value(char16_t first) {
    switch (first) {
        case u'"':
            return Token::string;
        case u'[':
        case u'{':
            if (open_.size() >= depth_max_) {
                return here("Objects and arrays are nested more than " +
                            std::to_string(depth_max_) + " deep");
            }
            text_ = first == u'[' ? "[" : "{";
            return first == u'[' ? Token::array_begin : Token::object_begin;
        case u'}':
            return unexpected(first, "expected a value");
        case u't':
            return read_word(u"true", Token::true_);
        case u'f':
            return read_word(u"false", Token::false_);
        case u'n':
            return read_word(u"null", Token::null_);
        case u'N':
            TRY(match_word(u"NaN", 1));
            return here(
                "Non-standard token 'NaN': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to "
                "allow");
        case u'I':
            TRY(match_word(u"Infinity", 1));
            return here(
                "Non-standard token 'Infinity': enable "
                "`JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow");
        case u'+':
            if (at_ == source_.size()) {
                return at_end(" in a Number value");
            }
            return signed_word(source_[at_++], false);
        case u'-':
            return read_number(true);
        default:
            return is_digit(first) ? read_number(false) : odd_value(first);
    }
}

Result<Token> Tokenizer::odd_value(char16_t first) {
    return begins_identifier(first)
               ? unknown_word({&first, 1})
               : unexpected(first, "expected a valid value " + std::string(values));
}

Result<Token> Tokenizer::read_word(std::u16string_view word, Token token) {
    TRY(match_word(word, 1));
    text_ = to_utf8(word);
    return token;
}

/// Reads the rest of `word`, of which `matched` units were read.
Result<> Tokenizer::match_word(std::u16string_view word, std::size_t matched) {
    for (; matched < word.size(); ++matched, ++at_) {
        if (peek() != word[matched]) {
            return unknown_word(word.substr(0, matched));
        }
    }
    if (const Unit unit = peek(); unit && *unit >= u'0' && continues_identifier(*unit)) {
        return unknown_word(word);
    }
    return {};
}

/// What follows a sign and is no digit.
Result<Token> Tokenizer::signed_word(char16_t first, bool is_negative) {
    if (first == u'I') {
        if (at_ == source_.size()) {
            return at_end(" in a Number value");
        }
        first = source_[at_++];
        if (first == u'N' || first == u'n') {
            std::u16string word = first == u'N' ? u"-INF" : u"-Infinity";
            word.front() = is_negative ? u'-' : u'+';
            TRY(match_word(word, 3));
            return here("Non-standard token '" + to_utf8(word) +
                        "': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow");
        }
    }
    if (!is_negative) {
        return before(
            "Unexpected character ('+' (code 43)) in numeric value: JSON spec does not allow "
            "numbers to have plus signs: enable "
            "`JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow");
    }
    return before("Unexpected character (" + described(first) +
                  ") in numeric value: expected digit (0-9) to follow minus sign, for valid "
                  "numeric value");
}

/// A number whose first character was read. The reader that this follows has a fast way and a
/// slow one, for leading zeros and ends of input, and they find different places for faults.
Result<Token> Tokenizer::read_number(bool is_negative) {
    const std::size_t begin = at_ - 1;
    std::size_t end = is_negative ? at_ : begin;
    const auto is_at_end = [&] { return end == source_.size(); };
    const auto is_at = [&](char16_t unit) { return !is_at_end() && source_[end] == unit; };
    const auto skip_digits = [&] {
        const std::size_t from = end;
        while (!is_at_end() && is_digit(source_[end])) {
            ++end;
        }
        return end - from;
    };
    if (is_negative) {
        if (is_at_end()) {
            return at_end("No digit following sign");
        }
        if (!is_digit(source_[end])) {
            const char16_t odd = source_[at_++];
            return odd == u'.' ? odd_value(odd) : signed_word(odd, true);
        }
    }
    const bool begins_with_zero = is_at(u'0');
    at_ = end + 1;
    if (skip_digits() > 1 && begins_with_zero) {
        return here("Invalid numeric value: Leading zeroes not allowed");
    }

    std::size_t fast_place = 0;
    const auto no_digit = [&](const std::string& where) -> Fault {
        at_ = is_at_end() ? end : begins_with_zero ? end + 1 : fast_place;
        return before("Unexpected character (" + described(source_[is_at_end() ? end - 1 : end]) +
                      ") in numeric value: " + where + " not followed by a digit");
    };
    if (is_at(u'.')) {
        fast_place = ++end;
        if (skip_digits() == 0) {
            return no_digit("Decimal point");
        }
    }
    if (is_at(u'e') || is_at(u'E')) {
        ++end;
        fast_place = fast_place == 0 ? end : fast_place;
        if (is_at(u'+') || is_at(u'-')) {
            ++end;
        }
        if (is_at_end()) {
            at_ = end;
            return at_end("expected a digit for number exponent");
        }
        if (skip_digits() == 0) {
            return no_digit("Exponent indicator");
        }
    }
    at_ = end;
    text_ = to_utf8(std::u16string_view(source_).substr(begin, end - begin));
    if (open_.empty()) {
        TRY(check_root_space());
    }
    return Token::number;
}

/// A number that is no member must be followed by a blank.
Result<> Tokenizer::check_root_space() {
    const Unit unit = peek();
    if (!unit || unit == u'\r') {
        return {};
    }
    ++at_;
    if (unit == u'\n') {
        begin_row();
    } else if (unit != u' ' && unit != u'\t') {
        return unexpected(*unit, "Expected space separating root-level values");
    }
    return {};
}

/// The rest of a string or name, from behind its opening quote to behind its closing one.
Result<std::u16string> Tokenizer::read_quoted(bool is_name) {
    std::u16string decoded;
    while (true) {
        if (at_ == source_.size()) {
            return at_end(is_name ? " in field name"
                                  : ": was expecting closing quote for a string value");
        }
        const char16_t unit = source_[at_++];
        if (unit == u'"') {
            return decoded;
        }
        if (unit < u' ') {
            return before("Illegal unquoted character (" + described(unit) +
                          "): has to be escaped using backslash to be included in " +
                          (is_name ? "name" : "string value"));
        }
        decoded += unit == u'\\' ? TRY(read_escape()) : unit;
    }
}

Result<char16_t> Tokenizer::read_escape() {
    constexpr std::string_view names = "btnfr\"/\\";
    constexpr std::string_view meanings = "\b\t\n\f\r\"/\\";
    if (at_ == source_.size()) {
        return at_end(" in character escape sequence");
    }
    const char16_t name = source_[at_++];
    if (name != u'u') {
        const std::size_t found =
            name < 0x80 ? names.find(static_cast<char>(name)) : std::string_view::npos;
        if (found == std::string_view::npos) {
            return before("Unrecognized character escape " + described(name));
        }
        return static_cast<char16_t>(meanings[found]);
    }
    unsigned value = 0;
    for (int i = 0; i < 4; ++i) {
        if (at_ == source_.size()) {
            return at_end(" in character escape sequence");
        }
        const char16_t unit = source_[at_++];
        const std::size_t digit =
            unit < 0x80
                ? std::string_view("0123456789abcdef0123456789ABCDEF").find(static_cast<char>(unit))
                : std::string_view::npos;
        if (digit == std::string_view::npos) {
            return unexpected(unit, "expected a hex-digit for character escape sequence");
        }
        value = value << 4U | (digit % 16);
    }
    return static_cast<char16_t>(value);
}

Result<std::string> Tokenizer::text() {
    if (std::exchange(is_string_open_, false)) {
        const auto quoted = read_quoted(false);
        failed_ = !quoted;
        text_ = to_utf8(TRY(quoted));
    }
    return text_;
}

/// The next character that is no blank, which is then read; nothing at the end.
Result<Tokenizer::Unit> Tokenizer::skip_blanks() {
    while (at_ < source_.size()) {
        const char16_t unit = source_[at_++];
        if (unit == u'/') {
            return unexpected(unit,
                              "maybe a (non-standard) comment? (not recognized as one since "
                              "Feature 'ALLOW_COMMENTS' not enabled for parser)");
        }
        if (unit > u' ') {
            return unit;
        }
        if (unit == u'\n') {
            begin_row();
        } else if (unit == u'\r') {
            at_ += peek() == u'\n' ? 1 : 0;
            begin_row();
        } else if (unit != u' ' && unit != u'\t') {
            return here("Illegal character (" + described(unit) +
                        "): only regular white space (\\r, \\n, \\t) is allowed between tokens" +
                        (unit == 0x1E ? " (consider enabling "
                                        "`JsonReadFeature.ALLOW_RS_CONTROL_CHAR` to allow use of "
                                        "Record Separators (\\u001E))"
                                      : ""));
        }
    }
    return Unit();
}

void Tokenizer::begin_row() {
    ++row_;
    row_begin_ = at_;
}

Tokenizer::Unit Tokenizer::peek() const {
    return at_ < source_.size() ? Unit(source_[at_]) : Unit();
}

const char* Tokenizer::kind() const {
    return open_.empty()                                 ? "root"
           : open_.back().container == Container::object ? "Object"
                                                         : "Array";
}

Error Tokenizer::fault(std::string_view reason) const {
    return {ErrorKind::invalid,
            std::string(preface).append(reason) + "\n at " + place(row_, column())};
}

Error Tokenizer::again(const Error& error) const {
    return {ErrorKind::invalid, error.message() + "\n at " + place(row_, column())};
}

Error Tokenizer::fault_without_place(std::string_view reason) {
    return {ErrorKind::invalid, std::string(preface).append(reason)};
}

Tokenizer::Fault Tokenizer::here(std::string_view reason) const {
    return std::unexpected(fault(reason));
}

/// A fault of the character that was just read.
Tokenizer::Fault Tokenizer::before(std::string_view reason) const {
    return std::unexpected(Error(ErrorKind::invalid, std::string(preface).append(reason) +
                                                         "\n at " + place(row_, column() - 1)));
}

Tokenizer::Fault Tokenizer::at_end(std::string_view wanted) const {
    return here(std::string("Unexpected end-of-input").append(wanted));
}

Tokenizer::Fault Tokenizer::unexpected(char16_t unit, std::string_view wanted) const {
    return before("Unexpected character (" + described(unit) + "): " + std::string(wanted));
}

/// A word of which `matched` was read; the error quotes all of it and stands at its beginning.
Tokenizer::Fault Tokenizer::unknown_word(std::u16string_view matched) {
    const std::size_t place_column = column() - matched.size();
    std::u16string word(matched);
    bool is_cut = false;
    for (Unit unit = peek(); unit && continues_identifier(*unit) && !is_cut; unit = peek()) {
        word += *unit;
        ++at_;
        is_cut = word.size() >= word_units_max;
    }
    return std::unexpected(Error(ErrorKind::invalid, std::string(preface) + "Unrecognized token '" +
                                                         to_utf8(word) + (is_cut ? "..." : "") +
                                                         "': was expecting " + std::string(values) +
                                                         "\n at " + place(row_, place_column)));
}

std::string Tokenizer::place(std::size_t row, std::size_t column) const {
    const std::u16string_view echo = std::u16string_view(source_).substr(0, echo_units_max);
    std::u16string shown;
    for (const char16_t unit : echo) {
        if (is_control(unit) && unit != u'\r' && unit != u'\n') {
            constexpr std::u16string_view digits = u"0123456789ABCDEF";
            shown += u"\\u00";
            shown += digits[unit >> 4U];
            shown += digits[unit & 0xFU];
        } else {
            shown += unit;
        }
    }
    return "[Source: (String)\"" + to_utf8(shown) + "\"" +
           (source_.size() > echo_units_max
                ? "[truncated " + std::to_string(source_.size() - echo_units_max) + " chars]"
                : "") +
           "; line: " + std::to_string(row) + ", column: " + std::to_string(column) + "]";
}

}  // namespace bascule::pattern
