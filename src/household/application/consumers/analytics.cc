#include "household/application/consumers/analytics.h"

#include <algorithm>

#include "household/application/consumers/analytics_status.h"
#include "household/application/consumers/payload.h"
#include "household/application/consumers/run.h"

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

std::uint64_t last_offset(const Run& run) {
    std::uint64_t last = 0;
    for (const broker::DeliveredEvent& delivered : run.events()) {
        last = std::max(last, delivered.offset.value());
    }
    return last;
}

/// The chain that all events of the window belong to, if it is one.
bool share_a_chain(const Run& run) {
    return std::ranges::all_of(run.events(), [&](const broker::DeliveredEvent& delivered) {
        return event::correlation_of(delivered.event) == event::correlation_of(run.event());
    });
}

/// By priority, the best first; then by name.
Result<std::vector<std::string>> types_needed(sql::Session& session, const std::string& user_id) {
    std::vector<std::string> types;
    TRY(
        session.query("select analytic_type from analytics_status where user_id = ?1"
                      " and computation_needed = 1 group by analytic_type"
                      " order by min(processing_priority), analytic_type",
                      {user_id}, [&](const sql::Row& row) { types.push_back(row.text(0)); }));
    return types;
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

void AnalyticsConsumer::handle(broker::Delivery delivery, broker::Done done) {
    auto run = std::make_shared<Run>(std::move(delivery), std::move(done));
    auto figures = compute(run->events().data(), run->events().data() + run->events().size());
    if (!figures) {
        run->finish(std::unexpected(std::move(figures).error()));
        return;
    }
    environment_.writer.submit_patiently(
        [run, &clock = environment_.clock,
         figures = *std::move(figures)](sql::Session& session) -> Result<> {
            const auto news = TRY(claim_all(session, *run));
            TRY(mark_stale(session, news));
            TRY(keep_position(session, *run));
            UnitOfWork unit(session, run->consumer(), run->event(), clock.wall());
            const auto types = TRY(types_needed(session, unit.user_id()));
            if (news.empty() || types.empty()) {
                return {};
            }
            AnalyticsStore store(session, unit.user_id());
            TRY(store.replace(figures.scope, figures.cells));
            TRY(store.note_computed(last_offset(*run), unit.now()));
            event::Occasion occasion = unit.occasion();
            if (!share_a_chain(*run)) {
                occasion.correlation_id = occasion.event_id;
            }
            unit.publish(event::analytics_computed(
                occasion,
                {.analytic_types = types,
                 .data_through = figures.data_through ? figures.data_through->to_text() : "",
                 .generation = static_cast<std::int64_t>(last_offset(*run))}));
            return unit.finish();
        },
        [run](const Result<>& result) { run->finish(result); });
}

Result<AnalyticsConsumer::Figures> AnalyticsConsumer::compute(
    const broker::DeliveredEvent* first, const broker::DeliveredEvent* end) const {
    auto snapshot = TRY(environment_.database.read());
    AnalyticsStore store(snapshot.session(), std::string(first->event.user_id));
    Figures figures;
    figures.scope.everything = !TRY(store.was_ever_computed());
    for (const auto* delivered = first; delivered != end; ++delivered) {
        TRY(widen(figures.scope, snapshot.session(), delivered->event));
    }
    figures.cells = TRY(store.compute(figures.scope));
    figures.data_through = TRY(store.data_through());
    return figures;
}

}  // namespace bascule::application
