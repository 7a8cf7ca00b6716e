#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bus/broker/routing.h"
#include "foundation/base/guarded.h"

namespace bascule::broker {

/// Numbers for sets of consumers, so that a record says who gets it in 32 bits.
///
/// Set 0 is the empty one. A set gets its number when it first occurs, and its definition must
/// stand in the log before any record that uses it. Until one definition is known to be durable,
/// every batch that uses the set brings the definition along, at its head: so no batch depends on
/// the fate of another one.
///
/// Threads: any.
class TargetSets {
  public:
    using Set = std::vector<ConsumerNumber>;  ///< ascending, each once

    struct Interned {
        std::uint32_t id = 0;
        bool defined = true;  ///< a definition of it is durable
    };
    Interned intern(const Set& set);

    /// The control record that defines these sets.
    std::string definition(const std::vector<std::uint32_t>& ids) const;
    /// The log has a definition of these sets on stable storage.
    void mark_defined(const std::vector<std::uint32_t>& ids);

    /// Whether the set holds the consumer; false for a number that nobody defined.
    bool contains(std::uint32_t id, ConsumerNumber consumer) const;
    Set members(std::uint32_t id) const;

    /// All definitions as one control record.
    std::string encode() const;
    /// Takes over the definitions of a control record. Errors: `corrupt`.
    Result<> absorb(std::string_view control_body);

  private:
    struct Known {
        Set members;
        bool defined = true;
    };
    struct All {
        std::map<Set, std::uint32_t> ids;
        std::vector<Known> sets{Known{}};
    };
    SharedGuarded<All> all_;
};

}  // namespace bascule::broker
