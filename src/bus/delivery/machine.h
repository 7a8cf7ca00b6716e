#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "bus/delivery/breaker.h"
#include "bus/delivery/consumer.h"
#include "bus/delivery/key_index.h"
#include "bus/delivery/lane_turns.h"
#include "bus/delivery/slab.h"
#include "bus/delivery/timers.h"
#include "bus/delivery/token_bucket.h"

namespace bascule::delivery {

/// An event in memory. It is in exactly one chain: of its key's queue, redrives or open window, or
/// of a unit.
struct Node {
    Offset offset;
    SteadyTime arrived;
    std::uint64_t key_hash = no_key;
    std::uint32_t bytes = 0;
    std::uint32_t next = none;
    std::uint32_t gap =
        0;  ///< offsets before it that did not match: settled with it, so that they make no holes
    std::uint8_t lane = 1;
    bool letter = false;       ///< a redrive: accounted as an open letter
    bool ends_window = false;  ///< the last member of a fired window
    bool lost = false;         ///< cannot be read: never with others in a unit
    bool reopened = false;     ///< was settled before a database was restored
};

struct Chain {
    std::uint32_t head = none;
    std::uint32_t tail = none;
    std::uint32_t count = 0;
};

/// What a unit that failed remembers; most units never have one.
struct Trouble {
    std::uint32_t attempts = 0;  ///< charged
    std::vector<Attempt> history;
    std::chrono::milliseconds wait{};
    WallTime at{};
    std::optional<LetterReason> exhausted;  ///< why the cycle has ended; a letter is made of it
};

enum class UnitState : std::uint8_t {
    spent,
    assembling,
    ready,
    running,
    retry_wait,
    letter_pending
};

/// What one run does: an event, a batch or a window, with its attempts. A batch that bisects may
/// hold events of several keys; all of them wait for it.
struct Unit {
    Chain items;
    std::uint32_t key = none;  ///< none: of several, see Machine::key_of
    std::uint32_t ticket = 0;
    std::uint32_t kept = none;  ///< assembling: which unit of the restored state it is
    UnitState state = UnitState::spent;
    RunShape shape = RunShape::event;
    std::uint8_t ready_lane = 0;  ///< where it waits for a run by itself, not by its key
    bool letter = false;
    bool attempted = false;
    std::chrono::nanoseconds first_active{};  ///< first attempt, in active time
    RunId run;
    std::uint64_t voter = 0;  ///< part of a failed batch: what that counts as at the breaker
    std::unique_ptr<Trouble> trouble;
};

/// An open window of a key.
struct OpenWindow {
    std::uint32_t key = none;  ///< none: not in use
    SteadyTime first;
    SteadyTime fire_at;
    WallTime first_at{};
    WallTime last_at{};
    std::chrono::milliseconds quiet{};
    std::uint64_t bytes = 0;
    std::optional<ConsumerState::Window> kept;  ///< as it was before a restart
    bool dirty = false;                         ///< its journal record is older than it
};

/// Whose events must not overtake each other; or, if `loose`, all free events of one lane.
struct Key {
    std::uint64_t hash = 0;
    Chain queue;
    Chain redrives;
    Chain window_items;
    std::uint64_t queue_bytes = 0;
    std::uint32_t window = none;
    std::uint32_t unit = none;  ///< in the way of everything else; loose keys have none
    std::uint32_t letters = 0;  ///< open ones that park it
    std::uint32_t ticket = 0;   ///< older entries of the ready queues are void
    std::array<std::uint32_t, lane_max> lanes{};  ///< events that are ready or before, by lane
    SteadyTime cooling_until;  ///< after a window's run: what comes is no longer from idle
    SteadyTime full_at;        ///< its token bucket, if there is a rate by key
    WallTime ran_at{};
    std::uint8_t ready_lane = 0;  ///< where it waits for a run; 0: it does not
    std::uint8_t loose = 0;       ///< the lane of free events, 0 for a real key
    bool cooling = false;
    bool hurried = false;        ///< a person flushed its queue: it waits for no company
    std::uint8_t pool_lane = 0;  ///< whose pool its queue is in; 0: none
    bool pool_due = false;       ///< its first event has waited long enough
    std::uint32_t pool_events = 0;
    std::uint64_t pool_bytes = 0;
    std::uint32_t seat = 0;  ///< older seats in the pools are void
    bool parked() const { return letters > 0; }
};

/// Whose events wait for a batch of several keys, in one lane.
struct Pool {
    struct Seat {
        std::uint32_t key;
        std::uint32_t ticket;
    };
    std::deque<Seat> seats;  ///< in the order in which the keys came
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::uint32_t due = 0;     ///< keys of which an event has waited max_wait
    std::uint32_t ticket = 0;  ///< older entries of the ready queues are void
    bool ready = false;        ///< a batch of it waits for a run
};

struct Run {
    RunId id{0};
    std::uint32_t unit = none;
    std::uint32_t before = none;
    std::uint32_t after = none;
    SteadyTime deadline;  ///< `timeout` after its start
    bool timed = false;   ///< in the list of runs by deadline
    bool trial = false;   ///< of a half open breaker
};

/// The machine behind Consumer. Its parts, by file:
///
///   machine.cc           creation, reading, time, dispatch
///   machine_activity.cc  what brings it to a standstill and on again: pause, breaker, suspension
///   machine_keys.cc      chains, keys, what is ready
///   machine_windows.cc   debounce
///   machine_batches.cc   batches of several keys, and how a failed batch is taken apart
///   machine_answers.cc   outcomes, retry, exhaustion
///   machine_letters.cc   letters and what a person does with them
///   machine_pace.cc      letters that are redriven one after the other
///   machine_restore.cc   from and to ConsumerState
///   machine_explain.cc   looking at it
class Consumer::Machine {
  public:
    Machine(std::string name, Policy policy, ConsumerState state, Random random, Now now);

    void offer(const Item& item, Now now);
    void advance_cursor(Offset next, Now now);
    void answer(RunId run, const Outcome& outcome, Now now);
    void letter_durable(Offset offset, Now now);
    void take_commands(Now now, Commands& commands);
    std::optional<SteadyTime> next_deadline() const;
    bool wants_more() const {
        return catching_up_ || (!draining() && live_ - deferred_ < policy.max_unsettled);
    }

    void pause(const PauseOptions& options, Now now);
    void resume(Now now);
    Result<> may_resume(std::optional<Offset> from) const;
    /// The machine that goes on from there in place of this one.
    std::unique_ptr<Machine> moved(Offset to, Now now);
    /// Goes on with what the other knew that lasts no longer than the process: how many tokens were
    /// taken, whether it is suspended, and when a pause ends by the steady clock.
    void take_over(const Machine& before);
    const std::vector<ConsumerState::Gap>& gaps() const { return restored_.gaps; }
    std::uint64_t flush(std::optional<std::uint64_t> key_hash, Now now);
    const LetterRef* letter(Offset offset) const {
        const auto found = letters_.find(offset);
        return found == letters_.end() ? nullptr : &found->second;
    }
    std::vector<LetterRef> letters(const LetterFilter& filter) const;
    Result<LetterSelection> redrive(const LetterFilter& filter, const RedrivePace& pace, Now now);
    Result<LetterSelection> stop_redrive(const LetterFilter& filter, Now now);
    Result<> may_stop_redrive(const LetterFilter& filter) const;
    Result<> may_redrive(const LetterFilter& filter, const RedrivePace& pace) const;
    Result<> may_close_letters(const LetterFilter& filter, LetterClosing how,
                               const std::string& reason) const;
    Result<LetterSelection> close_letters(const LetterFilter& filter, LetterClosing how,
                                          const std::string& reason, Now now);

    Counts counts() const;
    ConsumerStatus status() const;
    void move_time(Now now) { now_ = now; }
    Explanation explain(Offset offset, std::uint64_t key_hash) const;
    ConsumerState snapshot() const;

    const std::string name;
    const Policy policy;
    Offset cursor;
    OffsetSet settled;
    bool halted = false;  ///< see Consumer::halt

  private:
    using nanoseconds = std::chrono::nanoseconds;
    using milliseconds = std::chrono::milliseconds;

    /// An entry of the ready queues; void if what it stands for has drawn a new ticket since.
    struct Ready {
        enum class Kind : std::uint8_t { key, unit, pool };

        std::uint32_t index;
        std::uint32_t ticket;
        Kind kind;
        SteadyTime since;  ///< when it began to wait in this lane
    };

    /// The members of a unit that must not overtake each other: those of one ordered key, or one
    /// free event.
    struct Group {
        std::uint32_t key = none;
        std::vector<std::uint32_t> nodes;
    };

    void pass_over(Offset offset);

    // Chains
    void push_back(Chain& chain, std::uint32_t node);
    void push_front(Chain& chain, const Chain& front);
    std::uint32_t pop_front(Chain& chain);
    void splice(Chain& chain, Chain& taken);
    bool take_out(Chain& chain, Offset offset, std::uint32_t& node);
    bool has(const Chain& chain, Offset offset) const;
    template <class F>
    void each(const Chain& chain, F&& f) const {
        for (std::uint32_t at = chain.head; at != none; at = nodes_[at].next) {
            f(nodes_[at]);
        }
    }
    std::uint32_t new_node(const Item& item, SteadyTime arrived);
    void free_node(std::uint32_t node);

    // Keys
    bool is_loose(std::uint64_t key_hash) const;
    std::uint64_t identity(std::uint64_t key_hash) const;
    std::uint32_t find_key(std::uint64_t key_hash, std::uint8_t lane) const;
    std::uint32_t key_for(std::uint64_t key_hash, std::uint8_t lane);
    std::uint32_t key_of(const Unit& unit, const Node& node) const;
    void count_lane(Key& key, std::uint8_t lane, int change);
    std::uint32_t ticket_of(const Ready& entry) const;
    bool has_ready(std::uint8_t lane);
    std::int64_t boosts(SteadyTime since, std::uint8_t lane) const;
    void age();
    std::uint8_t best_lane(const Key& key) const;
    void enqueue(Key& key, std::uint32_t node);
    bool parks(const Key& key) const { return key.loose == 0 && parks_; }
    bool batch_full(const Key& key) const;
    bool batch_ready(const Key& key) const;
    bool has_waited(const Key& key) const;
    bool may_redrive(const Key& key) const;
    bool runnable(const Key& key) const;
    bool has_token(const Key& key) const;
    void keep_bucket(std::uint32_t key, bool starved, bool idle);
    void forget(std::uint32_t key);
    void refresh(std::uint32_t key);
    void park(Key& key);
    void unpark(Key& key);

    // Batches
    bool runs_alone(const Key& key) const;
    bool may_join_pool(const Key& key) const;
    void seat(std::uint32_t key, std::uint8_t lane);
    void weigh(std::uint8_t lane);
    void start_batch(Pool& pool, std::uint8_t lane);
    std::vector<std::uint32_t> unlock(std::uint32_t unit);
    bool comes_apart(const Unit& unit) const;
    std::vector<Group> take_groups(std::uint32_t unit);
    void fill(std::uint32_t unit, std::span<const Group> groups);
    void dissolve(std::uint32_t unit);
    std::uint32_t part_of(std::uint32_t unit);
    struct Isolated {
        std::vector<std::uint32_t> units;
        std::vector<Group> groups;  ///< all that was in the batch
    };
    Isolated isolate(std::uint32_t unit, const std::function<bool(const Node&)>& failed);
    void return_items(std::uint32_t key, const Chain& items, bool ends_window);
    void lend_lane(std::uint32_t unit, std::uint8_t lane);

    // Windows
    bool collects(const Key& key) const { return policy.debounce && key.loose == 0; }
    void join_window(std::uint32_t key, std::uint32_t node, bool fresh);
    void open_window(std::uint32_t key, Offset first, bool fresh);
    void fire(std::uint32_t window);
    void write_window(const Key& key, bool fired);
    const ConsumerState::Window* kept_window(std::uint64_t hash, Offset offset) const;
    void cool(Key& key);

    // Units and runs
    std::uint64_t* bucket(UnitState state);
    void set_state(Unit& unit, UnitState state);
    std::uint32_t new_unit(std::uint32_t key);
    std::uint32_t form_unit(std::uint32_t key);
    void release_unit(std::uint32_t unit);
    void make_ready(std::uint32_t unit);
    void refresh_unit(std::uint32_t unit);
    SteadyTime tokens_at(const Unit& unit);
    void take_tokens(const Unit& unit);
    void start(std::uint32_t unit, std::uint8_t lane);
    void end_run(std::uint32_t slot);
    void untime(std::uint32_t slot);
    std::uint32_t limit() const;
    void dispatch();
    void pass_time();
    void time_out(std::uint32_t slot);

    // Answers
    void settle_items(Unit& unit, Chain& items, RunId run, bool has_last);
    void finish(std::uint32_t unit, RunId run);
    void fail_unit(std::uint32_t unit, const Outcome& outcome);
    void fail_uncounted(std::uint32_t unit, const Outcome& outcome);
    void fail_items(std::uint32_t unit, const Outcome& outcome, RunId run);
    using Failures = std::unordered_map<std::uint64_t, const ItemFailure*>;
    void fail_named(std::uint32_t unit, const Failures& failures, const Outcome& outcome,
                    RunId run);
    void give_up_items(std::uint32_t unit, Chain permanent, const std::string& text);
    void charge(Unit& unit, const std::string& text);
    void retry_after(std::uint32_t unit, milliseconds wait, const std::string& text);
    void exhaust(std::uint32_t unit, LetterReason reason, RunId run, const std::string& text);
    void write_failed(const Unit& unit, std::string_view text);
    Trouble& trouble_of(Unit& unit);
    milliseconds age_of(const Unit& unit) const;
    RetryPolicy retry_policy() const;

    // Letters
    Letter make_letter(const Trouble& trouble, const Node& node) const;
    void open_letter(Unit& unit, Key& key, std::uint32_t node);
    void close_letter(LetterRef letter, LetterClosing how, const std::string& reason);
    void send_back(Key& key);
    void start_redrive(LetterRef& letter);
    void move_letter(LetterRef& letter, bool redriving, bool paced);
    void wait_for_turn(const LetterRef& letter);
    void release_paced(LetterRef& letter);
    void set_pace(const KeptPace& pace);
    void set_canary(std::optional<Offset> canary);
    std::optional<SteadyTime> pace_due() const;
    void keep_pace();
    void return_paced(const std::vector<Offset>& offsets);
    void return_paced_behind(const LetterRef& letter);
    Result<std::vector<Offset>> select(const LetterFilter& filter) const;
    LetterSelection describe(const std::vector<Offset>& offsets) const;

    // Restart
    bool adopt(std::uint32_t node, std::uint32_t key);
    void restore_letters();
    void restore_pause();
    void restore_keys();
    void complete(std::uint32_t unit);
    void look_for_the_end_of_catching_up();
    ConsumerState::Unit keep(const Unit& unit) const;
    void keep_windows(const Key& key, ConsumerState& state) const;

    // Time and activity
    bool draining() const { return pause_ && pause_->drain; }
    void drain();
    bool active() const {
        return (!pause_ || pause_->drain) && !suspended_ &&
               !(breaker_ && breaker_->state() == BreakerState::open);
    }
    nanoseconds active_time() const;
    void become(bool was_active);
    void set_pause_end();
    void suspend(const std::string& text);
    std::uint64_t voter_of(const Unit& unit) const;
    void judge(const Run& run, const Outcome& outcome);
    void breaker_changed(bool was_active);
    WallTime wall_of(SteadyTime time) const;

    // Looking
    Explanation explain_unit(std::uint32_t unit, const Key& key) const;
    Explanation explain_queued(const Key& key, Offset offset) const;
    std::optional<Explanation> standstill() const;
    Explanation explain_paced(const LetterRef& letter) const;
    Explanation explain_ready(const Key& key) const;

    Random random_;
    Now now_;
    Commands out_;
    const Batch batch_;        ///< means something if policy.batch
    const Debounce debounce_;  ///< means something if policy.debounce
    const bool bisects_;
    const bool pooling_;  ///< batches hold events of several keys
    const bool parks_;
    const bool forever_;
    const std::uint8_t lane_count_;
    const milliseconds age_boost_;  ///< 0: none
    const std::optional<TokenRate> rate_;
    const bool rate_by_key_;

    Slab<Node> nodes_;
    Slab<Key> keys_;
    Slab<Unit> units_;
    Slab<OpenWindow> windows_;
    Slab<Run> runs_;
    KeyIndex index_;
    std::array<std::uint32_t, lane_max> loose_{};
    std::array<std::deque<Ready>, lane_max> ready_;
    std::array<Pool, lane_max> pools_;
    /// By key: how many of its first events are to run together next, the next of all last. They
    /// have failed together with others.
    std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> pieces_;
    LaneTurns turns_;
    std::array<std::uint64_t, lane_max> in_lane_{};
    Timers unit_timers_, window_timers_, key_timers_;
    Timers token_timers_;   ///< of keys that wait for a token
    Timers full_timers_;    ///< of keys of which only their bucket is remembered
    SteadyTime full_at_;    ///< the bucket of a rate without key
    bool starved_ = false;  ///< somebody could run if there were a token
    std::vector<std::uint32_t> dirty_windows_;
    std::uint32_t runs_first_ = none;  ///< by deadline: they all have the same timeout
    std::uint32_t runs_last_ = none;
    std::uint64_t run_next_ = 1;

    std::map<Offset, LetterRef> letters_;
    /// Letters that wait for their turn in a redrive; they begin in this order. All letters of an
    /// ordered key before one that waits are being redriven too, if it parks.
    std::set<Offset> paced_;
    std::set<std::pair<std::uint64_t, Offset>> paced_by_key_;  ///< those of ordered keys
    KeptPace pace_;
    std::optional<TokenRate> pace_rate_;  ///< none: as many as can
    SteadyTime pace_full_at_;
    std::unordered_map<std::uint64_t, std::uint32_t> pending_letters_;  ///< offset → unit
    OffsetSet coalesced_;
    std::vector<Offset> decided_;
    std::vector<Offset> done_, done_coalesced_;  // scratch of settle_items

    ConsumerState restored_;  ///< what is not yet offered again of it
    std::unordered_map<std::uint64_t, std::uint32_t>
        kept_units_;                      ///< offset → index in restored_.units
    std::vector<std::uint32_t> kept_as_;  ///< the same index → unit
    bool catching_up_ = true;

    std::vector<Offset> passed_over_;  ///< read in a gap, not yet in the journal
    std::optional<ConsumerState::Pause> pause_;
    bool drain_begun_ = false;  ///< what waited for company has been flushed
    std::optional<SteadyTime> pause_ends_;
    std::optional<SteadyTime> suspended_;  ///< until when
    std::string suspended_text_;
    SteadyTime suspended_since_;
    std::uint32_t suspensions_ = 0;  ///< in a row
    std::optional<Breaker> breaker_;
    nanoseconds active_before_{};
    SteadyTime active_since_;

    Settlements settlements_;
    Tally tally_;
    Tally tally_written_;
    std::uint64_t matched_ = 0;
    std::uint64_t live_ = 0;  ///< nodes that are no letters
    std::uint64_t reopened_live_ = 0;
    std::uint64_t deferred_ = 0, waiting_ = 0, running_ = 0, in_windows_ = 0;
    Offset low_written_;
};

}  // namespace bascule::delivery
