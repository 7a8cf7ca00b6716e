#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "foundation/base/clock.h"

namespace bascule::event {

/// `2026-11-25T08:15:30Z`: whole seconds, as EventBridge writes times. Years 0000 to 9999.
std::string to_iso_seconds(WallTime time);

/// Reads `YYYY-MM-DDThh:mm:ss[.fraction](Z|±hh:mm)`; fractions beyond ms are cut. Nothing for
/// anything else.
std::optional<WallTime> from_iso(std::string_view text);

}  // namespace bascule::event
