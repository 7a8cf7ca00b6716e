#pragma once

#include <string>
#include <string_view>

#include "foundation/base/clock.h"
#include "foundation/base/random.h"

namespace bascule {

/// A new UUIDv7 in its text form: 48 bits of time, 74 of chance. Source: RFC 9562, section 5.7.
std::string new_uuid(WallTime now, Random& random);

/// The same, from the system's clock and a generator of this thread's own. Threads: any.
std::string new_uuid();

/// A UUIDv8 that depends on `seed` alone: the same work done twice makes the same id.
/// Source: RFC 9562, section 5.8; 122 bits of XXH3-128.
std::string derived_uuid(std::string_view seed);

}  // namespace bascule
