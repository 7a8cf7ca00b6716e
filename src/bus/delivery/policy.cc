#include "bus/delivery/policy.h"

#include <algorithm>

namespace bascule::delivery {

namespace {

using std::chrono::milliseconds;

Result<> in_range(std::string_view setting, std::uint64_t value, std::uint64_t least,
                  std::uint64_t most) {
    if (value >= least && value <= most) {
        return {};
    }
    return fail(ErrorKind::invalid, std::string(setting) + " is " + std::to_string(value) + "; " +
                                        std::to_string(least) + " to " + std::to_string(most) +
                                        " is allowed");
}

Result<> in_range(std::string_view setting, milliseconds value, milliseconds least,
                  milliseconds most) {
    if (value >= least && value <= most) {
        return {};
    }
    return fail(ErrorKind::invalid, std::string(setting) + " is " + std::to_string(value.count()) +
                                        "ms; " + std::to_string(least.count()) + "ms to " +
                                        std::to_string(most.count()) + "ms is allowed");
}

Result<> contradiction(std::string message) { return fail(ErrorKind::invalid, std::move(message)); }

Result<> validate(const Lanes& lanes) {
    TRY(in_range("lanes.default", lanes.otherwise, 1, lane_max));
    for (const auto& [type, lane] : lanes.map) {
        TRY(in_range("lanes.map." + type, lane, 1, lane_max));
    }
    if (!lanes.weights.empty() && lanes.weights.size() != lanes.count()) {
        return contradiction("lanes.weights has " + std::to_string(lanes.weights.size()) +
                             " entries for " + std::to_string(lanes.count()) +
                             " lanes; one a lane is allowed");
    }
    for (const std::uint32_t weight : lanes.weights) {
        TRY(in_range("lanes.weights", weight, 1, 1000));
    }
    return in_range("lanes.age_boost", lanes.age_boost, 0ms, 24h);
}

Result<> validate(const Rate& rate, Ordering ordering) {
    TRY(in_range("rate.limit", rate.limit, 1, 1'000'000));
    TRY(in_range("rate.burst", rate.burst, 1, 1'000'000));
    TRY(in_range("rate.per", rate.per, 1ms, 24h));
    const double fill_ms =
        static_cast<double>(rate.per.count()) * rate.burst / static_cast<double>(rate.limit);
    if (fill_ms > static_cast<double>(milliseconds(24h).count())) {
        return contradiction("rate.burst is " + std::to_string(rate.burst) +
                             ", which takes longer than 24h to fill; at most " +
                             std::to_string(static_cast<std::uint64_t>(
                                 static_cast<double>(milliseconds(24h).count()) * rate.limit /
                                 static_cast<double>(rate.per.count()))) +
                             " is allowed with this limit");
    }
    if (rate.key == RateKey::key && ordering != Ordering::key) {
        return contradiction("rate.key is set with ordering: " + std::string(name(ordering)) +
                             ", which knows no keys; none is allowed");
    }
    return {};
}

Result<> validate(const Batch& batch) {
    TRY(in_range("batch.max_size", batch.max_size, 1, 10'000));
    TRY(in_range("batch.max_wait", batch.max_wait, 0ms, 1h));
    return in_range("batch.max_bytes", batch.max_bytes, 1, 64 << 20);
}

Result<> validate(const Debounce& debounce) {
    TRY(in_range("debounce.period", debounce.period, 1ms, 168h));
    TRY(in_range("debounce.leading", debounce.leading, 0ms, debounce.period));
    TRY(in_range("debounce.max_wait", debounce.max_wait, debounce.period, 168h));
    TRY(in_range("debounce.max_events", debounce.max_events, 1, 100'000));
    return in_range("debounce.max_bytes", debounce.max_bytes, 1, 64 << 20);
}

Result<> validate(const BreakerPolicy& breaker) {
    TRY(in_range("breaker.window", breaker.window, 1s, 1h));
    TRY(in_range("breaker.min_calls", breaker.min_calls, 1, 10'000));
    TRY(in_range("breaker.failure_rate", breaker.failure_rate, 1, 100));
    TRY(in_range("breaker.slow_call", breaker.slow_call, 0ms, 24h));
    TRY(in_range("breaker.slow_rate", breaker.slow_rate, 1, 100));
    TRY(in_range("breaker.open_for", breaker.open_for, 100ms, 24h));
    TRY(in_range("breaker.open_max", breaker.open_max, breaker.open_for, 24h));
    return in_range("breaker.half_open_calls", breaker.half_open_calls, 1, 1000);
}

Result<> validate_exhaustion(const Policy& policy) {
    if (policy.exhausted() == OnExhausted::queue) {
        return contradiction(
            "on_exhausted is queue: " + policy.dead_letter_queue +
            ", which is not available yet; park_key, skip_key and retry are allowed");
    }
    if (policy.ordering == Ordering::none && policy.exhausted() == OnExhausted::park_key) {
        return contradiction(
            "on_exhausted is park_key with ordering: none, which has no keys; skip_key and retry "
            "are allowed");
    }
    return {};
}

template <class T>
Result<T> unknown(std::string_view setting, std::string_view text, std::string_view allowed) {
    return fail(ErrorKind::invalid, std::string(setting) + " is \"" + std::string(text) + "\"; " +
                                        std::string(allowed) + " is allowed");
}

}  // namespace

std::uint8_t Lanes::lane_of(std::string_view event_type) const {
    const auto found = map.find(event_type);
    return found == map.end() ? otherwise : found->second;
}

std::uint8_t Lanes::count() const {
    std::uint8_t worst = otherwise;
    for (const auto& [type, lane] : map) {
        worst = std::max(worst, lane);
    }
    return worst;
}

OnExhausted Policy::exhausted() const {
    if (on_exhausted) {
        return *on_exhausted;
    }
    switch (ordering) {
        case Ordering::key:
            return OnExhausted::park_key;
        case Ordering::none:
            return OnExhausted::skip_key;
        case Ordering::log:
            break;
    }
    return OnExhausted::retry_forever;
}

Result<> Policy::validate() const {
    TRY(in_range("concurrency", concurrency, 1, 16'384));
    TRY(in_range("limits.max_unsettled", max_unsettled, 1, 100'000'000));
    TRY(in_range("timeout", timeout, 1ms, 24h));
    TRY(retry.validate());
    if (lanes) {
        TRY(delivery::validate(*lanes));
    }
    if (rate) {
        TRY(delivery::validate(*rate, ordering));
    }
    if (batch) {
        TRY(delivery::validate(*batch));
    }
    if (breaker) {
        TRY(delivery::validate(*breaker));
    }
    if (debounce) {
        TRY(delivery::validate(*debounce));
        if (ordering == Ordering::none) {
            return contradiction(
                "debounce is set with ordering: none, which has no keys to collect by; key and log "
                "are allowed");
        }
        if (debounce->max_events > max_unsettled) {
            return contradiction("debounce.max_events is " + std::to_string(debounce->max_events) +
                                 "; at most limits.max_unsettled (" +
                                 std::to_string(max_unsettled) + ") is allowed");
        }
    }
    return validate_exhaustion(*this);
}

Result<Ordering> parse_ordering(std::string_view text) {
    for (const auto ordering : {Ordering::key, Ordering::log, Ordering::none}) {
        if (name(ordering) == text) {
            return ordering;
        }
    }
    return unknown<Ordering>("ordering", text, "key, log or none");
}

Result<BatchOnError> parse_batch_on_error(std::string_view text) {
    for (const auto on_error : {BatchOnError::retry_all, BatchOnError::bisect}) {
        if (name(on_error) == text) {
            return on_error;
        }
    }
    return unknown<BatchOnError>("batch.on_error", text, "retry_all or bisect");
}

Result<DebounceMode> parse_debounce_mode(std::string_view text) {
    if (text == "collect") {
        return DebounceMode::collect;
    }
    if (text == "last") {
        return DebounceMode::last;
    }
    return unknown<DebounceMode>("debounce.mode", text, "collect or last");
}

Result<RateKey> parse_rate_key(std::string_view text, std::string_view key) {
    if (text == "none") {
        return RateKey::none;
    }
    if (text == key) {
        return RateKey::key;
    }
    return unknown<RateKey>("rate.key", text,
                            "none or the consumer's key (" + std::string(key) + ")");
}

Result<> parse_on_exhausted(std::string_view text, Policy& policy) {
    constexpr std::string_view queue = "queue:";
    if (text.starts_with(queue)) {
        text.remove_prefix(std::min(text.find_first_not_of(' ', queue.size()), text.size()));
        if (text.empty()) {
            return contradiction(
                "on_exhausted is \"queue:\" without a name; queue: NAME is allowed");
        }
        policy.on_exhausted = OnExhausted::queue;
        policy.dead_letter_queue = text;
        return {};
    }
    for (const auto choice :
         {OnExhausted::park_key, OnExhausted::skip_key, OnExhausted::retry_forever}) {
        if (name(choice) == text) {
            policy.on_exhausted = choice;
            return {};
        }
    }
    return unknown<void>("on_exhausted", text, "park_key, skip_key, retry or queue: NAME");
}

std::string_view name(Ordering ordering) {
    switch (ordering) {
        case Ordering::key:
            return "key";
        case Ordering::log:
            return "log";
        case Ordering::none:
            break;
    }
    return "none";
}

std::string_view name(BatchOnError on_error) {
    return on_error == BatchOnError::bisect ? "bisect" : "retry_all";
}

std::string_view name(OnExhausted on_exhausted) {
    switch (on_exhausted) {
        case OnExhausted::park_key:
            return "park_key";
        case OnExhausted::skip_key:
            return "skip_key";
        case OnExhausted::queue:
            return "queue";
        case OnExhausted::retry_forever:
            break;
    }
    return "retry";
}

}  // namespace bascule::delivery
