#pragma once

#include <cstddef>
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

/// Reads a pattern token by token and says where it is, as AWS's errors do.
///
/// A place is 1 + the characters consumed when the fault is found, and what counts as consumed
/// follows the reader that AWS uses: a field's name is reported only when the colon and the *start*
/// of its value were read too (all of a number or literal, a string's opening quote, a bracket); of
/// a string only the opening quote counts until its text was asked for.
///
/// Threads: one owner.   Lifetime: `source` outlives it.   Limits: nesting of depth_max.
class Tokenizer {
  public:
    Tokenizer(std::string_view source, std::size_t depth_max)
        : source_(source), depth_max_(depth_max) {}

    /// The next token. Errors: `invalid`, not JSON. After the outermost value nothing more is read.
    Result<Token> next();

    /// What the present token says: a string or field name decoded, a number as written, else the
    /// token itself.
    std::string text();

    /// A fault at the present place: `Event pattern is not valid. Reason: <reason>\n at [Source:
    /// …]`.
    Error fault(std::string_view reason) const;
    /// The same with the place said twice, as AWS does where it reports from inside a list.
    Error fault_in_list(std::string_view reason) const;
    /// … and without a place.
    static Error fault_without_place(std::string_view reason);

  private:
    enum class Container : char { object = '{', array = '[' };

    Result<Token> read_name();
    Result<Token> read_value();
    Result<Token> read_string();
    Result<Token> read_word();
    Result<Token> close();
    Result<> read_separator();
    void skip_blanks();
    std::unexpected<Error> unexpected_character(std::string_view wanted) const;
    std::string place() const;

    std::string_view source_;
    std::size_t depth_max_;
    std::size_t consumed_ = 0;
    std::size_t string_end_ =
        0;  ///< behind the closing quote of a string that is not consumed yet; 0 = none
    std::optional<Token> ahead_;  ///< a field's value whose start was read with the name
    std::vector<Container> open_;
    bool is_first_ = true;  ///< the innermost container has no element yet
    Token token_ = Token::end;
    std::string text_;  ///< of the present token
    std::string ahead_text_;
};

}  // namespace bascule::pattern
