#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bascule::pattern {

/// An IPv4 or IPv6 address. A v4 address in its v6-mapped form (::ffff:a00:1) is that v4 address.
struct IpAddress {
    bool is_v4 = true;
    std::array<std::uint8_t, 16> bytes{};  ///< v4: the first four

    friend bool operator==(const IpAddress&, const IpAddress&) = default;

    unsigned bits() const { return is_v4 ? 32 : 128; }

    /// Whether this and `network` are of one family and agree in the first `prefix` bits.
    bool is_in(const IpAddress& network, unsigned prefix) const;
};

/// Reads dotted quads (of at most 15 characters, leading zeros are decimal) and RFC 4291 texts of
/// hexadecimal groups only (of any length); nothing for anything else.
std::optional<IpAddress> parse_ip(std::string_view text);

/// Whether a text has the characters of an address, be it one or not.
bool looks_like_ip(std::string_view text);

}  // namespace bascule::pattern
