#include "foundation/json/writer.h"
#include "server/api/body.h"
#include "server/api/call.h"
#include "server/api/forms.h"

namespace bascule::api {

namespace {

Result<std::string> report(const application::Household& household, const Call& call) {
    application::ReportRequest request {
        .type = call.request().parameter("type"), .from = TRY(call.date("from"))
        , .to = TRY(call.date("to"))
        , .account_id = call.query("accountId"), .currency = call.query("currency")
    };
    if (const std::string period = call.query("period"); !period.empty()) {
        request.period = TRY(finance::parse_period_kind(period));
    }
    const auto report = TRY(household.reports.report(call.user_id(), request));
    return report_form(report, TRY(household.categories.tree(call.user_id())));
}

Result<application::Preferences> preferences_of(const std::string& text) {
    Body body = TRY(Body::parse(text));
    application::Preferences preferences{.locale = body.text("locale").value_or(""),
                                         .currency = body.text("currency").value_or("")};
    const auto webhook = body.raw("webhook");
    TRY(body.finish());
    if (webhook) {
        Body channel = TRY(Body::parse(*webhook));
        channel.need("url");
        preferences.webhook_url = channel.text("url").value_or("");
        preferences.webhook_secret = channel.text("secret").value_or("");
        preferences.webhook_enabled = channel.flag("enabled").value_or(true);
        if (auto finished = channel.finish(); !finished) {
            return std::unexpected(std::move(finished).error().in("/webhook"));
        }
    }
    return preferences;
}

}  // namespace

void add_report_routes(Routes& routes) {
    using http::Method;
    constexpr auto member = auth::Permission::household;
    const Services* services = &routes.services();
    application::Household* household = &services->household;

    routes.add_query("/v1/analytics", member, [=](const Call& call) -> Result<std::string> {
        return whole_list_form(TRY(household->reports.status(call.user_id())),
                               analytics_status_form);
    });
    routes.add_query("/v1/analytics/{type}", member,
                     [=](const Call& call) { return report(*household, call); });
    routes.add(Method::post, "/v1/analytics:refresh", member, [=](Call call) {
        services->bus.flush("analytics", [call = std::move(call)](Result<> flushed) mutable {
            if (flushed) {
                call.answer(202, R"({"refreshing":true})");
            } else {
                call.refuse(flushed.error());
            }
        });
    });
    routes.add_query("/v1/notifications", member, [=](const Call& call) -> Result<std::string> {
        return list_form(call.listing(),
                         TRY(household->notifications.list(
                             call.user_id(), call.query("unread") == "true", TRY(call.page()))),
                         notification_form);
    });
    routes.add(Method::post, "/v1/notifications/{id}:read", member, [=](Call call) {
        const application::Actor actor = call.actor();
        const std::string id = call.id();
        household->notifications.mark_read(
            actor, id,
            answering<application::Notification>(std::move(call), 200, notification_form));
    });
    routes.add_query("/v1/preferences", member, [=](const Call& call) -> Result<std::string> {
        return preferences_form(TRY(household->preferences.get(call.user_id())));
    });
    routes.add_write(Method::put, "/v1/preferences", member, preferences_of,
                     [=](Call call, application::Preferences preferences) {
                         const application::Actor actor = call.actor();
                         household->preferences.put(actor, std::move(preferences),
                                                    answering<application::Preferences>(
                                                        std::move(call), 200, preferences_form));
                     });
}

}  // namespace bascule::api
