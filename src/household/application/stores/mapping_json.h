#pragma once

#include <string>
#include <string_view>

#include "foundation/base/result.h"
#include "household/statement/mapping.h"

/// The JSON form of a column mapping; statement/mapping.h shows it.
namespace bascule::application {

/// Errors: `invalid`, naming the key, its value and what is allowed.
Result<statement::Mapping> parse_mapping(std::string_view text);
std::string to_json(const statement::Mapping& mapping);

}  // namespace bascule::application
