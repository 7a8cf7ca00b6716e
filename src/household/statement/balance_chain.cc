#include "household/statement/balance_chain.h"

#include "household/money/money.h"

namespace bascule::statement {

namespace {

using Link = BalanceChain::Link;

/// How much of the later balance neither the earlier one nor the row explains.
money::Int128 gap(const Link& earlier, const Link& later) {
    return money::Int128{later.balance} - earlier.balance - later.amount;
}

std::string text_of(money::Int128 minor, const money::Currency& currency) {
    return money::decimal_text(minor, currency.exponent());
}

void warn(const Link& earlier, const Link& later, Report& report) {
    report.warn(later.line, "balance_gap",
                "the balance " + text_of(later.balance, later.currency) + " does not follow from " +
                    text_of(earlier.balance, earlier.currency) + " in line " +
                    std::to_string(earlier.line) + " and the amount " +
                    text_of(later.amount, later.currency) + ": a difference of " +
                    text_of(gap(earlier, later), later.currency));
}

}  // namespace

void BalanceChain::check(Report& report) const {
    std::size_t oldest_first = 0;
    std::size_t newest_first = 0;
    for (std::size_t i = 1; i < links_.size(); ++i) {
        oldest_first += gap(links_[i - 1], links_[i]) == 0 ? 1 : 0;
        newest_first += gap(links_[i], links_[i - 1]) == 0 ? 1 : 0;
    }
    const std::size_t pairs = links_.empty() ? 0 : links_.size() - 1;
    const std::size_t following = std::max(oldest_first, newest_first);
    if (following == pairs) {
        return;
    }
    if (2 * following < pairs) {
        report.warn(0, "balance_gap",
                    "only " + std::to_string(following) + " of " + std::to_string(pairs) +
                        " balances follow from the one before and the row's amount; rows are "
                        "missing, or the column is no running balance");
        return;
    }
    for (std::size_t i = 1; i < links_.size(); ++i) {
        const bool forward = oldest_first >= newest_first;
        const Link& earlier = links_[forward ? i - 1 : i];
        const Link& later = links_[forward ? i : i - 1];
        if (gap(earlier, later) != 0) {
            warn(earlier, later, report);
        }
    }
}

}  // namespace bascule::statement
