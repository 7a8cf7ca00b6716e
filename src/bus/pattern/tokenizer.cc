#include "bus/pattern/tokenizer.h"

#include <algorithm>
#include <utility>

#include "foundation/json/number.h"
#include "foundation/json/reader.h"

namespace bascule::pattern {

namespace {

constexpr std::string_view preface = "Event pattern is not valid. Reason: ";
constexpr std::size_t echo_characters_max = 500;

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

/// Characters as AWS counts them: UTF-16 code units.
std::size_t characters(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) {
        count +=
            (starts_character(c) ? 1U : 0U) + (static_cast<unsigned char>(c) >= 0xF0 ? 1U : 0U);
    }
    return count;
}

/// The first `count` characters of a text.
std::string_view first_characters(std::string_view text, std::size_t count) {
    std::size_t end = 0;
    while (end < text.size() && (count > 0 || !starts_character(text[end]))) {
        count -= starts_character(text[end]) ? 1 : 0;
        ++end;
    }
    return text.substr(0, end);
}

bool is_word_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$';
}

}  // namespace

Result<Token> Tokenizer::next() {
    if (ahead_) {
        text_ = std::move(ahead_text_);
        return token_ = *std::exchange(ahead_, std::nullopt);
    }
    if (string_end_ != 0) {
        consumed_ = std::exchange(string_end_, 0);
    }
    skip_blanks();
    if (open_.empty()) {
        if (consumed_ == source_.size()) {
            return token_ = Token::end;
        }
        return token_ = TRY(read_value());
    }
    if (consumed_ == source_.size()) {
        return std::unexpected(
            fault(std::string("Unexpected end-of-input: expected close marker for ") +
                  (open_.back() == Container::object ? "Object" : "Array")));
    }
    if (source_[consumed_] == '}' || source_[consumed_] == ']') {
        return token_ = TRY(close());
    }
    TRY(read_separator());
    return token_ = TRY(open_.back() == Container::object ? read_name() : read_value());
}

Result<Token> Tokenizer::close() {
    const bool is_object = open_.back() == Container::object;
    const char wanted = is_object ? '}' : ']';
    if (source_[consumed_] != wanted) {
        return std::unexpected(fault(std::string("Unexpected close marker '") + source_[consumed_] +
                                     "': expected '" + wanted + "'"));
    }
    ++consumed_;
    open_.pop_back();
    is_first_ = false;
    text_ = std::string(1, wanted);
    return is_object ? Token::object_end : Token::array_end;
}

Result<> Tokenizer::read_separator() {
    if (!std::exchange(is_first_, false)) {
        if (source_[consumed_] != ',') {
            return unexpected_character(open_.back() == Container::object
                                            ? "was expecting comma to separate Object entries"
                                            : "was expecting comma to separate Array entries");
        }
        ++consumed_;
        skip_blanks();
    }
    return {};
}

/// A name, its colon, and the start of its value.
Result<Token> Tokenizer::read_name() {
    if (consumed_ == source_.size() || source_[consumed_] != '"') {
        return unexpected_character("was expecting double-quote to start field name");
    }
    TRY(read_string());
    consumed_ = std::exchange(string_end_, 0);
    const std::string name = std::move(text_);
    skip_blanks();
    if (consumed_ == source_.size() || source_[consumed_] != ':') {
        return unexpected_character("was expecting a colon to separate field name and value");
    }
    ++consumed_;
    skip_blanks();
    ahead_ = TRY(read_value());
    ahead_text_ = std::exchange(text_, name);
    return Token::field_name;
}

Result<Token> Tokenizer::read_value() {
    if (consumed_ == source_.size()) {
        return std::unexpected(fault("Unexpected end-of-input: expected a value"));
    }
    const char c = source_[consumed_];
    if (c == '{' || c == '[') {
        if (open_.size() == depth_max_) {
            return std::unexpected(fault("Objects and arrays are nested more than " +
                                         std::to_string(depth_max_) + " deep"));
        }
        ++consumed_;
        open_.push_back(c == '{' ? Container::object : Container::array);
        is_first_ = true;
        text_ = std::string(1, c);
        return c == '{' ? Token::object_begin : Token::array_begin;
    }
    return c == '"' ? read_string() : read_word();
}

/// Checks all of a string, but counts only its opening quote as consumed.
Result<Token> Tokenizer::read_string() {
    json::Reader reader(source_.substr(consumed_));
    const json::Text text = reader.string();
    if (reader.failed()) {
        return std::unexpected(
            fault("Unreadable string: it is not closed, not UTF-8, or has a control character or "
                  "an unknown escape"));
    }
    string_end_ = consumed_ + reader.byte();
    ++consumed_;
    text_ = text.decoded();
    return Token::string;
}

/// A number, or one of the three words.
Result<Token> Tokenizer::read_word() {
    const char* const begin = source_.data() + consumed_;
    const char* const end = source_.data() + source_.size();
    if (*begin == '-' || (*begin >= '0' && *begin <= '9')) {
        const char* const stop = json::number_end(begin, end);
        if (stop == nullptr || (stop != end && (is_word_character(*stop) || *stop == '.'))) {
            return std::unexpected(fault("Invalid numeric value"));
        }
        text_.assign(begin, stop);
        consumed_ += text_.size();
        return Token::number;
    }
    const char* const stop = std::find_if_not(begin, end, is_word_character);
    if (stop == begin) {
        return unexpected_character(
            "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or "
            "'false')");
    }
    text_.assign(begin, stop);
    consumed_ += text_.size();
    if (text_ == "true") {
        return Token::true_;
    }
    if (text_ == "false") {
        return Token::false_;
    }
    if (text_ == "null") {
        return Token::null_;
    }
    return std::unexpected(fault("Unrecognized token '" + text_ +
                                 "': was expecting (JSON String, Number, Array, Object or token "
                                 "'null', 'true' or 'false')"));
}

std::string Tokenizer::text() {
    if (token_ == Token::string && string_end_ != 0) {
        consumed_ = std::exchange(string_end_, 0);
    }
    return text_;
}

void Tokenizer::skip_blanks() {
    while (consumed_ < source_.size() &&
           std::string_view(" \t\r\n").find(source_[consumed_]) != std::string_view::npos) {
        ++consumed_;
    }
}

std::unexpected<Error> Tokenizer::unexpected_character(std::string_view wanted) const {
    if (consumed_ == source_.size()) {
        return std::unexpected(fault("Unexpected end-of-input: " + std::string(wanted)));
    }
    const char c = source_[consumed_];
    const std::string shown =
        starts_character(c) && static_cast<unsigned char>(c) < 0x80 ? std::string(1, c) : "?";
    return std::unexpected(fault("Unexpected character ('" + shown + "' (code " +
                                 std::to_string(static_cast<unsigned char>(c)) +
                                 ")): " + std::string(wanted)));
}

Error Tokenizer::fault(std::string_view reason) const {
    return {ErrorKind::invalid, std::string(preface).append(reason) + place()};
}

Error Tokenizer::fault_in_list(std::string_view reason) const {
    return {ErrorKind::invalid, std::string(preface).append(reason) + place() + place()};
}

Error Tokenizer::fault_without_place(std::string_view reason) {
    return {ErrorKind::invalid, std::string(preface).append(reason)};
}

std::string Tokenizer::place() const {
    const std::string_view before = source_.substr(0, consumed_);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::string_view row = before.substr(before.rfind('\n') + 1);  // npos + 1 = 0
    const std::string_view echo = first_characters(source_, echo_characters_max);
    const std::size_t cut = characters(source_.substr(echo.size()));
    return "\n at [Source: (String)\"" + std::string(echo) + "\"" +
           (cut == 0 ? "" : "[truncated " + std::to_string(cut) + " chars]") +
           "; line: " + std::to_string(line) + ", column: " + std::to_string(characters(row) + 1) +
           "]";
}

}  // namespace bascule::pattern
