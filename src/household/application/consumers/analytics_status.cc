#include "household/application/consumers/analytics_status.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "household/application/consumers/analytics_scope.h"
#include "household/application/consumers/payload.h"
#include "household/application/consumers/run.h"
#include "household/application/stores/analytics_months.h"
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

/// The figures of one user that some events make stale.
class StaleMarks {
  public:
    Result<> add(sql::Session& session, const broker::DeliveredEvent& delivered) {
        const AnalyticsTrigger* trigger = find_trigger(delivered.event.event_type);
        if (trigger == nullptr) {
            return {};
        }
        const std::string user_id(delivered.event.user_id);
        const Mark mark{trigger->priority, delivered.offset.value()};
        for (std::string& account_id : TRY(accounts_of(delivered.event))) {
            for (const std::string_view type : trigger->analytic_types) {
                marks_.try_emplace({user_id, type, account_id}, mark).first->second.join(mark);
            }
        }
        TRY(add_months(session, delivered));
        // What concerns no account in particular concerns each that has figures.
        if (delivered.event.event_type.starts_with("category.")) {
            everywhere_.try_emplace(user_id, mark).first->second.join(mark);
        }
        return {};
    }

    Result<> write(sql::Session& session) const {
        for (const auto& [key, events] : months_) {
            AnalyticsMonths months(session, key.first);
            AnalyticsScope scope;
            if (key.second) {
                scope.add(*key.second);
            } else {
                scope.everything = true;
            }
            TRY(months.mark(scope, events));
        }
        std::vector<std::vector<sql::Param>> rows;
        for (const auto& [key, mark] : marks_) {
            const auto& [user_id, type, account_id] = key;
            rows.push_back({user_id, type, account_id, mark.priority, mark.generation});
        }
        TRY(session.execute_many(
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
            " where analytics_status.computed_generation < excluded.generation or exists"
            "  (select 1 from analytics_months where user_id = ?1 and waiting_since is not null)",
            rows));
        for (const auto& [user_id, mark] : everywhere_) {
            TRY(
                session.execute("update analytics_status set computation_needed = 1,"
                                " status = case when last_computed_ms is null then 'pending'"
                                "  else 'stale' end,"
                                " generation = case when generation > ?2 then generation else ?2 "
                                "end where user_id = ?1"
                                " and account_id <> '' and (computed_generation < ?2 or exists"
                                "  (select 1 from analytics_months where user_id = ?1"
                                "   and waiting_since is not null))",
                                {user_id, mark.generation}));
        }
        return {};
    }

  private:
    Result<> add_months(sql::Session& session, const broker::DeliveredEvent& delivered) {
        AnalyticsScope scope;
        TRY(widen(scope, session, delivered.event));
        const std::string user_id(delivered.event.user_id);
        if (scope.everything) {
            add_month({user_id, std::nullopt}, delivered.offset.value());
            return {};
        }
        for (const money::Month month : scope.months) {
            add_month({user_id, month}, delivered.offset.value());
        }
        return {};
    }

    /// Of a user; without a month: all of them.
    using MonthKey = std::pair<std::string, std::optional<money::Month>>;

    void add_month(const MonthKey& key, std::uint64_t offset) {
        auto& events =
            months_.try_emplace(key, AnalyticsMonths::Span{offset, offset}).first->second;
        events = {std::min(events.first, offset), std::max(events.last, offset)};
    }

    struct Mark {
        std::int32_t priority;
        std::uint64_t generation;

        void join(const Mark& other) {
            priority = std::min(priority, other.priority);
            generation = std::max(generation, other.generation);
        }
    };

    std::map<std::tuple<std::string, std::string_view, std::string>, Mark> marks_;
    std::map<std::string, Mark> everywhere_;
    std::map<MonthKey, AnalyticsMonths::Span> months_;
};

}  // namespace

Result<> mark_stale(sql::Session& session, std::span<const broker::DeliveredEvent* const> events) {
    StaleMarks marks;
    for (const broker::DeliveredEvent* delivered : events) {
        TRY(marks.add(session, *delivered));
    }
    return marks.write(session);
}

void AnalyticsStatusMarker::handle(broker::Delivery delivery, broker::Done done) {
    auto run = std::make_shared<Run>(std::move(delivery), std::move(done));
    environment_.writer.submit_patiently(
        [run](sql::Session& session) -> Result<> {
            auto news = TRY(claim_all(session, *run));
            TRY(drop_departed_users(session, news));
            TRY(mark_stale(session, news));
            return keep_position(session, *run);
        },
        [run](const Result<>& result) { run->finish(result); });
}

}  // namespace bascule::application
