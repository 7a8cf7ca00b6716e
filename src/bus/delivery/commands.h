#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bus/delivery/letter.h"
#include "bus/delivery/run.h"

namespace bascule::delivery {

enum class RunShape : std::uint8_t { event = 0, batch = 1, window = 2 };

/// Call the handler. Its members lie in Commands::offsets; see Commands::members.
struct StartRun {
    RunId run;
    std::uint64_t key_hash = no_key;  ///< of the first member
    std::uint32_t attempt = 1;        ///< 1 for the first
    RunShape shape = RunShape::event;
    std::uint8_t lane =
        1;  ///< that it was started in: the best of its members and of those behind them
    bool letter =
        false;  ///< a redrive: the event is in the letter store, maybe no longer in the log
    bool last_only =
        false;  ///< debounce.mode last: hand over the last member, the others are coalesced into it
    std::uint32_t members_first = 0;
    std::uint32_t members_count = 0;
};

/// Store the letter with a copy of its event, sync, then call Consumer::letter_durable. Repeating
/// is harmless.
struct WriteLetter {
    Letter letter;
};

/// Mark the letter in the store as closed; it remains there.
struct CloseLetter {
    Offset offset;
    LetterClosing how = LetterClosing::redriven;
    std::string reason;
    WallTime at{};
};

/// A run outlived its timeout: ask its handler to stop.
struct CancelRun {
    RunId run;
    bool stuck = false;  ///< the machine goes on waiting for it (OnTimeout::wait); report it
};

/// Everything a Consumer wants done, in the order in which its parts must be done:
/// 1. append `journal` to the bus's delivery journal (one frame; it survives the process, and with
/// sync_journal the power), 2. the cancels, 3. the rest in any order, starts after a sync where
/// hold_starts says so. Nobody is told of a pause,
/// resume, redrive or discard before 1 is synced.
struct Commands {
    std::string journal;        ///< encoded entries, docs/format/delivery_journal.md; may be empty
    bool sync_journal = false;  ///< else a sync within 100 ms is enough
    /// These and all later starts wait for that sync: they follow from what a person did, and a
    /// power cut that took the deed away would leave them ahead of what it let them pass.
    bool hold_starts = false;
    std::vector<StartRun> starts;
    std::vector<Offset> offsets;
    std::vector<WriteLetter> letters;
    std::vector<CloseLetter> closings;
    std::vector<CancelRun> cancels;

    /// Every event the run settles, in log order.
    std::span<const Offset> members(const StartRun& start) const {
        return std::span(offsets).subspan(start.members_first, start.members_count);
    }

    /// The events the handler gets.
    std::span<const Offset> handed(const StartRun& start) const {
        return start.last_only ? members(start).last(1) : members(start);
    }

    bool empty() const {
        return journal.empty() && starts.empty() && letters.empty() && closings.empty() &&
               cancels.empty();
    }

    /// Empties it and keeps the memory.
    void clear();
};

}  // namespace bascule::delivery
