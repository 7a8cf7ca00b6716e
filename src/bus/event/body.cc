#include "bus/event/body.h"

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>

#include "foundation/base/check.h"

namespace bascule::event {

namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian; swap here");

constexpr std::uint8_t body_version = 1;
constexpr std::uint16_t flag_timestamp_is_receipt = 1;

// The layout, version 1. Lengths first, so that a reader knows every field's place after one look:
//
//   0  u8  version    1  u8  form      2  u16 flags    4  u32 hops    8  i64 timestamp (Unix ms)
//  16  u16 × 8        lengths of the short fields, in the order of `short_fields`
//  32  u32 × 3        lengths of metadata, extras, data
//  44                 the bytes: short fields, metadata, extras, data; nothing behind them
constexpr std::size_t lengths_at = 16;
constexpr std::size_t header_bytes = 44;

constexpr std::array<std::string_view EventView::*, 8> short_fields = {
    &EventView::event_id,     &EventView::event_type, &EventView::event_version,
    &EventView::source,       &EventView::user_id,    &EventView::correlation_id,
    &EventView::causation_id, &EventView::replay_id};
constexpr std::array<std::string_view EventView::*, 3> long_fields = {
    &EventView::metadata, &EventView::extras, &EventView::data};

template <class T>
char* put(char* at, T value) {
    std::memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

template <class T>
T get(const char*& at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    at += sizeof value;
    return value;
}

template <class Length>
char* put_length(char* at, std::string_view field) {
    CHECK(field.size() <= std::numeric_limits<Length>::max());
    return put(at, static_cast<Length>(field.size()));
}

char* put_bytes(char* at, std::string_view field) {
    if (!field.empty()) {
        std::memcpy(at, field.data(), field.size());
    }
    return at + field.size();
}

std::unexpected<Error> corrupt(const std::string& message) {
    return fail(ErrorKind::corrupt, "record body: " + message);
}

/// Errors: `corrupt`.
Result<> read_body(std::string_view body, EventView& event) {
    if (body.size() < header_bytes) {
        return corrupt("has " + std::to_string(body.size()) + " bytes, its header alone needs " +
                       std::to_string(header_bytes));
    }
    const char* at = body.data();
    if (const auto version = get<std::uint8_t>(at); version != body_version) {
        return corrupt("version " + std::to_string(version) +
                       " is unknown; this program reads version 1");
    }
    const auto form = get<std::uint8_t>(at);
    if (form != static_cast<std::uint8_t>(Form::seed) &&
        form != static_cast<std::uint8_t>(Form::eventbridge)) {
        return corrupt("form " + std::to_string(form) +
                       " is unknown; 1 (seed) and 2 (EventBridge) are");
    }
    event.form = static_cast<Form>(form);
    const auto flags = get<std::uint16_t>(at);
    if ((flags & ~flag_timestamp_is_receipt) != 0) {
        return corrupt("flags " + std::to_string(flags) + " are unknown");
    }
    event.timestamp_is_receipt = (flags & flag_timestamp_is_receipt) != 0;
    event.hops = get<std::uint32_t>(at);
    event.timestamp = from_unix_ms(get<std::int64_t>(at));

    std::array<std::size_t, short_fields.size() + long_fields.size()> lengths{};
    std::size_t bytes = header_bytes;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        lengths[i] = i < short_fields.size() ? get<std::uint16_t>(at) : get<std::uint32_t>(at);
        bytes += lengths[i];
    }
    if (bytes != body.size()) {
        return corrupt("its lengths (from byte " + std::to_string(lengths_at) + ") add up to " +
                       std::to_string(bytes) + " bytes, but it has " + std::to_string(body.size()));
    }
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        const auto field =
            i < short_fields.size() ? short_fields[i] : long_fields[i - short_fields.size()];
        event.*field = {at, lengths[i]};
        at += lengths[i];
    }
    return {};
}

}  // namespace

std::size_t body_bytes(const EventView& event) {
    std::size_t bytes = header_bytes;
    for (const auto field : short_fields) {
        bytes += (event.*field).size();
    }
    for (const auto field : long_fields) {
        bytes += (event.*field).size();
    }
    return bytes;
}

void append_body(std::string& out, const EventView& event) {
    const std::size_t begin = out.size();
    out.resize(begin + body_bytes(event));
    char* at = out.data() + begin;
    at = put(at, body_version);
    at = put(at, static_cast<std::uint8_t>(event.form));
    at = put(at, event.timestamp_is_receipt ? flag_timestamp_is_receipt : std::uint16_t{0});
    at = put(at, event.hops);
    at = put(at, to_unix_ms(event.timestamp));
    for (const auto field : short_fields) {
        at = put_length<std::uint16_t>(at, event.*field);
    }
    for (const auto field : long_fields) {
        at = put_length<std::uint32_t>(at, event.*field);
    }
    for (const auto field : short_fields) {
        at = put_bytes(at, event.*field);
    }
    for (const auto field : long_fields) {
        at = put_bytes(at, event.*field);
    }
    CHECK(at == out.data() + out.size());
}

std::string encode_body(const EventView& event) {
    std::string body;
    append_body(body, event);
    return body;
}

std::string encode_body(const Event& event) { return encode_body(view_of(event)); }

/// Every reader of the log and every publisher comes here: the view is made where it is wanted.
Result<EventView> decode_body(std::string_view body) {
    Result<EventView> event{std::in_place};
    if (auto read = read_body(body, *event); !read) {
        event = std::unexpected(std::move(read).error());
    }
    return event;
}

}  // namespace bascule::event
