#include "bus/event/seed_form.h"
#include "foundation/base/uuid.h"
#include "foundation/json/reader.h"
#include "foundation/json/writer.h"
#include "server/api/call.h"
#include "server/api/forms.h"
#include "server/api/publish_rules.h"

namespace bascule::api {

namespace {

struct PublishRequest {
    std::vector<event::Event> events;
    bool batch = false;
    broker::Atomicity atomicity = broker::Atomicity::each;
    bool dry_run = false;
};

Result<> read_events(json::Reader& reader, std::vector<event::Event>& events) {
    if (!reader.enter_array()) {
        return reader.finish();
    }
    while (reader.next_item()) {
        if (events.size() >= broker::publish_events_max) {
            return fail(ErrorKind::invalid, "/events: at most " +
                                                std::to_string(broker::publish_events_max) +
                                                " events are allowed");
        }
        const std::string_view item = reader.skip();
        if (reader.failed()) {
            break;
        }
        auto event = event::parse_seed(item);
        if (!event) {
            return std::unexpected(
                std::move(event).error().in("/events/" + std::to_string(events.size())));
        }
        events.push_back(std::move(*event));
    }
    return {};
}

/// One event, or {"events": […], "atomic": …, "dryRun": …}; the body is walked once.
Result<PublishRequest> publish_request_of(std::string_view body) {
    PublishRequest request;
    json::Reader reader(body);
    if (!reader.enter_object()) {
        return fail(ErrorKind::invalid, "the body must be an event, or {\"events\": [events]}");
    }
    std::optional<std::string> other;  // a member that only an event has
    while (const auto key = reader.next_member()) {
        if (*key == "events") {
            request.batch = true;
            TRY(read_events(reader, request.events));
        } else if (*key == "atomic") {
            request.atomicity = reader.boolean() ? broker::Atomicity::all : broker::Atomicity::each;
        } else if (*key == "dryRun") {
            request.dry_run = reader.boolean();
        } else {
            other = key->decoded();
            reader.skip();
        }
        if (request.batch && other) {
            reader.refuse("'" + *other + "' is not known beside events, atomic, dryRun");
        }
    }
    TRY(reader.finish());
    if (!request.batch) {
        request.events.push_back(TRY(event::parse_seed(body)));
    }
    return request;
}

constexpr std::size_t idempotency_key_bytes_max = 255;

/// Fills the ids that an idempotency key determines, so that a repeated request is a duplicate.
/// Errors: `invalid`.
Result<> derive_ids(const Call& call, std::vector<event::Event>& events) {
    const std::string_view key = call.request().headers.value_or("Idempotency-Key", "");
    if (key.size() > idempotency_key_bytes_max) {
        return fail(ErrorKind::invalid, "Idempotency-Key: has " + std::to_string(key.size()) +
                                            " bytes; at most 255 are allowed");
    }
    for (std::size_t i = 0; i < events.size() && !key.empty(); ++i) {
        if (events[i].event_id.empty()) {
            events[i].event_id = derived_uuid(call.principal().token_id + "\n" + std::string(key) +
                                              "\n" + std::to_string(i));
        }
    }
    return {};
}

void write_result(json::Writer& writer, const broker::PublishResult& result) {
    writer.begin_object();
    if (const auto* accepted = std::get_if<broker::Accepted>(&result)) {
        writer.member("status", "accepted").member("eventId", accepted->event_id);
        writer.member("position", position_text(accepted->offset));
        writer.member("recordedAt", to_unix_ms(accepted->recorded));
    } else if (const auto* duplicate = std::get_if<broker::Duplicate>(&result)) {
        writer.member("status", "duplicate").member("eventId", duplicate->event_id);
        writer.member("position", position_text(duplicate->first));
    } else {
        const auto& rejected = std::get<broker::Rejected>(result);
        writer.member("status", "rejected").member("eventId", rejected.event_id);
        writer.member("code", broker::name(rejected.code)).member("field", rejected.field);
        writer.member("message", rejected.message);
    }
    writer.end_object();
}

std::string publish_answer(const std::vector<broker::PublishResult>& results) {
    std::size_t accepted = 0, duplicates = 0;
    for (const broker::PublishResult& result : results) {
        accepted += std::holds_alternative<broker::Accepted>(result) ? 1 : 0;
        duplicates += std::holds_alternative<broker::Duplicate>(result) ? 1 : 0;
    }
    std::string out;
    json::Writer writer(out);
    writer.begin_object().member("accepted", accepted).member("duplicates", duplicates);
    writer.member("rejected", results.size() - accepted - duplicates).key("results").begin_array();
    for (const broker::PublishResult& result : results) {
        write_result(writer, result);
    }
    writer.end_array().end_object();
    return out;
}

constexpr std::string_view what_a_large_event_does =
    "store large data elsewhere and publish where it is, or have bus.event_bytes_max raised";

int status_of(broker::Rejected::Code code) {
    switch (code) {
        case broker::Rejected::Code::id_reused:
            return 409;
        case broker::Rejected::Code::too_large:
            return 413;
        default:
            return 422;
    }
}

/// One rejected event is the request's failure; in a batch each event has its own answer.
void answer_publish(Call call, bool batch, Result<std::vector<broker::PublishResult>> results) {
    if (!results) {
        call.refuse(results.error());
        return;
    }
    if (!batch) {
        if (const auto* rejected = std::get_if<broker::Rejected>(&results->front())) {
            const bool large = rejected->code == broker::Rejected::Code::too_large;
            call.refuse(status_of(rejected->code),
                        {.code = std::string(broker::name(rejected->code)),
                         .message = rejected->message,
                         .hint = large ? std::string(what_a_large_event_does) : "",
                         .field = rejected->field});
            return;
        }
    }
    call.answer(200, publish_answer(*results));
}

std::string dry_run_answer(const broker::Bus& bus, const std::vector<event::Event>& events) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().member("accepted", 0).member("duplicates", 0).member("rejected", 0);
    writer.key("results").begin_array();
    for (const event::Event& event : events) {
        writer.begin_object().member("status", "dry_run").member("eventId", event.event_id);
        writer.key("consumers").begin_array();
        for (const std::string& consumer : bus.would_receive(event)) {
            writer.string(consumer);
        }
        writer.end_array().end_object();
    }
    writer.end_array().end_object();
    return out;
}

/// Above this a body is no JSON to us, whatever stands in it.
std::optional<http::ErrorBody> too_large(std::string_view body) {
    constexpr std::size_t most = json::Limits{}.bytes_max;
    if (body.size() <= most) {
        return std::nullopt;
    }
    return http::ErrorBody{
        .code = "too_large",
        .message = "the request has " + std::to_string(body.size()) + " bytes; " +
                   std::to_string(most) +
                   " are allowed for all events of a request together, and "
                   "bus.event_bytes_max (1 MiB by default) for each",
        .hint = "publish fewer events at once; store large data elsewhere and publish where it is"};
}

void publish(const Services& services, Call call) {
    if (const auto refusal = too_large(call.request().body)) {
        call.refuse(413, *refusal);
        return;
    }
    auto request = publish_request_of(call.request().body);
    if (!request) {
        call.refuse(request.error());
        return;
    }
    for (std::size_t i = 0; i < request->events.size(); ++i) {
        event::Event& event = request->events[i];
        if (event.user_id.empty() && call.principal().role == auth::Role::member) {
            event.user_id = call.user_id();
        }
        if (auto refusal = publish_refusal(call.principal(), event)) {
            refusal->field.insert(0, request->batch ? "/events/" + std::to_string(i) : "");
            call.refuse(403, *refusal);
            return;
        }
    }
    if (auto derived = derive_ids(call, request->events); !derived) {
        call.refuse(derived.error());
        return;
    }
    if (request->dry_run) {
        call.answer(200, dry_run_answer(services.bus, request->events));
        return;
    }
    const bool batch = request->batch;
    services.bus.publish(std::move(request->events), {.atomicity = request->atomicity},
                         [call = std::move(call), batch](auto results) mutable {
                             answer_publish(std::move(call), batch, std::move(results));
                         });
}

}  // namespace

void add_publish_routes(Routes& routes) {
    const Services* services = &routes.services();
    routes.add(http::Method::post, "/v1/events", auth::Permission::publish,
               [=](Call call) { publish(*services, std::move(call)); });
}

}  // namespace bascule::api
