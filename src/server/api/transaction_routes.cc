#include "server/api/body.h"
#include "server/api/call.h"
#include "server/api/forms.h"

namespace bascule::api {

namespace {

using application::TransactionOrder;

Result<application::TransactionEdit> edit_of(const std::string& text) {
    Body body = TRY(Body::parse(text));
    application::TransactionEdit edit{.account_id = body.text("accountId"),
                                      .date = body.text("date"),
                                      .amount = body.text("amount"),
                                      .payee = body.text_or_null("payee"),
                                      .description = body.text_or_null("description"),
                                      .memo = body.text_or_null("memo"),
                                      .notes = body.text_or_null("notes"),
                                      .category_id = body.text_or_null("categoryId")};
    TRY(body.finish());
    return edit;
}

Result<std::vector<std::string>> ids_of(const std::string& text) {
    Body body = TRY(Body::parse(text));
    body.need("ids");
    auto ids = body.texts("ids").value_or(std::vector<std::string>());
    if (ids.size() > 10'000) {
        body.fault("ids", "at most 10000 ids are allowed");
    }
    TRY(body.finish());
    return ids;
}

Result<TransactionOrder> order_of(const std::string& text) {
    if (text.empty() || text == "-date") {
        return TransactionOrder::date_descending;
    }
    if (text == "date") {
        return TransactionOrder::date;
    }
    if (text == "amount") {
        return TransactionOrder::amount;
    }
    if (text == "-amount") {
        return TransactionOrder::amount_descending;
    }
    return fail(ErrorKind::invalid,
                "sort: is '" + text + "'; date, -date, amount and -amount are allowed");
}

std::optional<std::string> given(std::string text) {
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

Result<application::TransactionFilter> filter_of(const Call& call) {
    return application::TransactionFilter {
        .account_id = call.query("accountId"), .category_id = call.query("categoryId"),
        .file_id = call.query("fileId"), .from = TRY(call.date("from"))
        , .to = TRY(call.date("to"))
        , .text = call.query("text"), .amount_min = given(call.query("minAmount")),
            .amount_max = given(call.query("maxAmount")),
            .uncategorized = call.query("uncategorized") == "true",
            .suggested = call.query("suggested") == "true",
            .order = TRY(order_of(call.query("sort")))
    };
}

}  // namespace

void add_transaction_routes(Routes& routes) {
    using http::Method;
    constexpr auto household = auth::Permission::household;
    application::Transactions* transactions = &routes.services().household.transactions;

    routes.add_query("/v1/transactions", household, [=](const Call& call) -> Result<std::string> {
        const application::TransactionFilter filter = TRY(filter_of(call));
        return list_form(call.listing(),
                         TRY(transactions->list(call.user_id(), filter, TRY(call.page()))),
                         transaction_form);
    });
    routes.add_write(Method::post, "/v1/transactions", household, edit_of,
                     [=](Call call, application::TransactionEdit edit) {
                         const application::Actor actor = call.actor();
                         transactions->create(actor, std::move(edit),
                                              answering<application::Transaction>(
                                                  std::move(call), 201, transaction_form));
                     });
    routes.add_query("/v1/transactions/{id}", household,
                     [=](const Call& call) -> Result<std::string> {
                         return transaction_form(TRY(transactions->get(call.user_id(), call.id())));
                     });
    routes.add_write(Method::patch, "/v1/transactions/{id}", household, edit_of,
                     [=](Call call, application::TransactionEdit edit) {
                         const application::Actor actor = call.actor();
                         const std::string id = call.id();
                         transactions->update(actor, id, std::move(edit),
                                              answering<application::Transaction>(
                                                  std::move(call), 200, transaction_form));
                     });
    routes.add(Method::delete_, "/v1/transactions/{id}", household, [=](Call call) {
        const application::Actor actor = call.actor();
        std::vector<std::string> ids{call.id()};
        transactions->remove(actor, std::move(ids),
                             answering<std::int64_t>(std::move(call), 200, deleted_form));
    });
    routes.add_write(Method::post, "/v1/transactions:delete", household, ids_of,
                     [=](Call call, std::vector<std::string> ids) {
                         const application::Actor actor = call.actor();
                         transactions->remove(
                             actor, std::move(ids),
                             answering<std::int64_t>(std::move(call), 200, deleted_form));
                     });
}

}  // namespace bascule::api
