#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace bascule::pattern {

/// Where in `value` a match of all of `pattern` that began at its start may end, ignoring case as
/// EventBridge does: each character of the pattern stands for its upper case and its lower case
/// (`ß` for `SS` and `ß`, the title case `ǅ` for `Ǆ` and `ǆ` but not itself), whatever the value's
/// characters would fold to. Characters beyond U+FFFF stand for themselves only.
std::vector<std::size_t> ends_ignoring_case(std::string_view pattern, std::string_view value);

/// The same for a whole value, and for a value's end.
bool equals_ignoring_case(std::string_view pattern, std::string_view value);
bool ends_with_ignoring_case(std::string_view pattern, std::string_view value);

}  // namespace bascule::pattern
