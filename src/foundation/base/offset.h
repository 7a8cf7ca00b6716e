#pragma once

#include <cstdint>

#include "foundation/base/named.h"

namespace bascule {

/// The place of a record in one bus's log: dense, from 0, never reused. It stands in `base` because
/// the log that assigns it and the delivery machine that counts in it do not know each other.
using Offset = Named<std::uint64_t, struct OffsetTag>;

constexpr Offset next(Offset offset) { return Offset(offset.value() + 1); }

}  // namespace bascule
