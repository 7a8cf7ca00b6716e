#pragma once

#include <string>
#include <string_view>

#include "foundation/base/result.h"
#include "foundation/json/value.h"
#include "household/finance/rule.h"

/// The JSON form of a rule's conditions, as it is stored and as the REST API has it:
/// {"field": "payee", "operator": "contains", "value": "lidl", "value2"?, "negate"?,
/// "caseSensitive"?}, or {"all": […]}, or {"any": […]}. Reference:
/// docs/reference/category-rules.md.
namespace bascule::application {

/// Errors: `invalid`, naming the place: `conditions.all[1].operator: …`.
Result<finance::ConditionNode> parse_conditions(const json::Value& value);
Result<finance::ConditionNode> parse_conditions(std::string_view text);
std::string to_json(const finance::ConditionNode& node);

}  // namespace bascule::application
