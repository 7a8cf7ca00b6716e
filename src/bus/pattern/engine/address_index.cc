#include "bus/pattern/engine/address_index.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace bascule::pattern {

namespace {

IpAddress masked(IpAddress address, unsigned bits) {
    for (unsigned i = 0; i < address.bytes.size(); ++i) {
        const unsigned kept = bits > i * 8 ? std::min(8U, bits - i * 8) : 0;
        address.bytes[i] = static_cast<std::uint8_t>(address.bytes[i] & (0xFF00U >> kept));
    }
    return address;
}

auto order(const Cidr& cidr) {
    return std::tuple(cidr.bits, cidr.network.is_v4, cidr.network.bytes);
}

struct ByNetwork {
    bool operator()(const AddressIndex::Item& left, const Cidr& right) const {
        return order(left.network) < order(right);
    }
    bool operator()(const Cidr& left, const AddressIndex::Item& right) const {
        return order(left) < order(right.network);
    }
};

}  // namespace

AddressIndex::AddressIndex(std::vector<Item> items) : items_(std::move(items)) {
    for (Item& item : items_) {
        item.network.network = masked(item.network.network, item.network.bits);
        lengths_.push_back(item.network.bits);
    }
    std::sort(items_.begin(), items_.end(), [](const Item& left, const Item& right) {
        return std::pair(order(left.network), left.owner) <
               std::pair(order(right.network), right.owner);
    });
    std::sort(lengths_.begin(), lengths_.end());
    lengths_.erase(std::unique(lengths_.begin(), lengths_.end()), lengths_.end());
}

/// Most strings are seen at once to be none.
bool AddressIndex::may_be_address(std::string_view text) {
    return text.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos;
}

std::span<const AddressIndex::Item> AddressIndex::networks(const IpAddress& address,
                                                           unsigned bits) const {
    const Cidr wanted{.network = masked(address, bits), .bits = bits};
    const auto [begin, end] = std::equal_range(items_.begin(), items_.end(), wanted, ByNetwork());
    return {begin, end};
}

}  // namespace bascule::pattern
