#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "household/finance/category_tree.h"
#include "household/finance/cells.h"
#include "household/finance/period.h"

/// The figures. Formulas: docs/reference/analytics.md.
namespace bascule::finance {

/// What a report is about. Months bound what is counted, both included; for `range` they are left
/// open and the cells hold exactly the range (see parts_of).
struct ReportOptions {
    PeriodKind kind = PeriodKind::month;
    std::optional<money::Month> first;
    std::optional<money::Month> last;
    std::string account_id;                   ///< empty: all
    std::optional<money::Currency> currency;  ///< nothing: each on its own line
};

/// One period and currency. Amounts are exact minor units; money_text makes text of them.
struct CashFlowLine {
    std::string period;
    money::Currency currency;
    money::Int128 income = 0;  ///< net of INCOME categories, and uncategorised money in
    money::Int128 expenses =
        0;                  ///< positive: net of EXPENSE categories, and uncategorised money out
    money::Int128 net = 0;  ///< income − expenses = money_in − money_out
    money::Int128 money_in = 0;   ///< the positive amounts, refunds included
    money::Int128 money_out = 0;  ///< positive: the negative amounts
    std::int64_t count = 0;
    std::int64_t uncategorised_count = 0;
    std::int64_t unknown_category_count =
        0;                            ///< of a category that does not exist; as uncategorised
    std::int64_t transfer_count = 0;  ///< left out of everything above
    friend bool operator==(const CashFlowLine&, const CashFlowLine&) = default;
};

/// In order of period, then currency. A period without rows has no line.
std::vector<CashFlowLine> cash_flow(const Cells& cells, const CategoryTree& categories,
                                    const ReportOptions& options);

/// One category in one period and currency.
struct CategoryLine {
    std::string period;
    money::Currency currency;
    std::string category_id;  ///< empty: no category
    std::optional<CategoryType> type;
    money::Int128 total = 0;  ///< signed: spending is negative, a refund brings it nearer to zero
    money::Int128 total_with_children = 0;
    std::int64_t count = 0;  ///< rows of the category itself
    friend bool operator==(const CategoryLine&, const CategoryLine&) = default;
};

/// In order of period, currency, category. TRANSFER categories are left out. A parent has a line
/// also when only its children have rows.
std::vector<CategoryLine> category_trends(const Cells& cells, const CategoryTree& categories,
                                          const ReportOptions& options);

}  // namespace bascule::finance
