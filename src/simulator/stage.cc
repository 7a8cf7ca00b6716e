#include "simulator/stage.h"

namespace bascule::simulator {

namespace {

std::map<std::string, delivery::Policy> policies_of(const Plan& plan) {
    std::map<std::string, delivery::Policy> policies;
    for (std::uint32_t i = 0; i < plan.consumers; ++i) {
        policies[consumer_name(i)] = policy_of(plan.seed, i);
    }
    return policies;
}

}  // namespace

Stage::Stage(const Plan& given)
    : plan(given),
      executor(clock, plan.seed),
      disk(executor,
           {.seed = plan.seed, .sync_latency_min = 100us, .sync_latency_max = sync_latency_max}),
      policies(policies_of(plan)),
      model(policies),
      story(clock),
      wanted(some_interests(plan, 0)) {}

/// What is dropped may answer, and so wake its bus.
void Stage::drop_process() {
    executor.drop_all();
    bus.reset();
    while (executor.ready_count() + executor.timer_count() > 0) {
        executor.drop_all();
    }
}

}  // namespace bascule::simulator
