#pragma once

#include <cstdint>
#include <string>

#include "foundation/base/result.h"
#include "settings.h"

namespace bascule {

/// Where the server listens.
struct Address {
    std::string host;
    std::uint16_t port = 0;
};

/// Reads `server.listen`. Errors: `invalid`, also for an address that others can reach without TLS.
Result<Address> address_of(const Settings& settings);

}  // namespace bascule
