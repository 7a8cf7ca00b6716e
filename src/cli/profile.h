#pragma once

#include <string_view>

#include "foundation/base/result.h"
#include "household/statement/mapping.h"

namespace bascule::cli {

/// A mapping profile from its JSON form (household/statement/mapping.h). Errors: `invalid`, naming
/// key, value and what is allowed, or the place where it is no JSON.
Result<statement::Mapping> parse_profile(std::string_view json);

}  // namespace bascule::cli
