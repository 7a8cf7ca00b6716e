#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/delivery/breaker.h"
#include "bus/delivery/commands.h"
#include "bus/delivery/consumer_state.h"
#include "bus/delivery/letter.h"
#include "bus/delivery/policy.h"
#include "bus/delivery/run.h"
#include "foundation/base/random.h"
#include "foundation/base/result.h"

namespace bascule::delivery {

/// Events that matched, up to the read cursor, by what became of them. The identity:
///
///     matched + settled.reopened
///         == settled.(done + coalesced + superseded + discarded + skipped + gap + expired)
///            + letters + deferred + queued + waiting + running
struct Counts {
    std::uint64_t matched = 0;
    Settlements settled;
    std::uint64_t letters = 0;   ///< open, those being redriven too
    std::uint64_t deferred = 0;  ///< behind a letter of their key
    std::uint64_t queued =
        0;  ///< ready, whatever holds them up, or behind their key; filling batches too
    std::uint64_t waiting = 0;  ///< for a retry, in a window, or for their letter to be durable
    std::uint64_t running = 0;

    std::uint64_t windows = 0;  ///< open ones
    std::uint64_t runs = 0;     ///< at this moment
    std::uint64_t keys = 0;     ///< with anything to remember

    // In all its life, restarts included; see Tally.
    std::uint64_t attempts = 0;
    std::uint64_t failures = 0;
    std::uint64_t late_answers = 0;

    /// By lane, the first is lane 1: not settled and in no window, letters being redriven included.
    std::array<std::uint64_t, lane_max> in_lane{};

    std::uint64_t accounted() const;  ///< the right side of the identity
};

enum class EventState {
    before_start,  ///< older than the consumer's start
    unread,        ///< beyond the read cursor
    queued,        ///< ready: waits for a free run in its lane
    paused,        ///< ready, but a person paused the consumer
    suspended,     ///< ready, but our own resources are in trouble
    breaker_open,  ///< ready, but the breaker is open, or half open and waiting for its trials
    rate_limited,  ///< ready, but it waits for a token
    behind_key,    ///< an earlier event of its key comes first
    batch_filling,
    window_open,
    retry_wait,
    running,
    letter_pending,  ///< exhausted; its letter is being written
    letter_open,
    redriving,  ///< has a letter and is on its way once more
    deferred,   ///< behind an open letter of its key
    done,
    coalesced,
    discarded,  ///< by a person: discarded, skipped or superseded
    gap,        ///< left out by a person who made the consumer go on behind it
};

/// Why an event is where it is.
struct Explanation {
    EventState state = EventState::unread;
    std::string text;               ///< one sentence for a person
    std::optional<WallTime> since;  ///< where known
    std::optional<WallTime> next;   ///< when it moves by itself, where known
    std::string error;              ///< the handler's words about the last attempt, where it failed
};

struct PauseOptions {
    std::optional<WallTime> until;  ///< resumes by itself then
    std::string reason;
    bool drain = false;  ///< first everything that was read is handled, and nothing more is read
};

enum class ConsumerMode { running, draining, paused, suspended, breaker_open };

struct ConsumerStatus {
    ConsumerMode mode = ConsumerMode::running;
    std::string text;
    std::optional<WallTime> since;
    std::optional<WallTime> until;
    BreakerState breaker = BreakerState::closed;
};

// clang-format off
/// Decides for one consumer of a bus which events are handled when, in which order, how often and
/// together with which.
///
/// The caller reads the log in order and offers what matches; it carries out the commands, reports
/// answers, and calls `take_commands` after every round of inputs and at `next_deadline`. Every
/// call may make commands; only `take_commands` gives them out. Deferred events of parked keys stay
/// in memory (40 bytes each) and do not count against `max_unsettled`.
///
///     read from position(), skip by next_wanted ─ offer ─┐            ┌─► StartRun ─► handler ─ answer ─┐
///                                       advance_cursor ──┤► Consumer ─┼─► WriteLetter ─► letter_durable │
///                             pause, redrive, flush, … ──┘     ▲      └─► journal                       │
///                                                              └────────────────────────────────────────┘
///
/// Threads:    one at a time (the bus's strand).
/// Guarantees: as far as this object can give them: delivery order per key with never two runs of a
///             key, no event unaccounted for, a letter durable before its event leaves the retry
///             cycle, memory bounded by max_unsettled + deferred + open letters. A key costs
///             nothing once it is idle.
/// Cost:       O(1) amortised per event; O(log n) where a timer is involved; no allocation per
///             event on the plain way.
/// Source:     docs/adr/0002-delivery-as-a-pure-machine.md.
// clang-format on
class Consumer {
  public:
    /// Begins where `state` says; ConsumerState(start) for a new consumer. Errors: `invalid`, from
    /// Policy::validate.
    static Result<Consumer> create(std::string name, Policy policy, ConsumerState state,
                                   Random random, Now now);

    Consumer(Consumer&&) noexcept;
    Consumer& operator=(Consumer&&) noexcept;
    ~Consumer();

    const std::string& name() const;
    const Policy& policy() const;

    // ── Reading ──────────────────────────────────────────────────────────────────────────────────

    /// Everything of this consumer below is settled or kept as a letter: reading (re)starts here,
    /// and retention must not pass it.
    Offset position() const;

    /// The next offset that has not been read: position() after create.
    Offset cursor() const;

    /// The first offset at or above the cursor that may still need delivery: a restart skips what
    /// is settled.
    Offset next_wanted() const;

    /// False once max_unsettled events are read and unsettled: offer nothing until it is true
    /// again.
    bool wants_more() const;

    /// The next matching event. Offsets ascend and are at or above the cursor; those in between did
    /// not match. What is settled already is ignored, what was interrupted by a restart takes up
    /// its attempts where they were.
    void offer(const Item& item, Now now);

    /// Everything below `next` was read; what was not offered did not match.
    void advance_cursor(Offset next, Now now);

    // ── Running ──────────────────────────────────────────────────────────────────────────────────

    /// The handler's answer. Of a run that is unknown, given up or already answered it is ignored
    /// and counted.
    void answer(RunId run, const Outcome& outcome, Now now);

    /// The letter of that event and its copy of the event are on stable storage. Unknown offsets
    /// are ignored.
    void letter_durable(Offset offset, Now now);

    /// Moves time to `now` and replaces `commands` by everything that is to be done.
    void take_commands(Now now, Commands& commands);

    /// When time alone will make commands; call take_commands then.
    std::optional<SteadyTime> next_deadline() const;

    // ── Operating; every verb may be repeated. Confirm it to the person once the journal of the
    // next commands is synced ──

    /// No new runs; those running end in peace (`counts().runs` tells). Reading goes on up to
    /// max_unsettled. With `drain` it begins when nothing that was read is unsettled, but for
    /// letters and what they hold back; open windows and batches fire at once.
    void pause(const PauseOptions& options, Now now);

    /// Goes on where it stopped, or (ConsumerState::move_to) from elsewhere: then reading begins
    /// anew at position(). Errors, of the latter: `conflict` if it is not paused, if a run is under
    /// way, or on the way back over a letter that parks its key; `invalid` below its start.
    Result<> resume(std::optional<Offset> from, Now now);
    /// What `resume` would fail with.
    Result<> may_resume(std::optional<Offset> from) const;

    /// What was left out by going on behind it.
    const std::vector<ConsumerState::Gap>& gaps() const;

    /// This object, just created of the snapshot of `before`, takes its place in the same process:
    /// tokens that were taken stay taken, trouble of our own resources lasts.
    void take_over(const Consumer& before);

    /// No new runs while it is halted, and nobody is told: the process is stopping, or this object
    /// is about to be replaced by one made of its snapshot with another policy. Answers are still
    /// taken.
    void halt(bool halted = true);

    /// Fires the open windows of the key, or all, and the batches that wait for company. Returns of
    /// how many keys.
    std::uint64_t flush(std::optional<std::uint64_t> key_hash, Now now);

    /// The open letter at that offset; nullptr if there is none. Valid until the next call.
    const LetterRef* letter(Offset offset) const;

    /// Open letters, by offset.
    std::vector<LetterRef> letters(const LetterFilter& filter) const;

    /// Delivers letters again with their attempts from 0, per key head first; deferred events
    /// follow once no letter of the key is open. A letter that fails again stays, and under
    /// park_key sends those behind it back. All of the selected or none. Errors: `not_found` if an
    /// offset is named that has no open letter; `conflict` if, under park_key, an earlier letter of
    /// the key would stay behind, or wait for its turn while this one does not; `invalid` for a
    /// pace, see RedrivePace::validate.
    ///
    /// With a pace the letters begin in order of their offsets, whenever it is their turn and the
    /// consumer is not at a standstill; until then they count as being redriven. The pace of the
    /// last redrive holds for all that wait. If the canary fails again, those that wait are open
    /// letters once more. A redrive without a pace lets those it means begin at once.
    Result<LetterSelection> redrive(const LetterFilter& filter, const RedrivePace& pace, Now now);
    /// Of the letters meant, those that wait for their turn are open once more; if the canary is
    /// among them, the next that waits is it. Errors: `conflict`
    /// if, under park_key, another of the key waits behind one of them and is not meant.
    Result<LetterSelection> stop_redrive(const LetterFilter& filter, Now now);
    /// What `stop_redrive` would fail with.
    Result<> may_stop_redrive(const LetterFilter& filter) const;
    /// What `redrive` would fail with.
    Result<> may_redrive(const LetterFilter& filter, const RedrivePace& pace) const;

    /// Closes letters without delivering them, all of the selected or none. Errors: `invalid`
    /// without a reason or with `how` = redriven; `not_found` as above; `conflict` if one of them
    /// is being redriven.
    Result<LetterSelection> close_letters(const LetterFilter& filter, LetterClosing how,
                                          const std::string& reason, Now now);
    /// What `close_letters` would fail with.
    Result<> may_close_letters(const LetterFilter& filter, LetterClosing how,
                               const std::string& reason) const;

    // ── Looking ──────────────────────────────────────────────────────────────────────────────────

    Counts counts() const;
    ConsumerStatus status(Now now) const;

    /// Why the event is not delivered yet, or what became of it. O(what its key has queued).
    Explanation explain(Offset offset, std::uint64_t key_hash, Now now) const;

    /// The whole state, for a journal that begins anew (ConsumerState::encode). Runs appear in it
    /// as interrupted.
    ConsumerState snapshot(Now now) const;

  private:
    class Machine;
    explicit Consumer(std::unique_ptr<Machine> machine);

    std::unique_ptr<Machine> machine_;
};

std::string_view name(EventState state);
std::string_view name(ConsumerMode mode);

}  // namespace bascule::delivery
