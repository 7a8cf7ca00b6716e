#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/event/event.h"
#include "foundation/base/result.h"

namespace bascule::broker {

/// What was done to the bus and is to be told on it: an outbox that lies in the delivery journal.
///
///     a person's deed:  add ── one frame of the journal with the deed itself
///     when it is durable: batch ── published, numbered ── told ── written with what comes next
///
/// A fact stands in the journal's frame of its deed, so after a crash both are there or neither is.
/// It is published by number; the log refuses a number that is not above the highest it has, so a
/// crash between publish and `told` repeats nothing, however long the machine was off.
///
/// Threads:   one owner, the bus's strand.
/// Memory:    the facts that are not in the log yet.
/// Format:    docs/format/delivery_journal.md, "Facts".
class Facts {
  public:
    /// The numbers' producer in the log.
    static const std::uint64_t producer;
    /// What `batch` gives at most.
    static constexpr std::size_t batch_events_max = 1000;
    static constexpr std::size_t batch_bytes_max = 4 << 20;

    /// Replays one entry of the journal. Errors: `corrupt`.
    Result<> apply(std::string_view entry);
    /// After the replay, with the highest number that the log has: what it lacks is due.
    void begin(std::uint64_t highest_in_log);

    void add(std::vector<event::Event> facts);
    /// The entries to be appended to the journal since this was last asked, oldest first.
    std::vector<std::string> take_entries();
    /// The entries that a journal begins anew with.
    std::vector<std::string> snapshot() const;

    /// The number of the last fact that `take_entries` or `snapshot` gave.
    std::uint64_t last_written() const { return written_; }
    /// Facts up to this number are on stable storage, and so are their deeds.
    void durable(std::uint64_t number);

    struct Batch {
        std::uint64_t first = 0;
        std::vector<event::Event> events;
    };
    /// The next facts to publish, in order; no events if none is due.
    Batch batch() const;
    /// Facts up to this number are in the log, or can never be.
    void told(std::uint64_t number);

    bool empty() const { return waiting_.empty(); }

  private:
    struct Fact {
        std::uint64_t number;
        event::Event event;
    };
    static std::string entry_of(const Fact& fact);

    std::deque<Fact> waiting_;   ///< ascending
    std::uint64_t last_ = 0;     ///< the highest number given
    std::uint64_t written_ = 0;  ///< to the journal
    std::uint64_t durable_ = 0;
    bool told_unwritten_ = false;  ///< the journal does not know yet what was told last
    std::uint64_t told_ = 0;
};

}  // namespace bascule::broker
