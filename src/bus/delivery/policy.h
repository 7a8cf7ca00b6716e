#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/delivery/retry_policy.h"
#include "foundation/base/result.h"

namespace bascule::delivery {

/// Which events of a consumer must not overtake each other.
enum class Ordering {
    key,   ///< events of one key, in log order, never two runs at once; events without a key are
           ///< free
    log,   ///< all of them: one run at a time in log order
    none,  ///< none
};

/// Where an event goes whose retries are exhausted, or that its handler refused for good.
enum class OnExhausted {
    park_key,       ///< a letter; later events of the key are deferred until a person decides
    skip_key,       ///< a letter; the key goes on
    queue,          ///< a dead-letter queue; not available yet
    retry_forever,  ///< nowhere: it is attempted until it succeeds, permanent answers included,
                    ///< unless its record is lost
};

/// What a run that outlives `timeout` means.
enum class OnTimeout {
    give_up,  ///< a remote handler: the attempt failed, a late answer is ignored
    wait,     ///< in process: ask it to stop, report it as stuck, never start a second beside it
};

/// Which keys go first. Lanes choose between keys, never inside one; lane 1 is the best.
///
/// A key waits in the lane of its best event that is not handled yet, so that an urgent event lends
/// its lane to those before it. Of the runs that start while several lanes have work each lane gets
/// its share by `weights`; without weights the best one goes first. A key that waits for a free run
/// is lifted one lane per `age_boost`, so that no lane starves.
///
/// Limits:  lanes 1 to lane_max; weights 1 to 1000, one a lane, or none; age_boost 0 (never) to
///          24 h.
struct Lanes {
    std::map<std::string, std::uint8_t, std::less<>> map;  ///< event type → lane
    std::uint8_t otherwise = 1;          ///< the lane of every other type; `default` in YAML
    std::vector<std::uint32_t> weights;  ///< shares of the runs that start, or none
    std::chrono::milliseconds age_boost = 60s;

    std::uint8_t lane_of(std::string_view event_type) const;

    /// The worst lane that occurs.
    std::uint8_t count() const;

    friend bool operator==(const Lanes&, const Lanes&) = default;
};
constexpr std::uint8_t lane_max = 8;

/// Whose events a rate limit counts together.
enum class RateKey {
    none,  ///< all of the consumer
    key,   ///< those of one key; events without a key are not limited
};

/// How many events are handed to the handler in a time, retries included: a token bucket that
/// starts full. A run may take more tokens than there are, if there is one; the next run waits
/// until they are paid back. Nobody is charged an attempt for waiting.
///
/// Limits:  limit and burst 1 to 1 000 000; per 1 ms to 24 h; filling the bucket takes at most 24
///          h; a token takes at least 1 ns.
struct Rate {
    std::uint32_t limit = 100;
    std::chrono::milliseconds per = 1s;
    std::uint32_t burst = 100;  ///< at once after a pause
    RateKey key = RateKey::none;
    /// Keys whose bucket is remembered although nothing of them waits; beyond, the fullest is
    /// forgotten early.
    std::uint32_t keys_max = 1'000'000;

    friend bool operator==(const Rate&, const Rate&) = default;
};
/// How a batch ends that failed as a whole.
enum class BatchOnError {
    bisect,  ///< it is taken apart at once: halves run without a wait until the culprit is alone,
             ///< who alone backs off and is charged an attempt
    retry_all,  ///< the same batch again after a wait, every member charged an attempt
};

/// Several events in one run. Fires at `max_size`, at `max_bytes`, or when its oldest member waited
/// `max_wait`. With `ordering: key` a batch holds consecutive events of its keys: of several with
/// `bisect`, of one with `retry_all`.
struct Batch {
    std::uint32_t max_size = 100;             ///< 1 to 10 000
    std::chrono::milliseconds max_wait = 5s;  ///< 0 (never wait) to 1 h
    std::uint64_t max_bytes = 1 << 20;        ///< 1 B to 64 MiB; a larger single event goes alone
    BatchOnError on_error = BatchOnError::retry_all;

    friend bool operator==(const Batch&, const Batch&) = default;
};

enum class DebounceMode {
    collect,  ///< the handler gets every event of the window
    last,     ///< the handler gets the last one by log order
};

/// Bursts of one key in one run.
///
/// From idle the first event opens a window of `leading` (0: of `period`), afterwards of `period`;
/// every event that joins starts the quiet time again. A window fires at min(last + quiet time,
/// first + max_wait), at `max_events`, at `max_bytes`, at once when a lane-1 event joins (if there
/// is more than one lane), or when a person flushes it.
struct Debounce {
    std::chrono::milliseconds period = 300s;     ///< 1 ms to 7 d
    std::chrono::milliseconds leading = 2s;      ///< 0 to `period`
    std::chrono::milliseconds max_wait = 15min;  ///< `period` to 7 d
    std::uint32_t max_events = 10'000;           ///< 1 to 100 000
    std::uint64_t max_bytes = 8 << 20;           ///< 1 B to 64 MiB
    DebounceMode mode = DebounceMode::collect;

    friend bool operator==(const Debounce&, const Debounce&) = default;
};

/// When a target that fails or is slow is not called for a while. Each key counts once per window,
/// with its last call; an event without a key, and a batch, count for themselves. Transient answers
/// that are counted and timeouts are failures.
struct BreakerPolicy {
    std::chrono::milliseconds window = 60s;      ///< 1 s to 1 h
    std::uint32_t min_calls = 10;                ///< 1 to 10 000: below, nothing is judged
    std::uint32_t failure_rate = 50;             ///< percent, 1 to 100
    std::chrono::milliseconds slow_call = 10s;   ///< 0 (never) to 24 h
    std::uint32_t slow_rate = 80;                ///< percent, 1 to 100
    std::chrono::milliseconds open_for = 15s;    ///< 100 ms to 24 h, doubled by each trip in a row
    std::chrono::milliseconds open_max = 10min;  ///< `open_for` to 24 h
    std::uint32_t half_open_calls = 3;           ///< 1 to 1 000: they decide whether it closes

    friend bool operator==(const BreakerPolicy&, const BreakerPolicy&) = default;
};

/// How one consumer wants its events. Defaults are the contract's: only `retry`, `max_unsettled`
/// and `timeout` are on.
struct Policy {
    Ordering ordering = Ordering::key;
    std::optional<Lanes> lanes;
    std::uint32_t concurrency = 8;  ///< runs at a time, 1 to 16 384
    std::optional<Rate> rate;
    std::optional<Batch> batch;
    std::optional<Debounce> debounce;
    RetryPolicy retry;
    std::optional<BreakerPolicy> breaker;
    std::optional<OnExhausted> on_exhausted;  ///< without: by ordering, see `exhausted()`
    std::string dead_letter_queue;            ///< the NAME of `on_exhausted: queue: NAME`
    std::uint64_t max_unsettled = 1'000'000;  ///< events read but not settled, 1 to 100 000 000
    std::chrono::milliseconds timeout = 30s;  ///< 1 ms to 24 h
    OnTimeout on_timeout = OnTimeout::give_up;

    /// park_key for ordering key, skip_key for none, retry_forever for log, unless it was written.
    OnExhausted exhausted() const;

    std::uint8_t lane_count() const { return lanes ? lanes->count() : 1; }

    /// Errors: `invalid`, naming the setting, its value and what is allowed; also for
    /// contradictions and for settings whose time has not come ("not available yet").
    Result<> validate() const;

    friend bool operator==(const Policy&, const Policy&) = default;
};

/// Settings as they are written. Errors: `invalid`, naming the setting, the text and what is
/// allowed. A rate's key is "none" or the consumer's own `key`.
Result<Ordering> parse_ordering(std::string_view text);
Result<BatchOnError> parse_batch_on_error(std::string_view text);
Result<DebounceMode> parse_debounce_mode(std::string_view text);

Result<RateKey> parse_rate_key(std::string_view text, std::string_view key);

/// Sets `on_exhausted` from "park_key", "skip_key", "retry" or "queue: NAME".
Result<> parse_on_exhausted(std::string_view text, Policy& policy);

std::string_view name(Ordering ordering);
std::string_view name(OnExhausted on_exhausted);
std::string_view name(BatchOnError on_error);

}  // namespace bascule::delivery
