#pragma once

#include "bus/event/event.h"
#include "foundation/sql/session.h"
#include "household/application/stores/analytics_store.h"

namespace bascule::application {

/// The months in which the event can have moved figures; everything, if it does not tell.
Result<> widen(AnalyticsScope& scope, sql::Session& session, const event::EventView& event);

}  // namespace bascule::application
