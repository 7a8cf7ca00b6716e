#include "bus/pattern/ip_address.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <vector>

namespace bascule::pattern {

namespace {

std::optional<unsigned> number(std::string_view text, int base, std::size_t digits_max,
                               unsigned value_max) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole && !text.empty() && text.size() <= digits_max && value <= value_max
               ? std::optional(value)
               : std::nullopt;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

std::optional<IpAddress> parse_v4(std::string_view text) {
    const auto parts = split(text, '.');
    IpAddress address;
    if (parts.size() != 4) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < 4; ++i) {
        const auto value = number(parts[i], 10, 3, 255);
        if (!value) {
            return std::nullopt;
        }
        address.bytes[i] = static_cast<std::uint8_t>(*value);
    }
    return address;
}

/// The groups of one side of `::`; a dotted quad may end it.
bool append_groups(std::string_view side, std::vector<std::uint8_t>& bytes) {
    if (side.empty()) {
        return true;
    }
    const auto parts = split(side, ':');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (const auto group = number(parts[i], 16, 4, 0xFFFF)) {
            bytes.push_back(static_cast<std::uint8_t>(*group >> 8));
            bytes.push_back(static_cast<std::uint8_t>(*group & 0xFF));
        } else if (const auto quad = i + 1 == parts.size() ? parse_v4(parts[i]) : std::nullopt) {
            bytes.insert(bytes.end(), quad->bytes.begin(), quad->bytes.begin() + 4);
        } else {
            return false;
        }
    }
    return true;
}

std::optional<IpAddress> parse_v6(std::string_view text) {
    std::vector<std::uint8_t> head;
    std::vector<std::uint8_t> tail;
    const std::size_t gap = text.find("::");
    const bool has_gap = gap != std::string_view::npos;
    if (!append_groups(text.substr(0, gap), head) ||
        (has_gap && !append_groups(text.substr(gap + 2), tail))) {
        return std::nullopt;
    }
    const std::size_t given = head.size() + tail.size();
    if (has_gap ? given > 14 : given != 16) {
        return std::nullopt;
    }
    IpAddress address{.is_v4 = false};
    std::copy(head.begin(), head.end(), address.bytes.begin());
    std::copy(tail.begin(), tail.end(),
              address.bytes.end() - static_cast<std::ptrdiff_t>(tail.size()));
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

std::optional<IpAddress> parse_ip(std::string_view text) {
    return text.find(':') == std::string_view::npos ? parse_v4(text) : parse_v6(text);
}

}  // namespace bascule::pattern
