#include <algorithm>
#include <charconv>

#include "bus/event/seed_form.h"
#include "foundation/base/uuid.h"
#include "foundation/json/reader.h"
#include "foundation/json/writer.h"
#include "server/api/body.h"
#include "server/api/call.h"
#include "server/api/event_lookup.h"
#include "server/api/forms.h"
#include "server/api/visibility.h"

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
    while (const auto key = reader.next_member()) {
        if (*key == "events") {
            request.batch = true;
            TRY(read_events(reader, request.events));
        } else if (*key == "atomic") {
            request.atomicity = reader.boolean() ? broker::Atomicity::all : broker::Atomicity::each;
        } else if (*key == "dryRun") {
            request.dry_run = reader.boolean();
        } else if (request.batch) {
            reader.refuse("'" + key->decoded() + "' is not known beside events, atomic, dryRun");
        } else {
            reader.skip();
        }
    }
    TRY(reader.finish());
    if (!request.batch) {
        request.events.push_back(TRY(event::parse_seed(body)));
    }
    return request;
}

/// Fills the ids that an idempotency key determines, so that a repeated request is a duplicate.
void derive_ids(const Call& call, std::vector<event::Event>& events) {
    const std::string_view key = call.request().headers.value_or("Idempotency-Key", "");
    if (key.empty()) {
        return;
    }
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (events[i].event_id.empty()) {
            events[i].event_id = derived_uuid(call.principal().token_id + "\n" + std::string(key) +
                                              "\n" + std::to_string(i));
        }
    }
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

/// One rejected event is the request's failure; in a batch each event has its own answer.
void answer_publish(Call call, bool batch, Result<std::vector<broker::PublishResult>> results) {
    if (!results) {
        call.refuse(results.error());
        return;
    }
    if (!batch) {
        if (const auto* rejected = std::get_if<broker::Rejected>(&results->front())) {
            const bool conflict = rejected->code == broker::Rejected::Code::id_reused;
            call.refuse(conflict ? 409 : 422, {.code = std::string(broker::name(rejected->code)),
                                               .message = rejected->message,
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

void publish(const Services& services, Call call) {
    auto request = publish_request_of(call.request().body);
    if (!request) {
        call.refuse(request.error());
        return;
    }
    const Visibility visibility(call, services.authenticator);
    for (event::Event& event : request->events) {
        if (event.user_id.empty()) {
            event.user_id = visibility.query_user();
        }
        if (!visibility.may_publish_for(event.user_id)) {
            call.refuse(403, {.code = "forbidden",
                              .message = "this token may only publish events of its own user",
                              .field = "/userId"});
            return;
        }
    }
    derive_ids(call, request->events);
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

/// A date, Unix milliseconds, or nothing.
Result<std::optional<WallTime>> time_of(const Call& call, std::string_view key) {
    const std::string text = call.query(key);
    if (text.empty()) {
        return std::nullopt;
    }
    if (const auto date = money::Date::parse(text)) {
        return from_unix_ms(date->days_since_1970() * std::int64_t{86'400'000});
    }
    std::int64_t ms = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
    if (error != std::errc() || end != text.data() + text.size()) {
        return fail(ErrorKind::invalid, std::string(key) + " is '" + text +
                                            "'; a date YYYY-MM-DD or Unix milliseconds is allowed");
    }
    return from_unix_ms(ms);
}

Result<std::string> search(const Services& services, const Call& call) {
    const Visibility visibility(call, services.authenticator);
    const application::AuditQuery query {
        .user_id = visibility.query_user(), .type = call.query("type"),
        .source = call.query("source"), .correlation_id = call.query("correlationId"),
        .causation_id = call.query("causationId"), .text = call.query("text"),
        .from = TRY(time_of(call, "from"))
        , .to = TRY(time_of(call, "to"))
    };
    // The text is looked for in whole payloads: who may not read them all must not probe them.
    if (!query.text.empty() && query.user_id.empty()) {
        return fail(ErrorKind::invalid,
                    "text searches payloads, which only a member may do in their own events");
    }
    const auto page = TRY(services.audit.search(query, TRY(call.page())));
    return list_form(page, [&](const application::AuditEntry& entry) {
        return audit_entry_form(visibility.shown(entry));
    });
}

/// The tree of a chain: every event under its cause, with what each consumer made of it.
Result<std::string> chain(const Services& services, const Call& call) {
    const Visibility visibility(call, services.authenticator);
    const auto entries = TRY(services.audit.chain(call.id(), visibility.query_user()));
    if (entries.empty()) {
        return fail(ErrorKind::not_found, "there is no chain '" + call.id() + "'");
    }
    std::string out;
    json::Writer writer(out);
    writer.begin_object().member("correlationId", call.id()).key("events").begin_array();
    for (const application::AuditEntry& entry : entries) {
        const event::Event shown = visibility.shown(entry.event);
        writer.begin_object();
        writer.member_raw("event", event::to_seed_json(event::view_of(shown)));
        writer.member("position", position_text(entry.offset));
        writer.member("recordedAt", to_unix_ms(entry.recorded)).key("parent");
        const auto is_parent = [&](const application::AuditEntry& other) {
            return other.event.event_id == entry.event.causation_id;
        };
        if (std::ranges::any_of(entries, is_parent)) {
            writer.string(entry.event.causation_id);
        } else {
            writer.null();
        }
        writer.key("children").begin_array();
        for (const application::AuditEntry& other : entries) {
            if (other.event.causation_id == entry.event.event_id) {
                writer.string(other.event.event_id);
            }
        }
        writer.end_array().key("consumers").begin_array();
        for (const std::string& consumer : services.bus.would_receive(entry.event)) {
            writer.string(consumer);
        }
        writer.end_array().end_object();
    }
    writer.end_array().end_object();
    return out;
}

void explain(const Services& services, Call call, std::string consumer) {
    auto body = Body::parse(call.request().body);
    if (!body) {
        call.refuse(body.error());
        return;
    }
    body->need("eventId");
    const std::string event_id = body->text("eventId").value_or("");
    if (consumer.empty()) {
        body->need("consumer");
    }
    consumer = body->text("consumer").value_or(consumer);
    if (auto finished = body->finish(); !finished) {
        call.refuse(finished.error());
        return;
    }
    const Services* all = &services;
    services.readers.post([=, call = std::move(call)]() mutable {
        const auto entry = find_event(*all, event_id, "");
        if (!entry) {
            call.refuse(entry.error());
            return;
        }
        const Offset offset = entry->offset;
        all->bus.explain(consumer, offset,
                         [=, call = std::move(call)](Result<broker::Explanation> why) mutable {
                             call.answer_with(std::move(why), 200, [&](const auto& explanation) {
                                 return explanation_form(explanation, event_id, consumer, offset);
                             });
                         });
    });
}

}  // namespace

void add_event_routes(Routes& routes) {
    using auth::Permission;
    using http::Method;
    const Services* services = &routes.services();

    routes.add(Method::post, "/v1/events", Permission::publish,
               [=](Call call) { publish(*services, std::move(call)); });
    for (const char* path : {"/v1/events", "/v1/audit"}) {
        routes.add_query(path, Permission::observe,
                         [=](const Call& call) { return search(*services, call); });
    }
    routes.add_query(
        "/v1/events/{id}", Permission::observe, [=](const Call& call) -> Result<std::string> {
            const Visibility visibility(call, services->authenticator);
            auto entry = TRY(find_event(*services, call.id(), visibility.query_user()));
            return audit_entry_form(visibility.shown(std::move(entry)));
        });
    routes.add_query("/v1/chains/{id}", Permission::observe,
                     [=](const Call& call) { return chain(*services, call); });
    routes.add(Method::post, "/v1/events:explain", Permission::operate,
               [=](Call call) { explain(*services, std::move(call), ""); });
    routes.add(Method::post, "/v1/consumers/{name}:explain", Permission::operate, [=](Call call) {
        const std::string consumer = call.request().parameter("name");
        explain(*services, std::move(call), consumer);
    });
    routes.add(Method::post, "/v1/audit:verify", Permission::operate, [=](Call call) {
        services->readers.post([=, call = std::move(call)]() mutable {
            call.answer_with(services->audit.verify(), 200, audit_verdict_form);
        });
    });
}

}  // namespace bascule::api
