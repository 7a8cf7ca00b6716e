#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bus/delivery/consumer.h"
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
    std::uint32_t rules = 0;    ///< the version that decided who gets it
    std::uint64_t content = 0;  ///< a hash of all that its publisher said
};

/// Whether the letter of that event is on stable storage, open or closed.
using HasLetter = std::function<bool(const std::string& consumer, Offset offset)>;

/// Which sources a consumer gets, by version of the rules; who is not named is not there.
using Interests = std::map<std::string, std::set<std::string>>;

/// What ended a process, and how much of what it did may be forgotten.
struct End {
    enum class Kind { kill, power_cut };
    Kind kind = Kind::kill;
    /// What was answered before this moment must not be asked again: it had time to reach what
    /// survives.
    SteadyTime settled_before;
    /// Nothing was on its way: no run had begun that no handler saw.
    bool at_rest = true;
};

/// Knows what Bascule promises and nothing of how it does it: is told what was confirmed, what
/// handlers saw and what people did, and says when that breaks a promise.
///
///     G1  confirmed events stay, with place and content; a handler sees nothing that can vanish
///     G2  every matching event is settled in the end, and counted as what it is
///     G3  one run of a key at a time, in log order
///     G4  what fails holds up only what is behind it in its key
///     G5  nothing is handled again without a crash between
///     G6  no event leaves the retry cycle early or late, or without a durable letter; one letter
///     each G8  no more runs and no more events in memory than the policy says G9  no attempt
///     before its time, whatever the wall clock says G10 what the bus says of an event is so
///
/// Threads: one owner.
class Model {
  public:
    Model(std::map<std::string, delivery::Policy> consumers, HasLetter has_letter);

    // ── What is there ──
    /// A publisher is about to say so, under this id.
    void sent(const std::string& id, std::uint64_t content) { sent_[id] = content; }

    /// Who gets what under `version`, from 1 on; said before an event of that version is logged.
    /// Who is named for the first time is new: what was logged before is matched with that.
    void rules(std::uint32_t version, Interests interests);
    bool knows_rules(std::uint32_t version) const {
        return version == 0 || rules_.contains(version);
    }

    /// A durable record, in log order, told once in the model's life.
    void logged(const LoggedEvent& event);
    /// All that a log has after a process began: nothing of what was told may be missing.
    void log_reopened(const std::vector<LoggedEvent>& events);

    bool knows(Offset offset) const { return log_.contains(offset.value()); }
    /// Records below are not there any more.
    void retained_from(Offset begin);

    /// Something took what stands at [first, end): nobody is owed those events, but no handler may
    /// get anything else in their place.
    void damaged(Offset first, Offset end);
    bool is_damaged(Offset offset) const { return damaged_.contains(offset.value()); }

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
        std::vector<std::uint64_t> contents;
        std::optional<SteadyTime> deadline;
        bool may_be_late = false;  ///< trouble with the disk held it back after it began
    };
    void run_started(const Run& run, SteadyTime now);
    void run_answered(const std::string& consumer, std::uint64_t number,
                      const delivery::Outcome& outcome, SteadyTime now);

    // ── What people do ──
    /// Somebody asked to close the letter of the event without delivering it: it may be done
    /// already.
    void discarding(const std::string& consumer, Offset offset, SteadyTime now);
    /// It was.
    void discarded(const std::string& consumer, Offset offset, SteadyTime now);
    /// It was not.
    void not_discarded(const std::string& consumer, Offset offset, SteadyTime now);

    /// Of which events it cannot be seen from outside whether they are settled: they were answered
    /// close to their deadline, or somebody wanted to discard them and was not answered.
    std::vector<std::pair<std::string, Offset>> doubts() const;
    /// What the bus says of one of them while nothing is going on, by Explanation::state.
    void resolved(const std::string& consumer, Offset offset, const std::string& state,
                  SteadyTime now);

    /// Somebody put an older copy of a consumer's database in place: what it lacks is done again.
    void database_restored(const std::string& consumer,
                           const std::function<bool(Offset offset)>& has);
    /// What a consumer has done, for all that can be seen.
    std::vector<Offset> done(const std::string& consumer) const;

    /// A letter's event may be attempted at once.
    void hurried(const std::string& consumer, SteadyTime now);

    // ── What the bus says of itself ──
    struct Letter {
        Offset offset;
        std::string event_id;
        std::string state;   ///< LetterSummary's
        std::string reason;  ///< the same
        std::uint32_t attempts = 0;
    };
    /// All letters of a consumer, while nothing is going on.
    void letters(const std::string& consumer, const std::vector<Letter>& letters);

    /// Where a consumer stands, while nothing is going on.
    void counted(const std::string& consumer, Offset cursor, const delivery::Counts& counts);

    /// Why an event is where it is, while nothing is going on. `paused`: whether a person paused
    /// the consumer, if that is known.
    struct Explained {
        std::string state;
        std::uint32_t rules = 0;
        std::optional<bool> paused;
        SteadyTime now{};
    };
    void explained(const std::string& consumer, Offset offset, const Explained& why);

    /// Its state, ConsumerStatus::state.
    void seen(const std::string& consumer, const std::string& state, SteadyTime now);

    /// Its settings were read anew.
    void reconfigured(SteadyTime now) { reconfigured_ = now; }

    void wall_clock_was_set() { ++wall_steps_; }
    void ended(const End& end);

    /// Nothing is going on, nobody has repaired a handler: what waits does so because something in
    /// its key failed. `is_troubled`: whether its handler may fail for the event.
    using IsTroubled = std::function<bool(const std::string& consumer, const std::string& id)>;
    void at_rest(const IsTroubled& is_troubled);

    /// After everything was repaired and nothing is left to do.
    void finish();

    /// The first promise that was broken; empty if none was.
    const std::string& violation() const { return violation_; }
    std::size_t settled(const std::string& consumer) const;

  private:
    struct Told {
        std::vector<SteadyTime> charges;  ///< starts of attempts that are charged for sure
        std::uint32_t charged_max = 0;    ///< these, and what may be charged beside them
        bool refused = false;             ///< its handler said never
        bool settled = false;
        bool may_be_settled = false;  ///< answered so close to its deadline that either holds
        bool discarding = false;
        bool reopened = false;     ///< done once, and missing in a restored database
        bool letter_open = false;  ///< as the bus said when it was last asked, in this process
        bool discarded = false;
        std::optional<SteadyTime> settled_at;
        bool forgettable = false;  ///< a process ended so soon after it that it may come again
        std::optional<SteadyTime> not_before;
        SteadyTime answered_at{};      ///< the last time, with a failure
        std::uint64_t wall_steps = 0;  ///< as of then
        bool over_restart = false;     ///< `not_before` is from an earlier process
    };
    struct Open {
        Run run;
        std::set<std::string> keys;
        SteadyTime began;
    };
    struct Consumer {
        delivery::Policy policy;
        std::map<std::uint64_t, Told> events;                      ///< those that it is to get
        std::map<std::string, std::set<std::uint64_t>> unsettled;  ///< by key, if it has order
        std::map<std::uint64_t, Open> runs;                        ///< of this process
        std::set<std::uint64_t> missing;  ///< in a restored database, and not done again yet
        /// By key: the run of this process that went furthest in the log.
        std::map<std::string, std::vector<Offset>> furthest;
        bool had_letters = false;
        bool was_restarted = false;
        bool is_known = false;                      ///< to the rules
        std::map<std::string, SteadyTime> full_at;  ///< when the bucket of a rate is full again
        /// What starts while a discard is on its way waits for its sync, and took its tokens then.
        std::optional<SteadyTime> held_from;
        std::optional<SteadyTime> let_go;
        struct BreakerOpen {
            SteadyTime seen;
            SteadyTime until;
            std::uint64_t wall_steps = 0;
        };
        std::optional<BreakerOpen> breaker;
        std::string state;      ///< as it was seen last, in this process
        SteadyTime state_at{};  ///< then
        std::uint64_t state_wall_steps = 0;

        /// Whether each event is attempted for itself.
        bool is_single() const { return !policy.batch && !policy.debounce; }
    };

    void route(const LoggedEvent& event, const Interests& interests);
    std::string key_of(const Consumer& consumer, const LoggedEvent& event) const;
    bool may_be_spoken_for(const Consumer& consumer, std::uint64_t offset) const;
    bool has_letter_behind(const std::string& name, const Consumer& consumer,
                           std::uint64_t offset) const;
    bool passable(const std::string& name, const Consumer& consumer, std::uint64_t offset) const;
    void expect(bool holds, const std::string& what);
    void give_up_late_runs(Consumer& consumer, SteadyTime now);
    void check_order(Consumer& consumer, const Run& run, const std::string& key,
                     const std::vector<Offset>& part);
    void check_way_back(Consumer& consumer, const Run& run, const std::string& key,
                        const std::vector<Offset>& part);
    void check_missing(const Consumer& consumer, const Run& run, const std::string& key,
                       std::uint64_t first);
    void check_rate(Consumer& consumer, const Run& run, SteadyTime now);
    void check_attempt(const Consumer& consumer, const Run& run, const Told& told);
    void settle(Consumer& consumer, std::uint64_t offset, SteadyTime now);
    std::string why_not(const std::string& name, const Consumer& consumer, Offset offset,
                        const Explained& why) const;
    bool has_earlier(const Consumer& consumer, std::uint64_t offset) const;
    bool has_letter_in_key(const std::string& name, const Consumer& consumer,
                           std::uint64_t offset) const;
    bool may_start_again(const Told& told) const;

    std::map<std::string, Consumer> consumers_;
    std::map<std::uint32_t, Interests> rules_;
    std::map<std::uint64_t, LoggedEvent> log_;
    std::map<std::string, std::uint64_t> offsets_;
    std::map<std::string, std::uint64_t> sent_;  ///< id → content
    std::set<std::string> confirmed_;
    std::set<std::uint64_t> seen_;  ///< by a handler
    std::set<std::uint64_t> damaged_;
    std::optional<SteadyTime> reconfigured_;
    Offset begin_;
    std::uint64_t wall_steps_ = 0;
    HasLetter has_letter_;
    std::string violation_;
};

}  // namespace bascule::simulator
