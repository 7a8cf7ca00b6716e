#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"

namespace bascule::pattern {

enum class Token : std::uint8_t {
    object_begin,
    object_end,
    array_begin,
    array_end,
    field_name,
    string,
    number,
    true_,
    false_,
    null_,
    end
};

/// Reads a pattern token by token and says what is wrong with it and where in the words of
/// EventBridge, which are those of the reader that it uses (Jackson).
///
/// A place is 1 + the characters (UTF-16 code units) consumed when the fault is found, and what
/// counts as consumed follows that reader: a field's name is reported only when the colon and the
/// *start* of its value were read too (all of a number or literal, a string's opening quote, a
/// bracket); a string is neither read nor checked behind its opening quote until its text is asked
/// for or the next token is.
///
/// Threads: one owner.   Limits: nesting of depth_max.
class Tokenizer {
  public:
    /// `source` is UTF-8.
    Tokenizer(std::string_view source, std::size_t depth_max);

    /// The next token. Errors: `invalid`, not JSON. After the outermost value, and after an error,
    /// nothing more is to be asked for.
    Result<Token> next();

    /// What the present token says: a string or field name decoded, a number as written, else the
    /// token itself. Errors: as next().
    Result<std::string> text();

    /// Objects and arrays around the present place.
    std::size_t depth() const { return open_.size(); }
    /// Whether a field's name was handed out and its value was not.
    bool value_is_due() const { return ahead_.has_value(); }
    /// Whether next() or text() failed.
    bool failed() const { return failed_; }

    /// A fault at the present place: `Event pattern is not valid. Reason: <reason>\n at [Source:
    /// …]`.
    Error fault(std::string_view reason) const;
    /// `error` with the present place behind it, as AWS reports what it met inside a list.
    Error again(const Error& error) const;
    /// A fault without a place.
    static Error fault_without_place(std::string_view reason);

  private:
    enum class Container : std::uint8_t { object, array };
    struct Open {
        Container container;
        std::size_t row;
        std::size_t column;
        bool is_empty = true;
    };
    using Unit = std::optional<char16_t>;
    using Fault = std::unexpected<Error>;

    Result<Token> read_token();
    Result<Token> read_name(char16_t first);
    Result<Token> read_value(char16_t first);
    Result<Token> read_number(bool is_negative);
    Result<Token> read_word(std::u16string_view word, Token token);
    Result<Token> odd_value(char16_t first);
    Result<Token> signed_word(char16_t first, bool is_negative);
    Result<> match_word(std::u16string_view word, std::size_t matched);
    Result<> check_root_space();
    Result<std::u16string> read_quoted(bool is_name);
    Result<char16_t> read_escape();
    Result<Token> close(char16_t bracket);
    Token present(Token token);
    Result<Unit> skip_blanks();
    Result<char16_t> skip_comma(char16_t first);
    void begin_row();
    Unit peek() const;

    Fault here(std::string_view reason) const;
    Fault before(std::string_view reason) const;
    Fault at_end(std::string_view wanted) const;
    Fault unexpected(char16_t unit, std::string_view wanted) const;
    Fault unknown_word(std::u16string_view matched);
    std::string place(std::size_t row, std::size_t column) const;
    std::size_t column() const { return at_ - row_begin_ + 1; }
    const char* kind() const;

    std::u16string source_;
    std::size_t depth_max_;
    std::size_t at_ = 0;
    std::size_t row_ = 1;
    std::size_t row_begin_ = 0;
    std::optional<Token> ahead_;  ///< a field's value whose start was read with the name
    std::vector<Open> open_;
    bool is_string_open_ = false;  ///< of a string only the opening quote was read
    bool failed_ = false;
    Token token_ = Token::end;
    std::string text_;  ///< of the present token, unless it is a string that is open
    std::string ahead_text_;
};

}  // namespace bascule::pattern
