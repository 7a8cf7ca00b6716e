#include "server/api/notification_channel.h"

#include "server/http/webhook.h"

namespace bascule::api {

namespace {

constexpr std::chrono::seconds channel_timeout{15};

}  // namespace

void NotificationChannel::handle(broker::Delivery delivery, broker::Done done) {
    const std::string user(delivery.events.front().event.user_id);
    const auto preferences = preferences_.get(user);
    if (!preferences) {
        done(preferences.error().kind() == ErrorKind::not_found
                 ? delivery::Outcome::done()  // the user is gone, and the wish with them
                 : delivery::Outcome::suspended(preferences.error().message()));
        return;
    }
    if (!preferences->webhook_enabled || preferences->webhook_url.empty()) {
        done(delivery::Outcome::done());
        return;
    }
    const broker::HttpTarget target{.url = preferences->webhook_url,
                                    .secret = preferences->webhook_secret,
                                    .conflict_done = true};
    http::WebhookHandler(client_, clock_, target, channel_timeout)
        .handle(std::move(delivery), std::move(done));
}

void NotificationChannel::add_to(broker::BusConfig& config) {
    broker::ConsumerConfig consumer{.name = name, .handler = {.in_process = name}};
    consumer.policy.on_exhausted = delivery::OnExhausted::skip_key;
    consumer.policy.on_timeout = delivery::OnTimeout::give_up;
    consumer.policy.timeout = channel_timeout;
    consumer.start = broker::Start::earliest;
    config.consumers.push_back(std::move(consumer));
    config.rules.push_back({.name = std::string("default.") + name,
                            .origin = broker::RuleOrigin::defaults,
                            .patterns = {{R"({"detail-type":["notification.raised"]})"}},
                            .targets = {name}});
}

}  // namespace bascule::api
