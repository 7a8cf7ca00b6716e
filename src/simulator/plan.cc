#include "simulator/plan.h"

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
    } else if (grouping == 1) {
        policy.batch = delivery::Batch{.max_size = static_cast<std::uint32_t>(1 + random.below(6)),
                                       .max_wait = 30ms,
                                       .max_bytes = 2000};
    }
    if (random.below(2) == 0) {
        policy.lanes =
            delivery::Lanes{.map = {{"thing.first", 1}, {"thing.second", 2}}, .otherwise = 3};
    }
    if (policy.ordering == Ordering::key && random.below(3) == 0) {
        policy.on_exhausted = OnExhausted::skip_key;
    }
    return policy;
}

Interests some_interests(const Plan& plan, std::uint64_t number) {
    Interests interests;
    for (std::uint32_t i = 0; i < plan.consumers; ++i) {
        Random random = chance_of(plan.seed, "interests/" + consumer_name(i), number);
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
