#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bus/delivery/commands.h"
#include "bus/delivery/consumer_state.h"
#include "bus/delivery/letter.h"
#include "foundation/base/result.h"

/// The entries of a delivery journal, as they are written and read. Format:
/// docs/format/delivery_journal.md.
namespace bascule::delivery::journal {

/// Of what is written; older ones are read too.
constexpr std::uint64_t version = 5;

/// A consumer's state begins: all that came before is forgotten.
struct Begin {
    Offset start;
    Offset low;
    Offset coalesced_low;
    Offset reopened_until;
    Offset seen_end;
    std::uint64_t run_next = 1;
    Settlements settlements;
};

enum class SetKind : std::uint8_t { settled = 1, coalesced = 2 };
enum class ListKind : std::uint8_t { decided = 1, reopened = 2 };

struct Interval {
    SetKind set = SetKind::settled;
    Offset first;
    Offset end;
};

/// A list, or a part of it: together with what came before.
struct OffsetList {
    ListKind list = ListKind::decided;
    std::span<const Offset> offsets;
};

/// Written before the call. `attempt` counts this run.
struct Started {
    RunId run;
    std::uint64_t key_hash = no_key;
    RunShape shape = RunShape::event;
    bool letter = false;
    std::uint32_t attempt = 1;
    std::span<const Offset> members;
};

/// Members of a run that are done; all but the last of a window are coalesced into it.
struct Settled {
    RunId run;
    bool coalesced = false;
    std::span<const Offset> members;
};

/// What is left of a run waits for its next attempt, or for its letters.
struct Failed {
    std::uint32_t attempts =
        0;  ///< charged so far; one less than Started said if this one is not charged
    std::chrono::milliseconds age{};
    std::chrono::milliseconds wait{};
    WallTime at{};
    std::uint8_t exhausted = 0;  ///< LetterReason or 0
    std::string_view error;
    std::span<const Offset> members;
};

/// Events go back to their key's queue, as if they had never been started.
struct Returned {
    std::span<const Offset> members;
};

/// Everything of the consumer below is settled or a letter.
struct Low {
    Offset offset;
};

struct LetterOpened {
    LetterRef letter;
};

struct LetterMoved {
    Offset offset;
    bool redriving = false;
    bool paced = false;  ///< waits for its turn
};

/// The pace of the letters that are paced.
struct RedrivePaced {
    KeptPace pace;
};

struct LetterClosed {
    Offset offset;
    LetterClosing how = LetterClosing::redriven;
};

struct WindowChanged {
    std::uint64_t key_hash = no_key;
    ConsumerState::Window window;
};

struct WindowRan {
    std::uint64_t key_hash = no_key;
    WallTime at{};
};

struct Paused {
    ConsumerState::Pause pause;
};

struct Resumed {};

/// A person made the consumer go on from there, see ConsumerState::move_to.
struct Moved {
    Offset to;
};

/// Events in a gap were read, and settled as such.
struct PassedOver {
    std::span<const Offset> members;
};

/// In snapshots only.
struct GapKept {
    ConsumerState::Gap gap;
};

struct BreakerChanged {
    KeptBreaker breaker;
};

/// Everything the consumer ever did, so far.
struct Tallied {
    Tally tally;
};

/// A whole unit, in snapshots only.
struct UnitKept {
    ConsumerState::Unit unit;
};

using Entry =
    std::variant<Begin, Interval, OffsetList, Started, Settled, Failed, Returned, Low, LetterOpened,
                 LetterMoved, LetterClosed, WindowChanged, WindowRan, Paused, Resumed, UnitKept,
                 Tallied, BreakerChanged, Moved, PassedOver, GapKept, RedrivePaced>;

/// Appends the entry to `out`. O(size), no allocation but `out`'s growth.
void append(std::string& out, const Begin& entry);
void append(std::string& out, const Interval& entry);
void append(std::string& out, const OffsetList& entry);
void append(std::string& out, const Started& entry);
void append(std::string& out, const Settled& entry);
void append(std::string& out, const Failed& entry);
void append(std::string& out, const Returned& entry);
void append(std::string& out, const Low& entry);
void append(std::string& out, const LetterOpened& entry);
void append(std::string& out, const LetterMoved& entry);
void append(std::string& out, const LetterClosed& entry);
void append(std::string& out, const WindowChanged& entry);
void append(std::string& out, const WindowRan& entry);
void append(std::string& out, const Paused& entry);
void append(std::string& out, const Resumed& entry);
void append(std::string& out, const UnitKept& entry);
void append(std::string& out, const Tallied& entry);
void append(std::string& out, const BreakerChanged& entry);
void append(std::string& out, const Moved& entry);
void append(std::string& out, const PassedOver& entry);
void append(std::string& out, const GapKept& entry);
void append(std::string& out, const RedrivePaced& entry);

/// Cuts entries that were written by `append` between two of them, into pieces of at most
/// `bytes_max`; an entry above that is a piece of its own.
std::vector<std::string_view> pieces(std::string_view entries, std::size_t bytes_max);

/// Reads entries one by one. Memory stays within a few times the input, whatever it says.
class Reader {
  public:
    /// `bytes` outlives the reader and the entries.
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    bool at_end() const { return at_ == bytes_.size(); }
    std::size_t position() const { return at_; }

    /// The next entry; its spans are valid until the next call. Errors: `corrupt`, with entry and
    /// byte.
    Result<Entry> next();

  private:
    std::string_view bytes_;
    std::size_t at_ = 0;
    std::vector<Offset> offsets_;
};

}  // namespace bascule::delivery::journal
