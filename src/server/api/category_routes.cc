#include "household/application/stores/condition_json.h"
#include "server/api/body.h"
#include "server/api/call.h"
#include "server/api/forms.h"

namespace bascule::api {

namespace {

Result<application::CategoryEdit> category_edit_of(const std::string& text) {
    Body body = TRY(Body::parse(text));
    application::CategoryEdit edit{.name = body.text("name"),
                                   .type = body.text("type"),
                                   .parent_id = body.text_or_null("parentId"),
                                   .icon = body.text("icon"),
                                   .colour = body.text("colour")};
    TRY(body.finish());
    return edit;
}

template <class Narrow>
std::optional<Narrow> narrowed(std::optional<std::int64_t> value) {
    return value ? std::optional(static_cast<Narrow>(*value)) : std::nullopt;
}

Result<application::RuleEdit> rule_edit_of(const std::string& text) {
    Body body = TRY(Body::parse(text));
    application::RuleEdit edit{
        .category_id = body.text("categoryId"),
        .name = body.text("name"),
        .priority = narrowed<std::int32_t>(body.integer("priority", 0, 100)),
        .position = body.integer("position", 0, 1'000'000'000),
        .stop = body.flag("stop"),
        .enabled = body.flag("enabled"),
        .confidence = narrowed<std::int32_t>(body.integer("confidence", 0, 100)),
        .auto_apply = body.flag("autoApply")};
    if (const json::Value* conditions = body.member("conditions"); conditions != nullptr) {
        auto read = application::parse_conditions(*conditions);
        if (read) {
            edit.conditions = std::move(*read);
        } else {
            body.fault(std::move(read).error());
        }
    }
    TRY(body.finish());
    return edit;
}

void add_categories(Routes& routes) {
    using http::Method;
    constexpr auto household = auth::Permission::household;
    application::Categories* categories = &routes.services().household.categories;

    routes.add_query("/v1/categories", household, [=](const Call& call) -> Result<std::string> {
        return list_form(call.listing(), TRY(categories->list(call.user_id(), TRY(call.page()))),
                         category_form);
    });
    routes.add_write(Method::post, "/v1/categories", household, category_edit_of,
                     [=](Call call, application::CategoryEdit edit) {
                         const application::Actor actor = call.actor();
                         categories->create(
                             actor, std::move(edit),
                             answering<application::Category>(std::move(call), 201, category_form));
                     });
    routes.add_query("/v1/categories/{id}", household,
                     [=](const Call& call) -> Result<std::string> {
                         return category_form(TRY(categories->get(call.user_id(), call.id())));
                     });
    routes.add_write(Method::patch, "/v1/categories/{id}", household, category_edit_of,
                     [=](Call call, application::CategoryEdit edit) {
                         const application::Actor actor = call.actor();
                         const std::string id = call.id();
                         categories->update(
                             actor, id, std::move(edit),
                             answering<application::Category>(std::move(call), 200, category_form));
                     });
    routes.add(Method::delete_, "/v1/categories/{id}", household, [=](Call call) {
        const application::Actor actor = call.actor();
        const std::string id = call.id();
        categories->remove(actor, id, answering<std::int64_t>(std::move(call), 200, deleted_form));
    });
}

void add_rules(Routes& routes) {
    using http::Method;
    constexpr auto household = auth::Permission::household;
    application::CategoryRules* rules = &routes.services().household.rules;

    routes.add_query("/v1/category-rules", household, [=](const Call& call) -> Result<std::string> {
        return list_form(
            call.listing(),
            TRY(rules->list(call.user_id(), call.query("categoryId"), TRY(call.page()))),
            rule_form);
    });
    routes.add_write(Method::post, "/v1/category-rules", household, rule_edit_of,
                     [=](Call call, application::RuleEdit edit) {
                         const application::Actor actor = call.actor();
                         rules->create(
                             actor, std::move(edit),
                             answering<application::CategoryRule>(std::move(call), 201, rule_form));
                     });
    routes.add_query("/v1/category-rules/{id}", household,
                     [=](const Call& call) -> Result<std::string> {
                         return rule_form(TRY(rules->get(call.user_id(), call.id())));
                     });
    routes.add_write(Method::patch, "/v1/category-rules/{id}", household, rule_edit_of,
                     [=](Call call, application::RuleEdit edit) {
                         const application::Actor actor = call.actor();
                         const std::string id = call.id();
                         rules->update(
                             actor, id, std::move(edit),
                             answering<application::CategoryRule>(std::move(call), 200, rule_form));
                     });
    routes.add(Method::delete_, "/v1/category-rules/{id}", household, [=](Call call) {
        const application::Actor actor = call.actor();
        const std::string id = call.id();
        rules->remove(actor, id, answering<std::int64_t>(std::move(call), 200, deleted_form));
    });
}

}  // namespace

void add_category_routes(Routes& routes) {
    add_categories(routes);
    add_rules(routes);
}

}  // namespace bascule::api
