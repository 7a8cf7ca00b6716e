#pragma once

#include <string>
#include <string_view>

#include "bus/event/event.h"

/// The bytes of an event in a log record. Format: docs/format/record_body.md (version 1).
namespace bascule::event {

/// O(bytes); one allocation.
std::string encode_body(const EventView& event);
std::string encode_body(const Event& event);

/// The same at the end of `out`.
void append_body(std::string& out, const EventView& event);
std::size_t body_bytes(const EventView& event);

/// Views into `body`, which must outlive them. Errors: `corrupt`, naming the field and the byte
/// where the body ends too early, has bytes left over, or is of an unknown version or form. Does
/// not parse the JSON inside: it was checked before it was written, and the frame's checksum stands
/// above it.
Result<EventView> decode_body(std::string_view body);

}  // namespace bascule::event
