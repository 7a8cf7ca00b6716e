#include "bus/pattern/engine/number_table.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

namespace bascule::pattern {

NumberTable::NumberTable(std::vector<Item> items) : items_(std::move(items)) {
    if (items_.empty()) {
        return;
    }
    const auto order = [](const Item& item) { return order_of(item.number.key); };
    std::sort(items_.begin(), items_.end(), [&](const Item& left, const Item& right) {
        return std::tuple(order(left), left.owner) < std::tuple(order(right), right.owner);
    });
    slots_.resize(std::bit_ceil(items_.size() * 2));
    for (std::size_t i = 0; i < items_.size();) {
        std::size_t end = i;
        while (end < items_.size() && order(items_[end]) == order(items_[i])) {
            ++end;
        }
        std::size_t slot = slot_of(order(items_[i]));
        while (slots_[slot].count != 0) {
            slot = (slot + 1) & (slots_.size() - 1);
        }
        slots_[slot] = {order(items_[i]), static_cast<std::uint32_t>(i),
                        static_cast<std::uint32_t>(end - i)};
        i = end;
    }
}

std::size_t NumberTable::memory_bytes() const {
    return items_.capacity() * sizeof(Item) + slots_.capacity() * sizeof(Slot);
}

}  // namespace bascule::pattern
