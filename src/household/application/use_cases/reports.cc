#include "household/application/use_cases/reports.h"

#include <algorithm>

#include "household/application/stores/account_store.h"
#include "household/application/stores/analytics_store.h"
#include "household/application/stores/analytics_types.h"
#include "household/application/stores/category_store.h"
#include "household/application/stores/row_values.h"

namespace bascule::application {

namespace {

constexpr std::string_view status_columns =
    "analytic_type, account_id, computation_needed, processing_priority, status, last_computed_ms,"
    " data_through, generation";

Result<AnalyticsStatus> status_of(const sql::Row& row) {
    return AnalyticsStatus {
        .analytic_type = row.text(0), .account_id = row.text(1),
        .computation_needed = row.boolean(2),
        .processing_priority = static_cast<std::int32_t>(row.integer(3)), .status = row.text(4),
        .last_computed = time_or_none(row, 5), .data_through = TRY(date_or_none(row, 6))
        , .generation = static_cast<std::uint64_t>(row.integer(7))
    };
}

Result<> check(const ReportRequest& request, sql::Session& session, const std::string& user_id) {
    if (std::ranges::find(analytic_types(), request.type) == analytic_types().end()) {
        return fail(
            ErrorKind::not_found,
            "type: \"" + request.type + "\" is not computed; cash_flow and category_trends are");
    }
    if (request.from && request.to && *request.to < *request.from) {
        return fail(ErrorKind::invalid, "to: " + request.to->to_text() + " is before from (" +
                                            request.from->to_text() + ")");
    }
    if (!request.account_id.empty() &&
        !TRY(AccountStore(session, user_id).find(request.account_id))) {
        return not_found("account", request.account_id);
    }
    return {};
}

/// Stored months, and the days of months that the span cuts as they are now.
Result<finance::Cells> cells_of(AnalyticsStore& store, const ReportRequest& request) {
    if (!request.from && !request.to) {
        return store.load(std::nullopt, std::nullopt);
    }
    const auto parts = finance::parts_of({
        request.from.value_or(TRY(money::Date::create(1, 1, 1))),
            request.to.value_or(TRY(money::Date::create(9999, 12, 31)))
    });
    finance::Cells cells;
    if (parts.first) {
        cells = TRY(store.load(parts.first, parts.last));
    }
    for (const money::DateSpan& edge : parts.edges) {
        const auto days = TRY(store.compute(edge));
        for (const auto& [key, cell] : days.map()) {
            cells.add(key, cell);
        }
    }
    return cells;
}

/// How fresh the figures are. Without a mark they are fresh only if there is nothing to compute.
Result<> add_freshness(Report& report, sql::Session& session, const std::string& user_id,
                       const std::string& account_id) {
    bool is_known = false;
    const auto read = [&](const sql::Row& row) -> Result<> {
        const AnalyticsStatus status = TRY(status_of(row));
        is_known = true;
        report.computed_at = status.last_computed;
        report.data_through = status.data_through;
        report.stale = status.computation_needed;
        return {};
    };
    static const std::string statement =
        "select " + std::string(status_columns) +
        " from analytics_status where user_id = ?1 and analytic_type = ?2 and account_id = ?3";
    TRY(session.query(statement, {user_id, report.type, account_id}, read));
    if (!is_known && !account_id.empty()) {
        TRY(session.query(statement, {user_id, report.type, ""}, read));
    }
    if (!is_known) {
        report.stale = TRY(session.query_integer(
            "select count(*) from (select 1 from transactions where user_id = ?1"
            " limit 1) as one_row",
            {user_id}))
        > 0;
    }
    return {};
}

}  // namespace

Result<Report> Reports::report(const std::string& user_id, const ReportRequest& request) const {
    auto snapshot = TRY(environment_.database.read());
    TRY(check(request, snapshot.session(), user_id));
    finance::ReportOptions options{.kind = request.period, .account_id = request.account_id};
    if (!request.currency.empty()) {
        options.currency = TRY(money::Currency::parse(request.currency));
    }
    AnalyticsStore store(snapshot.session(), user_id);
    const auto cells = TRY(cells_of(store, request));
    const auto tree = TRY(CategoryStore(snapshot.session(), user_id).tree());

    Report report{.type = request.type, .period = request.period};
    TRY(add_freshness(report, snapshot.session(), user_id, request.account_id));
    if (request.type == "cash_flow") {
        report.cash_flow = finance::cash_flow(cells, tree, options);
    } else {
        report.category_trends = finance::category_trends(cells, tree, options);
    }
    return report;
}

Result<std::vector<AnalyticsStatus>> Reports::status(const std::string& user_id) const {
    auto snapshot = TRY(environment_.database.read());
    std::vector<AnalyticsStatus> rows;
    TRY(snapshot->query("select " + std::string(status_columns) +
                            " from analytics_status where user_id = ?1"
                            " order by analytic_type, account_id",
                        {user_id}, [&](const sql::Row& row) -> Result<> {
                            rows.push_back(TRY(status_of(row)));
                            return {};
                        }));
    return rows;
}

}  // namespace bascule::application
