#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bus/delivery/consumer.h"
#include "bus/event/event.h"
#include "bus/log/status.h"
#include "foundation/base/clock.h"
#include "foundation/base/offset.h"

namespace bascule::broker {

/// One consumer, as people and metrics see it.
struct ConsumerStatus {
    std::string name;
    std::string handler;   ///< "in_process", "http URL"
    std::string ordering;  ///< "key", "log", "none"
    std::string state;     ///< delivery contract, section 3
    std::string state_reason;
    Offset cursor;                 ///< next record to read
    Offset position;               ///< everything below is settled
    std::uint64_t lag_events = 0;  ///< records not yet read, plus matching events not yet settled
    std::int64_t lag_ms = 0;       ///< age of the oldest of them
    delivery::Counts counts;
    /// Events older than the consumer that it did not get, since whether they match takes too long
    /// to find out; since the bus was opened.
    std::uint64_t undecided = 0;
    /// What was left out when a person made it go on behind it; the last gaps_shown_max.
    std::vector<delivery::ConsumerState::Gap> gaps;
    static constexpr std::size_t gaps_shown_max = 100;
};

/// Where a paused consumer goes on, see delivery::ConsumerState::move_to.
struct ResumeFrom {
    enum class Kind {
        position,  ///< where it stopped
        now,       ///< behind everything that is stored
        offset,
        time,  ///< with the first event that was recorded then or later
    };

    Kind kind = Kind::position;
    Offset offset{};
    WallTime time{};
};

/// Whether a bus takes events, and keeps what becomes of them. What is called `reason` is for
/// anyone to read and names no file; what is called `detail` is for who runs the machine.
struct BusHealth {
    log::Health log;  ///< not `running`: publishes are refused
    /// Why positions or letters cannot be written; empty if they can. While it lasts nothing new is
    /// delivered.
    std::string delivery_reason;
    std::string delivery_detail;

    /// What damage took, as far as was found out: events of the log, letters. Empty if nothing.
    /// Events are taken and delivered all the same.
    std::string lost_reason;
    std::string lost_detail;

    bool well() const { return log.state == log::State::running && delivery_reason.empty(); }
};

/// Which letters an operation means; all conditions must hold.
struct LetterFilter {
    std::vector<std::string> ids;  ///< empty = any
    std::string consumer;
    std::string user_id;
    std::string fingerprint;
    std::string key;                      ///< the value of the consumer's ordering key
    std::optional<WallTime> opened_from;  ///< became a letter then or later
    std::optional<WallTime> opened_to;    ///< … or earlier, this millisecond included
    std::optional<bool> open;             ///< true: open ones only
};

struct LetterSummary {
    std::string id;  ///< "consumer:offset"
    std::string consumer;
    Offset offset;
    std::string event_id;
    std::string event_type;
    std::string user_id;
    std::string state;   ///< "open", "waiting" (for its turn in a redrive), "redriving", "closed"
    std::string reason;  ///< why it was closed, or which limit was reached
    std::uint32_t attempts = 0;  ///< in the last cycle
    std::uint32_t redrives = 0;  ///< cycles before that
    bool orphaned = false;       ///< its consumer was removed: nothing can be done to it
    std::string first_error;
    std::string last_error;
    std::string fingerprint;
    WallTime created;
};

/// Open letters of one consumer with one cause.
struct LetterGroup {
    std::string consumer;
    std::string fingerprint;
    std::uint64_t letters = 0;
    std::uint64_t users = 0;  ///< of so many
    WallTime oldest;          ///< when the first of them was opened
    WallTime newest;
    std::string example_id;     ///< of the oldest
    std::string example_error;  ///< … and its last error
};

/// The most letters first.
std::vector<LetterGroup> groups_of(const std::vector<LetterSummary>& letters);

struct LetterAttempt {
    WallTime at;
    std::string error;
};

struct LetterDetail {
    LetterSummary summary;
    std::vector<LetterAttempt> attempts;
    event::Event event;
};

struct Explanation {
    std::string state;
    std::string reason;      ///< in our words: tells nothing that the event says
    std::string last_error;  ///< in the handler's, of the attempt that failed last
    std::optional<WallTime> next_attempt;
    std::uint32_t rule_version = 0;
};

}  // namespace bascule::broker
