#pragma once

#include <cstddef>

#include "bus/pattern/term.h"

namespace bascule::pattern {

/// How many places in the wildcards of one field's terms a single value can be in at once, at
/// worst: what EventBridge limits, since its matcher follows them all. `*a*a` may be in five when
/// it has met an `a`. Counted up to `enough`, which is also the answer where counting would take
/// too long.
std::size_t complexity(const Terms& terms, std::size_t enough);

}  // namespace bascule::pattern
