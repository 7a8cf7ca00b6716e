#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bus/pattern/pattern.h"
#include "bus/pattern/subject.h"

namespace bascule::pattern {

/// Why a pattern matches an event or does not: per field what was wanted and what was there.
///
/// `$or` makes several ways to satisfy a pattern; each is told by itself, named by the objects it
/// goes through. The pattern matches if one of its ways does, a way if all of its fields are met by
/// values that lie in one element of each array they share.
struct Explanation {
    enum class Verdict : std::uint8_t {
        no,
        yes,
        undecided,  ///< the steps were spent
    };

    /// A value of the event where a field looks.
    struct Value {
        std::string at;    ///< JSON pointer into the event: "/detail/items/0/name"
        std::string json;  ///< as JSON; of more than value_bytes_max a string of its beginning
        bool is_cut = false;
        bool fits = false;       ///< satisfies a term, taken by itself
        bool is_chosen = false;  ///< is what its field is met by
    };

    struct Field {
        enum class Verdict : std::uint8_t {
            met,      ///< by the chosen value, or by absence, together with all others that are met
            missing,  ///< there is no value
            differs,  ///< no value satisfies any term
            present,  ///< there is a value, and only `exists: false` was wanted
            elsewhere,  ///< by values only that lie in other elements of arrays than `apart_from`
            undecided,
        };
        std::string path;                 ///< dotted: "detail.items.name"
        std::vector<std::string> wanted;  ///< its terms, as EventBridge writes them
        std::vector<Value> values;  ///< the first values_max, and of the others one that fits;
                                    ///< fewer where all values told would take above bytes_max
        std::size_t value_count = 0;
        bool is_container = false;  ///< missing, but an object or array is there
        Verdict verdict = Verdict::undecided;
        std::vector<std::string>
            apart_from;  ///< paths of fields that cannot be met together with it
    };

    struct Way {
        std::vector<std::string> branches;  ///< JSON pointers into the pattern: "/detail/$or/1"
        Verdict verdict = Verdict::undecided;
        std::vector<Field> fields;  ///< by path
    };

    static constexpr std::size_t ways_max = 16;
    static constexpr std::size_t values_max = 8;
    static constexpr std::size_t apart_from_max = 16;
    static constexpr std::size_t value_bytes_max = 200;
    static constexpr std::size_t bytes_max = std::size_t{1} << 20;  ///< of all values with pointers

    Verdict verdict = Verdict::undecided;
    std::vector<Way> ways;  ///< the first ways_max, one that matches among them if any does
    std::size_t way_count = 0;

    bool matches() const { return verdict == Verdict::yes; }
};

std::string_view name(Explanation::Verdict verdict);
std::string_view name(Explanation::Field::Verdict verdict);

/// The verdict is that of `pattern.matches(subject)`; where the steps of the ways do not suffice,
/// that of a matcher, and `undecided` only if that does not know either. A way by itself may be
/// `undecided` all the same.
///
/// Threads:  any.
/// Cost:     that of the plain matcher for every way, up to explain_steps_max steps: arrays around
///           a value, comparisons of a value with a term, or choices of a value; at most some 200
///           ns each.
Explanation explain(const Pattern& pattern, const Subject& subject);
inline constexpr std::size_t explain_steps_max = 2'000'000;

}  // namespace bascule::pattern
