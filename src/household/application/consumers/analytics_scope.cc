#include "household/application/consumers/analytics_scope.h"

#include "household/application/consumers/payload.h"

namespace bascule::application {

namespace {

constexpr std::int32_t months_max = 1200;

/// A day as text; what is none touches nothing.
void add_day(AnalyticsScope& scope, std::string_view text) {
    if (const auto date = money::Date::parse(text)) {
        scope.add(money::Month::of(*date));
    }
}

Result<> add_day_of_row(AnalyticsScope& scope, sql::Session& session,
                        const std::string& transaction_id) {
    return session.query("select booking_date from transactions where id = ?1", {transaction_id},
                         [&](const sql::Row& row) { add_day(scope, row.text_view(0)); });
}

void add_range(AnalyticsScope& scope, const Payload& payload) {
    const auto first = money::Date::parse(payload.text_at("/dateRange/startDate"));
    const auto last = money::Date::parse(payload.text_at("/dateRange/endDate"));
    if (!first || !last || money::Month::of(*last) - money::Month::of(*first) > months_max) {
        scope.everything = true;
        return;
    }
    scope.add(money::Month::of(*first), money::Month::of(*last));
}

/// A row that moved to another day left a month behind.
void add_changed_days(AnalyticsScope& scope, const Payload& payload) {
    const json::Value* changes = payload.find("changes");
    if (changes == nullptr) {
        return;
    }
    for (const json::Value& change : changes->items()) {
        const json::Value* field = change.find("field");
        if (field == nullptr || field->as_string() != "date") {
            continue;
        }
        for (const char* side : {"oldValue", "newValue"}) {
            const json::Value* value = change.find(side);
            add_day(scope, value == nullptr ? "" : value->as_string().value_or(""));
        }
    }
}

bool moves_no_figure(std::string_view type) {
    // file.processed tells of rows that transactions.created and transaction.updated told of.
    return type == "file.processed" || type == "account.created" || type == "account.updated" ||
           type == "category.updated";
}

}  // namespace

Result<> widen(AnalyticsScope& scope, sql::Session& session, const event::EventView& event) {
    if (scope.everything || moves_no_figure(event.event_type)) {
        return {};
    }
    const Payload payload = TRY(Payload::of(event));
    if (event.event_type == "transactions.created") {
        add_range(scope, payload);
    } else if (event.event_type == "transaction.updated" ||
               event.event_type == "transaction.categorized") {
        add_changed_days(scope, payload);
        TRY(add_day_of_row(scope, session, payload.text("transactionId")));
    } else {
        scope.everything = true;
    }
    return {};
}

}  // namespace bascule::application
