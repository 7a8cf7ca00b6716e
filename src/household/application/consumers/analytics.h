#pragma once

#include <optional>

#include "bus/broker/handler.h"
#include "household/application/environment.h"
#include "household/application/stores/analytics_store.h"

namespace bascule::application {

/// Computes a user's figures once for all events of a window, and publishes analytics.computed.
///
/// The worker computes from a snapshot, only the months that the events touch where they tell
/// which; one unit then marks, stores and publishes. An event that arrives meanwhile has a higher
/// generation and leaves its rows marked, so that no change is lost; one that became a letter
/// leaves its months marked until they are computed for it or for a later event.
class AnalyticsConsumer final : public broker::Handler {
  public:
    explicit AnalyticsConsumer(Environment environment) : environment_(environment) {}
    void handle(broker::Delivery delivery, broker::Done done) override;

  private:
    struct Figures {
        AnalyticsScope scope;
        finance::Cells cells;
        std::optional<money::Date> data_through;
    };
    Result<Figures> compute(const broker::DeliveredEvent* first,
                            const broker::DeliveredEvent* end) const;

    Environment environment_;
};

}  // namespace bascule::application
