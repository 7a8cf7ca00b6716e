#pragma once

#include <cstdint>
#include <string>

#include "foundation/base/result.h"

namespace bascule::http {

/// An absolute http or https URL, taken apart for a client.
struct Url {
    bool tls = false;
    std::string host;  ///< lower case; an IPv6 address without brackets
    std::uint16_t port = 80;
    std::string authority;  ///< for the Host header: port only if unusual
    std::string target;     ///< path and query, as to be sent

    /// Errors: `invalid`, naming what is wrong.
    static Result<Url> parse(std::string_view text);
};

}  // namespace bascule::http
