#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bus/event/event.h"
#include "foundation/json/reader.h"
#include "foundation/json/writer.h"

/// The envelope's members, read the same way in every form; shared by the sources of this room.
namespace bascule::event {

/// Reads the string that comes next; `null` is an empty one. A fault names `pointer`.
std::string read_text(json::Reader& reader, std::string_view pointer);

/// Reads the JSON object that comes next, as it stands; `null` is an empty text.
std::string_view read_object(json::Reader& reader, std::string_view pointer);

/// Reads Unix milliseconds; `null` is zero.
WallTime read_timestamp(json::Reader& reader, std::string_view pointer);

/// A value's text as messages show it: at most 60 bytes of it.
std::string shown(std::string_view raw);

/// Our envelope inside an EventBridge event's detail.
struct DetailEnvelope {
    bool is_ours = false;  ///< detail has an eventId and an object called data
    std::string event_id;
    std::string event_version;
    std::optional<WallTime> timestamp;
    std::string user_id;  ///< also taken from a foreign detail that happens to have one
    std::string correlation_id;
    std::string causation_id;
    std::string_view data;
    std::string_view metadata;
};

/// Never fails: members of another kind than ours are somebody else's and count as absent.
DetailEnvelope read_detail(std::string_view detail);

/// Writes the members of `detail` that are not the envelope's, if it carries our envelope; else
/// nothing.
void append_unknown_of_detail(json::Writer& writer, std::string_view detail);

}  // namespace bascule::event
