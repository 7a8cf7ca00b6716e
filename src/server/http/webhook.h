#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bus/broker/consumer_config.h"
#include "bus/broker/handler.h"
#include "foundation/base/clock.h"
#include "server/http/client.h"
#include "server/http/message.h"

namespace bascule::http {

/// Delivers runs of a consumer to an HTTP endpoint: one POST a run.
///
/// The body is the event in the seed's form, or {"events": […]} for a batch or window. Headers name
/// consumer, delivery (the same for every attempt) and attempt, and sign the body; the contract for
/// receivers is docs/reference/webhooks.md.
///
/// What an answer means (delivery contract, section 4): 2xx done, but for the events that its body
/// names as failed; 408, 409, 425, 5xx, no answer: again later, as any number that is no status;
/// 429 and 503 with Retry-After (seconds or a date): then, not counted; any other 4xx, and
/// redirects: never again.
///
/// Threads: any. Lifetime: client and clock outlive the handler and its last run.
class WebhookHandler final : public broker::Handler {
  public:
    WebhookHandler(Client& client, const Clock& clock, broker::HttpTarget target,
                   std::chrono::milliseconds timeout);

    void handle(broker::Delivery delivery, broker::Done done) override;

  private:
    Client& client_;
    const Clock& clock_;
    const broker::HttpTarget target_;
    const std::chrono::milliseconds timeout_;
};

/// `t=UNIX_SECONDS,v1=HEX` with HMAC-SHA256 over `UNIX_SECONDS.BODY`.
std::string webhook_signature(std::string_view secret, std::int64_t unix_seconds,
                              std::string_view body);

enum class ConflictMeans { retry, done };

/// What a Retry-After asks for is kept within these; the consumer's retry bounds it further
/// (max_interval). The least keeps an endpoint that says 0, or names a time gone by, from being
/// called at full speed: such attempts are not counted, so nothing else would end it.
inline constexpr std::chrono::milliseconds retry_after_least = std::chrono::seconds(1);
inline constexpr std::chrono::milliseconds retry_after_most = std::chrono::hours(24);

/// What kind of failure an error's text tells of, without anything that the endpoint or a handler
/// put into it: they quote what they were sent. "HTTP 400", "no answer in time", …; for a text that
/// is none of ours "failed".
std::string error_class(std::string_view error);

/// What was sent: by id, in log order.
using SentEvents = std::vector<std::pair<std::string, Offset>>;

/// The outcome that an answer to these events stands for, at `now`.
delivery::Outcome outcome_of(const Response& response, const SentEvents& sent,
                             ConflictMeans conflict, WallTime now);

}  // namespace bascule::http
