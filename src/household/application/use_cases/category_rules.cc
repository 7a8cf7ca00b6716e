#include "household/application/stores/account_store.h"
#include "household/application/stores/category_store.h"
#include "household/application/stores/condition_json.h"
#include "household/application/stores/paging.h"
#include "household/application/stores/row_values.h"
#include "household/application/stores/rule_store.h"
#include "household/application/use_cases/categories.h"
#include "household/application/use_cases/edits.h"
#include "household/application/use_cases/use_case.h"
#include "household/finance/rule_set.h"

namespace bascule::application {

namespace {

std::optional<std::int64_t> number(const std::optional<bool>& flag) {
    return flag ? std::optional(std::int64_t{*flag}) : std::nullopt;
}
std::optional<std::int64_t> number(const std::optional<std::int32_t>& value) {
    return value ? std::optional(std::int64_t{*value}) : std::nullopt;
}

Request request_of(std::string_view use_case, const std::string& id, const RuleEdit& edit) {
    Request request(use_case);
    request.add(std::string_view(id)).add(edit.category_id).add(edit.name);
    request.add(edit.conditions ? std::optional(to_json(*edit.conditions)) : std::nullopt);
    request.add(number(edit.priority)).add(edit.position).add(number(edit.stop));
    request.add(number(edit.enabled)).add(number(edit.confidence)).add(number(edit.auto_apply));
    return request;
}

Result<CategoryRule> existing(sql::Session& session, const std::string& user_id,
                              const std::string& id) {
    auto rule = TRY(RuleStore(session, user_id).find(id));
    if (!rule) {
        return not_found("rule", id);
    }
    return std::move(*rule);
}

auto recall_rule(std::string user_id) {
    return [user_id = std::move(user_id)](sql::Session& session, const std::string& id) {
        return existing(session, user_id, id);
    };
}

template <class T>
void set(Changes& changes, const char* field, T& current, const std::optional<T>& next) {
    if (next && *next != current) {
        changes.note(field, json_text(current), json_text(*next));
        current = *next;
    }
}

/// A condition on an account wants an id that is one: it would match nothing for ever.
Result<> check_accounts(UnitOfWork& unit, const finance::ConditionNode& node) {
    for (const finance::ConditionNode& child : node.children) {
        TRY(check_accounts(unit, child));
    }
    if (node.kind != finance::ConditionNode::Kind::condition ||
        node.condition.field != finance::RuleField::account) {
        return {};
    }
    AccountStore accounts(unit.session(), unit.user_id());
    const std::string& value = node.condition.value;
    if (TRY(accounts.find(value))) {
        return {};
    }
    const auto named = TRY(accounts.find_by_name(value));
    return fail(ErrorKind::invalid,
                "conditions: there is no account with the id '" + value + "'" +
                    (named ? "; the account of that name has the id " + named->id : ""));
}

Result<> apply(UnitOfWork& unit, finance::Rule& rule, const RuleEdit& edit, Changes& changes) {
    if (edit.category_id) {
        if (!TRY(CategoryStore(unit.session(), unit.user_id()).find(*edit.category_id))) {
            return not_found("category", *edit.category_id);
        }
        changes.set("categoryId", rule.category_id, *edit.category_id);
    }
    if (edit.name) {
        changes.set("name", rule.name, TRY(clean_text("name", *edit.name, 200)));
    }
    if (edit.conditions) {
        const std::string current = to_json(rule.conditions);
        const std::string next = to_json(*edit.conditions);
        if (current != next) {
            TRY(check_accounts(unit, *edit.conditions));
            changes.note("conditions", current, next);
            rule.conditions = *edit.conditions;
        }
    }
    set(changes, "priority", rule.priority, edit.priority);
    set(changes, "position", rule.position, edit.position);
    set(changes, "stop", rule.stop, edit.stop);
    set(changes, "enabled", rule.enabled, edit.enabled);
    set(changes, "confidence", rule.confidence, edit.confidence);
    set(changes, "autoApply", rule.auto_apply, edit.auto_apply);
    return finance::RuleSet::validate(rule);
}

/// Compiling is work of the writer's thread: a rule is checked there, and rules that changed while
/// they were applied are read again there.
Result<> check_regexes(RuleStore& store, const finance::Rule& changed) {
    std::size_t count = finance::regex_count(changed.conditions);
    if (count == 0) {
        return {};
    }
    for (const CategoryRule& other : TRY(store.all())) {
        count += other.rule.id == changed.id ? 0 : finance::regex_count(other.rule.conditions);
    }
    if (count > finance::RuleSet::regexes_max) {
        return fail(ErrorKind::conflict, "conditions: with these all rules together would have " +
                                             std::to_string(count) +
                                             " regular expressions; at most " +
                                             std::to_string(finance::RuleSet::regexes_max) +
                                             " are allowed: most can be said by `contains`");
    }
    return {};
}

Result<CategoryRule> create_rule(UnitOfWork& unit, const RuleEdit& edit) {
    TRY(needed("categoryId", edit.category_id));
    if (!edit.conditions) {
        return invalid("conditions", "is missing");
    }
    CategoryRule stored;
    finance::Rule& rule = stored.rule;
    rule.id = unit.new_id();
    stored.created_at = stored.updated_at = unit.now();
    Changes ignored;
    TRY(apply(unit, rule, edit, ignored));
    RuleStore store(unit.session(), unit.user_id());
    if (TRY(store.all()).size() >= finance::RuleSet::rules_max) {
        return fail(ErrorKind::conflict, "there are " +
                                             std::to_string(finance::RuleSet::rules_max) +
                                             " rules already; no more are allowed");
    }
    TRY(check_regexes(store, rule));
    TRY(store.insert(stored));
    unit.publish(event::category_rule_created(unit.occasion(),
                                              {.category_id = rule.category_id,
                                               .rule_id = rule.id,
                                               .rule_pattern = finance::to_text(rule.conditions),
                                               .auto_apply = rule.auto_apply}));
    return stored;
}

Result<CategoryRule> update_rule(UnitOfWork& unit, const std::string& id, const RuleEdit& edit) {
    CategoryRule stored = TRY(existing(unit.session(), unit.user_id(), id));
    Changes changes;
    TRY(apply(unit, stored.rule, edit, changes));
    if (changes.empty()) {
        return stored;
    }
    stored.rule.version += 1;
    stored.updated_at = unit.now();
    RuleStore store(unit.session(), unit.user_id());
    TRY(check_regexes(store, stored.rule));
    TRY(store.update(stored));
    unit.publish(event::category_rule_updated(unit.occasion(),
                                              {stored.rule.category_id, id, changes.list()}));
    return stored;
}

Result<std::int64_t> remove_rule(UnitOfWork& unit, const std::string& id) {
    const CategoryRule stored = TRY(existing(unit.session(), unit.user_id(), id));
    TRY(RuleStore(unit.session(), unit.user_id()).erase(id));
    unit.publish(event::category_rule_deleted(unit.occasion(), {stored.rule.category_id, id}));
    return 1;
}

/// A number as text that sorts as the number does.
std::string sortable(std::int64_t value) {
    std::string digits =
        std::to_string(static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63));
    return std::string(20 - digits.size(), '0') + digits;
}

std::string place_of(const CategoryRule& stored) {
    return sortable(-std::int64_t{stored.rule.priority}) + sortable(stored.rule.position) +
           stored.rule.id;
}

}  // namespace

Result<Page<CategoryRule>> CategoryRules::list(const std::string& user_id,
                                               const std::string& category_id,
                                               const PageRequest& page) const {
    const auto snapshot = TRY(environment_.database.read());
    RuleStore store(snapshot.session(), user_id);
    return page_of(TRY(category_id.empty() ? store.all() : store.of_category(category_id)), page,
                   place_of);
}

Result<CategoryRule> CategoryRules::get(const std::string& user_id, const std::string& id) const {
    const auto snapshot = TRY(environment_.database.read());
    return existing(snapshot.session(), user_id, id);
}

void CategoryRules::create(Actor actor, RuleEdit edit, io::Completion<CategoryRule> done) {
    const Request request = request_of("rules.create", "", edit);
    auto recall = recall_rule(actor.user_id);
    perform<CategoryRule>(
        environment_, std::move(actor), request, Weight::light,
        [edit = std::move(edit)](UnitOfWork& unit) { return create_rule(unit, edit); },
        std::move(recall), std::move(done));
}

void CategoryRules::update(Actor actor, std::string id, RuleEdit edit,
                           io::Completion<CategoryRule> done) {
    const Request request = request_of("rules.update", id, edit);
    auto recall = recall_rule(actor.user_id);
    perform<CategoryRule>(
        environment_, std::move(actor), request, Weight::light,
        [id = std::move(id), edit = std::move(edit)](UnitOfWork& unit) {
            return update_rule(unit, id, edit);
        },
        std::move(recall), std::move(done));
}

void CategoryRules::remove(Actor actor, std::string id, io::Completion<std::int64_t> done) {
    const Request request = Request("rules.remove").add(std::string_view(id));
    perform<std::int64_t>(
        environment_, std::move(actor), request, Weight::light,
        [id = std::move(id)](UnitOfWork& unit) { return remove_rule(unit, id); }, recall_count,
        std::move(done));
}

}  // namespace bascule::application
