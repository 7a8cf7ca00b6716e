#pragma once

#include "bus/broker/handler.h"
#include "household/application/environment.h"
#include "household/application/unit_of_work.h"

namespace bascule::application {

/// Puts what people should know into their inbox and publishes notification.raised, on which
/// channels (webhooks, mail) stand.
///
/// One cause, one notification: an import tells once, however many rows and events it made; an
/// event in chunks tells with its last one; rows that went with their account or file are told of
/// by that one's event alone. Nothing is left for a user who was deleted, however late this
/// consumer is.
class NotificationConsumer final : public broker::Handler {
  public:
    explicit NotificationConsumer(Environment environment) : environment_(environment) {}
    void handle(broker::Delivery delivery, broker::Done done) override;

  private:
    Environment environment_;
};

}  // namespace bascule::application
