#include "bus/event/event.h"

#include "bus/event/envelope.h"
#include "foundation/json/raw.h"
#include "foundation/json/writer.h"

namespace bascule::event {

namespace {

/// Appends the canonical text of a JSON object; of one that is none, its bytes, so that different
/// bytes still differ.
void append_canonical_or_bytes(std::string& out, std::string_view object) {
    if (!json::append_canonical(out, object)) {
        out += object;
    }
}

/// What the publisher said beside the known fields, in the form's own words.
std::string other_members(const EventView& event) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object();
    if (event.form == Form::eventbridge) {
        if (const auto time = json::member_raw(event.extras, "time")) {
            writer.member_raw("time", *time);
        }
        if (const auto resources = json::member_raw(event.extras, "resources");
            resources && *resources != "[]") {
            writer.member_raw("resources", *resources);
        }
        append_unknown_of_detail(writer, event.data);
    } else {
        writer.members_of(event.extras);
    }
    writer.end_object();
    return out;
}

}  // namespace

void stamp_missing(Event& event, std::string_view event_id, WallTime now) {
    if (event.event_id.empty()) {
        event.event_id = event_id;
    }
    if (event.timestamp == WallTime()) {
        event.timestamp = now;
        event.timestamp_is_receipt = true;
    }
}

EventView view_of(const Event& event) {
    return {.form = event.form,
            .event_id = event.event_id,
            .event_type = event.event_type,
            .event_version = event.event_version,
            .timestamp = event.timestamp,
            .timestamp_is_receipt = event.timestamp_is_receipt,
            .source = event.source,
            .user_id = event.user_id,
            .correlation_id = event.correlation_id,
            .causation_id = event.causation_id,
            .data = event.data,
            .metadata = event.metadata,
            .hops = event.hops,
            .replay_id = event.replay_id,
            .extras = event.extras};
}

Event owned(const EventView& view) {
    return {.form = view.form,
            .event_id = std::string(view.event_id),
            .event_type = std::string(view.event_type),
            .event_version = std::string(view.event_version),
            .timestamp = view.timestamp,
            .timestamp_is_receipt = view.timestamp_is_receipt,
            .source = std::string(view.source),
            .user_id = std::string(view.user_id),
            .correlation_id = std::string(view.correlation_id),
            .causation_id = std::string(view.causation_id),
            .data = std::string(view.data),
            .metadata = std::string(view.metadata),
            .hops = view.hops,
            .replay_id = std::string(view.replay_id),
            .extras = std::string(view.extras)};
}

std::string_view payload_of(const EventView& event) {
    if (event.form != Form::eventbridge) {
        return event.data;
    }
    const DetailEnvelope envelope = read_detail(event.data);
    return envelope.is_ours ? envelope.data : event.data;
}

Hash128 id_hash(const EventView& event) { return hash128(event.source, event.event_id); }

Hash128 content_hash(const EventView& event) {
    const std::string_view payload = payload_of(event);
    std::string text;
    // Room for all of it in most cases: strings may grow by escapes.
    text.reserve(payload.size() + event.metadata.size() + event.extras.size() + 512);
    json::Writer writer(text);
    writer.begin_array();
    for (const std::string_view field : {event.source, event.event_type, event.event_version,
                                         event.user_id, event.correlation_id, event.causation_id}) {
        writer.string(field);
    }
    writer.number(event.timestamp_is_receipt ? 0 : to_unix_ms(event.timestamp));
    text += ',';
    append_canonical_or_bytes(text, payload);
    text += ',';
    append_canonical_or_bytes(text, event.metadata.empty() ? "{}" : event.metadata);
    text += ',';
    append_canonical_or_bytes(text, other_members(event));
    text += ']';
    return hash128(text);
}

}  // namespace bascule::event
