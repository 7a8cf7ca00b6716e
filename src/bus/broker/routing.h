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
#include "bus/pattern/pattern.h"
#include "foundation/base/clock.h"
#include "foundation/base/guarded.h"
#include "foundation/base/named.h"
#include "foundation/base/result.h"

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

/// What somebody wants to be in force; compare, then append to the log.
struct RoutingPlan {
    std::vector<Rule> rules;
    std::vector<Subscriber> subscribers;
    friend bool operator==(const RoutingPlan&, const RoutingPlan&) = default;
};

/// The rules in force between two offsets of a log: who gets which event.
///
/// Immutable but for a cache. Built from a plan and the numbers of the version before it; stored in
/// the log as a control record (`encode`, docs/format/control_record.md), so that routing can be
/// reproduced for ever.
///
/// Threads:  any. Cost of `match`: one lookup when every pattern looks at `source` and
/// `detail-type` only, else one match for each pattern that looks further.
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

    /// Errors: `invalid`, naming the rule and what is wrong with its pattern or target.
    static Result<std::shared_ptr<const Routing>> build(const RoutingPlan& plan,
                                                        const Routing* before, WallTime now);

    /// Nobody gets anything; version 0.
    static std::shared_ptr<const Routing> empty();

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

    /// The consumers that get the event, ascending, each once.
    std::vector<ConsumerNumber> match(const event::EventView& event) const;

    /// Whether a consumer gets an event that was appended before it existed, which is known by the
    /// record's rule version.
    bool backfills(const event::EventView& event, const Consumer& consumer) const;

    /// Names of the rules that match, for explanations.
    std::vector<std::string> rules_matching(const event::EventView& event) const;

  private:
    struct CompiledRule {
        std::vector<pattern::Pattern> patterns;
        std::vector<ConsumerNumber> targets;
        bool header_only = false;
    };
    /// The answer for all events of one (source, type), as far as it does not depend on more.
    struct HeaderAnswer {
        std::vector<ConsumerNumber> sure;
        std::vector<std::size_t> open;  ///< rules that must look at the event
    };
    static constexpr std::size_t header_answers_max = 4096;

    Result<> compile();
    std::shared_ptr<const HeaderAnswer> header_answer(const event::EventView& event) const;

    std::uint32_t version_ = 0;
    std::uint32_t next_number_ = 1;
    RoutingPlan plan_;
    std::vector<Consumer> consumers_;
    std::vector<CompiledRule> compiled_;
    std::map<ConsumerNumber, std::vector<pattern::Pattern>> compiled_backfills_;
    using HeaderAnswers = std::unordered_map<std::string, std::shared_ptr<const HeaderAnswer>>;
    mutable SharedGuarded<HeaderAnswers> header_answers_;
};

}  // namespace bascule::broker
