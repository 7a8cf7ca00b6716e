#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "bus/pattern/engine/event_values.h"
#include "bus/pattern/engine/flattener.h"
#include "bus/pattern/engine/joint_search.h"
#include "bus/pattern/engine/step_budget.h"
#include "bus/pattern/engine/zeroed_array.h"
#include "bus/pattern/matcher.h"

namespace bascule::pattern {

class Tier;

/// What a thread remembers of one tier while it matches an event. Nothing is cleared between
/// events: what carries another event's number counts as empty.
struct TierScratch {
    std::uint64_t serial = 0;        ///< of the tier whose it is
    std::weak_ptr<const Tier> tier;  ///< says whether that is still in use

    /// By predicate: what is known of it for this event.
    struct Known {
        std::uint64_t event = 0;    ///< for which `state` holds
        std::uint64_t place = 0;    ///< the last one in which a value hit it
        std::uint64_t settled = 0;  ///< the event for which no further hit can change anything
        bool is_satisfied = false;
    };
    ZeroedArray<Known> known;
    ZeroedArray<std::uint64_t> excluded;  ///< by anything-but: the last value that it excludes
    ZeroedArray<std::uint64_t> marks;     ///< of the automata
    ZeroedArray<std::uint64_t> matched;   ///< a bit for each rule; zero between events
    ZeroedArray<std::uint32_t> matches;   ///< their rules, as they were found, are the first
    std::size_t matches_count = 0;
};

/// An anything-but of an access predicate, by its number in the field, and a rule that demands
/// nothing else.
struct ButRule {
    std::uint32_t but = 0;
    std::uint32_t rule = 0;
};

struct Workspace {
    Flattener flattener;
    EventValues values;
    JointSearch search;
    std::vector<ButRule> live_buts;  ///< of a field with several values: what is not settled yet
    std::vector<TierScratch> tiers;
    std::uint64_t event = 0;  ///< counts events,
    std::uint64_t value = 0;  ///< and values; both only ever grow
    StepBudget budget;        ///< of this event
    std::size_t events_undecided = 0;
};

}  // namespace bascule::pattern
