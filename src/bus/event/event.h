#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "foundation/base/clock.h"
#include "foundation/base/hash.h"
#include "foundation/base/result.h"

namespace bascule::event {

/// The shape in which a publisher handed the event in; stored, so that it can be given back
/// unchanged.
enum class Form : std::uint8_t {
    seed = 1,         ///< {eventId, eventType, …, data}
    eventbridge = 2,  ///< {source, detail-type, detail, …}
    cloudevents = 3,  ///< reserved
};

/// One event, owned. Empty text means absent. What each field may hold: docs/reference/events.md.
///
/// `correlation_id` stays empty when the publisher sent none, so that the form goes back as it
/// came; ask `correlation_of` for the id that groups the event.
struct Event {
    Form form = Form::seed;
    std::string event_id;
    std::string event_type;
    std::string event_version = "1.0";
    WallTime timestamp;                 ///< zero = the publisher sent none (then see stamp_missing)
    bool timestamp_is_receipt = false;  ///< the bus's clock, because the publisher sent none
    std::string source;
    std::string user_id;  ///< whose data changed: the partition key
    std::string correlation_id;
    std::string causation_id;
    std::string data;      ///< JSON object, the publisher's bytes: the seed's `data`, or the whole
                           ///< EventBridge `Detail`
    std::string metadata;  ///< JSON object or empty
    std::uint32_t hops = 0;  ///< how many events stand above this one in its chain of causes
    std::string replay_id;
    std::string extras;  ///< JSON object or empty: what else the form needs for a lossless way back
};

/// The same, not owned: what is decoded from a record body, without a copy.
struct EventView {
    Form form = Form::seed;
    std::string_view event_id;
    std::string_view event_type;
    std::string_view event_version = "1.0";
    WallTime timestamp;
    bool timestamp_is_receipt = false;
    std::string_view source;
    std::string_view user_id;
    std::string_view correlation_id;
    std::string_view causation_id;
    std::string_view data;
    std::string_view metadata;
    std::uint32_t hops = 0;
    std::string_view replay_id;
    std::string_view extras;
};

/// Fills what a publisher may leave to the bus: the id and the time.
void stamp_missing(Event& event, std::string_view event_id, WallTime now);

EventView view_of(const Event& event);
Event owned(const EventView& view);

/// The id under which a chain of events is known: the publisher's correlationId, else the event's
/// own id.
inline std::string_view correlation_of(const EventView& event) {
    return event.correlation_id.empty() ? event.event_id : event.correlation_id;
}

/// What the event says, whatever its form: the seed's `data` (inside an EventBridge event with our
/// envelope: `detail.data`; in a foreign one all of `detail`). A JSON object.
std::string_view payload_of(const EventView& event);

/// Two events with equal `id_hash` are the same publication: XXH3-128 of source and eventId.
Hash128 id_hash(const EventView& event);

/// … and with equal `content_hash` they say the same: XXH3-128 of a canonical text of what the
/// publisher wrote, without ids and times that the bus stamped. Blanks, member order and form do
/// not count; digits do. Same id and other content is `id_reused` (delivery contract, section 6).
/// O(n log n) in the members.
Hash128 content_hash(const EventView& event);

/// Limits of the envelope, in bytes of UTF-8.
inline constexpr std::size_t event_id_bytes_max = 128;
inline constexpr std::size_t event_type_bytes_max = 128;
inline constexpr std::size_t event_version_bytes_max = 32;
inline constexpr std::size_t source_bytes_max = 256;
inline constexpr std::size_t user_id_bytes_max = 256;
inline constexpr std::size_t correlation_id_bytes_max = 128;
inline constexpr std::size_t event_bytes_max =
    1024 * 1024;  ///< default of the setting; enforced by the bus
inline constexpr std::uint32_t hops_max = 16;

}  // namespace bascule::event
