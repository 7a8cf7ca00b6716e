#include "household/application/stores/analytics_store.h"

#include <algorithm>

#include "household/application/stores/analytics_months.h"
#include "household/application/stores/row_values.h"

namespace bascule::application {

namespace {

/// Sums are made of two halves, so that no amount of rows can overflow the database's 64 bits.
constexpr std::int64_t half = 1'000'000'000;

money::Int128 joined(std::int64_t high, std::int64_t low) {
    return money::Int128{high} * half + low;
}

constexpr std::string_view compute_statement =
    "select substr(booking_date, 1, 7), currency, account_id,"
    " case when assignment_type = 'suggested' then '' else category_id end,"
    " sum(case when amount_minor > 0 then amount_minor / 1000000000 else 0 end),"
    " sum(case when amount_minor > 0 then amount_minor % 1000000000 else 0 end),"
    " sum(case when amount_minor > 0 then 0 else amount_minor / 1000000000 end),"
    " sum(case when amount_minor > 0 then 0 else amount_minor % 1000000000 end),"
    " sum(case when amount_minor > 0 then 1 else 0 end),"
    " sum(case when amount_minor > 0 then 0 else 1 end)"
    " from transactions where user_id = ?1 and booking_date >= ?2 and booking_date <= ?3"
    " and status <> 'pending' group by 1, 2, 3, 4";

Result<finance::CellKey> key_of(const sql::Row& row) {
    const auto month = money::Month::parse(row.text_view(0));
    if (!month) {
        return fail(ErrorKind::corrupt, "the database holds the month " + row.text(0));
    }
    return finance::CellKey {
        *month, TRY(currency_of(row.text_view(1)))
        , row.text(2), row.text(3)
    };
}

Result<money::Int128> sum_of(std::string_view text) {
    const auto sum = money::Decimal::parse(text);
    if (!sum || sum->scale() != 0) {
        return fail(ErrorKind::corrupt, "the database holds the sum " + std::string(text));
    }
    return sum->units();
}

}  // namespace

void AnalyticsScope::add(money::Month first, money::Month last) {
    for (std::int32_t i = 0; i <= last - first; ++i) {
        months.insert(first.plus(i));
    }
}

Result<> AnalyticsStore::add_computed(finance::Cells& cells, const std::string& first,
                                      const std::string& last) {
    return session_.query(
        compute_statement, {user_id_, first, last}, [&](const sql::Row& row) -> Result<> {
            cells.add(TRY(key_of(row)), {.in = joined(row.integer(4), row.integer(5)),
                                         .out = joined(row.integer(6), row.integer(7)),
                                         .in_count = row.integer(8),
                                         .out_count = row.integer(9)});
            return {};
        });
}

Result<finance::Cells> AnalyticsStore::compute(const AnalyticsScope& scope) {
    finance::Cells cells;
    if (scope.everything) {
        TRY(add_computed(cells, "0001-01-01", "9999-12-31"));
        return cells;
    }
    for (auto month = scope.months.begin(); month != scope.months.end();) {
        const money::Month first = *month;
        money::Month last = first;
        while (++month != scope.months.end() && *month - last == 1) {
            last = *month;
        }
        TRY(add_computed(cells, first.first_day().to_text(), last.last_day().to_text()));
    }
    return cells;
}

Result<finance::Cells> AnalyticsStore::compute(money::DateSpan span) {
    finance::Cells cells;
    TRY(add_computed(cells, span.first.to_text(), span.last.to_text()));
    return cells;
}

Result<finance::Cells> AnalyticsStore::load(std::optional<money::Month> first,
                                            std::optional<money::Month> last) {
    finance::Cells cells;
    TRY(session_.query(
        "select month, currency, account_id, category_id, in_minor, out_minor, in_count, out_count"
        " from analytics_cells where user_id = ?1 and month >= ?2 and month <= ?3",
        {user_id_, first ? first->to_text() : "0000-00", last ? last->to_text() : "9999-99"},
        [&](const sql::Row& row) -> Result<> {
            cells.add(TRY(key_of(row)), {
                .in = TRY(sum_of(row.text_view(4)))
                , .out = TRY(sum_of(row.text_view(5)))
                , .in_count = row.integer(6), .out_count = row.integer(7)
            });
            return {};
        }));
    return cells;
}

Result<> AnalyticsStore::replace(const AnalyticsScope& scope, const finance::Cells& cells) {
    if (scope.everything) {
        TRY(session_.execute("delete from analytics_cells where user_id = ?1", {user_id_}));
    }
    for (const money::Month month : scope.months) {
        TRY(session_.execute("delete from analytics_cells where user_id = ?1 and month = ?2",
                             {user_id_, month.to_text()}));
    }
    for (const auto& [key, cell] : cells.map()) {
        TRY(session_.execute(
            "insert into analytics_cells (user_id, month, currency, account_id, category_id,"
            " in_minor, out_minor, in_count, out_count)"
            " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            {user_id_, key.month.to_text(), key.currency.code(), key.account_id, key.category_id,
             money::decimal_text(cell.in, 0), money::decimal_text(cell.out, 0), cell.in_count,
             cell.out_count}));
    }
    return {};
}

Result<bool> AnalyticsStore::was_ever_computed() {
    return TRY(
        session_.query_integer("select count(*) from analytics_status where user_id = ?1"
                               " and last_computed_ms is not null",
                               {user_id_}))
    > 0;
}

/// Everything up to this offset is in the figures, given that `generation` is in what it touched.
Result<std::int64_t> AnalyticsStore::computed_through(std::uint64_t generation) {
    const std::int64_t highest =
        std::max(static_cast<std::int64_t>(generation),
                 TRY(session_.query_integer("select coalesce(max(computed_generation), -1)"
                                            " from analytics_status where user_id = ?1",
                                            {user_id_})));
    const auto waiting_since = TRY(AnalyticsMonths(session_, user_id_).waiting_since());
    return waiting_since ? std::min(highest, *waiting_since - 1) : highest;
}

Result<> AnalyticsStore::note_computed(const AnalyticsScope& scope, std::uint64_t generation,
                                       WallTime now) {
    TRY(AnalyticsMonths(session_, user_id_).note_computed(scope, generation));
    const std::int64_t through = TRY(computed_through(generation));
    TRY(
        session_.execute("delete from analytics_status where user_id = ?1 and account_id <> ''"
                         " and account_id not in (select id from accounts where user_id = ?1)",
                         {user_id_}));
    TRY(
        session_.execute("update analytics_status set"
                         " computation_needed = case when generation > ?4"
                         "  then computation_needed else 0 end,"
                         " status = case when generation > ?4 and computation_needed = 1"
                         "  then 'stale' else 'completed' end,"
                         " computed_generation = case when computed_generation > ?2"
                         "  then computed_generation else ?2 end,"
                         " last_computed_ms = ?3 where user_id = ?1",
                         {user_id_, generation, to_unix_ms(now), through}));
    TRY(
        session_.execute("update analytics_status set data_through = (select max(booking_date)"
                         " from transactions where transactions.user_id = ?1)"
                         " where user_id = ?1 and account_id = ''",
                         {user_id_}));
    TRY(
        session_.execute("update analytics_status set data_through = (select max(booking_date)"
                         " from transactions where transactions.user_id = ?1"
                         " and transactions.account_id = analytics_status.account_id)"
                         " where user_id = ?1 and account_id <> ''",
                         {user_id_}));
    return {};
}

Result<std::optional<money::Date>> AnalyticsStore::data_through() {
    std::optional<money::Date> through;
    TRY(session_.query("select max(booking_date) from transactions where user_id = ?1", {user_id_},
                       [&](const sql::Row& row) -> Result<> {
                           through = TRY(date_or_none(row, 0));
                           return {};
                       }));
    return through;
}

}  // namespace bascule::application
