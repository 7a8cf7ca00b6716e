#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "foundation/base/result.h"
#include "foundation/json/limits.h"

/// Cheap questions to a JSON text that build no tree. Answers are views into the text.
namespace bascule::json {

/// Succeeds if `text` is one whole JSON value. Errors: `invalid`, with line, column and byte.
Result<> check_text(std::string_view text, const Limits& limits = {});

bool is_valid(std::string_view text);
bool is_valid_object(std::string_view text);

/// The text of the object's last member called `key`; nothing if there is none or the text is not a
/// valid object.
std::optional<std::string_view> member_raw(std::string_view object, std::string_view key);

/// What an RFC 6901 pointer names in `text`; empty pointer = all of it.
std::optional<std::string_view> raw_at(std::string_view text, std::string_view pointer);

/// What a dotted path (`data.accountId`) names in `text`; a part is a member's name, dots inside
/// names are not reached.
std::optional<std::string_view> raw_at_path(std::string_view text, std::string_view dotted);

/// The text a JSON string stands for; nothing if `raw` is not a JSON string.
std::optional<std::string> string_of(std::string_view raw);

/// One reference token of an RFC 6901 pointer, escaped: `a/b~c` becomes `a~1b~0c`.
std::string pointer_token(std::string_view name);

/// The same value without blanks, members in order. Errors: `invalid` as check_text.
Result<std::string> compact(std::string_view text, const Limits& limits = {});

/// The form in which equal contents are equal bytes: no blanks, members sorted by their names'
/// UTF-16 code units, shortest escapes, as RFC 8785. Unlike there, numbers stay exactly as written
/// (1.0 and 1 differ): normalising them through double would lose digits, and a publisher's repeat
/// repeats its digits. Duplicates keep their order. Errors: `invalid` as check_text.
Result<std::string> canonical(std::string_view text, const Limits& limits = {});

/// The same at the end of `out`, which an error leaves as it was. Cost: one walk over a text
/// without blanks and escapes, else three.
Result<> append_canonical(std::string& out, std::string_view text, const Limits& limits = {});

}  // namespace bascule::json
