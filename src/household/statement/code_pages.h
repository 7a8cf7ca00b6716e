#pragma once

#include <array>
#include <string_view>

namespace bascule::statement {

/// An encoding of one byte a character whose lower half is ASCII.
struct CodePage {
    std::string_view name;
    std::array<char16_t, 128> upper;  ///< of 0x80 to 0xFF; 0: undefined
};

/// By its IANA name or a common alias (`cp1252`, `1252`, `latin1`), without case; null for others.
const CodePage* find_code_page(std::string_view name);

}  // namespace bascule::statement
