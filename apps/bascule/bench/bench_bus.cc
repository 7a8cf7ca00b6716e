#include "bench/bench_bus.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

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

void BenchBus::consume(std::shared_ptr<broker::Handler> handler) {
    bus_->attach("bench", std::move(handler));
    broker::BusConfig config;
    config.consumers.push_back({.name = "bench", .handler = {.in_process = "bench"}});
    config.consumers[0].policy.concurrency = 1024;
    config.rules.push_back(
        {.name = "all", .patterns = {{R"({"source":[{"exists":true}]})"}}, .targets = {"bench"}});
    die_if_failed(
        io::wait_for<>([&](auto done) { bus_->configure(std::move(config), std::move(done)); }));
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
