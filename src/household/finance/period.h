#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "household/money/date.h"

namespace bascule::finance {

/// What one line of a report covers.
enum class PeriodKind : std::uint8_t { month, quarter, year, range, overall };

std::string_view name(PeriodKind kind);
Result<PeriodKind> parse_period_kind(std::string_view text);

/// `2025-03`, `2025-Q1`, `2025`; `range` and `overall` give their own name.
std::string period_label(PeriodKind kind, money::Month month);

/// Days as whole months, which cells answer, and what is left over at the ends, which only rows do.
struct RangeParts {
    std::optional<money::Month> first;  ///< whole months, both included; nothing if there is none
    std::optional<money::Month> last;
    std::vector<money::DateSpan> edges;  ///< at most two
};
RangeParts parts_of(money::DateSpan span);

}  // namespace bascule::finance
