#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bus/event/event.h"
#include "foundation/base/clock.h"
#include "foundation/base/offset.h"

namespace bascule::broker {

enum class Atomicity : std::uint8_t {
    each,  ///< every event stands for itself
    all,   ///< all or none
};

struct PublishOptions {
    Atomicity atomicity = Atomicity::each;
    /// A publisher that numbers its events: they get `sequence`, `sequence + 1`, … The log refuses
    /// a number that is not above the producer's highest. 0 = not numbered.
    std::uint64_t producer = 0;
    std::uint64_t sequence = 0;
};

/// The event is on stable storage and will reach its consumers.
struct Accepted {
    std::string event_id;
    Offset offset;
    WallTime recorded;
};

/// The same event was published before, within the dedup window; nothing was appended.
struct Duplicate {
    std::string event_id;
    Offset first;
};

/// Not taken; nothing of it is stored.
struct Rejected {
    enum class Code : std::uint8_t {
        invalid_event,        ///< breaks the envelope's rules or its type's schema
        too_large,            ///< above the event limit
        hop_limit,            ///< the chain of causes is too long: a loop
        undecided,            ///< whether a rule matches takes too long to find out
        id_reused,            ///< same source and eventId, other content
        sequence_not_above,   ///< the producer's number was used
        atomic_batch_failed,  ///< another event of the batch was rejected
        too_many_producers,   ///< a new producer id, and the log knows as many as it may
    };
    Code code = Code::invalid_event;
    std::string event_id;
    std::string field;  ///< JSON pointer to the member at fault; empty if it is the whole
    std::string message;
};

std::string_view name(Rejected::Code code);

/// One answer per event, in order.
using PublishResult = std::variant<Accepted, Duplicate, Rejected>;

/// Limits of one publish call.
inline constexpr std::size_t publish_events_max = 10'000;

}  // namespace bascule::broker
