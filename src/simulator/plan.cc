#include "simulator/plan.h"

#include <algorithm>
#include <numeric>

#include "foundation/base/hash.h"

namespace bascule::simulator {

using namespace std::chrono_literals;

Plan Plan::of_seed(std::uint64_t seed, std::uint32_t steps) {
    Plan plan{.seed = seed};
    plan.steps.resize(steps);
    std::iota(plan.steps.begin(), plan.steps.end(), 0);
    return plan;
}

Plan Plan::harsh_of_seed(std::uint64_t seed) {
    Plan plan = of_seed(seed);
    plan.retention = plan.bit_flips = plan.database_restores = true;
    return plan;
}

std::string Plan::text() const {
    std::string text = "seed " + std::to_string(seed) + ", " + std::to_string(steps.size()) +
                       " steps, " + std::to_string(consumers) + " consumers";
    const auto without = [&](bool has, const char* what) {
        text += has ? "" : std::string(", no ") + what;
    };
    without(power_cuts, "power cuts");
    without(kills, "kills");
    without(disk_faults, "disk faults");
    without(clock_steps, "clock steps");
    without(people, "people");
    without(rule_changes, "rule changes");
    without(full_disks, "full disks");
    without(retention, "retention");
    without(bit_flips, "bit flips");
    without(database_restores, "restored databases");
    return text;
}

Random chance_of(std::uint64_t seed, std::string_view what, std::uint64_t number) {
    return Random(seed * 0x9e3779b97f4a7c15 ^ hash64(what) ^ (number + 1) * 0xd1b54a32d192ed03);
}

std::vector<std::string> sources() { return {"north", "east", "south", "west"}; }

std::string consumer_name(std::uint32_t number) { return "c" + std::to_string(number); }

delivery::Policy policy_of(std::uint64_t seed, std::uint32_t number) {
    using delivery::OnExhausted;
    using delivery::Ordering;
    Random random = chance_of(seed, "policy", number);
    delivery::Policy policy;
    const std::uint64_t kind = random.below(10);
    policy.ordering = kind < 7 ? Ordering::key : kind < 9 ? Ordering::none : Ordering::log;
    policy.concurrency = 1 + static_cast<std::uint32_t>(random.below(6));
    policy.retry = {.initial = 20ms,
                    .max_interval = 200ms,
                    .jitter = 0.2,
                    .max_attempts = static_cast<std::uint32_t>(1 + random.below(4)),
                    .max_age = 24h};
    policy.timeout = 2s;
    policy.on_timeout =
        random.below(2) == 0 ? delivery::OnTimeout::give_up : delivery::OnTimeout::wait;
    policy.max_unsettled = 5 + random.below(40);
    const std::uint64_t grouping = random.below(4);
    if (grouping == 0 && policy.ordering == Ordering::key) {
        policy.debounce =
            delivery::Debounce{.period = 300ms,
                               .leading = random.below(2) == 0 ? 0ms : 40ms,
                               .max_wait = 900ms,
                               .max_events = 6,
                               .mode = random.below(2) == 0 ? delivery::DebounceMode::last
                                                            : delivery::DebounceMode::collect};
        // A window must fit into what is read ahead.
        policy.max_unsettled =
            std::max<std::uint64_t>(policy.max_unsettled, policy.debounce->max_events);
    } else if (grouping == 1) {
        policy.batch =
            delivery::Batch{.max_size = static_cast<std::uint32_t>(1 + random.below(6)),
                            .max_wait = 30ms,
                            .max_bytes = 2000,
                            .on_error = random.below(2) == 0 ? delivery::BatchOnError::bisect
                                                             : delivery::BatchOnError::retry_all};
    }
    if (random.below(2) == 0) {
        policy.lanes =
            delivery::Lanes{.map = {{"thing.first", 1}, {"thing.second", 2}}, .otherwise = 3};
        if (random.below(2) == 0) {
            policy.lanes->weights = {5, 2, 1};
        }
        policy.lanes->age_boost = std::chrono::milliseconds(random.below(2) * 50);
    }
    if (random.below(4) == 0) {
        policy.rate = delivery::Rate{.limit = 10 + static_cast<std::uint32_t>(random.below(60)),
                                     .per = 1s,
                                     .burst = 1 + static_cast<std::uint32_t>(random.below(10)),
                                     .key = policy.ordering == Ordering::key && random.below(2) == 0
                                                ? delivery::RateKey::key
                                                : delivery::RateKey::none};
    }
    if (random.below(4) == 0) {
        policy.breaker = delivery::BreakerPolicy{
            .window = 1s,
            .min_calls = 2,
            .failure_rate = 40,
            .slow_call = 50ms,
            .open_for = std::chrono::milliseconds(200 + random.below(1500)),
            .open_max = 3s,
            .half_open_calls = 1 + static_cast<std::uint32_t>(random.below(3))};
    }
    if (policy.ordering == Ordering::key && random.below(3) == 0) {
        policy.on_exhausted = OnExhausted::skip_key;
    }
    return policy;
}

bool has_inbox(const Plan& plan, std::uint32_t number) {
    const delivery::Policy policy = policy_of(plan.seed, number);
    // Of a window whose last event stands for all the others get no rows.
    return policy.on_timeout == delivery::OnTimeout::wait &&
           !(policy.debounce && policy.debounce->mode == delivery::DebounceMode::last);
}

bool has_retention(const Plan& plan) {
    return plan.retention && chance_of(plan.seed, "retention").below(3) == 0;
}

bool has_bit_flips(const Plan& plan) {
    return plan.bit_flips && chance_of(plan.seed, "bit flips").below(4) == 0;
}

bool has_database_restores(const Plan& plan) {
    return plan.database_restores && !has_retention(plan) &&
           chance_of(plan.seed, "restores").below(2) == 0;
}

std::string text(const delivery::Policy& policy) {
    std::string text = "ordering " + std::string(delivery::name(policy.ordering)) + ", " +
                       std::string(delivery::name(policy.exhausted())) + ", " +
                       std::to_string(policy.retry.max_attempts) + " attempts, " +
                       std::to_string(policy.concurrency) + " at a time, at most " +
                       std::to_string(policy.max_unsettled) + " unsettled";
    const auto with = [&](bool has, const char* what) { text += has ? what : ""; };
    with(policy.on_timeout == delivery::OnTimeout::wait, ", waits for late answers");
    with(policy.batch.has_value(), ", batches");
    with(policy.debounce.has_value(), ", windows");
    with(policy.debounce && policy.debounce->mode == delivery::DebounceMode::last, " (the last)");
    with(policy.lanes.has_value(), ", lanes");
    with(policy.rate.has_value(), ", a rate");
    with(policy.breaker.has_value(), ", a breaker");
    return text;
}

Interests some_interests(const Plan& plan, std::uint64_t number) {
    Interests interests;
    for (std::uint32_t i = 0; i < plan.consumers; ++i) {
        Random random = chance_of(plan.seed, "interests/" + consumer_name(i), number);
        if (plan.consumers > 1 && random.below(8) == 0) {
            continue;  // it is not there
        }
        std::set<std::string>& wanted = interests[consumer_name(i)];
        for (const std::string& source : sources()) {
            if (random.below(3) != 0) {
                wanted.insert(source);
            }
        }
        if (wanted.empty()) {
            wanted.insert(sources().front());
        }
    }
    return interests;
}

}  // namespace bascule::simulator
