#pragma once

#include <optional>
#include <string_view>

#include "foundation/base/clock.h"
#include "foundation/base/result.h"

namespace bascule::api {

/// The time that something took place in: a day (UTC) or a millisecond.
struct Moment {
    WallTime begin;
    WallTime end;  ///< the first moment behind it
};

/// What is allowed, in words.
inline constexpr std::string_view moment_forms =
    "a date YYYY-MM-DD, a time YYYY-MM-DDThh:mm:ssZ (or with ±hh:mm) or Unix milliseconds";

/// A date, a time of ISO 8601 with its zone, or Unix milliseconds, to the end of the year 9999;
/// nothing for an empty text. Errors: `invalid`, naming `name`.
Result<std::optional<Moment>> parse_moment(std::string_view text, std::string_view name);

}  // namespace bascule::api
