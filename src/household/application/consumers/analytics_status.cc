#include "household/application/consumers/analytics_status.h"

#include <algorithm>

#include "household/application/consumers/payload.h"
#include "household/application/consumers/run.h"
#include "household/application/stores/analytics_types.h"

namespace bascule::application {

namespace {

/// The accounts that an event names, and "" for all accounts together.
Result<std::vector<std::string>> accounts_of(const event::EventView& event) {
    const Payload payload = TRY(Payload::of(event));
    std::vector<std::string> accounts = payload.texts("accountIds");
    accounts.push_back(payload.text("accountId"));
    accounts.push_back(payload.text("previousAccountId"));
    accounts.emplace_back();
    std::ranges::sort(accounts);
    const auto repeated = std::ranges::unique(accounts);
    accounts.erase(repeated.begin(), repeated.end());
    return accounts;
}

/// What concerns no account in particular concerns each that has figures.
Result<> mark_every_account(sql::Session& session, std::string_view user_id, std::uint64_t offset) {
    TRY(session.execute(
        "update analytics_status set computation_needed = 1,"
        " status = case when last_computed_ms is null then 'pending' else 'stale' end,"
        " generation = case when generation > ?2 then generation else ?2 end where user_id = ?1 "
        "and account_id <> '' and computed_generation < ?2",
        {user_id, offset}));
    return {};
}

}  // namespace

Result<> mark_stale(sql::Session& session, const broker::DeliveredEvent& delivered) {
    const event::EventView& event = delivered.event;
    const AnalyticsTrigger* trigger = find_trigger(event.event_type);
    if (trigger == nullptr) {
        return {};
    }
    for (const std::string& account_id : TRY(accounts_of(event))) {
        for (const std::string_view type : trigger->analytic_types) {
            TRY(session.execute(
                "insert into analytics_status (user_id, analytic_type, account_id,"
                " computation_needed, processing_priority, status, generation)"
                " values (?1, ?2, ?3, 1, ?4, 'pending', ?5)"
                " on conflict (user_id, analytic_type, account_id) do update set"
                " processing_priority = case when analytics_status.computation_needed = 1"
                "  and analytics_status.processing_priority < excluded.processing_priority"
                "  then analytics_status.processing_priority else excluded.processing_priority end,"
                " computation_needed = 1,"
                " status = case when analytics_status.last_computed_ms is null then 'pending'"
                "  else 'stale' end,"
                " generation = case when analytics_status.generation > excluded.generation"
                "  then analytics_status.generation else excluded.generation end"
                // Figures may be computed before the marker comes to an event that they hold.
                " where analytics_status.computed_generation < excluded.generation",
                {event.user_id, type, account_id, trigger->priority, delivered.offset.value()}));
        }
    }
    if (event.event_type.starts_with("category.")) {
        TRY(mark_every_account(session, event.user_id, delivered.offset.value()));
    }
    return {};
}

void AnalyticsStatusMarker::handle(broker::Delivery delivery, broker::Done done) {
    auto run = std::make_shared<Run>(std::move(delivery), std::move(done));
    environment_.writer.submit_patiently(
        [run](sql::Session& session) -> Result<> {
            for (const broker::DeliveredEvent& delivered : run->events()) {
                if (TRY(claim(session, run->consumer(), delivered)) == sql::inbox::Claim::fresh) {
                    TRY(mark_stale(session, delivered));
                }
            }
            return keep_position(session, *run);
        },
        [run](Result<> result) { run->finish(result); });
}

}  // namespace bascule::application
