#pragma once

#include <span>

#include "bus/broker/handler.h"
#include "foundation/sql/session.h"
#include "household/application/environment.h"

namespace bascule::application {

/// Marks what the events make stale, for their accounts and for all accounts together: computation
/// needed, the best priority so far, generation = max(generation, offset); and the months that they
/// touch. Marking twice is marking once. Cost: some statements for each account and month that is
/// named, however many events there are, and a look at each row that an event names.
Result<> mark_stale(sql::Session& session, std::span<const broker::DeliveredEvent* const> events);

/// Marks at once, so that figures are known to be stale before they are computed.
class AnalyticsStatusMarker final : public broker::Handler {
  public:
    explicit AnalyticsStatusMarker(Environment environment) : environment_(environment) {}
    void handle(broker::Delivery delivery, broker::Done done) override;

  private:
    Environment environment_;
};

}  // namespace bascule::application
