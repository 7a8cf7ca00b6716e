#pragma once

#include "bus/event/event.h"
#include "bus/pattern/subject.h"

namespace bascule::broker {

/// An event as patterns see it: EventBridge's form, described in place. For the seed's form the
/// envelope's members stand in `detail` beside the payload at `detail.data`; an EventBridge event
/// is its own `detail`. Lifetime: the event outlives the subject.
pattern::Subject subject_of(const event::EventView& event);

/// The same without all but `source` and `detail-type`, to which nothing else in an event adds.
pattern::Subject header_of(const event::EventView& event);

}  // namespace bascule::broker
