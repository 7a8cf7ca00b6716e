#include <benchmark/benchmark.h>

#include "bus/broker/routing.h"
#include "foundation/base/check.h"

/// What it costs to say who gets an event, by the number of rules and by how far they look.
namespace bascule::broker {
namespace {

enum class Look : std::uint8_t { header, payload };

/// One consumer for every 16 rules, and one that gets everything, as audit does.
std::shared_ptr<const Routing> routing_with(std::size_t rules, Look look) {
    RoutingPlan plan;
    plan.subscribers.push_back({.name = "all"});
    plan.rules.push_back(
        {.name = "all", .patterns = {{R"({"source":[{"exists":true}]})"}}, .targets = {"all"}});
    for (std::size_t i = 1; i < rules; ++i) {
        const std::string number = std::to_string(i);
        const std::string consumer = "c" + std::to_string(i / 16);
        if (plan.subscribers.back().name != consumer) {
            plan.subscribers.push_back({.name = consumer});
        }
        std::string text = R"({"source":["transaction_service"],"detail-type":["type.)" +
                           std::to_string(i % 50) + "\"]";
        if (look == Look::payload) {
            text += R"(,"detail":{"data":{"accountId":["account-)" + number +
                    R"("],"transactionCount":[{"numeric":[">",0]}]}})";
        }
        plan.rules.push_back(
            {.name = "r" + number, .patterns = {{text + "}"}}, .targets = {consumer}});
    }
    const auto routing = Routing::build(plan, nullptr, WallTime{});
    CHECK(routing.has_value());
    return *routing;
}

event::Event event_of(std::size_t number) {
    event::Event event;
    event.event_id = "0190e5a2-7c11-7aaa-8000-000000000001";
    event.event_type = "type." + std::to_string(number % 50);
    event.source = "transaction_service";
    event.user_id = "user-" + std::to_string(number);
    event.data =
        R"({"fileId":"0190e5a2-7c11-7aaa-8000-000000000001","accountId":"account-)" +
        std::to_string(number) +
        R"(","transactionIds":["0190e5a2-7c11-7aaa-8000-000000000003","0190e5a2-7c11-7aaa-8000-000000000004"],)"
        R"("transactionCount":2,"dateRange":{"startDate":"2026-01-01","endDate":"2026-01-31"}})";
    return event;
}

void match(benchmark::State& state, Look look) {
    const auto routing = routing_with(static_cast<std::size_t>(state.range(0)), look);
    std::vector<event::Event> events;
    for (std::size_t i = 0; i < 64; ++i) {
        events.push_back(event_of(i));
    }
    std::size_t next = 0;
    std::size_t targets = 0;
    std::vector<ConsumerNumber> matched;
    for (auto _ : state) {
        routing->match(event::view_of(events[next++ % events.size()]), matched);
        targets += matched.size();
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["targets"] =
        static_cast<double>(targets) / static_cast<double>(state.iterations());
}
BENCHMARK_CAPTURE(match, header, Look::header)->Arg(8)->Arg(1000)->Arg(10'000);
BENCHMARK_CAPTURE(match, payload, Look::payload)->Arg(8)->Arg(1000)->Arg(10'000);

/// What a change of the rules costs on the bus's strand.
void build(benchmark::State& state) {
    const auto before = routing_with(static_cast<std::size_t>(state.range(0)), Look::payload);
    for (auto _ : state) {
        benchmark::DoNotOptimize(Routing::build(before->plan(), before.get(), WallTime{}));
    }
}
BENCHMARK(build)->Arg(8)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bascule::broker
