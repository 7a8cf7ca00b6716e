#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bus/pattern/pattern.h"
#include "bus/pattern/term.h"
#include "foundation/base/result.h"

namespace bascule::pattern {

/// One way to satisfy a pattern, and which objects of its `$or`s make it.
struct Way {
    Alternative fields;
    std::vector<std::string> branches;  ///< JSON pointers into the pattern: "/detail/$or/1"
};

/// All of them, in the order of the pattern's `$or`s. Errors: `invalid`, the first fault.
Result<std::vector<Way>> parse_ways(std::string_view text, Dialect dialect);

/// What is wrong with a pattern, the fault of parse_ways first: one fault a field, since what is
/// behind it in there would be read as something else. Where a text ceases to be JSON, nothing more
/// is found. At most pattern_faults_max.
std::vector<Error> pattern_faults(std::string_view text, Dialect dialect);
inline constexpr std::size_t pattern_faults_max = 100;

}  // namespace bascule::pattern
