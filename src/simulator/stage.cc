#include "simulator/stage.h"

#include "foundation/base/hash.h"

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
      disk(executor, {.seed = plan.seed,
                      .sync_latency_min = 100us,
                      .sync_latency_max = sync_latency_max,
                      .ignores_syncs = plan.disk_ignores_syncs}),
      platter(disk, "bus"),
      policies(policies_of(plan)),
      model(policies,
            [this](const std::string& consumer, Offset offset) {
                return platter.letter(consumer, offset).has_value();
            }),
      story(clock),
      wanted(some_interests(plan, 0)) {}

std::uint64_t content_of(const event::EventView& event) {
    std::string all;
    for (const std::string_view part :
         {event.event_type, event.source, event.user_id, event.data}) {
        all += std::to_string(part.size()) + ":" + std::string(part);
    }
    return hash64(all);
}

/// What is dropped may answer, and so wake its bus.
void Stage::drop_process() {
    executor.drop_all();
    bus.reset();
    while (executor.ready_count() + executor.timer_count() > 0) {
        executor.drop_all();
    }
}

}  // namespace bascule::simulator
