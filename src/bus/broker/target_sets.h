#pragma once

#include <cstdint>
#include <map>
#include <optional>
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

    /// A control record of more than one definition stays below this, so that a frame can hold it
    /// however many sets there are.
    static constexpr std::size_t definition_bytes_max = 64 << 10;

    /// The control records that define these sets.
    std::vector<std::string> definitions(const std::vector<std::uint32_t>& ids) const;
    /// The log has a definition of these sets on stable storage.
    void mark_defined(const std::vector<std::uint32_t>& ids);

    /// Whether the set holds the consumer; nothing if nobody defined the set, so that its
    /// definition was lost.
    std::optional<bool> contains(std::uint32_t id, ConsumerNumber consumer) const;
    Set members(std::uint32_t id) const;

    /// The control records that define all sets.
    std::vector<std::string> all_definitions() const;
    /// Takes over the definitions of a control record. Errors: `corrupt`.
    Result<> absorb(std::string_view control_body);

  private:
    struct Known {
        Set members;
        bool defined = true;  ///< … durably
        bool known = true;    ///< false for a number between others whose definition was lost
    };
    struct All {
        std::map<Set, std::uint32_t> ids;
        std::vector<Known> sets{Known{}};
    };
    SharedGuarded<All> all_;
};

}  // namespace bascule::broker
