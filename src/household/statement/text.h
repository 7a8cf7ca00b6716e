#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bascule::statement {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/// The bytes of the blank `text` starts with, 0 when it starts with none: ASCII white space, NUL,
/// and the no-break, thin and other spaces of Unicode that banks put into numbers and around text.
std::size_t blank_width(std::string_view text);

/// Without blanks at both ends.
std::string_view trimmed(std::string_view text);

std::string upper_ascii(std::string_view text);

/// Cuts at a character's edge, so that the rest stays UTF-8.
std::string_view cut(std::string_view text, std::size_t bytes_max);

/// A piece of a file inside a message: in quotes, cut short, without line ends.
std::string quoted(std::string_view text);

}  // namespace bascule::statement
