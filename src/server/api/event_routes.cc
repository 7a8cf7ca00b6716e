#include <unordered_map>
#include <unordered_set>

#include "bus/event/seed_form.h"
#include "bus/event/time_text.h"
#include "foundation/json/writer.h"
#include "server/api/body.h"
#include "server/api/call.h"
#include "server/api/event_lookup.h"
#include "server/api/forms.h"
#include "server/api/trail_follower.h"
#include "server/api/visibility.h"

namespace bascule::api {

namespace {

/// The object with "completeTo", the position up to which nothing is missing, and "complete", which
/// is false if the trail did not follow in time.
std::string with_reach(std::string object, const TrailReach& reach) {
    object.pop_back();
    object.append(R"(,"completeTo":")").append(position_text(reach.end));
    return object.append(R"(","complete":)").append(reach.complete ? "true}" : "false}");
}

/// Answers with `query` once the trail holds what the log holds now.
template <class TrailQuery>
void when_current(TrailFollower& follower, Call call, TrailQuery query) {
    follower.when_current(
        [call = std::move(call), query = std::move(query)](Result<TrailReach> reach) mutable {
            auto answer =
                reach ? query(call, *reach) : Result<std::string>(std::unexpected(reach.error()));
            if (answer) {
                call.answer(200, *std::move(answer));
            } else {
                call.refuse(answer.error());
            }
        });
}

/// A text is looked for in payloads, so only in those that the caller may read for certain: of
/// their own user. Nothing without one.
std::optional<std::string> user_for_search(const Visibility& visibility, const Call& call,
                                           const std::string& text) {
    if (text.empty()) {
        return visibility.query_user();
    }
    return call.user_id().empty() ? std::nullopt : std::optional(call.user_id());
}

/// The trail's answer, with how far it reaches.
Result<std::string> search(const Services& services, const Call& call, const std::string& user_id,
                           const TrailReach& reach) {
    const Visibility visibility(call, services.authenticator);
    const auto first = TRY(call.moment("from"));
    const auto last = TRY(call.moment("to"));
    const application::AuditQuery query{
        .user_id = user_id,
        .type = call.query("type"),
        .source = call.query("source"),
        .correlation_id = call.query("correlationId"),
        .causation_id = call.query("causationId"),
        .text = call.query("text"),
        .from = first ? std::optional(first->begin) : std::nullopt,
        .before = last ? std::optional(last->end) : std::nullopt,
    };
    const auto page = TRY(services.audit.search(query, TRY(call.page())));
    return with_reach(list_form(call.listing(), page,
                                [&](const application::AuditEntry& entry) {
                                    return audit_entry_form(visibility.shown(entry));
                                }),
                      reach);
}

void answer_search(const Services& services, TrailFollower& follower, Call call) {
    const Visibility visibility(call, services.authenticator);
    const auto user = user_for_search(visibility, call, call.query("text"));
    if (!user) {
        call.refuse(403, {.code = "forbidden",
                          .message = "text looks into payloads; only a token of a user may use it, "
                                     "in that user's own events",
                          .field = "text"});
        return;
    }
    const Services* all = &services;
    when_current(follower, std::move(call), [=](const Call& asked, const TrailReach& reach) {
        return search(*all, asked, *user, reach);
    });
}

/// The tree of a chain: every event under its cause, with what each consumer made of it.
Result<std::string> chain(const Services& services, const Call& call, const TrailReach& reach) {
    const Visibility visibility(call, services.authenticator);
    const auto entries = TRY(services.audit.chain(call.id(), visibility.query_user()));
    if (entries.empty()) {
        return fail(ErrorKind::not_found,
                    "there is no chain '" + call.id() +
                        "'; a chain is named by its correlation id, mostly the id of the event "
                        "that began it, which each of its events carries as correlationId");
    }
    std::unordered_set<std::string_view> ids;
    std::unordered_map<std::string_view, std::vector<std::string_view>> children;
    for (const application::AuditEntry& entry : entries) {
        ids.insert(entry.event.event_id);
        children[entry.event.causation_id].push_back(entry.event.event_id);
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
        if (ids.contains(entry.event.causation_id)) {
            writer.string(entry.event.causation_id);
        } else {
            writer.null();
        }
        writer.key("children").begin_array();
        for (const std::string_view child : children[entry.event.event_id]) {
            writer.string(child);
        }
        writer.end_array().key("consumers").begin_array();
        for (const std::string& consumer : services.bus.would_receive(entry.event)) {
            writer.string(consumer);
        }
        writer.end_array().end_object();
    }
    writer.end_array().end_object();
    return with_reach(std::move(out), reach);
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
        Visibility visibility(call, all->authenticator);
        all->bus.explain(consumer, offset,
                         [=, event = entry->event, visibility = std::move(visibility),
                          call = std::move(call)](Result<broker::Explanation> why) mutable {
                             call.answer_with(std::move(why), 200, [&](const auto& explanation) {
                                 return explanation_form(visibility.shown(explanation, event),
                                                         event_id, consumer, offset);
                             });
                         });
    });
}

}  // namespace

void add_event_routes(Routes& routes) {
    using auth::Permission;
    using http::Method;
    const Services* services = &routes.services();
    const auto follower = TrailFollower::create(*services);

    for (const char* path : {"/v1/events", "/v1/audit"}) {
        routes.add(Method::get, path, Permission::observe,
                   [=](Call call) { answer_search(*services, *follower, std::move(call)); });
    }
    routes.add_query(
        "/v1/events/{id}", Permission::observe, [=](const Call& call) -> Result<std::string> {
            const Visibility visibility(call, services->authenticator);
            auto entry = TRY(find_event(*services, call.id(), visibility.query_user()));
            return audit_entry_form(visibility.shown(std::move(entry)));
        });
    routes.add(Method::get, "/v1/chains/{id}", Permission::observe, [=](Call call) {
        when_current(*follower, std::move(call), [=](const Call& asked, const TrailReach& reach) {
            return chain(*services, asked, reach);
        });
    });
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
