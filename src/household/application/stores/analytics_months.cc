#include "household/application/stores/analytics_months.h"

namespace bascule::application {

namespace {

/// Stands for all months together.
const std::string every_month;

}  // namespace

Result<> AnalyticsMonths::mark(const AnalyticsScope& scope, Span events) {
    if (scope.everything) {
        return mark_month(every_month, events);
    }
    for (const money::Month month : scope.months) {
        TRY(mark_month(month.to_text(), events));
    }
    return {};
}

Result<> AnalyticsMonths::note_computed(const AnalyticsScope& scope, std::uint64_t generation) {
    if (scope.everything) {
        TRY(
            session_.execute("delete from analytics_months where user_id = ?1"
                             " and generation <= ?2 and computed_generation <= ?2",
                             {user_id_, generation}));
        // Of the others events are waiting that are not in this computation.
        TRY(
            session_.execute("update analytics_months set waiting_since = ?2 + 1"
                             " where user_id = ?1 and waiting_since <= ?2 and generation > ?2",
                             {user_id_, generation}));
        TRY(
            session_.execute("update analytics_months set waiting_since = null"
                             " where user_id = ?1 and generation <= ?2",
                             {user_id_, generation}));
        return note_month(every_month, generation);
    }
    for (const money::Month month : scope.months) {
        TRY(note_month(month.to_text(), generation));
    }
    return {};
}

Result<std::optional<std::int64_t>> AnalyticsMonths::waiting_since() {
    return session_.query_one(
        "select waiting_since from analytics_months where user_id = ?1"
        " and waiting_since is not null order by waiting_since limit 1",
        {user_id_}, [](const sql::Row& row) { return row.integer(0); });
}

Result<> AnalyticsMonths::mark_month(const std::string& month, Span events) {
    TRY(session_.execute(
        "insert into analytics_months"
        " (user_id, month, waiting_since, generation, computed_generation)"
        " select ?1, ?2, ?3, ?4, -1 where coalesce((select max(computed_generation)"
        "  from analytics_months where user_id = ?1 and month in (?2, '')), -1) < ?4"
        " on conflict (user_id, month) do update set"
        " waiting_since = case when analytics_months.waiting_since < excluded.waiting_since"
        "  then analytics_months.waiting_since else excluded.waiting_since end,"
        " generation = case when analytics_months.generation > excluded.generation"
        "  then analytics_months.generation else excluded.generation end",
        {user_id_, month, events.first, events.last}));
    return {};
}

Result<> AnalyticsMonths::note_month(const std::string& month, std::uint64_t generation) {
    TRY(session_.execute(
        "insert into analytics_months"
        " (user_id, month, waiting_since, generation, computed_generation)"
        " values (?1, ?2, null, -1, ?3)"
        " on conflict (user_id, month) do update set"
        " waiting_since = case when analytics_months.generation <= ?3 then null"
        "  when analytics_months.waiting_since > ?3 then analytics_months.waiting_since"
        "  when analytics_months.waiting_since is null then null else ?3 + 1 end,"
        " computed_generation = case when analytics_months.computed_generation > ?3"
        "  then analytics_months.computed_generation else ?3 end",
        {user_id_, month, generation}));
    return {};
}

}  // namespace bascule::application
