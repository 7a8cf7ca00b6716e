#pragma once

#include <array>
#include <cstdint>

namespace bascule::http {

using IpV4 = std::array<std::uint8_t, 4>;
using IpV6 = std::array<std::uint8_t, 16>;

/// True for addresses that are not of the public Internet: this machine, private and link-local
/// networks, shared and documentation ranges, multicast; for IPv6 also those that carry such an
/// IPv4 address inside (mapped, NAT64, 6to4).
/// Source: the IANA registries of special-purpose addresses (RFC 6890).
bool is_private_network(const IpV4& address);
bool is_private_network(const IpV6& address);

}  // namespace bascule::http
