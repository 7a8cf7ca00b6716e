#pragma once

#include <string>
#include <string_view>

#include "bus/event/event.h"

namespace bascule::event {

/// Reads an event in the seed's form:
/// {eventId, eventType, eventVersion?, timestamp, source, userId, correlationId?, causationId?,
/// data, metadata?}.
///
/// One pass, no tree; `data` and `metadata` keep their bytes, members nobody knows go to `extras`.
/// A `null` for an optional field means absent. `eventId` and `timestamp` may be missing here: the
/// publishing side fills them before `validate` (validate.h), which holds the rules of the envelope
/// and of the types.
///
/// Errors: `invalid`: not JSON (line, column, byte), or a field of a wrong kind: `/timestamp: must
/// be an integer …`.
Result<Event> parse_seed(std::string_view text);

/// The event in that form, compact, members in the order above, then those of `extras`. Parsing the
/// answer gives the same event. For an event that came in another form: its fields and its payload.
std::string to_seed_json(const EventView& event);

}  // namespace bascule::event
