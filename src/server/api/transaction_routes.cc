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

Result<std::optional<money::Date>> date_of(const Call& call, std::string_view key) {
    const std::string text = call.query(key);
    if (text.empty()) {
        return std::nullopt;
    }
    auto date = money::Date::parse(text);
    if (!date) {
        return std::unexpected(std::move(date).error().in(key));
    }
    return *date;
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
                "sort is '" + text + "'; date, -date, amount and -amount are allowed");
}

std::optional<std::string> given(std::string text) {
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

Result<application::TransactionFilter> filter_of(const Call& call) {
    return application::TransactionFilter {
        .account_id = call.query("accountId"), .category_id = call.query("categoryId"),
        .file_id = call.query("fileId"), .from = TRY(date_of(call, "from"))
        , .to = TRY(date_of(call, "to"))
        , .text = call.query("text"), .amount_min = given(call.query("minAmount")),
            .amount_max = given(call.query("maxAmount")),
            .uncategorized = call.query("uncategorized") == "true",
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
        return list_form(TRY(transactions->list(call.user_id(), filter, TRY(call.page()))),
                         transaction_form);
    });
    routes.add(Method::post, "/v1/transactions", household, [=](Call call) {
        auto edit = edit_of(call.request().body);
        if (!edit) {
            call.refuse(edit.error());
            return;
        }
        const application::Actor actor = call.actor();
        transactions->create(
            actor, std::move(*edit),
            answering<application::Transaction>(std::move(call), 201, transaction_form));
    });
    routes.add_query("/v1/transactions/{id}", household,
                     [=](const Call& call) -> Result<std::string> {
                         return transaction_form(TRY(transactions->get(call.user_id(), call.id())));
                     });
    routes.add(Method::patch, "/v1/transactions/{id}", household, [=](Call call) {
        auto edit = edit_of(call.request().body);
        if (!edit) {
            call.refuse(edit.error());
            return;
        }
        const application::Actor actor = call.actor();
        const std::string id = call.id();
        transactions->update(
            actor, id, std::move(*edit),
            answering<application::Transaction>(std::move(call), 200, transaction_form));
    });
    routes.add(Method::delete_, "/v1/transactions/{id}", household, [=](Call call) {
        const application::Actor actor = call.actor();
        std::vector<std::string> ids{call.id()};
        transactions->remove(actor, std::move(ids),
                             answering<std::int64_t>(std::move(call), 200, deleted_form));
    });
    routes.add(Method::post, "/v1/transactions:delete", household, [=](Call call) {
        auto body = Body::parse(call.request().body);
        if (!body) {
            call.refuse(body.error());
            return;
        }
        body->need("ids");
        auto ids = body->texts("ids").value_or(std::vector<std::string>());
        if (ids.size() > 10'000) {
            body->fault("ids", "at most 10000 ids are allowed");
        }
        if (auto finished = body->finish(); !finished) {
            call.refuse(finished.error());
            return;
        }
        const application::Actor actor = call.actor();
        transactions->remove(actor, std::move(ids),
                             answering<std::int64_t>(std::move(call), 200, deleted_form));
    });
}

}  // namespace bascule::api
