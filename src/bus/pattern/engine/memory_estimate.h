#pragma once

#include <cstddef>
#include <string_view>

#include "bus/pattern/pattern.h"

namespace bascule::pattern {

/// At most so many bytes a rule set and its matcher take for one more rule, the pattern itself
/// included, were nothing of it shared with others but its paths.
std::size_t bytes_estimated(const Pattern& pattern);

/// The same for a path that no rule named before.
std::size_t path_bytes_estimated(std::string_view path);

}  // namespace bascule::pattern
