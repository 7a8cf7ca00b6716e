#include "bus/pattern/complexity.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/base/random.h"

namespace bascule::pattern {

namespace {

constexpr std::size_t sets_max = 20'000;  ///< of places; met by nothing but malice

/// The wildcards of a field as an automaton, in the form in which EventBridge builds it: a state
/// behind every character, and behind every star one more that stays whatever comes.
class Automaton {
  public:
    explicit Automaton(const Terms& terms) {
        std::set<std::vector<Wildcard>> seen;
        for (const Term& term : terms) {
            std::vector<Wildcard> wildcards = wildcards_of(term);
            if (!wildcards.empty() && seen.insert(wildcards).second) {
                const StateId root = add_state();
                roots_.push_back(root);
                for (const Wildcard& wildcard : wildcards) {
                    add(root, wildcard);
                }
            }
        }
    }

    /// Walks every set of states that some value leads to; the size of the largest.
    std::size_t most_states(std::size_t enough) const;

  private:
    using StateId = std::uint32_t;
    using States = std::vector<StateId>;
    struct State {
        std::map<char, StateId> next;
        std::optional<StateId> star;
        bool stays = false;  ///< it is behind a star
    };

    class Walk;

    /// The values of one term share the states of what they begin with.
    static std::vector<Wildcard> wildcards_of(const Term& term) {
        std::vector<Wildcard> all;
        if (const auto* wildcard = std::get_if<Wildcard>(&term)) {
            all.push_back(*wildcard);
        } else if (const auto* but = std::get_if<AnythingBut>(&term)) {
            for (const Excluded& excluded : but->excluded) {
                if (const auto* inner = std::get_if<Wildcard>(&excluded)) {
                    all.push_back(*inner);
                }
            }
        }
        std::sort(all.begin(), all.end());
        return all;
    }

    void add(StateId state, const Wildcard& wildcard) {
        state = follow(state, "\"");
        for (std::size_t i = 0; i < wildcard.pieces.size(); ++i) {
            if (i > 0) {
                state = behind_star(state);
            }
            state = follow(state, wildcard.pieces[i]);
        }
        follow(state, "\"");
    }

    StateId add_state() {
        states_.emplace_back();
        return static_cast<StateId>(states_.size() - 1);
    }

    StateId follow(StateId state, std::string_view text) {
        for (const char c : text) {
            const auto found = states_[state].next.find(c);
            if (found != states_[state].next.end()) {
                state = found->second;
            } else {
                const StateId added = add_state();
                states_[state].next.emplace(c, added);
                state = added;
            }
        }
        return state;
    }

    StateId behind_star(StateId state) {
        if (const std::optional<StateId> star = states_[state].star) {
            return *star;
        }
        const StateId added = add_state();
        states_[added].stays = true;
        states_[state].star = added;
        return added;
    }

    std::vector<State> states_;
    States roots_;
};

/// The sets of states that values lead to, one after the other.
///
/// Most bytes lead from a set to the same next one, its *rest*: the states that stay. Every other
/// next set is the rest and the few states that one byte leads to. A state is entered from one
/// other only, so of these nothing can be in the rest already but what is behind a star. A set is
/// known by the sum of its states' marks, which are 64 pseudo-random bits, so that the many ways to
/// a set that was met before cost no more than a sum. The marks are public: a pattern can be made
/// two of whose sets have one sum, and is then counted as simpler than it is. That is no danger:
/// the limit spares people slow patterns, what bounds a match is its budget of steps.
class Automaton::Walk {
  public:
    Walk(const Automaton& automaton, std::size_t enough)
        : enough_(enough), in_rest_(automaton.states_.size()) {
        Random random(0);  // the same marks for everyone: so are all verdicts
        for (const State& state : automaton.states_) {
            Node& node = nodes_.emplace_back();
            node.mark = random.next();
            node.star = state.star.value_or(0);
            node.stays = state.stays;
            node.steps = steps_.size();
            for (const auto& [byte, to] : state.next) {
                steps_.push_back({static_cast<unsigned char>(byte), to});
            }
        }
        nodes_.emplace_back().steps = steps_.size();
        waiting_ = automaton.roots_;
        ends_.push_back(waiting_.size());
    }

    std::size_t run() {
        std::size_t begin = 0;
        for (std::size_t set = 0; set < ends_.size(); ++set) {
            const std::size_t end = ends_[set];
            if (!leave(begin, end)) {
                return enough_;
            }
            begin = end;
        }
        return most_;
    }

  private:
    struct Node {
        std::uint64_t mark = 0;
        std::size_t steps = 0;  ///< the first of its own; the next node's begin where they end
        StateId star = 0;       ///< 0 = none: the first state is a root
        bool stays = false;
    };
    struct Step {
        unsigned char byte;
        StateId to;
    };

    /// Finds what comes after a set; false if that is enough.
    bool leave(std::size_t begin, std::size_t end) {
        ++round_;
        rest_.clear();
        rest_sum_ = 0;
        for (std::size_t i = begin; i < end; ++i) {
            const StateId state = waiting_[i];
            if (nodes_[state].stays) {
                stay(state);
                if (nodes_[state].star != 0) {
                    stay(nodes_[state].star);
                }
            }
            for (std::size_t step = nodes_[state].steps; step < nodes_[state + 1].steps; ++step) {
                auto& targets = targets_[steps_[step].byte];
                if (targets.empty()) {
                    bytes_.push_back(steps_[step].byte);
                }
                targets.push_back(steps_[step].to);
            }
        }
        bool go_on = arrive({});
        for (const unsigned char byte : bytes_) {
            go_on = go_on && arrive(targets_[byte]);
            targets_[byte].clear();
        }
        bytes_.clear();
        return go_on;
    }

    void stay(StateId state) {
        if (std::exchange(in_rest_[state], round_) != round_) {
            rest_.push_back(state);
            rest_sum_ += nodes_[state].mark;
        }
    }

    /// Takes the set of the rest and what a byte leads to; false if there have been enough.
    bool arrive(std::span<const StateId> targets) {
        std::uint64_t sum = rest_sum_;
        std::size_t size = rest_.size();
        const auto for_each = [&](const auto& enter) {
            for (const StateId target : targets) {
                enter(target);
                // A star may stand for nothing.
                if (const StateId star = nodes_[target].star;
                    star != 0 && in_rest_[star] != round_) {
                    enter(star);
                }
            }
        };
        for_each([&](StateId state) {
            sum += nodes_[state].mark;
            ++size;
        });
        most_ = std::max(most_, size);
        if (most_ >= enough_ || sets_ >= sets_max) {
            return false;
        }
        if (size > 0 && is_new(sum)) {
            waiting_.insert(waiting_.end(), rest_.begin(), rest_.end());
            for_each([&](StateId state) { waiting_.push_back(state); });
            ends_.push_back(waiting_.size());
        }
        return true;
    }

    /// Notes a sum, in a table that is probed from the sum on.
    bool is_new(std::uint64_t sum) {
        if (sets_ * 2 >= seen_.size()) {
            for (const std::uint64_t old :
                 std::exchange(seen_, std::vector<std::uint64_t>(seen_.size() * 4))) {
                slot_of(old) = old;
            }
        }
        std::uint64_t& slot = slot_of(sum);
        if (slot == sum) {
            return false;
        }
        slot = sum;
        ++sets_;
        return true;
    }

    std::uint64_t& slot_of(std::uint64_t sum) {
        std::size_t at = sum & (seen_.size() - 1);
        while (seen_[at] != 0 && seen_[at] != sum) {  // no set has the sum 0
            at = (at + 1) & (seen_.size() - 1);
        }
        return seen_[at];
    }

    const std::size_t enough_;
    std::vector<Node> nodes_;  ///< by state
    std::vector<Step> steps_;
    std::vector<StateId> waiting_;   ///< sets, one behind the other,
    std::vector<std::size_t> ends_;  ///< and where each ends
    std::vector<std::uint64_t> seen_ = std::vector<std::uint64_t>(256);
    std::size_t sets_ = 0;
    std::size_t most_ = 0;

    // Of the set that is left.
    std::uint32_t round_ = 0;
    std::vector<StateId> rest_;
    std::uint64_t rest_sum_ = 0;
    std::vector<std::uint32_t> in_rest_;             ///< by state: the last round in which it was
    std::array<std::vector<StateId>, 256> targets_;  ///< by byte,
    std::vector<unsigned char> bytes_;               ///< of these
};

std::size_t Automaton::most_states(std::size_t enough) const { return Walk(*this, enough).run(); }

}  // namespace

std::size_t complexity(const Terms& terms, std::size_t enough) {
    return Automaton(terms).most_states(enough);
}

}  // namespace bascule::pattern
