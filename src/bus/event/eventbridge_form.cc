#include "bus/event/eventbridge_form.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "bus/event/envelope.h"
#include "bus/event/time_text.h"
#include "foundation/json/number.h"
#include "foundation/json/raw.h"
#include "foundation/json/reader.h"
#include "foundation/json/writer.h"

namespace bascule::event {

namespace {

/// What the extras of an EventBridge event call its parts; everything else in there is a member
/// nobody knows.
constexpr std::string_view known_extras[] = {"version", "id",     "account",
                                             "time",    "region", "resources"};

bool is_known_extra(const json::Text& key) {
    for (const std::string_view name : known_extras) {
        if (key == name) {
            return true;
        }
    }
    return false;
}

/// Whether an event of EventBridge has a member of that name, or what is in it would count as its
/// members: `""` adds nothing to the path of a pattern. Entries spell or leave out all of them.
bool is_event_member(const json::Text& key) {
    return is_known_extra(key) || key == "source" || key == "detail-type" || key == "detail" ||
           key == "replay-name" || key == "";
}

/// Seconds since 1970 as SDKs send them: integer, decimal or exponent.
std::optional<WallTime> from_epoch_seconds(std::string_view number) {
    double seconds = 0;
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), seconds);
    constexpr double year_9999 = 253402300799.0;
    if (error != std::errc() || end != number.data() + number.size() || seconds < 0 ||
        seconds > year_9999) {
        return std::nullopt;
    }
    return from_unix_ms(static_cast<std::int64_t>(std::floor(seconds * 1000)));
}

/// Reads a `Time` or `time` in any spelling that clients use; a fault if it is none.
std::optional<WallTime> read_time(json::Reader& reader, std::string_view pointer) {
    const json::Kind kind = reader.peek();
    const std::string_view raw = reader.skip();
    if (kind == json::Kind::null) {
        return std::nullopt;
    }
    std::optional<WallTime> time;
    if (kind == json::Kind::number) {
        time = from_epoch_seconds(raw);
    } else if (kind == json::Kind::string) {
        time = from_iso(json::string_of(raw).value_or(""));
    }
    if (!time) {
        reader.refuse(std::string(pointer) +
                      ": must be seconds since 1970 or a text like 2026-11-25T08:15:30Z, is " +
                      shown(raw));
    }
    return time;
}

/// The parts of an event, collected from either spelling.
struct Parts {
    std::string source;
    std::string detail_type;
    std::string detail;
    std::optional<WallTime> time;
    std::string extras;  ///< members so far, without braces
};

void add_extra(Parts& parts, std::string_view key, std::string_view raw) {
    parts.extras += parts.extras.empty() ? "" : ",";
    json::append_string(parts.extras, key);
    parts.extras.append(":").append(raw);
}

void add_extra_text(Parts& parts, std::string_view key, std::string_view text) {
    std::string raw;
    json::append_string(raw, text);
    add_extra(parts, key, raw);
}

void read_entry_member(json::Reader& reader, const json::Text& key, Parts& parts) {
    if (key == "Source") {
        parts.source = read_text(reader, "/Source");
    } else if (key == "DetailType") {
        parts.detail_type = read_text(reader, "/DetailType");
    } else if (key == "Detail") {
        parts.detail = read_text(reader, "/Detail");
    } else if (key == "Time") {
        parts.time = read_time(reader, "/Time");
        if (parts.time) {
            add_extra_text(parts, "time", to_iso_seconds(*parts.time));
        }
    } else if (key == "Resources") {
        const bool is_list = reader.peek() == json::Kind::array;
        const std::string_view raw = reader.skip();
        if (is_list) {
            add_extra(parts, "resources", raw);
        }
    } else if (key == "EventBusName") {
        reader.skip();  // said where to, not what
    } else if (is_event_member(key)) {
        reader.refuse("/" + key.decoded() +
                      ": is no member of an entry but of the event that is made of it");
    } else if (reader.peek() == json::Kind::null) {
        reader.null();
    } else {
        const std::string name = key.decoded();
        add_extra(parts, name, reader.skip());
    }
}

void read_event_member(json::Reader& reader, const json::Text& key, Parts& parts) {
    if (key == "source") {
        parts.source = read_text(reader, "/source");
    } else if (key == "detail-type") {
        parts.detail_type = read_text(reader, "/detail-type");
    } else if (key == "detail") {
        parts.detail = read_object(reader, "/detail");
    } else if (key == "") {
        reader.refuse("/: is a member without a name");
    } else {
        const bool is_time = key == "time";
        const std::string_view raw = reader.skip();
        add_extra(parts, key.decoded(), raw);
        if (is_time) {
            parts.time = from_iso(json::string_of(raw).value_or(""));
        }
    }
}

/// The event that the parts make; `id` is in the extras already if the event brought one.
Event assembled(Parts parts, std::string_view id, WallTime received) {
    const DetailEnvelope envelope = read_detail(parts.detail);
    Event event;
    event.form = Form::eventbridge;
    event.source = std::move(parts.source);
    event.event_type = std::move(parts.detail_type);
    event.user_id = envelope.user_id;
    event.extras = "{" + parts.extras + "}";
    if (envelope.is_ours) {
        event.event_id = envelope.event_id;
        event.event_version = envelope.event_version.empty() ? "1.0" : envelope.event_version;
        event.correlation_id = envelope.correlation_id;
        event.causation_id = envelope.causation_id;
        event.metadata = envelope.metadata;
    } else {
        event.event_id = id;
    }
    const std::optional<WallTime> time =
        envelope.is_ours && envelope.timestamp ? envelope.timestamp : parts.time;
    event.timestamp = time.value_or(received);
    event.timestamp_is_receipt = !time;
    event.data = std::move(parts.detail);
    return event;
}

Result<> check_detail(std::string_view detail) {
    if (!json::is_valid_object(detail)) {
        return fail(ErrorKind::invalid, "/Detail: must be the text of a JSON object, is " +
                                            (detail.empty() ? "empty" : shown(detail)));
    }
    return {};
}

void append_extra_or(json::Writer& writer, std::string_view extras, std::string_view key,
                     std::string_view text) {
    if (const auto raw = json::member_raw(extras, key)) {
        writer.member_raw(key, *raw);
    } else {
        writer.member(key, text);
    }
}

void append_unknown(json::Writer& writer, std::string_view extras) {
    json::Reader reader(extras);
    if (reader.enter_object()) {
        while (const auto key = reader.next_member()) {
            const std::string_view value = reader.skip();
            if (!is_known_extra(*key)) {
                writer.member_raw(key->decoded(), value);
            }
        }
    }
}

}  // namespace

Result<Event> parse_eventbridge_entry(std::string_view text, const Arrival& arrival) {
    json::Reader reader(text);
    Parts parts;
    add_extra_text(parts, "id", arrival.id);
    add_extra_text(parts, "account", arrival.account);
    add_extra_text(parts, "region", arrival.region);
    if (reader.enter_object()) {
        while (const auto key = reader.next_member()) {
            read_entry_member(reader, *key, parts);
        }
    }
    TRY(reader.finish());
    TRY(check_detail(parts.detail));
    return assembled(std::move(parts), arrival.id, arrival.time);
}

Result<Event> parse_eventbridge_event(std::string_view text, const Arrival& arrival) {
    json::Reader reader(text);
    Parts parts;
    if (reader.enter_object()) {
        while (const auto key = reader.next_member()) {
            read_event_member(reader, *key, parts);
        }
    }
    TRY(reader.finish());
    if (parts.detail.empty()) {
        return fail(ErrorKind::invalid, "/detail: must be an object, is missing");
    }
    const auto id = json::string_of(json::member_raw("{" + parts.extras + "}", "id").value_or(""));
    return assembled(std::move(parts), id && !id->empty() ? std::string_view(*id) : arrival.id,
                     arrival.time);
}

std::string to_detail_json(const EventView& event) {
    if (event.form == Form::eventbridge) {
        return std::string(event.data);
    }
    std::string out;
    out.reserve(320 + event.data.size() + event.metadata.size() + event.extras.size());
    json::Writer writer(out);
    writer.begin_object()
        .member("eventId", event.event_id)
        .member("eventVersion", event.event_version);
    writer.member("timestamp", to_unix_ms(event.timestamp)).member("userId", event.user_id);
    if (!event.correlation_id.empty()) {
        writer.member("correlationId", event.correlation_id);
    }
    if (!event.causation_id.empty()) {
        writer.member("causationId", event.causation_id);
    }
    writer.member_raw("data", event.data.empty() ? "{}" : event.data);
    if (!event.metadata.empty()) {
        writer.member_raw("metadata", event.metadata);
    }
    writer.members_of(event.extras).end_object();
    return out;
}

std::string to_eventbridge_json(const EventView& event, const Home& home) {
    const std::string_view extras =
        event.form == Form::eventbridge ? event.extras : std::string_view();
    std::string out;
    json::Writer writer(out);
    writer.begin_object();
    append_extra_or(writer, extras, "version", "0");
    append_extra_or(writer, extras, "id", event.event_id);
    writer.member("detail-type", event.event_type).member("source", event.source);
    append_extra_or(writer, extras, "account", home.account);
    append_extra_or(writer, extras, "time", to_iso_seconds(event.timestamp));
    append_extra_or(writer, extras, "region", home.region);
    if (!event.replay_id.empty()) {
        writer.member("replay-name", event.replay_id);
    }
    writer.member_raw("resources", json::member_raw(extras, "resources").value_or("[]"));
    writer.member_raw("detail", to_detail_json(event));
    append_unknown(writer, extras);
    writer.end_object();
    return out;
}

}  // namespace bascule::event
