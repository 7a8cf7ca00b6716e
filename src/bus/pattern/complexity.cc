#include "bus/pattern/complexity.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

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
                const std::size_t root = add_state();
                roots_.push_back(root);
                for (const Wildcard& wildcard : wildcards) {
                    add(root, wildcard);
                }
            }
        }
    }

    /// Walks every set of states that some value leads to; the size of the largest.
    std::size_t most_states(std::size_t enough) const {
        std::size_t most = 0;
        std::set<States> seen;
        std::deque<States> waiting = {roots_};
        while (!waiting.empty()) {
            const States states = std::move(waiting.front());
            waiting.pop_front();
            for (States& next : successors(states)) {
                most = std::max(most, next.size());
                if (most >= enough || seen.size() >= sets_max) {
                    return enough;
                }
                if (!next.empty() && seen.insert(next).second) {
                    waiting.push_back(std::move(next));
                }
            }
        }
        return most;
    }

  private:
    using States = std::vector<std::size_t>;
    struct State {
        std::map<char, std::size_t> next;
        std::optional<std::size_t> star;
        bool stays = false;  ///< it is behind a star
    };

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

    void add(std::size_t state, const Wildcard& wildcard) {
        state = follow(state, "\"");
        for (std::size_t i = 0; i < wildcard.pieces.size(); ++i) {
            if (i > 0) {
                state = behind_star(state);
            }
            state = follow(state, wildcard.pieces[i]);
        }
        follow(state, "\"");
    }

    std::size_t add_state() {
        states_.emplace_back();
        return states_.size() - 1;
    }

    std::size_t follow(std::size_t state, std::string_view text) {
        for (const char c : text) {
            bytes_.insert(c);
            const auto found = states_[state].next.find(c);
            if (found != states_[state].next.end()) {
                state = found->second;
            } else {
                const std::size_t added = add_state();
                states_[state].next.emplace(c, added);
                state = added;
            }
        }
        return state;
    }

    std::size_t behind_star(std::size_t state) {
        if (const std::optional<std::size_t> star = states_[state].star) {
            return *star;
        }
        const std::size_t added = add_state();
        states_[added].stays = true;
        states_[state].star = added;
        return added;
    }

    /// By each byte that matters, and by one that does not.
    std::vector<States> successors(const States& states) const {
        std::vector<States> all;
        all.push_back(successor(states, std::nullopt));
        for (const char c : bytes_) {
            all.push_back(successor(states, c));
        }
        return all;
    }

    States successor(const States& states, std::optional<char> byte) const {
        States next;
        const auto enter = [&](std::size_t state) {
            next.push_back(state);
            if (states_[state].star) {
                next.push_back(*states_[state].star);  // a star may stand for nothing
            }
        };
        for (const std::size_t index : states) {
            const State& state = states_[index];
            if (state.stays) {
                enter(index);
            }
            if (byte) {
                if (const auto found = state.next.find(*byte); found != state.next.end()) {
                    enter(found->second);
                }
            }
        }
        std::sort(next.begin(), next.end());
        next.erase(std::unique(next.begin(), next.end()), next.end());
        return next;
    }

    std::vector<State> states_;
    States roots_;
    std::set<char> bytes_;
};

}  // namespace

std::size_t complexity(const Terms& terms, std::size_t enough) {
    return Automaton(terms).most_states(enough);
}

}  // namespace bascule::pattern
