#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bus/pattern/subject.h"
#include "foundation/base/result.h"

namespace bascule::pattern {

/// How a pattern is spelled.
enum class Dialect : std::uint8_t {
    eventbridge,  ///< AWS's own, exactly
    routing,  ///< the seed's event_routing.yaml: `detail_type` means `detail-type`, and `["*"]` any
              ///< value that is there
};

/// What a pattern may ask for; both are EventBridge's bounds by default.
struct Limits {
    std::size_t characters_max = 4096;  ///< Pattern::characters_max at most
    /// Of the wildcards of one field, see complexity.h. AWS says that there is a bound, not which;
    /// its own reports show 7 taken and 11 refused.
    std::size_t complexity_max = 10;
    static constexpr std::size_t any_complexity = SIZE_MAX;  ///< as complexity_max: it is not asked

    friend bool operator==(const Limits&, const Limits&) = default;
};

/// An event pattern of EventBridge, parsed.
///
/// Fields are ANDed, the terms of a field ORed. Terms: exact values, prefix, suffix,
/// equals-ignore-case, wildcard, anything-but, numeric, exists, cidr; `$or` between fields. Arrays
/// in an event match with any of their elements, two fields never with different elements of one
/// array.
///
/// This is the plain matcher, written to be seen right; it is the oracle for any faster one.
///
/// Threads:  immutable; copies share. Match from any number of threads.
/// Limits:   see Limits; `$or` may multiply to alternatives_max combinations.
/// Cost:     parse O(bytes · alternatives). Match: one pass over the JSON below paths that the
/// pattern names, then fields × leaves. Source:   aws/event-ruler's rules, as
/// docs/reference/patterns.md tells them.
class Pattern {
  public:
    static constexpr std::size_t characters_max = 4096;
    static constexpr std::size_t pattern_bytes_max = 4 * characters_max;  ///< of UTF-8
    static constexpr std::size_t alternatives_max = 1000;
    static constexpr std::size_t depth_max = 1000;

    /// Errors: `invalid`, in AWS's words with place:
    /// `Event pattern is not valid. Reason: Empty arrays are not allowed\n at [Source:
    /// (String)"{"a":[]}"; line: 1, column: 8]`.
    static Result<Pattern> parse(std::string_view text, Dialect dialect = Dialect::eventbridge,
                                 const Limits& limits = {});

    /// Everything that is wrong with it, for whoever writes it; nothing if parse takes it. First
    /// comes parse's error, then the first of each other field at fault, in order; none behind a
    /// place where the text ceases to be JSON.
    static std::vector<Error> faults(std::string_view text, Dialect dialect = Dialect::eventbridge,
                                     const Limits& limits = {});

    bool matches(const Subject& subject) const;

    /// As it was given, byte for byte.
    const std::string& text() const;
    Dialect dialect() const;

    /// The dotted paths that it names: nothing else in an event has a say in its verdict.
    const std::set<std::string, std::less<>>& paths() const;

    struct Compiled;
    const Compiled& compiled() const { return *compiled_; }  ///< for the parts of this room

  private:
    explicit Pattern(std::shared_ptr<const Compiled> compiled);
    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace bascule::pattern
