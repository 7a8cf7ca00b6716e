#include "household/application/stores/condition_json.h"

#include "foundation/json/writer.h"

namespace bascule::application {

namespace {

using finance::Condition;
using finance::ConditionNode;

/// Groups may nest two deep (RuleSet::group_depth_max); beyond what any valid rule has, reading
/// stops.
constexpr int depth_max = 8;

std::unexpected<Error> wrong(const std::string& path, std::string_view what) {
    return fail(ErrorKind::invalid, path + ": " + std::string(what));
}

Result<bool> flag(const json::Value& value, const std::string& path) {
    const auto boolean = value.as_boolean();
    if (!boolean) {
        return wrong(path, "must be true or false");
    }
    return *boolean;
}

/// Amounts may come as JSON numbers too; their digits are kept.
Result<std::string> value_text(const json::Value& value, const std::string& path) {
    if (const auto text = value.as_string()) {
        return std::string(*text);
    }
    if (const auto digits = value.as_number()) {
        return std::string(*digits);
    }
    return wrong(path, "must be text");
}

Result<> in_place(Result<> read, const std::string& path) {
    if (!read) {
        return wrong(path, read.error().message());
    }
    return {};
}

Result<> read_member(Condition& condition, const json::Member& member, const std::string& path) {
    const std::string here = path + "." + member.key;
    const auto word = [&] { return member.value.as_string().value_or(""); };
    if (member.key == "field") {
        return in_place(
            [&]() -> Result<> {
                condition.field = TRY(finance::parse_rule_field(word()));
                return {};
            }(),
            here);
    }
    if (member.key == "operator") {
        return in_place(
            [&]() -> Result<> {
                condition.op = TRY(finance::parse_rule_operator(word()));
                return {};
            }(),
            here);
    }
    if (member.key == "value") {
        condition.value = TRY(value_text(member.value, here));
    } else if (member.key == "value2") {
        condition.value2 = TRY(value_text(member.value, here));
    } else if (member.key == "negate") {
        condition.negate = TRY(flag(member.value, here));
    } else if (member.key == "caseSensitive") {
        condition.case_sensitive = TRY(flag(member.value, here));
    } else {
        return wrong(here,
                     "is not known; field, operator, value, value2, negate, caseSensitive are "
                     "allowed, or all, or any");
    }
    return {};
}

Result<ConditionNode> read_condition(const json::Value& value, const std::string& path) {
    for (const char* needed : {"field", "operator", "value"}) {
        if (value.find(needed) == nullptr) {
            return wrong(path + "." + needed, "is missing");
        }
    }
    Condition condition;
    for (const json::Member& member : value.members()) {
        if (!member.value.is(json::Kind::null)) {
            TRY(read_member(condition, member, path));
        }
    }
    return ConditionNode::of(std::move(condition));
}

Result<ConditionNode> read_node(const json::Value& value, const std::string& path, int depth) {
    if (!value.is(json::Kind::object)) {
        return wrong(path, "must be an object: a condition, or {\"all\": […]}, or {\"any\": […]}");
    }
    const json::Value* all = value.find("all");
    const json::Value* any = value.find("any");
    if (all == nullptr && any == nullptr) {
        return read_condition(value, path);
    }
    const json::Value& list = all != nullptr ? *all : *any;
    const std::string here = path + (all != nullptr ? ".all" : ".any");
    if (value.members().size() != 1) {
        return wrong(path, "a group has one member, all or any");
    }
    if (!list.is(json::Kind::array) || list.items().empty()) {
        return wrong(here, "must be an array of conditions, not empty");
    }
    if (depth == depth_max) {
        return wrong(here, "groups are nested too deep");
    }
    std::vector<ConditionNode> children;
    for (std::size_t i = 0; i < list.items().size(); ++i) {
        children.push_back(
            TRY(read_node(list.items()[i], here + "[" + std::to_string(i) + "]", depth + 1)));
    }
    return all != nullptr ? ConditionNode::all(std::move(children))
                          : ConditionNode::any(std::move(children));
}

void write_node(json::Writer& writer, const ConditionNode& node) {
    writer.begin_object();
    if (node.kind == ConditionNode::Kind::condition) {
        const Condition& condition = node.condition;
        writer.member("field", finance::name(condition.field))
            .member("operator", finance::name(condition.op))
            .member("value", condition.value);
        if (!condition.value2.empty()) {
            writer.member("value2", condition.value2);
        }
        if (condition.negate) {
            writer.member("negate", true);
        }
        if (condition.case_sensitive) {
            writer.member("caseSensitive", true);
        }
    } else {
        writer.key(node.kind == ConditionNode::Kind::all ? "all" : "any").begin_array();
        for (const ConditionNode& child : node.children) {
            write_node(writer, child);
        }
        writer.end_array();
    }
    writer.end_object();
}

}  // namespace

Result<ConditionNode> parse_conditions(const json::Value& value) {
    return read_node(value, "conditions", 0);
}

Result<ConditionNode> parse_conditions(std::string_view text) {
    auto value = json::Value::parse(text);
    if (!value) {
        return wrong("conditions", value.error().message());
    }
    return parse_conditions(*value);
}

std::string to_json(const ConditionNode& node) {
    std::string text;
    json::Writer writer(text);
    write_node(writer, node);
    return text;
}

}  // namespace bascule::application
