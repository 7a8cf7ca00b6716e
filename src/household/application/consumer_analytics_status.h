#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bus/broker/handler.h"
#include "foundation/sql/session.h"
#include "household/application/environment.h"

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

/// Marks what the event makes stale, for its accounts and for all accounts together: computation
/// needed, the best priority so far, generation = max(generation, offset). Marking twice is marking
/// once.
Result<> mark_stale(sql::Session& session, const broker::DeliveredEvent& delivered);

/// Marks at once, so that figures are known to be stale before they are computed.
class AnalyticsStatusMarker final : public broker::Handler {
  public:
    explicit AnalyticsStatusMarker(Environment environment) : environment_(environment) {}
    void handle(broker::Delivery delivery, broker::Done done) override;

  private:
    Environment environment_;
};

}  // namespace bascule::application
