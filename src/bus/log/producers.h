#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "bus/log/frame.h"

namespace bascule::log {

/// The highest sequence of every producer. Threads: one owner.
class Producers {
  public:
    std::optional<std::uint64_t> highest(std::uint64_t producer) const {
        const auto found = highest_.find(producer);
        return found == highest_.end() ? std::nullopt : std::optional(found->second);
    }

    void raise(std::uint64_t producer, std::uint64_t sequence) {
        auto& highest = highest_[producer];
        highest = std::max(highest, sequence);
    }

    /// Takes a raise back: to what `highest` said before it.
    void restore(std::uint64_t producer, std::optional<std::uint64_t> highest) {
        if (highest) {
            highest_[producer] = *highest;
        } else {
            highest_.erase(producer);
        }
    }

    std::size_t size() const { return highest_.size(); }
    std::vector<ProducerSequence> all() const { return {highest_.begin(), highest_.end()}; }

  private:
    std::unordered_map<std::uint64_t, std::uint64_t> highest_;
};

}  // namespace bascule::log
