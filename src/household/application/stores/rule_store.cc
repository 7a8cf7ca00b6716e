#include "household/application/stores/rule_store.h"

#include "household/application/stores/condition_json.h"
#include "household/application/stores/row_values.h"
#include "household/application/stores/transaction_store.h"

namespace bascule::application {

namespace {

constexpr std::string_view select_rules =
    "select id, version, category_id, name, conditions, priority, position, stop, enabled,"
    " confidence, auto_apply, created_ms, updated_ms from category_rules where user_id = ?1";
constexpr std::string_view in_order = " order by priority desc, position, id";

Result<CategoryRule> read_rule(const sql::Row& row) {
    auto conditions = parse_conditions(row.text_view(4));
    if (!conditions) {
        return fail(ErrorKind::corrupt,
                    "the database holds a bad rule: " + conditions.error().message());
    }
    return CategoryRule{.rule = {.id = row.text(0),
                                 .version = static_cast<std::uint32_t>(row.integer(1)),
                                 .category_id = row.text(2),
                                 .name = row.text(3),
                                 .conditions = std::move(*conditions),
                                 .priority = static_cast<std::int32_t>(row.integer(5)),
                                 .position = row.integer(6),
                                 .stop = row.boolean(7),
                                 .enabled = row.boolean(8),
                                 .confidence = static_cast<std::int32_t>(row.integer(9)),
                                 .auto_apply = row.boolean(10)},
                        .created_at = time_of(row, 11),
                        .updated_at = time_of(row, 12)};
}

Result<std::vector<CategoryRule>> select(sql::Session& session, const std::string& condition,
                                         sql::Params params) {
    std::vector<CategoryRule> rules;
    TRY(session.query(std::string(select_rules) + condition + std::string(in_order), params,
                      [&](const sql::Row& row) -> Result<> {
                          rules.push_back(TRY(read_rule(row)));
                          return {};
                      }));
    return rules;
}

}  // namespace

Result<std::optional<CategoryRule>> RuleStore::find(const std::string& id) {
    auto rules = TRY(select(session_, " and id = ?2", {user_id_, id}));
    return rules.empty() ? std::nullopt : std::optional(std::move(rules.front()));
}

Result<std::vector<CategoryRule>> RuleStore::all() { return select(session_, "", {user_id_}); }

Result<std::vector<CategoryRule>> RuleStore::of_category(const std::string& category_id) {
    return select(session_, " and category_id = ?2", {user_id_, category_id});
}

Result<> RuleStore::insert(const CategoryRule& stored) {
    const finance::Rule& rule = stored.rule;
    TRY(session_.execute(
        "insert into category_rules (id, user_id, version, category_id, name, conditions, priority,"
        " position, stop, enabled, confidence, auto_apply, created_ms, updated_ms)"
        " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        {rule.id, user_id_, rule.version, rule.category_id, rule.name, to_json(rule.conditions),
         rule.priority, rule.position, rule.stop, rule.enabled, rule.confidence, rule.auto_apply,
         to_unix_ms(stored.created_at), to_unix_ms(stored.updated_at)}));
    return raise_generation(session_, user_id_, "rules");
}

Result<> RuleStore::update(const CategoryRule& stored) {
    const finance::Rule& rule = stored.rule;
    TRY(expecting_row(
        session_.execute(
            "update category_rules set version = ?3, category_id = ?4, name = ?5, conditions = ?6,"
            " priority = ?7, position = ?8, stop = ?9, enabled = ?10, confidence = ?11,"
            " auto_apply = ?12, updated_ms = ?13 where id = ?1 and user_id = ?2",
            {rule.id, user_id_, rule.version, rule.category_id, rule.name, to_json(rule.conditions),
             rule.priority, rule.position, rule.stop, rule.enabled, rule.confidence,
             rule.auto_apply, to_unix_ms(stored.updated_at)}),
        "rule", rule.id));
    return raise_generation(session_, user_id_, "rules");
}

Result<> RuleStore::erase(const std::string& id) {
    TRY(expecting_row(session_.execute("delete from category_rules where id = ?1 and user_id = ?2",
                                       {id, user_id_}),
                      "rule", id));
    return raise_generation(session_, user_id_, "rules");
}

Result<std::uint64_t> rules_generation(sql::Session& session, const std::string& user_id) {
    return generation(session, user_id, "rules");
}

Result<UserRules> rules_of(sql::Session& session, const std::string& user_id) {
    UserRules found;
    found.generation = TRY(rules_generation(session, user_id));
    for (CategoryRule& stored : TRY(RuleStore(session, user_id).all())) {
        found.rules.push_back(std::move(stored.rule));
    }
    return found;
}

}  // namespace bascule::application
