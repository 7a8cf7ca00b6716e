#pragma once

#include <string_view>

namespace bascule::pattern {

/// The upper case of a character if it is more than one character (`ß` → `SS`), else nothing.
std::u16string_view long_upper(char16_t character);

}  // namespace bascule::pattern
