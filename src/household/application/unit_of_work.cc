#include "household/application/unit_of_work.h"

#include <algorithm>

#include "bus/event/body.h"
#include "bus/event/validate.h"
#include "foundation/base/hash.h"
#include "foundation/base/uuid.h"
#include "foundation/json/writer.h"
#include "foundation/sql/outbox.h"

namespace bascule::application {

namespace {

std::string metadata_of(std::string_view actor, std::string_view request_id) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().member("actor", actor);
    if (!request_id.empty()) {
        writer.member("requestId", request_id);
    }
    writer.end_object();
    return text;
}

/// No two causes, consumers, replays or parts share a seed: the separator is in none of them. Who
/// does not know the secret cannot compute it.
Result<std::string> seed_of(sql::Session& session, std::string_view consumer,
                            const event::EventView& cause, std::uint32_t part) {
    const auto secret = TRY(session.query_one("select secret from id_secret", {},
                                              [](const sql::Row& row) { return row.text(0); }));
    if (!secret) {
        return fail(ErrorKind::corrupt, "the database has lost its secret (table id_secret)");
    }
    std::string pieces;
    for (const std::string_view piece : {consumer, cause.source, cause.event_id, cause.replay_id}) {
        pieces.append(piece).push_back('\0');
    }
    return to_hex(hmac_sha256(*secret, pieces + std::to_string(part)));
}

/// What the log would refuse must not be committed.
Result<> check_publishable(const event::Event& event, std::size_t bytes, std::size_t bytes_max) {
    TRY(event::validate(event));
    if (bytes > bytes_max) {
        return fail(ErrorKind::invalid, "the event has " + std::to_string(bytes) +
                                            " bytes; at most " + std::to_string(bytes_max) +
                                            " are allowed (bus.event_bytes_max)");
    }
    if (event.hops > event::hops_max) {
        return fail(ErrorKind::invalid, "the event is number " + std::to_string(event.hops) +
                                            " in its chain of causes; at most " +
                                            std::to_string(event::hops_max) +
                                            " are allowed: consumers answer each other's events");
    }
    return {};
}

}  // namespace

UnitOfWork::UnitOfWork(sql::Session& session, const Actor& actor, WallTime now)
    : session_(session),
      user_id_(actor.user_id),
      metadata_(metadata_of(actor.name, actor.request_id)),
      now_(now) {}

Result<UnitOfWork> UnitOfWork::following(sql::Session& session, std::string_view consumer,
                                         const event::EventView& cause, WallTime now,
                                         std::uint32_t part) {
    return UnitOfWork(session, consumer, cause, now, TRY(seed_of(session, consumer, cause, part)));
}

UnitOfWork::UnitOfWork(sql::Session& session, std::string_view consumer,
                       const event::EventView& cause, WallTime now, std::string seed)
    : session_(session),
      user_id_(cause.user_id),
      metadata_(metadata_of(consumer, "")),
      replay_id_(cause.replay_id),
      seed_(std::move(seed)),
      correlation_id_(event::correlation_of(cause)),
      causation_id_(cause.event_id),
      hops_(cause.hops + 1),
      now_(now) {}

std::string UnitOfWork::new_id() {
    return seed_.empty() ? new_uuid() : derived_uuid(seed_ + std::to_string(made_++));
}

event::Occasion UnitOfWork::occasion() {
    event::Occasion occasion{.event_id = new_id(),
                             .timestamp = now_,
                             .user_id = user_id_,
                             .correlation_id = correlation_id_,
                             .causation_id = causation_id_,
                             .metadata = metadata_,
                             .hops = hops_};
    if (correlation_id_.empty()) {
        // A request's events are one chain, known by the first of them.
        correlation_id_ = occasion.event_id;
        occasion.correlation_id = occasion.event_id;
    }
    return occasion;
}

void UnitOfWork::publish(event::Event event) {
    event.replay_id = replay_id_;
    events_.push_back(std::move(event));
}

Result<> UnitOfWork::finish() {
    const std::size_t bytes_max = std::min(event::event_bytes_max, session_.message_bytes_max());
    std::vector<std::string> bodies;
    std::vector<sql::outbox::Message> messages;
    bodies.reserve(events_.size());
    messages.reserve(events_.size());
    for (const event::Event& event : events_) {
        const std::string& body = bodies.emplace_back(event::encode_body(event));
        if (auto checked = check_publishable(event, body.size(), bytes_max); !checked) {
            return std::unexpected(std::move(checked).error().in(event.event_type));
        }
        messages.push_back({event.event_id, body});
    }
    return sql::outbox::add(session_, user_id_, messages, now_);
}

}  // namespace bascule::application
