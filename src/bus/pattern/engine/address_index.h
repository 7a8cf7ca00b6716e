#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "bus/pattern/engine/entry.h"
#include "bus/pattern/engine/step_budget.h"
#include "bus/pattern/ip_address.h"
#include "bus/pattern/term.h"

namespace bascule::pattern {

/// Finds all of many networks that an address lies in: one look-up for each length of prefix that
/// occurs. Immutable once built.
class AddressIndex {
  public:
    struct Item {
        Cidr network;
        std::uint32_t owner = 0;
    };

    AddressIndex() = default;
    explicit AddressIndex(std::vector<Item> items);

    bool empty() const { return items_.empty(); }

    /// Calls `each(owner)` for every network that contains the address that `text` is, if any; for
    /// none if the budget does not suffice.
    template <class Each>
    void find(std::string_view text, StepBudget& budget, const Each& each) const {
        if (items_.empty() || !may_be_address(text)) {
            return;
        }
        const auto address = parse_ip(text);
        if (!address || !budget.spend(lengths_.size() * steps_a_length)) {
            return;
        }
        for (const unsigned bits : lengths_) {
            for (const Item& item : networks(*address, bits)) {
                each(item.owner);
            }
        }
    }

    std::size_t memory_bytes() const {
        return items_.capacity() * sizeof(Item) + lengths_.capacity() * sizeof(unsigned);
    }

  private:
    static constexpr std::size_t steps_a_length = 4;
    static bool may_be_address(std::string_view text);
    std::span<const Item> networks(const IpAddress& address, unsigned bits) const;

    std::vector<Item> items_;  ///< by length and network, host bits cleared
    std::vector<unsigned> lengths_;
};

}  // namespace bascule::pattern
