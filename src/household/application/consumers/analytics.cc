#include "household/application/consumers/analytics.h"

#include <algorithm>

#include "household/application/consumers/analytics_scope.h"
#include "household/application/consumers/analytics_status.h"
#include "household/application/consumers/run.h"

namespace bascule::application {

namespace {

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
            auto news = TRY(claim_all(session, *run));
            TRY(drop_departed_users(session, news));
            TRY(mark_stale(session, news));
            TRY(keep_position(session, *run));
            auto unit =
                TRY(UnitOfWork::following(session, run->consumer(), run->event(), clock.wall()));
            const auto types = TRY(types_needed(session, unit.user_id()));
            if (news.empty()) {
                return {};
            }
            AnalyticsStore store(session, unit.user_id());
            TRY(store.replace(figures.scope, figures.cells));
            TRY(store.note_computed(figures.scope, last_offset(*run), unit.now()));
            if (types.empty()) {
                return {};  // nobody waited for these figures
            }
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
