#include "server/http/webhook.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "bus/event/seed_form.h"
#include "foundation/base/hash.h"
#include "foundation/json/value.h"
#include "foundation/json/writer.h"
#include "server/http/wire.h"

namespace bascule::http {

namespace {

/// Bodies of answers can be pages long; an error shows their beginning.
constexpr std::size_t shown_bytes_max = 200;

std::string body_of(const broker::Delivery& delivery) {
    if (delivery.events.size() == 1) {
        return event::to_seed_json(delivery.events.front().event);
    }
    std::string body;
    json::Writer writer(body);
    writer.begin_object().key("events").begin_array();
    for (const broker::DeliveredEvent& delivered : delivery.events) {
        writer.raw(event::to_seed_json(delivered.event));
    }
    writer.end_array().end_object();
    return body;
}

/// Seconds, or a date that is compared with our clock. Nothing if it is neither.
std::optional<std::chrono::milliseconds> retry_after_of(const Response& response, WallTime now) {
    const std::string_view text = response.headers.value_or("Retry-After", "");
    std::chrono::milliseconds asked{};
    if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
        std::int64_t seconds = 0;
        const auto error = std::from_chars(text.data(), text.data() + text.size(), seconds).ec;
        const std::int64_t most = retry_after_most / std::chrono::seconds(1);
        // More digits than a number holds are a long time too.
        asked = std::chrono::seconds(error == std::errc() ? std::min(seconds, most) : most);
    } else if (const auto date = read_http_date(text)) {
        asked = *date - now;
    } else {
        return std::nullopt;
    }
    return std::clamp(asked, retry_after_least, retry_after_most);
}

std::string status_text(const Response& response) {
    std::string status = std::to_string(response.status);
    status.insert(0, status.size() < 3 ? 3 - status.size() : 0, '0');
    return "HTTP " + status;
}

std::string described(const Response& response) {
    std::string text = status_text(response);
    if (!response.body.empty()) {
        text += ": " + response.body.substr(0, shown_bytes_max);
    }
    return text;
}

/// Of an answer that says "done": all events but those in `failures`. An answer that cannot be
/// understood is none: what it meant to name must not pass for done.
delivery::Outcome outcome_of_done(const Response& response, const SentEvents& sent) {
    const std::size_t begin = response.body.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos || response.body[begin] != '{') {
        return delivery::Outcome::done();
    }
    const auto answer = json::Value::parse(response.body);
    const json::Value* list = answer ? answer->find("failures") : nullptr;
    if (list == nullptr) {
        return delivery::Outcome::done();
    }
    const auto refuse = [&](const std::string& why) {
        return delivery::Outcome::transient(status_text(response) + ": its " + why);
    };
    if (!list->is(json::Kind::array)) {
        return refuse("failures are no list");
    }
    std::vector<delivery::ItemFailure> failures;
    for (const json::Value& item : list->items()) {
        const json::Value* id = item.find("eventId");
        const json::Value* error = item.find("error");
        const json::Value* retry = item.find("retry");
        if (id == nullptr || !id->as_string() || (retry != nullptr && !retry->as_boolean())) {
            return refuse(
                "failures hold something without an eventId, or a retry that is neither "
                "true nor false");
        }
        const bool again = retry == nullptr || *retry->as_boolean();
        const std::string text(error == nullptr ? "" : error->as_string().value_or(""));
        bool known = false;
        // Ids of different sources may be alike: all that carry the name are meant.
        for (const auto& [sent_id, offset] : sent) {
            if (sent_id != *id->as_string()) {
                continue;
            }
            known = true;
            failures.push_back(
                {.offset = offset,
                 .kind = again ? delivery::ItemFailure::Kind::transient
                               : delivery::ItemFailure::Kind::permanent,
                 .text = status_text(response) + ": " + text.substr(0, shown_bytes_max)});
        }
        if (!known) {
            return refuse("failures name an event that was not sent");
        }
    }
    return delivery::Outcome::done_except(std::move(failures));
}

}  // namespace

std::string webhook_signature(std::string_view secret, std::int64_t unix_seconds,
                              std::string_view body) {
    const std::string time = std::to_string(unix_seconds);
    return "t=" + time + ",v1=" + to_hex(hmac_sha256(secret, time + "." + std::string(body)));
}

std::string error_class(std::string_view error) {
    constexpr std::string_view http = "HTTP ";
    const std::string_view status = error.substr(0, http.size() + 3);
    const bool has_status = status.size() == http.size() + 3 && status.starts_with(http) &&
                            status.find_first_not_of("0123456789", http.size()) == status.npos;
    if (has_status) {
        return std::string(status);
    }
    // As client.cc, the delivery machine and the bus word them, behind an authority or not.
    constexpr std::array<std::pair<std::string_view, std::string_view>, 11> classes{{
        {"no answer within ", "no answer in time"},
        {"not connected within ", "not connected in time"},
        {"resolve the name: ", "the name was not resolved"},
        {"connect: ", "not connected"},
        {"TLS handshake: ", "the TLS handshake failed"},
        {"the connection broke: ", "the connection broke"},
        {"the response is above the limit of ", "the answer was too large"},
        {"was not sent in time", "was not sent in time"},
        {"the handler went away without an answer", "the handler went away without an answer"},
        {"cannot be read: ", "the event cannot be read"},
        {"the letter was damaged and made anew", "the letter was damaged and made anew"},
    }};
    const std::size_t colon = error.find(": ");
    for (const auto& [begin, meaning] : classes) {
        if (error.starts_with(begin) ||
            (colon != error.npos && error.substr(colon + 2).starts_with(begin))) {
            return std::string(meaning);
        }
    }
    return "failed";
}

delivery::Outcome outcome_of(const Response& response, const SentEvents& sent,
                             ConflictMeans conflict, WallTime now) {
    const int status = response.status;
    if (status >= 200 && status < 300) {
        return outcome_of_done(response, sent);
    }
    if (status == 409 && conflict == ConflictMeans::done) {
        return delivery::Outcome::done();
    }
    if (status == 429 || status == 503) {
        if (const auto wait = retry_after_of(response, now)) {
            return delivery::Outcome::uncounted(described(response), wait);
        }
        return delivery::Outcome::transient(described(response));
    }
    // A number outside of HTTP's classes says nothing about the event.
    const bool refused = status >= 400 && status < 500;
    const bool for_now = status == 408 || status == 409 || status == 425;
    if (status < 300 || status >= 500 || for_now) {
        return delivery::Outcome::transient(described(response));
    }
    if (!refused) {
        return delivery::Outcome::permanent(described(response) +
                                            " (redirects are not followed; name the final URL)");
    }
    return delivery::Outcome::permanent(described(response));
}

WebhookHandler::WebhookHandler(Client& client, const Clock& clock, broker::HttpTarget target,
                               std::chrono::milliseconds timeout)
    : client_(client), clock_(clock), target_(std::move(target)), timeout_(timeout) {}

void WebhookHandler::handle(broker::Delivery delivery, broker::Done done) {
    // A run that waited past its deadline is given up already: sending it now could put it beside
    // its own retry.
    const auto left =
        delivery.deadline
            ? std::chrono::ceil<std::chrono::milliseconds>(*delivery.deadline - clock_.steady())
            : timeout_;
    if (left.count() <= 0) {
        done(delivery::Outcome::uncounted("was not sent in time"));
        return;
    }
    ClientRequest request{.method = Method::post, .url = target_.url, .body = body_of(delivery)};
    request.timeout = std::min(left, timeout_);
    request.headers.set("Content-Type", "application/json");
    for (const auto& [name, value] : target_.headers) {
        request.headers.set(name, value);
    }
    request.headers.set("Bascule-Consumer", delivery.consumer);
    request.headers.set("Bascule-Delivery-Id", delivery.delivery_id);
    request.headers.set("Bascule-Attempt", std::to_string(delivery.attempt));
    if (!target_.secret.empty()) {
        request.headers.set(
            "Bascule-Signature",
            webhook_signature(target_.secret, to_unix_ms(clock_.wall()) / 1000, request.body));
    }
    const ConflictMeans conflict =
        target_.conflict_done ? ConflictMeans::done : ConflictMeans::retry;
    SentEvents sent;
    sent.reserve(delivery.events.size());
    for (const broker::DeliveredEvent& delivered : delivery.events) {
        sent.emplace_back(delivered.event.event_id, delivered.offset);
    }
    client_.send(std::move(request), [conflict, &clock = clock_, sent = std::move(sent),
                                      done = std::move(done)](Result<Response> response) mutable {
        if (response) {
            done(outcome_of(*response, sent, conflict, clock.wall()));
        } else if (response.error().kind() == ErrorKind::invalid) {
            // The URL itself, or an address that may not be reached: waiting helps
            // nobody.
            done(delivery::Outcome::permanent(response.error().message()));
        } else {
            done(delivery::Outcome::transient(response.error().message()));
        }
    });
}

}  // namespace bascule::http
