#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace bascule::application {

/// Which figures an event makes stale, and how urgent that is. The one table of it.
struct AnalyticsTrigger {
    std::string_view event_type;
    std::int32_t priority;  ///< 1 is the best; also the event's lane
    std::span<const std::string_view> analytic_types;
};
std::span<const AnalyticsTrigger> analytics_triggers();

/// nullptr for events that change no figures.
const AnalyticsTrigger* find_trigger(std::string_view event_type);

/// The figures there are: `cash_flow`, `category_trends`.
std::span<const std::string_view> analytic_types();

}  // namespace bascule::application
