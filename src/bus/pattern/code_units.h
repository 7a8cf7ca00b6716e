#pragma once

#include <string>
#include <string_view>

/// Text as EventBridge's reader sees it: UTF-16, in which it counts columns.
namespace bascule::pattern {

/// `text` is UTF-8; what is not becomes U+FFFD.
std::u16string to_utf16(std::string_view text);

/// A surrogate without its other half becomes a question mark, as in Java.
std::string to_utf8(std::u16string_view text);

/// U+0000 to U+001F and U+007F to U+009F.
bool is_control(char16_t unit);

/// What may begin and continue an identifier of Java, hence what an error about an unknown word
/// quotes.
bool begins_identifier(char16_t unit);
bool continues_identifier(char16_t unit);

}  // namespace bascule::pattern
