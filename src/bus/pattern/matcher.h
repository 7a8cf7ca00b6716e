#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "bus/pattern/scratch.h"
#include "bus/pattern/subject.h"
#include "foundation/base/named.h"

namespace bascule::pattern {

/// A rule's number, given by whoever adds it.
using RuleId = Named<std::uint32_t, struct RuleIdTag>;

/// Says which of many patterns an event satisfies, in a time that hardly depends on how many there
/// are.
///
/// Exactly the patterns whose `Pattern::matches` is true. One walk over the event's bytes takes the
/// values that some rule names and passes over everything else; an index over those values finds
/// the few rules that may match; these are then checked in full.
///
///     pattern::RuleSet rules;
///     TRY(rules.add(pattern::RuleId(7), TRY(pattern::Pattern::parse(R"({"source":["shop"]})"))));
///     const auto matcher = rules.snapshot();
///     pattern::Scratch scratch;
///     std::vector<pattern::RuleId> matched;
///     matcher->match_event(event, scratch, matched);
///
/// Threads:   immutable; match from any number of threads, each with a Scratch of its own.
/// Lifetime:  shared; whoever holds a snapshot may use it, whatever becomes of its rule set.
/// Input:     JSON as Subject says. What is not valid JSON has no members, as far as it is looked
///            at: UTF-8, strings, nesting and brackets' number are checked everywhere, the rest
///            only where a rule names something. Whoever must know checks with json::is_valid.
///            Whatever the bytes are, matching ends and reads nothing beyond them.
/// Limits:    JSON texts and nesting as json::Limits. Beside reading an event and looking each of
///            its values up, matching takes at most steps_max steps: rules that a value speaks for,
///            terms and places compared. Events of many values need more than that if many rules
///            are to be tried with each. Scratch counts them as undecided: what is told matches,
///            others may too.
/// Cost:      the event's bytes once at memory speed, then the values taken and the rules that may
///            match; a step is some 10 to 20 ns.
class Matcher {
  public:
    static constexpr std::size_t steps_max = 2'000'000;

    /// Replaces `matched` by the rules that the subject satisfies: each once, ascending.
    void match(const Subject& subject, Scratch& scratch, std::vector<RuleId>& matched) const;

    /// The same for a whole event given as JSON.
    void match_event(std::string_view event_json, Scratch& scratch,
                     std::vector<RuleId>& matched) const;

    std::size_t size() const;          ///< rules
    std::size_t tiers() const;         ///< parts that are searched one by one
    std::size_t memory_bytes() const;  ///< of the indexes

    struct Snapshot;
    explicit Matcher(std::unique_ptr<const Snapshot> snapshot);  ///< for RuleSet
    ~Matcher();
    Matcher(const Matcher&) = delete;
    Matcher& operator=(const Matcher&) = delete;

  private:
    class Run;
    std::unique_ptr<const Snapshot> snapshot_;
};

}  // namespace bascule::pattern
