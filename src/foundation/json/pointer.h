#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// The parts of an RFC 6901 pointer; shared by the sources of this room.
namespace bascule::json {

/// The name that a reference token stands for: `a~1b~0c` becomes `a/b~c`.
std::string pointer_name(std::string_view token);

/// The token as an array index: digits without a leading zero.
std::optional<std::size_t> pointer_index(std::string_view token);

/// Takes the first token from a pointer that begins with '/'.
std::string_view next_token(std::string_view& pointer);

}  // namespace bascule::json
