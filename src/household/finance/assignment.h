#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "foundation/base/result.h"
#include "household/finance/rule_set.h"

namespace bascule::finance {

enum class AssignmentType : std::uint8_t { manual, rule_based, suggested };

std::string_view name(AssignmentType type);  ///< `manual`, `rule_based`, `suggested`
Result<AssignmentType> parse_assignment_type(std::string_view text);

/// Which category a row has, and why. A *suggested* category is shown but does not count: the row
/// remains uncategorised. A row whose category a person took away is manual with no category.
struct Assignment {
    std::string category_id;  ///< empty: none
    AssignmentType type = AssignmentType::rule_based;
    std::string rule_id;
    std::uint32_t rule_version = 0;
    std::int32_t confidence = 0;
};

/// Whether a rule may say anything about a row at all: never after a person decided, be it for a
/// category or for none.
bool may_assign(const Assignment& current);

/// What a match would make of the row.
Assignment assignment_of(const RuleMatch& match);

/// Whether writing `next` over `current` says anything new. A suggestion does not replace a
/// category that a rule assigned; the same category from the same rule is no change, whatever its
/// version or confidence.
bool is_worth_writing(const Assignment& current, const Assignment& next);

}  // namespace bascule::finance
