#include "household/application/stores/row_values.h"
#include "household/application/use_cases/edits.h"
#include "household/application/use_cases/reports.h"
#include "household/application/use_cases/use_case.h"

namespace bascule::application {

namespace {

Result<Preferences> preferences_of(sql::Session& session, const std::string& user_id) {
    auto found = TRY(session.query_one(
        "select webhook_url, webhook_secret, webhook_enabled, locale, currency from preferences"
        " where user_id = ?1",
        {user_id}, [](const sql::Row& row) {
            return Preferences{row.text(0), row.text(1), row.boolean(2), row.text(3), row.text(4)};
        }));
    return std::move(found).value_or(Preferences{});
}

Result<> check(const Preferences& preferences) {
    TRY(clean_text("webhook.url", preferences.webhook_url, 2000));
    TRY(clean_text("webhook.secret", preferences.webhook_secret, 200));
    TRY(clean_text("locale", preferences.locale, 35));
    const std::string& url = preferences.webhook_url;
    if (!url.empty() && !url.starts_with("http://") && !url.starts_with("https://")) {
        return invalid("webhook.url", "must begin with https:// or http://");
    }
    if (url.empty() && preferences.webhook_enabled) {
        return invalid("webhook.enabled", "needs a url");
    }
    if (!preferences.currency.empty()) {
        auto currency = money::Currency::parse(preferences.currency);
        if (!currency) {
            return invalid("currency", currency.error().message());
        }
    }
    return {};
}

Result<Preferences> put_preferences(UnitOfWork& unit, const Preferences& next) {
    TRY(check(next));
    Preferences current = TRY(preferences_of(unit.session(), unit.user_id()));
    Changes changes;
    changes.set("webhook.url", current.webhook_url, next.webhook_url);
    if (current.webhook_secret != next.webhook_secret) {
        changes.note("webhook.secret", "null", "null");
        current.webhook_secret = next.webhook_secret;
    }
    changes.set("webhook.enabled", current.webhook_enabled, next.webhook_enabled);
    changes.set("locale", current.locale, next.locale);
    changes.set("currency", current.currency, next.currency);
    if (changes.empty()) {
        return current;
    }
    TRY(unit.session().execute(
        "insert into preferences (user_id, webhook_url, webhook_secret, webhook_enabled, locale,"
        " currency, updated_ms) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        " on conflict (user_id) do update set webhook_url = excluded.webhook_url,"
        " webhook_secret = excluded.webhook_secret, webhook_enabled = excluded.webhook_enabled,"
        " locale = excluded.locale, currency = excluded.currency,"
        " updated_ms = excluded.updated_ms",
        {unit.user_id(), current.webhook_url, current.webhook_secret, current.webhook_enabled,
         current.locale, current.currency, to_unix_ms(unit.now())}));
    unit.publish(event::preferences_updated(unit.occasion(), {.changes = changes.list()}));
    return current;
}

}  // namespace

Result<Preferences> PreferenceSettings::get(const std::string& user_id) const {
    const auto snapshot = TRY(environment_.database.read());
    return preferences_of(snapshot.session(), user_id);
}

void PreferenceSettings::put(Actor actor, Preferences preferences,
                             io::Completion<Preferences> done) {
    const Request request = Request("preferences.put")
                                .add(std::string_view(preferences.webhook_url))
                                .add(std::string_view(preferences.webhook_secret))
                                .add(std::int64_t{preferences.webhook_enabled})
                                .add(std::string_view(preferences.locale))
                                .add(std::string_view(preferences.currency));
    const std::string user_id = actor.user_id;
    perform<Preferences>(
        environment_, std::move(actor), request, Weight::light,
        [preferences = std::move(preferences)](UnitOfWork& unit) {
            return put_preferences(unit, preferences);
        },
        [user_id](sql::Session& session, const std::string&) {
            return preferences_of(session, user_id);
        },
        std::move(done));
}

}  // namespace bascule::application
