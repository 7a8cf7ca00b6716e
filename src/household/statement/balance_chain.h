#pragma once

#include <cstdint>
#include <vector>

#include "household/money/currency.h"
#include "household/statement/report.h"

namespace bascule::statement {

/// The balances that a file states behind its rows: whether each follows from the one before and
/// the row's amount. A row that is missing or was not taken shows as a gap.
class BalanceChain {
  public:
    struct Link {
        std::uint64_t line = 0;
        std::int64_t amount = 0;
        std::int64_t balance = 0;  ///< after the row
        money::Currency currency;
    };

    /// In file order: oldest or newest row first.
    void add(const Link& link) { links_.push_back(link); }

    /// Warns of each gap (`balance_gap`); once of a column that mostly does not follow the amounts.
    void check(Report& report) const;

  private:
    std::vector<Link> links_;
};

}  // namespace bascule::statement
