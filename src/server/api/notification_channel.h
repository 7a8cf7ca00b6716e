#pragma once

#include "bus/broker/consumer_config.h"
#include "bus/broker/handler.h"
#include "household/application/use_cases/reports.h"
#include "server/http/client.h"

namespace bascule::api {

/// Carries notifications to the webhooks that users switched on in their preferences: a consumer of
/// notification.raised. A user without one costs a look at the preferences.
///
/// The request and what an answer means are those of any HTTP consumer
/// (docs/reference/webhooks.md), signed with the user's secret. A user's failing endpoint holds up
/// that user's notifications only.
///
/// Threads: any. Lifetime: everything given outlives it.
class NotificationChannel final : public broker::Handler {
  public:
    /// `client` must refuse private networks: users choose the URL.
    NotificationChannel(const application::PreferenceSettings& preferences, http::Client& client,
                        const Clock& clock)
        : preferences_(preferences), client_(client), clock_(clock) {}

    void handle(broker::Delivery delivery, broker::Done done) override;

    /// Adds the consumer and its rule to the built-in ones.
    static void add_to(broker::BusConfig& config);
    static constexpr const char* name = "notification_webhook";

  private:
    const application::PreferenceSettings& preferences_;
    http::Client& client_;
    const Clock& clock_;
};

}  // namespace bascule::api
