#include "household/finance/assignment.h"

namespace bascule::finance {

std::string_view name(AssignmentType type) {
    switch (type) {
        case AssignmentType::manual:
            return "manual";
        case AssignmentType::rule_based:
            return "rule_based";
        case AssignmentType::suggested:
            return "suggested";
    }
    return "";
}

Result<AssignmentType> parse_assignment_type(std::string_view text) {
    for (const auto type :
         {AssignmentType::manual, AssignmentType::rule_based, AssignmentType::suggested}) {
        if (text == name(type)) {
            return type;
        }
    }
    return fail(ErrorKind::invalid, "assignment type is \"" + std::string(text) +
                                        "\"; manual, rule_based or suggested is allowed");
}

bool may_assign(const Assignment& current) { return current.type != AssignmentType::manual; }

Assignment assignment_of(const RuleMatch& match) {
    return {
        .category_id = match.rule->category_id,
        .type = match.rule->auto_apply ? AssignmentType::rule_based : AssignmentType::suggested,
        .rule_id = match.rule->id,
        .rule_version = match.rule->version,
        .confidence = match.confidence,
    };
}

bool is_worth_writing(const Assignment& current, const Assignment& next) {
    const bool assigned =
        current.type == AssignmentType::rule_based && !current.category_id.empty();
    if (assigned && next.type == AssignmentType::suggested) {
        return false;
    }
    return current.category_id != next.category_id || current.type != next.type ||
           current.rule_id != next.rule_id;
}

}  // namespace bascule::finance
