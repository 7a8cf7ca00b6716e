#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bascule::pattern {

/// An IPv4 or IPv6 address. A v4 address never equals its v6-mapped form.
struct IpAddress {
    bool is_v4 = true;
    std::array<std::uint8_t, 16> bytes{};  ///< v4: the first four

    friend bool operator==(const IpAddress&, const IpAddress&) = default;

    unsigned bits() const { return is_v4 ? 32 : 128; }

    /// Whether this and `network` are of one family and agree in the first `prefix` bits.
    bool is_in(const IpAddress& network, unsigned prefix) const;
};

/// Reads dotted quads (leading zeros are decimal) and RFC 4291 texts; nothing for anything else.
std::optional<IpAddress> parse_ip(std::string_view text);

}  // namespace bascule::pattern
