#include "household/finance/rule.h"

#include <array>

namespace bascule::finance {

namespace {

constexpr std::array fields = {
    RuleField::payee,           RuleField::description, RuleField::memo,    RuleField::amount,
    RuleField::absolute_amount, RuleField::direction,   RuleField::account, RuleField::currency,
};

constexpr std::array operators = {
    RuleOperator::contains, RuleOperator::starts_with, RuleOperator::ends_with,
    RuleOperator::equals,   RuleOperator::regex,       RuleOperator::greater,
    RuleOperator::less,     RuleOperator::between,
};

template <class T, std::size_t n>
Result<T> parse_name(const char* what, std::string_view text, const std::array<T, n>& values) {
    std::string allowed;
    for (const T value : values) {
        if (text == name(value)) {
            return value;
        }
        allowed += (allowed.empty() ? "" : ", ") + std::string(name(value));
    }
    return fail(ErrorKind::invalid,
                std::string(what) + " is \"" + std::string(text) + "\"; allowed are " + allowed);
}

bool is_number(RuleField field) {
    return field == RuleField::amount || field == RuleField::absolute_amount;
}

std::string value_text(const Condition& condition, const std::string& value) {
    return is_number(condition.field) ? value : "\"" + value + "\"";
}

std::string to_text(const Condition& condition) {
    std::string text = condition.negate ? "not " : "";
    text.append(name(condition.field)).append(" ").append(name(condition.op)).append(" ");
    text += value_text(condition, condition.value);
    if (condition.op == RuleOperator::between) {
        text += " and " + value_text(condition, condition.value2);
    }
    return text + (condition.case_sensitive ? " in this case" : "");
}

}  // namespace

std::string_view name(RuleField field) {
    switch (field) {
        case RuleField::payee:
            return "payee";
        case RuleField::description:
            return "description";
        case RuleField::memo:
            return "memo";
        case RuleField::amount:
            return "amount";
        case RuleField::absolute_amount:
            return "absolute_amount";
        case RuleField::direction:
            return "direction";
        case RuleField::account:
            return "account";
        case RuleField::currency:
            return "currency";
    }
    return "";
}

std::string_view name(RuleOperator op) {
    switch (op) {
        case RuleOperator::contains:
            return "contains";
        case RuleOperator::starts_with:
            return "starts_with";
        case RuleOperator::ends_with:
            return "ends_with";
        case RuleOperator::equals:
            return "equals";
        case RuleOperator::regex:
            return "regex";
        case RuleOperator::greater:
            return "greater";
        case RuleOperator::less:
            return "less";
        case RuleOperator::between:
            return "between";
    }
    return "";
}

Result<RuleField> parse_rule_field(std::string_view text) {
    return parse_name("field", text, fields);
}

Result<RuleOperator> parse_rule_operator(std::string_view text) {
    return parse_name("operator", text, operators);
}

std::string to_text(const ConditionNode& node) {
    if (node.kind == ConditionNode::Kind::condition) {
        return to_text(node.condition);
    }
    std::string text = node.kind == ConditionNode::Kind::all ? "all of (" : "any of (";
    for (std::size_t i = 0; i < node.children.size(); ++i) {
        text += (i == 0 ? "" : ", ") + to_text(node.children[i]);
    }
    return text + ")";
}

std::size_t regex_count(const ConditionNode& node) {
    if (node.kind == ConditionNode::Kind::condition) {
        return node.condition.op == RuleOperator::regex ? 1 : 0;
    }
    std::size_t count = 0;
    for (const ConditionNode& child : node.children) {
        count += regex_count(child);
    }
    return count;
}

}  // namespace bascule::finance
