#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "foundation/base/clock.h"
#include "foundation/base/named.h"
#include "foundation/base/offset.h"

namespace bascule::delivery {

/// Both times at which something happened: steady for intervals, wall for what must outlive the
/// process.
struct Now {
    SteadyTime steady;
    WallTime wall;
};

/// The key hash of events that have no key and therefore no order.
constexpr std::uint64_t no_key = 0;

/// All that delivery knows of an event.
struct Item {
    Offset offset;
    std::uint64_t key_hash = no_key;
    std::uint8_t lane = 1;
    std::uint32_t bytes = 0;
    WallTime recorded{};
    bool lost = false;  ///< its record cannot be read: it runs alone, so that it fails alone
};

/// One call of a handler. Unique within a consumer, also across restarts.
using RunId = Named<std::uint64_t, struct RunIdTag>;

/// What a consumer did in all its life, restarts included.
struct Tally {
    std::uint64_t attempts = 0;  ///< runs started
    std::uint64_t failures = 0;  ///< of these, answered transient (and counted) or permanent, be
                                 ///< it for one of their events
    std::uint64_t late_answers = 0;  ///< ignored: of runs that are unknown or were given up

    friend bool operator==(const Tally&, const Tally&) = default;
};

/// One member of a run that the handler names as failed.
struct ItemFailure {
    enum class Kind { transient, permanent };

    Offset offset;
    Kind kind = Kind::transient;
    std::string text;
};

/// What a handler answers for a run.
///
/// Only a transient answer that is `counted`, and a permanent one, cost an attempt. A `retry_after`
/// is kept between the policy's own wait and its max_interval, and an event that is put off by it
/// time and again is a letter once it is older than max_age. Error texts are cut to 1 KiB.
struct Outcome {
    enum class Kind {
        done,
        transient,  ///< again later
        permanent,  ///< never again: a letter at once
        suspended,  ///< our own resources are in trouble: the whole consumer waits, nobody is
                    ///< charged
    };

    Kind kind = Kind::done;
    std::string text;
    std::optional<std::chrono::milliseconds> retry_after;
    bool counted = true;
    bool hopeless = false;  ///< with `permanent`: a letter even where retries go on for ever
    std::vector<ItemFailure>
        failures;  ///< with `done`: the members that failed; all others are done

    static Outcome done() { return {}; }
    static Outcome done_except(std::vector<ItemFailure> failures) {
        return {.failures = std::move(failures)};
    }
    static Outcome transient(std::string text,
                             std::optional<std::chrono::milliseconds> retry_after = {}) {
        return {.kind = Kind::transient, .text = std::move(text), .retry_after = retry_after};
    }
    /// Not the handler's fault: 429, shutdown, a lost lease.
    static Outcome uncounted(std::string text,
                             std::optional<std::chrono::milliseconds> retry_after = {}) {
        return {.kind = Kind::transient,
                .text = std::move(text),
                .retry_after = retry_after,
                .counted = false};
    }
    static Outcome permanent(std::string text) {
        return {.kind = Kind::permanent, .text = std::move(text)};
    }
    /// The record of an event is lost: no attempt can ever succeed.
    static Outcome unreadable(std::string text) {
        return {.kind = Kind::permanent, .text = std::move(text), .hopeless = true};
    }
    static Outcome suspended(std::string text) {
        return {.kind = Kind::suspended, .text = std::move(text)};
    }
};

}  // namespace bascule::delivery
