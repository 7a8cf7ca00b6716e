#include "server/http/private_network.h"

#include <algorithm>
#include <span>

namespace bascule::http {

namespace {

template <class Address>
struct Range {
    Address first;
    unsigned bits;
};

template <class Address>
bool is_in(const Address& address, const Range<Address>& range) {
    for (unsigned bit = 0; bit < range.bits; bit += 8) {
        const unsigned left = std::min(8u, range.bits - bit);
        const auto mask = static_cast<std::uint8_t>(0xff << (8 - left));
        if ((address[bit / 8] & mask) != (range.first[bit / 8] & mask)) {
            return false;
        }
    }
    return true;
}

constexpr Range<IpV4> private_v4[] = {
    {{0, 0, 0, 0}, 8},        // this network
    {{10, 0, 0, 0}, 8},       // RFC 1918
    {{100, 64, 0, 0}, 10},    // shared by carriers
    {{127, 0, 0, 0}, 8},      // loopback
    {{169, 254, 0, 0}, 16},   // link-local, and the clouds' metadata
    {{172, 16, 0, 0}, 12},    // RFC 1918
    {{192, 0, 0, 0}, 24},     // protocol assignments
    {{192, 0, 2, 0}, 24},     // documentation
    {{192, 88, 99, 0}, 24},   // 6to4 relays
    {{192, 168, 0, 0}, 16},   // RFC 1918
    {{198, 18, 0, 0}, 15},    // benchmarks
    {{198, 51, 100, 0}, 24},  // documentation
    {{203, 0, 113, 0}, 24},   // documentation
    {{224, 0, 0, 0}, 4},      // multicast
    {{240, 0, 0, 0}, 4},      // reserved, broadcast
};

constexpr Range<IpV6> private_v6[] = {
    {{}, 96},                              // unspecified, loopback, the old form of IPv4 inside
    {{0x00, 0x64, 0xff, 0x9b, 0, 1}, 48},  // local NAT64
    {{0x01}, 64},                          // discard
    {{0x20, 0x01, 0x00}, 23},              // protocol assignments, Teredo
    {{0x20, 0x01, 0x0d, 0xb8}, 32},        // documentation
    {{0x3f, 0xff}, 20},                    // documentation
    {{0xfc}, 7},                           // unique local
    {{0xfe, 0x80}, 10},                    // link-local
    {{0xfe, 0xc0}, 10},                    // site-local
    {{0xff}, 8},                           // multicast
};

struct Carrier {
    Range<IpV6> range;
    std::size_t offset;  ///< where the IPv4 address stands
};
constexpr Carrier carriers[] = {
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12},  // mapped
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},                    // NAT64
    {{{0x20, 0x02}, 16}, 2},                                 // 6to4
};

}  // namespace

bool is_private_network(const IpV4& address) {
    return std::ranges::any_of(private_v4,
                               [&](const auto& range) { return is_in(address, range); });
}

bool is_private_network(const IpV6& address) {
    for (const auto& [range, offset] : carriers) {
        if (is_in(address, range)) {
            IpV4 inside;
            std::copy_n(address.begin() + static_cast<std::ptrdiff_t>(offset), 4, inside.begin());
            return is_private_network(inside);
        }
    }
    return std::ranges::any_of(private_v6,
                               [&](const auto& range) { return is_in(address, range); });
}

}  // namespace bascule::http
