#pragma once

#include "bus/broker/bus_state.h"
#include "bus/event/builders.h"

namespace bascule::broker {

/// What the event that tells of a deed says beside it: its id, when, and who.
event::Occasion occasion_of(BusState& state, const Deed& deed);

/// Whether what is to be told can be: a deed that nobody could be told of is not done.
/// Errors: `invalid`, with what is wrong.
Result<> check_deed(const Deed& deed, const event::Event& fact);

}  // namespace bascule::broker
