#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bus/event/event.h"
#include "bus/pattern/matcher.h"
#include "bus/pattern/pattern.h"
#include "bus/pattern/subject.h"
#include "foundation/base/clock.h"
#include "foundation/base/guarded.h"
#include "foundation/base/named.h"
#include "foundation/base/result.h"
#include "foundation/base/text_hash.h"

namespace bascule::broker {

/// A consumer as routing and log records know it: assigned once, never reused, also after the
/// consumer was removed and its name given to another.
using ConsumerNumber = Named<std::uint32_t, struct ConsumerNumberTag>;

/// Who wrote a rule down.
enum class RuleOrigin : std::uint8_t { defaults, file, api };

/// One pattern as it is written.
struct PatternText {
    std::string text;
    pattern::Dialect dialect = pattern::Dialect::eventbridge;
    friend bool operator==(const PatternText&, const PatternText&) = default;
};

/// Events that match any of `patterns` go to all of `targets` (consumer names).
struct Rule {
    std::string name;
    RuleOrigin origin = RuleOrigin::file;
    std::vector<PatternText> patterns;
    std::vector<std::string> targets;
    friend bool operator==(const Rule&, const Rule&) = default;
};

/// Where a new consumer begins to read.
enum class Start : std::uint8_t { now, earliest };

/// A consumer that routing can name.
struct Subscriber {
    std::string name;
    Start start = Start::now;
    friend bool operator==(const Subscriber&, const Subscriber&) = default;
};

/// What rules may ask for.
struct RuleLimits {
    pattern::Limits pattern;  ///< of origin `defaults` excepted
    /// Of all rules together, compiled, as `pattern::RuleSet` estimates it.
    std::size_t memory_bytes_max = std::size_t{256} << 20;
    friend bool operator==(const RuleLimits&, const RuleLimits&) = default;
};

/// What somebody wants to be in force; compare, then append to the log.
struct RoutingPlan {
    std::vector<Rule> rules;
    std::vector<Subscriber> subscribers;
    friend bool operator==(const RoutingPlan&, const RoutingPlan&) = default;
};

/// The rules in force between two offsets of a log: who gets which event.
///
/// Built from a plan and the numbers of the version before it; stored in the log as a control
/// record (`encode`, docs/format/control_record.md), so that routing can be reproduced for ever.
///
/// Threads:   any; immutable but for a cache. Each thread keeps what matching needs, see
///            pattern::Scratch.
/// Cost:      a match hardly depends on the number of rules, see pattern::Matcher, and allocates
///            nothing once the thread has seen its like. Patterns that look at source and type
///            only are one lookup, and if there are no others the event is not looked into.
///            `build` and `decode` compile every pattern, some 10 µs each.
class Routing {
  public:
    struct Consumer {
        std::string name;
        ConsumerNumber number;
        Start start = Start::now;
        std::uint32_t created_version = 0;  ///< the routing version that first named it
        /// With Start::earliest, what it gets of the records that are older than itself: the
        /// patterns of its rules when it was created.
        std::vector<PatternText> backfill;
        /// Since when no plan names it. Its position is kept for removed_kept, in case it comes
        /// back.
        std::optional<WallTime> removed;
    };
    static constexpr std::chrono::hours removed_kept{7 * 24};

    /// Errors: `invalid`, naming the rule and what is wrong with its pattern or target, or that
    /// the rules up to it take more memory than allowed.
    static Result<std::shared_ptr<const Routing>> build(const RoutingPlan& plan,
                                                        const Routing* before, WallTime now,
                                                        const RuleLimits& limits = {});

    /// Nobody gets anything; version 0.
    static std::shared_ptr<const Routing> empty();

    /// What was in force once is taken whatever the limits are by now. Errors: `corrupt`,
    /// `invalid`.
    static Result<std::shared_ptr<const Routing>> decode(std::string_view body);
    std::string encode() const;

    std::uint32_t version() const { return version_; }
    const RoutingPlan& plan() const { return plan_; }
    /// Removed ones included.
    const std::vector<Consumer>& consumers() const { return consumers_; }
    /// One that is not removed, or nullptr.
    const Consumer* find(std::string_view name) const;
    /// Any, or nullptr.
    const Consumer* find(ConsumerNumber number) const;

    /// Whether every pattern was decided; see pattern::Matcher, limits.
    enum class Decided : bool { no, yes };

    /// Replaces `consumers` by those that get the event, ascending, each once. Where not every
    /// pattern was decided, those of its rules may be missing.
    Decided match(const event::EventView& event, std::vector<ConsumerNumber>& consumers) const;
    std::vector<ConsumerNumber> match(const event::EventView& event) const {
        std::vector<ConsumerNumber> consumers;
        match(event, consumers);
        return consumers;
    }

    enum class Wanted : std::uint8_t {
        no,
        yes,
        undecided,  ///< no pattern that was decided matches, and not every one was
        unknown,    ///< damage took the record that says whose it is
    };

    /// Whether a consumer gets an event that was appended before it existed, which is known by the
    /// record's rule version.
    Wanted backfills(const event::EventView& event, const Consumer& consumer) const;

  private:
    /// Some of the rules' patterns as one matcher.
    struct Index {
        std::shared_ptr<const pattern::Matcher> matcher;  ///< null without any pattern
        std::vector<std::uint32_t> rule_of;               ///< by the pattern's number in there
    };
    using Targets = std::vector<ConsumerNumber>;
    struct HeaderHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view key) const { return hash_of_text(key); }
    };
    /// Ascending, each once, by source and type.
    using HeaderAnswers = std::unordered_map<std::string, std::shared_ptr<const Targets>,
                                             HeaderHash, std::equal_to<>>;
    static constexpr std::size_t header_answers_max = 4096;

    Result<> compile(const RuleLimits& limits);
    Result<> compile_backfills();
    Decided add_header_matching(const event::EventView& event, Targets& targets) const;
    Decided add_matching(const Index& index, const pattern::Subject& subject,
                         Targets& targets) const;

    std::uint32_t version_ = 0;
    std::uint32_t next_number_ = 1;
    RoutingPlan plan_;
    std::vector<Consumer> consumers_;
    std::vector<Targets> targets_;  ///< by rule
    Index by_header_;               ///< patterns that name `source` and `detail-type` only
    Index by_content_;              ///< the others
    std::map<ConsumerNumber, std::shared_ptr<const pattern::Matcher>> backfills_;
    mutable SharedGuarded<HeaderAnswers> header_answers_;
};

}  // namespace bascule::broker
