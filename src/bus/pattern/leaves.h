#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

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

struct Leaves {
    /// By dotted path, in the order of the event.
    std::map<std::string, std::vector<Found>, std::less<>> values;
    /// Paths that hold an object or array: they have no value by themselves.
    std::set<std::string, std::less<>> containers;

    const std::vector<Found>& at(const std::string& path) const {
        static const std::vector<Found> nothing;
        const auto found = values.find(path);
        return found == values.end() ? nothing : found->second;
    }
};

Leaves leaves_of(const Paths& wanted, const Subject& subject);

}  // namespace bascule::pattern
