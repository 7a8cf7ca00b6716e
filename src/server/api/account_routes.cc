#include "server/api/body.h"
#include "server/api/call.h"
#include "server/api/forms.h"

namespace bascule::api {

namespace {

Result<application::AccountEdit> edit_of(const std::string& text) {
    Body body = TRY(Body::parse(text));
    application::AccountEdit edit{.name = body.text("name"),
                                  .type = body.text("type"),
                                  .institution = body.text("institution"),
                                  .currency = body.text("currency"),
                                  .identifiers = body.texts("identifiers"),
                                  .opening_balance = body.text_or_null("openingBalance"),
                                  .opening_date = body.text_or_null("openingDate"),
                                  .active = body.flag("active")};
    TRY(body.finish());
    return edit;
}

}  // namespace

void add_account_routes(Routes& routes) {
    using http::Method;
    constexpr auto household = auth::Permission::household;
    application::Accounts* accounts = &routes.services().household.accounts;

    routes.add_query("/v1/accounts", household, [=](const Call& call) -> Result<std::string> {
        return list_form(call.listing(), TRY(accounts->list(call.user_id(), TRY(call.page()))),
                         account_form);
    });
    routes.add_write(Method::post, "/v1/accounts", household, edit_of,
                     [=](Call call, application::AccountEdit edit) {
                         const application::Actor actor = call.actor();
                         accounts->create(
                             actor, std::move(edit),
                             answering<application::Account>(std::move(call), 201, account_form));
                     });
    routes.add_query("/v1/accounts/{id}", household, [=](const Call& call) -> Result<std::string> {
        return account_form(TRY(accounts->get(call.user_id(), call.id())));
    });
    routes.add_write(Method::patch, "/v1/accounts/{id}", household, edit_of,
                     [=](Call call, application::AccountEdit edit) {
                         const application::Actor actor = call.actor();
                         const std::string id = call.id();
                         accounts->update(
                             actor, id, std::move(edit),
                             answering<application::Account>(std::move(call), 200, account_form));
                     });
    routes.add(Method::delete_, "/v1/accounts/{id}", household, [=](Call call) {
        const application::Actor actor = call.actor();
        const std::string id = call.id();
        accounts->remove(actor, id, answering<std::int64_t>(std::move(call), 200, deleted_form));
    });
}

}  // namespace bascule::api
