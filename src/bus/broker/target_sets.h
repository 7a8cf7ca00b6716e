#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bus/broker/routing.h"

namespace bascule::broker {

/// Numbers for sets of consumers, so that a record says who gets it in 32 bits.
///
/// Set 0 is the empty one. A set gets its number when it first occurs, and the definition must
/// stand in the log before the first record that uses it: `intern` hands it to `define` while it
/// holds the lock, and nobody learns the number before `define` returned.
///
/// Threads: any.
class TargetSets {
  public:
    using Set = std::vector<ConsumerNumber>;  ///< ascending, each once
    using Define = std::function<Result<>(std::string control_body)>;

    Result<std::uint32_t> intern(const Set& set, const Define& define);

    /// Whether the set holds the consumer; false for a number that nobody defined.
    bool contains(std::uint32_t id, ConsumerNumber consumer) const;
    Set members(std::uint32_t id) const;

    /// All definitions as one control record.
    std::string encode() const;
    /// Takes over the definitions of a control record. Errors: `corrupt`.
    Result<> absorb(std::string_view control_body);

  private:
    mutable std::shared_mutex mutex_;
    std::map<Set, std::uint32_t> ids_;
    std::vector<Set> sets_{Set{}};
};

}  // namespace bascule::broker
