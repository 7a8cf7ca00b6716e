#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"

/// A categorisation rule as people write it. Semantics: docs/reference/category-rules.md.
namespace bascule::finance {

enum class RuleField : std::uint8_t {
    payee,
    description,  ///< where a row has none: payee and memo, joined by a blank
    memo,
    amount,           ///< signed: spending is negative
    absolute_amount,  ///< without its sign
    direction,        ///< `in` or `out`
    account,          ///< the account's id
    currency,
};

enum class RuleOperator : std::uint8_t {
    contains,
    starts_with,
    ends_with,
    equals,
    regex,  ///< RE2, found anywhere in the text; on the text as the bank wrote it
    greater,
    less,
    between,  ///< both ends included
};

std::string_view name(RuleField field);
std::string_view name(RuleOperator op);
/// Errors: `invalid`, naming the text and what is allowed.
Result<RuleField> parse_rule_field(std::string_view text);
Result<RuleOperator> parse_rule_operator(std::string_view text);

struct Condition {
    RuleField field = RuleField::payee;
    RuleOperator op = RuleOperator::contains;
    std::string value;
    std::string value2;  ///< the upper end of `between`
    bool negate = false;
    bool case_sensitive = false;
};

/// A condition, or a group of conditions and groups: {"all": […]}, {"any": […]}.
struct ConditionNode {
    enum class Kind : std::uint8_t { condition, all, any };

    Kind kind = Kind::condition;
    Condition condition;                  ///< if it is one
    std::vector<ConditionNode> children;  ///< of a group

    static ConditionNode of(Condition condition) {
        return {.kind = Kind::condition, .condition = std::move(condition), .children = {}};
    }
    static ConditionNode all(std::vector<ConditionNode> children) {
        return {.kind = Kind::all, .condition = {}, .children = std::move(children)};
    }
    static ConditionNode any(std::vector<ConditionNode> children) {
        return {.kind = Kind::any, .condition = {}, .children = std::move(children)};
    }
};

/// Limits: see RuleSet. Rules are tried by priority, highest first, then by position, lowest first,
/// then by id.
struct Rule {
    std::string id;
    std::uint32_t version = 1;
    std::string category_id;
    std::string name;
    ConditionNode conditions;
    std::int32_t priority = 50;  ///< 0 to 100
    std::int64_t position = 0;   ///< explicit order among rules of one priority
    bool stop = false;           ///< if it matches, rules after it are not tried
    bool enabled = true;
    std::int32_t confidence = 80;  ///< 0 to 100
    bool auto_apply = false;       ///< assigns the category; otherwise it suggests it
};

/// `payee contains "lidl"`, `all of (amount less -1000, memo starts_with "Miete ")`.
std::string to_text(const ConditionNode& node);

/// How many regular expressions the conditions hold.
std::size_t regex_count(const ConditionNode& node);

}  // namespace bascule::finance
