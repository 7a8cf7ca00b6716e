#pragma once

#include "bus/broker/handler.h"
#include "household/application/stores/audit_trail.h"

namespace bascule::application {

/// Keeps every event, whole, in the audit trail; a batch is one transaction of audit.db.
///
/// Each record of the log is kept once, also when it is delivered again or replayed. Never gives
/// up: what the database cannot take now it takes later (`suspended`).
class AuditConsumer final : public broker::Handler {
  public:
    explicit AuditConsumer(AuditTrail& trail) : trail_(trail) {}
    void handle(broker::Delivery delivery, broker::Done done) override;

  private:
    AuditTrail& trail_;
};

}  // namespace bascule::application
