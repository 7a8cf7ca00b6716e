#pragma once

#include <cstddef>
#include <memory>

#include "bus/pattern/matcher.h"
#include "bus/pattern/pattern.h"
#include "foundation/base/result.h"

namespace bascule::pattern {

/// Patterns that come and go, and the matchers made of them.
///
/// A change costs little, however many rules there are: rules are kept in tiers of growing size,
/// a new one rebuilds only the smallest, a removed one is crossed out until half of its tier is.
/// `snapshot` makes a matcher of the present rules; matchers made before stay as they are.
///
/// Threads:  one owner at a time. Publish snapshots through an atomic shared_ptr; matching never
///           waits for a change. As long as the set lives, who matches never destroys a matcher:
///           the set keeps each until the first snapshot after everybody else let it go. A matcher
///           that outlives its set is destroyed by whoever lets it go last.
/// Limits:   memory_bytes_max, over the rules' estimated size in a matcher. While a snapshot is
///           made there may be twice as much, and more if old ones are still held.
/// Cost:     add and remove O(pattern); snapshot O(1) amortised in the number of rules, but now and
///           then one that compiles a large part of them again. After rules with new fields it also
///           copies, for each object they lie in, a pointer for every two to eight fields there. An
///           add that finds no room but for fields of removed rules has the next snapshot
///           compile all.
class RuleSet {
  public:
    struct Limits {
        std::size_t memory_bytes_max = std::size_t{1} << 30;
    };

    RuleSet() : RuleSet(Limits()) {}
    explicit RuleSet(Limits limits);
    RuleSet(RuleSet&&) noexcept;
    RuleSet& operator=(RuleSet&&) noexcept;
    ~RuleSet();

    /// Errors: `conflict` (the number is in use), `exhausted` (memory_bytes_max; the message names
    /// the rule and what it would take). After either the set is as before.
    Result<> add(RuleId id, Pattern pattern);

    /// False if there is no such rule.
    bool remove(RuleId id);

    std::size_t size() const;
    std::size_t memory_bytes_estimated() const;

    /// A matcher of the rules as they are now; the same one as long as nothing changed.
    std::shared_ptr<const Matcher> snapshot();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace bascule::pattern
