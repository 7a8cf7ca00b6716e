#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bus/delivery/breaker.h"
#include "bus/delivery/letter.h"
#include "bus/delivery/offset_set.h"
#include "bus/delivery/run.h"
#include "foundation/base/result.h"

namespace bascule::delivery {

/// How many events were settled in which way.
struct Settlements {
    std::uint64_t done = 0;
    std::uint64_t coalesced = 0;   ///< into the run of another event
    std::uint64_t superseded = 0;  ///< by an edited event
    std::uint64_t discarded = 0;
    std::uint64_t skipped = 0;  ///< letters that a person skipped
    std::uint64_t gap = 0;      ///< left out by resume from now
    std::uint64_t expired = 0;  ///< dropped by a forced retention
    /// Settled above and once more unsettled: a database was restored, or a person went back.
    std::uint64_t reopened = 0;
};

/// Where a consumer stands, as plain data: what its journal says.
///
/// It is built by replaying journal bytes in order, compared with the inbox, then given to
/// Consumer::create. Any prefix of a journal is a valid state; what it lacks is delivered again,
/// never lost.
///
///     ConsumerState state(start);
///     for (auto& chunk : chunks) { TRY(state.apply(chunk)); }
///     state.reconcile(inbox_low, is_in_inbox);
///
/// Threads:  one owner.
/// Format:   docs/format/delivery_journal.md (version 5).
struct ConsumerState {
    /// A run that has failed or was interrupted, with everything it needs to be attempted again.
    struct Unit {
        std::uint64_t key_hash = no_key;
        std::vector<Offset> members;  ///< ascending
        std::uint8_t shape = 0;       ///< RunShape
        bool letter = false;
        bool running = false;  ///< was started, no answer is known
        std::uint32_t attempts = 0;
        std::chrono::milliseconds age{};   ///< since the first attempt, at `at`
        std::chrono::milliseconds wait{};  ///< chosen at `at`
        WallTime at{};
        std::optional<LetterReason> exhausted;  ///< its letter was on the way
        std::vector<Attempt> history;
    };

    /// A window that had not been started.
    struct Window {
        Offset first;
        Offset last;
        WallTime first_at{};
        WallTime last_at{};
        std::chrono::milliseconds quiet{};
        bool fired = false;
    };

    struct Pause {
        std::optional<WallTime> until;
        std::string reason;
        WallTime since{};
        bool drain = false;  ///< what was read before is still to be handled
    };

    /// [first, end): all of it was unsettled when a person went on behind it, and is not delivered.
    struct Gap {
        Offset first;
        Offset end;

        friend bool operator==(const Gap&, const Gap&) = default;
    };

    /// A consumer that has seen nothing and begins at `start`.
    explicit ConsumerState(Offset start = Offset(0))
        : start(start), settled(start), coalesced(start) {}

    /// Replays one chunk of journal bytes (any number of whole entries).
    /// Errors: `corrupt`, naming the entry and the byte; the state is then of no use.
    Result<> apply(std::string_view journal);

    /// Compares with the database's inbox: the lower of the two positions wins. Events at or above
    /// it that were done or coalesced without an inbox row become unsettled; letters, skips and
    /// discards stand. What became unsettled goes before what was interrupted behind it in its
    /// key, whose attempts then begin anew. Follow it with a snapshot.
    void reconcile(Offset inbox_low, const std::function<bool(Offset)>& is_in_inbox);

    /// What a person means who resumes a consumer elsewhere. Forward: what is unsettled below `to`
    /// becomes a gap, and is settled as such when it is read. Back: what was settled at or above
    /// `to` is delivered again, in log order; letters, skips and discards stand. Attempts of what
    /// was interrupted begin anew where the way leads over it.
    void move_to(Offset to);

    bool in_gap(Offset offset) const;

    /// The entries that make this state from nothing: a new journal begins with them. They come in
    /// parts of whole entries, none above `part_bytes` by more than its last entry, to be kept and
    /// applied in this order: a state may be larger than what a file takes in one piece.
    std::vector<std::string> encode_parts(std::size_t part_bytes = 1 << 20) const;

    /// The parts in one piece.
    std::string encode() const;

    /// Whether an event that is unsettled now was settled before a reconcile.
    bool was_settled(Offset offset) const;

    Offset start;
    OffsetSet settled;
    /// Of the settled, for explain; may forget old ones. It holds the offset *after* each, so that
    /// its low() stays where the memory begins.
    OffsetSet coalesced;
    std::vector<Offset>
        decided;  ///< discarded, skipped, superseded: ascending; they outlive a restored database
    std::vector<Offset>
        reopened;           ///< settled once, unsettled by reconcile, not offered since: ascending
    Offset reopened_until;  ///< below it an offered event may have been settled before
    Settlements settlements;
    Tally tally;
    std::uint64_t run_next = 1;
    Offset seen_end;  ///< one above the highest offset that the journal names
    std::map<Offset, LetterRef> letters;
    std::optional<KeptPace> pace;                          ///< of those that wait for their turn
    std::vector<Unit> units;                               ///< those without members are spent
    std::map<std::uint64_t, std::vector<Window>> windows;  ///< by key, ascending
    std::map<std::uint64_t, WallTime> last_runs;           ///< of windows, by key
    std::optional<Pause> pause;
    KeptBreaker breaker;
    std::vector<Gap> gaps;  ///< ascending, not touching; what a replay may make good

  private:
    struct Replay;  // applies entries; consumer_state.cc

    void add_gaps(const std::vector<Gap>& more);

    std::unordered_map<std::uint64_t, std::uint32_t> unit_of_;  ///< offset → index in units
    std::vector<std::uint32_t> units_free_;
};

}  // namespace bascule::delivery
