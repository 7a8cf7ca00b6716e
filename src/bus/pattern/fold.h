#pragma once

#include <array>
#include <string>
#include <string_view>

namespace bascule::pattern {

/// Whether `value` is, begins with or ends with `pattern`, ignoring case as EventBridge does: each
/// character of the pattern stands for its upper case and its lower case (`ß` for `SS` and `ß`, the
/// title case `ǅ` for `Ǆ` and `ǆ` but not itself), whatever the value's characters would fold to.
/// Characters beyond U+FFFF stand for themselves only. No memory is allocated.
bool equals_ignoring_case(std::string_view pattern, std::string_view value);
bool begins_ignoring_case(std::string_view pattern, std::string_view value);
bool ends_ignoring_case(std::string_view pattern, std::string_view value);

/// What one character of a pattern stands for, upper and lower case; they may be the same. A
/// character that is neither, `ǅ`, does not stand for itself. Neither begins or ends the other, so
/// a value can be matched in one way only.
std::array<std::string, 2> spellings_ignoring_case(std::string_view character);

}  // namespace bascule::pattern
