#include "bus/event/envelope.h"

#include <algorithm>

#include "foundation/json/number.h"
#include "foundation/json/raw.h"

namespace bascule::event {

namespace {

/// A fault that shows what stands there.
void refuse(json::Reader& reader, std::string_view pointer, std::string_view wanted) {
    std::string message(pointer);
    message.append(": must be ").append(wanted);
    if (!reader.failed()) {
        json::Reader ahead = reader;
        message.append(", is ").append(shown(ahead.skip()));
    }
    reader.refuse(std::move(message));
}

constexpr std::string_view detail_members[] = {"eventId", "eventVersion",  "timestamp",
                                               "userId",  "correlationId", "causationId",
                                               "data",    "metadata"};

bool is_envelope_member(const json::Text& key) {
    return std::any_of(std::begin(detail_members), std::end(detail_members),
                       [&](auto name) { return key == name; });
}

std::string text_or_nothing(json::Reader& reader) {
    if (reader.peek() == json::Kind::string) {
        return reader.string().decoded();
    }
    reader.skip();
    return {};
}

std::string_view object_or_nothing(json::Reader& reader) {
    const bool is_object = reader.peek() == json::Kind::object;
    const std::string_view raw = reader.skip();
    return is_object ? raw : std::string_view();
}

}  // namespace

std::string shown(std::string_view raw) {
    constexpr std::size_t bytes_max = 60;
    if (raw.size() <= bytes_max) {
        return std::string(raw);
    }
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(raw[end]) & 0xC0U) == 0x80U) {
        --end;  // not in the middle of a character
    }
    return std::string(raw.substr(0, end)) + "…";
}

std::string read_text(json::Reader& reader, std::string_view pointer) {
    switch (reader.peek()) {
        case json::Kind::string:
            return reader.string().decoded();
        case json::Kind::null:
            reader.null();
            return {};
        default:
            refuse(reader, pointer, "a string");
            return {};
    }
}

std::string_view read_object(json::Reader& reader, std::string_view pointer) {
    switch (reader.peek()) {
        case json::Kind::object:
            return reader.skip();
        case json::Kind::null:
            reader.null();
            return {};
        default:
            refuse(reader, pointer, "an object");
            return {};
    }
}

WallTime read_timestamp(json::Reader& reader, std::string_view pointer) {
    if (reader.peek() == json::Kind::null) {
        reader.null();
        return {};
    }
    if (reader.peek() == json::Kind::number) {
        json::Reader ahead = reader;
        if (const auto ms = json::int64_of(ahead.number())) {
            reader.number();
            return from_unix_ms(*ms);
        }
    }
    refuse(reader, pointer, "an integer (Unix time in ms)");
    return {};
}

DetailEnvelope read_detail(std::string_view detail) {
    DetailEnvelope envelope;
    json::Reader reader(detail);
    if (!reader.enter_object()) {
        return envelope;
    }
    while (const auto key = reader.next_member()) {
        if (*key == "eventId") {
            envelope.event_id = text_or_nothing(reader);
        } else if (*key == "eventVersion") {
            envelope.event_version = text_or_nothing(reader);
        } else if (*key == "timestamp") {
            const auto ms = json::int64_of(reader.skip());
            envelope.timestamp = ms ? std::optional(from_unix_ms(*ms)) : std::nullopt;
        } else if (*key == "userId") {
            envelope.user_id = text_or_nothing(reader);
        } else if (*key == "correlationId") {
            envelope.correlation_id = text_or_nothing(reader);
        } else if (*key == "causationId") {
            envelope.causation_id = text_or_nothing(reader);
        } else if (*key == "data") {
            envelope.data = object_or_nothing(reader);
        } else if (*key == "metadata") {
            envelope.metadata = object_or_nothing(reader);
        } else {
            reader.skip();
        }
    }
    envelope.is_ours = reader.finish() && !envelope.event_id.empty() && !envelope.data.empty();
    return envelope;
}

void append_unknown_of_detail(json::Writer& writer, std::string_view detail) {
    if (!read_detail(detail).is_ours) {
        return;
    }
    json::Reader reader(detail);
    if (reader.enter_object()) {
        while (const auto key = reader.next_member()) {
            const std::string_view value = reader.skip();
            if (!is_envelope_member(*key)) {
                writer.member_raw(key->decoded(), value);
            }
        }
    }
}

}  // namespace bascule::event
