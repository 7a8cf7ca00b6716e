#include "bus/pattern/ip_address.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace bascule::pattern {

namespace {

constexpr std::size_t v4_characters_max = 15;  ///< as many as 255.255.255.255 has

std::optional<unsigned> number(std::string_view text, int base, unsigned value_max) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole && !text.empty() && value <= value_max ? std::optional(value) : std::nullopt;
}

/// Calls `take(part)` for what lies between the separators, until one is refused. Whether none was.
template <class Take>
bool take_parts(std::string_view text, char separator, const Take& take) {
    while (true) {
        const std::size_t end = text.find(separator);
        if (!take(text.substr(0, end))) {
            return false;
        }
        if (end == std::string_view::npos) {
            return true;
        }
        text.remove_prefix(end + 1);
    }
}

/// The bytes of an address, from its front.
struct Bytes {
    std::array<std::uint8_t, 16> bytes{};
    std::size_t size = 0;

    bool append(unsigned byte) {
        if (size == bytes.size()) {
            return false;
        }
        bytes[size++] = static_cast<std::uint8_t>(byte);
        return true;
    }
};

std::optional<IpAddress> parse_v4(std::string_view text) {
    Bytes address;
    const bool is_read =
        text.size() <= v4_characters_max && take_parts(text, '.', [&](std::string_view part) {
            const auto value = number(part, 10, 255);
            return value && address.append(*value);
        });
    return is_read && address.size == 4 ? std::optional(IpAddress{.bytes = address.bytes})
                                        : std::nullopt;
}

/// The groups of one side of `::`.
bool append_groups(std::string_view side, Bytes& bytes) {
    return side.empty() || take_parts(side, ':', [&](std::string_view part) {
               const auto group = number(part, 16, 0xFFFF);
               return group && bytes.append(*group >> 8) && bytes.append(*group & 0xFF);
           });
}

/// ::ffff:a.b.c.d, which is the IPv4 address a.b.c.d.
bool is_mapped_v4(const IpAddress& address) {
    constexpr std::array<std::uint8_t, 12> prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    return std::equal(prefix.begin(), prefix.end(), address.bytes.begin());
}

std::optional<IpAddress> parse_v6(std::string_view text) {
    Bytes head;
    Bytes tail;
    const std::size_t gap = text.find("::");
    const bool has_gap = gap != std::string_view::npos;
    if (!append_groups(text.substr(0, gap), head) ||
        (has_gap && !append_groups(text.substr(gap + 2), tail))) {
        return std::nullopt;
    }
    const std::size_t given = head.size + tail.size;
    if (has_gap ? given > 14 : given != 16) {
        return std::nullopt;
    }
    IpAddress address{.is_v4 = false, .bytes = head.bytes};
    std::copy_n(tail.bytes.begin(), tail.size,
                address.bytes.end() - static_cast<std::ptrdiff_t>(tail.size));
    if (is_mapped_v4(address)) {
        IpAddress v4;
        std::copy(address.bytes.begin() + 12, address.bytes.end(), v4.bytes.begin());
        return v4;
    }
    return address;
}

}  // namespace

bool IpAddress::is_in(const IpAddress& network, unsigned prefix) const {
    if (is_v4 != network.is_v4) {
        return false;
    }
    for (unsigned bit = 0; bit < prefix; ++bit) {
        const unsigned mask = 0x80U >> (bit % 8);
        if ((bytes[bit / 8] & mask) != (network.bytes[bit / 8] & mask)) {
            return false;
        }
    }
    return true;
}

bool looks_like_ip(std::string_view text) {
    if (text.find(':') != std::string_view::npos) {
        return text.find_first_not_of("0123456789abcdefABCDEF:") == std::string_view::npos;
    }
    std::size_t parts = 0;
    return take_parts(text, '.',
                      [&](std::string_view part) {
                          ++parts;
                          return !part.empty() &&
                                 part.find_first_not_of("0123456789") == std::string_view::npos;
                      }) &&
           parts == 4;
}

std::optional<IpAddress> parse_ip(std::string_view text) {
    return text.find(':') == std::string_view::npos ? parse_v4(text) : parse_v6(text);
}

}  // namespace bascule::pattern
