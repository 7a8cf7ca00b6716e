#include "household/application/stores/analytics_types.h"

#include <algorithm>
#include <array>

namespace bascule::application {

namespace {

constexpr std::array<std::string_view, 2> all_types = {"cash_flow", "category_trends"};

constexpr std::array<AnalyticsTrigger, 16> triggers = {{
    {"account.deleted", 1, all_types},
    {"file.processed", 2, all_types},
    {"transactions.created", 2, all_types},
    {"transactions.deleted", 2, all_types},
    {"transaction.updated", 3, all_types},
    {"account.created", 3, all_types},
    {"account.updated", 3, all_types},
    // Whether a row is a transfer is its category's matter, so categories move cash flow too.
    {"transaction.categorized", 3, all_types},
    {"category.updated", 3, all_types},
    {"category.deleted", 3, all_types},
    {"file.associated", 3, all_types},
    {"import.reverted", 3, all_types},
    {"file.deleted", 3, all_types},
    {"transfer.confirmed", 3, all_types},
    {"transfer.rejected", 3, all_types},
    {"restore.completed", 3, all_types},
}};

}  // namespace

std::span<const AnalyticsTrigger> analytics_triggers() { return triggers; }

const AnalyticsTrigger* find_trigger(std::string_view event_type) {
    const auto found = std::ranges::find(triggers, event_type, &AnalyticsTrigger::event_type);
    return found == triggers.end() ? nullptr : &*found;
}

std::span<const std::string_view> analytic_types() { return all_types; }

}  // namespace bascule::application
