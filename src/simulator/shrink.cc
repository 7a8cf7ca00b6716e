#include <algorithm>

#include "simulator/world.h"

namespace bascule::simulator {

namespace {

/// "G3", of "G3: c0's run …".
std::string broken_promise(const Plan& plan) {
    World world(plan);
    world.run();
    return world.violation().substr(0, 2);
}

/// Takes steps away, half of them first, then ever smaller parts.
/// Source: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002.
void take_away_steps(Plan& plan, const std::string& promise) {
    for (std::size_t part = plan.steps.size() / 2; part > 0; part /= 2) {
        for (std::size_t at = 0; at < plan.steps.size();) {
            Plan shorter = plan;
            const auto first = shorter.steps.begin() + static_cast<std::ptrdiff_t>(at);
            const std::size_t count = std::min(part, plan.steps.size() - at);
            shorter.steps.erase(first, first + static_cast<std::ptrdiff_t>(count));
            if (broken_promise(shorter) == promise) {
                plan = std::move(shorter);
            } else {
                at += part;
            }
        }
    }
}

}  // namespace

Plan shrunk(const Plan& plan) {
    const std::string promise = broken_promise(plan);
    Plan best = plan;
    for (const auto fault :
         {&Plan::disk_faults, &Plan::power_cuts, &Plan::kills, &Plan::clock_steps, &Plan::people,
          &Plan::rule_changes, &Plan::full_disks, &Plan::retention, &Plan::bit_flips,
          &Plan::database_restores}) {
        Plan without = best;
        without.*fault = false;
        if (broken_promise(without) == promise) {
            best = without;
        }
    }
    take_away_steps(best, promise);
    while (best.consumers > 1) {
        Plan fewer = best;
        --fewer.consumers;
        if (broken_promise(fewer) != promise) {
            break;
        }
        best = fewer;
    }
    return best;
}

}  // namespace bascule::simulator
