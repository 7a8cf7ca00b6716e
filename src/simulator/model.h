#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bus/delivery/policy.h"
#include "bus/delivery/run.h"
#include "foundation/base/clock.h"
#include "foundation/base/offset.h"

namespace bascule::simulator {

/// A record of the log, as far as promises about it go.
struct LoggedEvent {
    Offset offset;
    std::string id;
    std::string key;  ///< empty: without order
    std::string source;
    std::uint32_t rules = 0;  ///< the version that decided who gets it
};

/// Which sources a consumer gets, by version of the rules.
using Interests = std::map<std::string, std::set<std::string>>;

/// What ended a process, and how much of what it did may be forgotten.
struct End {
    enum class Kind { kill, power_cut };
    Kind kind = Kind::kill;
    /// What was answered before this moment must not be asked again: it had time to reach what
    /// survives.
    SteadyTime settled_before;
};

/// Knows what Bascule promises and nothing of how it does it: is told what was confirmed, what
/// handlers saw and what people did, and says when that breaks a promise.
///
///     G1  confirmed events stay, with place and content; a handler sees nothing that can vanish
///     G2  every matching event is settled in the end            (finish)
///     G3  one run of a key at a time, in log order              (run_started)
///     G5  nothing is handled again without a crash between      (run_started)
///     G9  no attempt before its time, whatever the wall clock says
///
/// Threads: one owner.
class Model {
  public:
    explicit Model(std::map<std::string, delivery::Policy> consumers);

    // ── What is there ──
    /// Who gets what under `version`, from 1 on; said before an event of that version is logged.
    /// The first brings the consumers: what was logged before, under 0, is matched with theirs.
    void rules(std::uint32_t version, Interests interests);
    bool knows_rules(std::uint32_t version) const {
        return version == 0 || rules_.contains(version);
    }

    /// A durable record, in log order, told once in the model's life.
    void logged(const LoggedEvent& event);
    /// All that a log has after a process began: nothing of what was told may be missing.
    void log_reopened(const std::vector<LoggedEvent>& events);
    Offset logged_end() const { return Offset(log_.empty() ? 0 : log_.rbegin()->first + 1); }

    /// A publisher was told so.
    void confirmed(const std::string& id, Offset offset);

    // ── What handlers see and say ──
    struct Run {
        std::string consumer;
        std::uint64_t number = 0;
        std::uint32_t attempt = 1;
        std::vector<Offset> events;
        std::vector<std::string> ids;
        std::optional<SteadyTime> deadline;
    };
    void run_started(const Run& run, SteadyTime now);
    void run_answered(const std::string& consumer, std::uint64_t number,
                      const delivery::Outcome& outcome, SteadyTime now);

    // ── What people do ──
    /// Somebody asked to close the letter of the event without delivering it: it may be done
    /// already.
    void discarding(const std::string& consumer, Offset offset);
    /// It was.
    void discarded(const std::string& consumer, Offset offset);
    /// A letter's event may be attempted at once.
    void hurried(const std::string& consumer);

    void ended(const End& end);

    /// After everything was repaired and nothing is left to do.
    void finish();

    /// The first promise that was broken; empty if none was.
    const std::string& violation() const { return violation_; }
    std::size_t settled(const std::string& consumer) const;

  private:
    struct Told {
        std::uint32_t counted = 0;  ///< attempts that were charged, as far as can be seen
        bool refused = false;       ///< its handler said never
        bool settled = false;
        bool may_be_settled = false;  ///< answered so close to its deadline that either holds
        bool discarding = false;
        bool discarded = false;
        std::optional<SteadyTime> settled_at;
        bool forgettable = false;  ///< a process ended so soon after it that it may come again
        std::optional<SteadyTime> not_before;
    };
    struct Open {
        Run run;
        std::string key;
    };
    struct Consumer {
        delivery::Policy policy;
        std::map<std::uint64_t, Told> events;                      ///< those that it is to get
        std::map<std::string, std::set<std::uint64_t>> unsettled;  ///< by key, if it has order
        std::map<std::uint64_t, Open> runs;                        ///< of this process
    };

    void route(const LoggedEvent& event, const Interests& interests);
    std::string key_of(const Consumer& consumer, const LoggedEvent& event) const;
    bool passable(const Consumer& consumer, const Told& told) const;
    void expect(bool holds, const std::string& what);
    void give_up_late_runs(Consumer& consumer, SteadyTime now);
    void check_order(const Consumer& consumer, const Run& run, const std::string& key);
    void settle(Consumer& consumer, std::uint64_t offset, SteadyTime now);
    bool may_start_again(const Told& told) const;

    std::map<std::string, Consumer> consumers_;
    std::map<std::uint32_t, Interests> rules_;
    std::map<std::uint64_t, LoggedEvent> log_;
    std::map<std::string, std::uint64_t> offsets_;
    std::set<std::string> confirmed_;
    std::set<std::uint64_t> seen_;  ///< by a handler
    std::uint32_t ends_ = 0;
    std::string violation_;
};

}  // namespace bascule::simulator
