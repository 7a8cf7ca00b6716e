#pragma once

#include <string>
#include <string_view>

#include "bus/event/event.h"

namespace bascule::event {

/// What the bus knows about an arriving EventBridge event and its publisher does not say.
struct Arrival {
    std::string_view id;  ///< the EventBridge `id` that PutEvents answers; also the eventId of an
                          ///< event that brings none
    WallTime time;        ///< receipt; stands in for a missing `Time`
    std::string_view account;
    std::string_view region;
};

/// Whose `account` and `region` an event carries that has none of its own.
struct Home {
    std::string_view account = "000000000000";
    std::string_view region = "us-east-1";
};

/// Reads one entry of a PutEvents call: {Source, DetailType, Detail (JSON text in a string), Time?,
/// Resources?, …}.
///
/// `data` holds the whole Detail. If Detail carries our envelope (eventId, userId, data …), its
/// fields are taken from there; a foreign event gets `arrival.id` as its id, an empty key and
/// version 1.0. What else the entry says is in `extras`. Errors: `invalid`, naming the member. The
/// texts that the AWS API answers are the wire adapter's matter.
Result<Event> parse_eventbridge_entry(std::string_view text, const Arrival& arrival);

/// Reads an event as EventBridge delivers it: {version, id, detail-type, source, account, time,
/// region, resources, detail}. Only `source`, `detail-type` and `detail` are needed; the rest is
/// kept as it came. Errors as above.
Result<Event> parse_eventbridge_event(std::string_view text, const Arrival& arrival);

/// The event as EventBridge delivers it, compact, members in AWS's order:
/// version, id, detail-type, source, account, time, region, (replay-name,) resources, detail, then
/// unknown ones. An event in the seed's form becomes detail = {eventId, eventVersion, timestamp,
/// userId, correlationId, causationId, data, metadata, its unknown members}.
std::string to_eventbridge_json(const EventView& event, const Home& home = {});

/// Only the `detail` of the above.
std::string to_detail_json(const EventView& event);

}  // namespace bascule::event
