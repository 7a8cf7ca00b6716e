#pragma once

#include "foundation/base/result.h"
#include "foundation/json/value.h"

namespace bascule::json {

/// Makes sure that validating against `schema` ends, and soon: no schema may lead back to itself
/// without going deeper into the value, and none may apply more than 10 000 others to one value.
/// References stay within the document. Errors: `invalid`, naming the reference.
Result<> check_schema_bounds(const Value& schema);

}  // namespace bascule::json
