#include "bench/bench_bus.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <semaphore>

#include "foundation/base/uuid.h"
#include "foundation/io/wait.h"

namespace bascule::bench {

namespace {

void die_if_failed(const Result<>& result) {
    if (!result) {
        std::fprintf(stderr, "bench: %s\n", result.error().message().c_str());
        std::exit(1);
    }
}

}  // namespace

BenchBus::BenchBus(const std::string& directory)
    : directory_(directory + "/bascule-bench-" + new_uuid()) {
    auto bus = broker::Bus::open({.disk = disk_, .executor = executor_, .workers = workers_},
                                 {.directory = directory_});
    if (!bus) {
        std::fprintf(stderr, "bench: %s\n", bus.error().message().c_str());
        std::exit(1);
    }
    bus_ = std::move(*bus);
}

BenchBus::~BenchBus() {
    die_if_failed(
        io::wait_for<>([&](auto done) { bus_->stop(std::chrono::seconds(10), std::move(done)); }));
    bus_.reset();
    workers_.stop();
    executor_.stop();
    syncs_.stop();
    std::filesystem::remove_all(directory_);
}

void BenchBus::consume(const std::vector<Subscriber>& subscribers) {
    broker::BusConfig config;
    broker::Rule all{.name = "all", .patterns = {{R"({"source":["transaction_service"]})"}}};
    for (const Subscriber& subscriber : subscribers) {
        bus_->attach(subscriber.name, subscriber.handler);
        config.consumers.push_back({.name = subscriber.name,
                                    .handler = {.in_process = subscriber.name},
                                    .policy = subscriber.policy});
        all.targets.push_back(subscriber.name);
    }
    config.rules.push_back(std::move(all));
    die_if_failed(
        io::wait_for<>([&](auto done) { bus_->configure(std::move(config), std::move(done)); }));
}

void BenchBus::publish(std::uint64_t total, const std::function<event::Event(std::uint64_t)>& make,
                       std::uint64_t batch_size) {
    constexpr int window = 16;
    std::counting_semaphore<window> room(window);
    std::atomic<bool> failed{false};
    for (std::uint64_t n = 0; n < total;) {
        std::vector<event::Event> events;
        for (std::uint64_t i = 0; i < batch_size && n < total; ++i) {
            events.push_back(make(n++));
        }
        room.acquire();
        bus_->publish(std::move(events), {}, [&](const auto& results) {
            if (!results) {
                failed = true;
            }
            room.release();
        });
    }
    for (int i = 0; i < window; ++i) {
        room.acquire();
    }
    if (failed) {
        std::fprintf(stderr, "bench: a batch was not accepted\n");
        std::exit(1);
    }
}

void BenchBus::settle() {
    die_if_failed(io::wait_for<>([&](auto done) { bus_->when_idle(std::move(done)); }));
}

event::Event sample_event(std::uint64_t number, std::string_view type) {
    event::Event event;
    event.event_id = new_uuid();
    event.event_type = type;
    event.source = "transaction_service";
    event.timestamp = from_unix_ms(1'767'225'600'000 + static_cast<std::int64_t>(number));
    event.user_id = "user-" + std::to_string(number % 1000);
    event.correlation_id = event.event_id;
    event.data =
        R"({"fileId":"0190e5a2-7c11-7aaa-8000-000000000001","accountId":"0190e5a2-7c11-7aaa-8000-000000000002",)"
        R"("transactionIds":["0190e5a2-7c11-7aaa-8000-000000000003","0190e5a2-7c11-7aaa-8000-000000000004"],)"
        R"("transactionCount":2,"dateRange":{"startDate":"2026-01-01","endDate":"2026-01-31"}})";
    return event;
}

}  // namespace bascule::bench
