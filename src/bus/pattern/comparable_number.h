#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bascule::pattern {

/// EventBridge compares numbers as IEEE doubles, but only those that lose nothing by it: a number
/// is comparable if it is, to the last digit, the decimal by which Java writes the double next to
/// it. `300`, `3e2` and `0.1` are; `9007199254740993`, `1e400` and `5e-324` (written 4.9E-324) are
/// not. `number` is a JSON number.
bool is_comparable(std::string_view number);

/// Why a pattern may not compare with `number`, in EventBridge's words; nothing if it may.
std::optional<std::string> objection_to(std::string_view number);

}  // namespace bascule::pattern
