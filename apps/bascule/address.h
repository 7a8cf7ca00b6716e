#pragma once

#include <cstdint>
#include <string>

#include "foundation/base/result.h"
#include "settings.h"

namespace bascule {

/// Where the server listens.
struct Address {
    std::string host;  ///< an IP address
    std::uint16_t port = 0;
};

/// Reads `server.listen`: `127.0.0.1:4010`, `[::1]:4010`, `localhost:4010`. Errors: `invalid`, also
/// for an address that others can reach without TLS.
Result<Address> address_of(const Settings& settings);

/// `http://127.0.0.1:4010`, `http://[::1]:4010`.
std::string url_of(const Address& address);

}  // namespace bascule
