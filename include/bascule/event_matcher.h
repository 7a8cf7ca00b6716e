#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "bus/pattern/explain.h"
#include "bus/pattern/matcher.h"
#include "bus/pattern/pattern.h"
#include "bus/pattern/rule_set.h"
#include "bus/pattern/scratch.h"
#include "foundation/base/guarded.h"
#include "foundation/base/result.h"

namespace bascule {

/// Which of many event patterns an event matches: Amazon EventBridge's language, without a bus, in
/// a time that hardly depends on how many patterns there are.
///
///     EventMatcher matcher;
///     TRY(matcher.add(pattern::RuleId(7), R"({"source": ["shop"]})"));
///     matcher.commit();
///     std::vector<pattern::RuleId> matched;
///     matcher.match(R"({"source": "shop", "total": 12.50})", matched);      // 7
///
/// Patterns come and go while events are matched: changes are collected, and `commit` puts them in
/// force together. Why an event matches a pattern or does not, `pattern::explain` says.
///
/// Threads:   every member from any thread. A match waits for no change; changes take turns.
/// Language:  docs/reference/patterns.md. An event is JSON; what is not has no members, as far as
///            it is looked at (pattern::Matcher, input).
/// Limits:    Limits. A match ends after pattern::Matcher::steps_max steps; it then answers
///            `undecided`.
/// Cost:      a match is one pass over the event's bytes and allocates nothing once the thread has
///            seen its like: each thread keeps what matching needs (pattern::Scratch). A change
///            with its commit is some 100 µs, amortised, and up to 1 ms where patterns name
///            100 000 different fields of one object; many changes with one commit cost less.
class EventMatcher {
  public:
    struct Limits {
        std::size_t memory_bytes_max = std::size_t{1} << 30;  ///< of all patterns, compiled
        pattern::Limits pattern;                              ///< of each
    };
    enum class Outcome : bool {
        decided,
        undecided,  ///< others may match besides: to say which takes too many steps
    };

    EventMatcher() : EventMatcher(Limits()) {}
    explicit EventMatcher(const Limits& limits)
        : limits_(limits), rules_(pattern::RuleSet({.memory_bytes_max = limits.memory_bytes_max})) {
        commit();
    }

    /// Errors: `invalid`, in EventBridge's words with line and column; `conflict`, the number is in
    /// use; `exhausted`, the patterns would take too much memory. After any, all is as before.
    Result<> add(pattern::RuleId id, std::string_view pattern) {
        auto parsed =
            TRY(pattern::Pattern::parse(pattern, pattern::Dialect::eventbridge, limits_.pattern));
        return rules_.with(
            [&](pattern::RuleSet& rules) { return rules.add(id, std::move(parsed)); });
    }

    /// False if there is no such pattern.
    bool remove(pattern::RuleId id) {
        return rules_.with([&](pattern::RuleSet& rules) { return rules.remove(id); });
    }

    /// Puts all changes so far in force.
    void commit() {
        rules_.with([&](pattern::RuleSet& rules) {
            auto next = rules.snapshot();
            in_force_.with([&](auto& matcher) { matcher = std::move(next); });
        });
    }

    /// Replaces `matched` by the patterns in force that the event matches: each once, ascending.
    Outcome match(std::string_view event_json, std::vector<pattern::RuleId>& matched) const {
        thread_local pattern::Scratch scratch;
        const auto matcher = in_force_.read([](const auto& now) { return now; });
        const std::size_t given_up = scratch.events_undecided();
        matcher->match_event(event_json, scratch, matched);
        return scratch.events_undecided() == given_up ? Outcome::decided : Outcome::undecided;
    }

    /// Of the patterns in force.
    std::size_t size() const {
        return in_force_.read([](const auto& matcher) { return matcher->size(); });
    }

  private:
    Limits limits_;
    Guarded<pattern::RuleSet> rules_;  ///< held before `in_force_`, which orders commits
    SharedGuarded<std::shared_ptr<const pattern::Matcher>> in_force_;
};

}  // namespace bascule
