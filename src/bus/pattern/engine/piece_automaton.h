#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bus/pattern/engine/entry.h"

namespace bascule::pattern {

/// Finds all of many texts that occur anywhere in another, in one walk along it.
///
/// At most one state for each byte of the texts; immutable once built.
/// Source: Aho and Corasick, 1975; a state without a way back goes to its fallback's.
class PieceAutomaton {
  public:
    PieceAutomaton() = default;
    explicit PieceAutomaton(Keyed keyed);

    bool empty() const { return states_.empty(); }

    /// How many marks a walk needs.
    std::size_t states() const { return states_.size(); }

    /// Calls `each(entry)` for every text that occurs, once: `marks` says which states this walk
    /// has already told, those that hold `walk`.
    template <class Each>
    void walk(std::string_view text, std::span<std::uint64_t> marks, std::uint64_t walk,
              const Each& each) const {
        if (states_.empty()) {
            return;
        }
        std::uint32_t state = 0;
        for (const char byte : text) {
            state = next(state, byte);
            std::uint32_t at = states_[state].list.count != 0 ? state : states_[state].shorter;
            // What is told has told all that is shorter.
            for (; at != 0 && marks[at] != walk; at = states_[at].shorter) {
                marks[at] = walk;
                for (const Entry& entry : lists_.get(states_[at].list)) {
                    each(entry);
                }
            }
        }
    }

    std::size_t memory_bytes() const;

  private:
    struct State {
        std::uint32_t child = 0;  ///< the first of its children, which lie side by side
        std::uint32_t children = 0;
        std::uint32_t fallback = 0;  ///< the longest end of this state's text that is a state too
        std::uint32_t shorter = 0;   ///< the nearest on the way of fallbacks where a text ends
        EntryLists::List list;
    };

    std::uint32_t child(std::uint32_t state, char byte) const;
    std::uint32_t next(std::uint32_t state, char byte) const {
        for (; state != 0; state = states_[state].fallback) {
            if (const std::uint32_t found = child(state, byte); found != 0) {
                return found;
            }
        }
        return from_start_[static_cast<unsigned char>(byte)];
    }
    void build_states(Keyed& keyed);
    void link_states();

    std::vector<State> states_;
    std::string bytes_;  ///< the byte that leads to each state
    std::vector<std::uint32_t> from_start_;
    EntryLists lists_;
};

}  // namespace bascule::pattern
