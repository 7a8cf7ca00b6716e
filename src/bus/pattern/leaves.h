#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bus/pattern/search_budget.h"
#include "bus/pattern/subject.h"
#include "bus/pattern/term.h"

/// What the plain matcher and explanations look at: an event's values where a pattern names them.
namespace bascule::pattern {

/// Which element of which array a value lies in: array number → index, for every array around it
/// but one whose element it is itself: as in EventBridge, `["x",{"b":1}]` below `a` has an `a` =
/// "x" with `a.b` = 1.
using Elements = std::map<int, int>;

struct Found {
    Leaf leaf;
    Elements elements;
    std::string at;  ///< JSON pointer into the event: "/detail/items/0/name"
};

/// What lies at one path.
struct LeavesAt {
    std::vector<Found> values;  ///< in the order of the event
    std::vector<int> arrays;    ///< around some of them, ascending, each once
};

struct Leaves {
    std::map<std::string, LeavesAt, std::less<>> by_path;  ///< dotted
    /// Paths that hold an object or array: they have no value by themselves.
    std::set<std::string, std::less<>> containers;

    const LeavesAt& at(const std::string& path) const {
        static const LeavesAt nothing;
        const auto found = by_path.find(path);
        return found == by_path.end() ? nothing : found->second;
    }
};

/// If the budget does not suffice, some are missing.
Leaves leaves_of(const Paths& wanted, const Subject& subject, SearchBudget& budget);

}  // namespace bascule::pattern
