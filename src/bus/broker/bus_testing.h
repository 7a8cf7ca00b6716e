#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>

#include "bus/broker/bus.h"
#include "foundation/base/testing.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_executor.h"

namespace bascule::broker {

using namespace std::chrono_literals;

inline event::Event event_of(std::string id, std::string user = "u",
                             std::string type = "thing.done", std::string data = "{}") {
    event::Event event;
    event.event_id = std::move(id);
    event.event_type = std::move(type);
    event.source = "test";
    event.user_id = std::move(user);
    event.data = std::move(data);
    return event;
}

/// A handler that notes what it gets and answers by script; unscripted events are done.
class Recorder final : public Handler {
  public:
    void handle(Delivery delivery, Done done) override {
        for (const DeliveredEvent& delivered : delivery.events) {
            seen.emplace_back(delivered.event.event_id);
        }
        const std::string first(delivery.events.front().event.event_id);
        ids[first].push_back(delivery.delivery_id);
        auto script = scripts.find(first);
        if (script == scripts.end() || script->second.empty()) {
            done(delivery::Outcome::done());
            return;
        }
        const delivery::Outcome outcome = script->second.front();
        if (script->second.size() > 1) {
            script->second.pop_front();
        }
        done(outcome);
    }

    std::vector<std::string> seen;
    std::map<std::string, std::vector<std::string>> ids;
    /// By event id; the last answer repeats.
    std::map<std::string, std::deque<delivery::Outcome>> scripts;
};

/// A handler that answers when the test says so. What was never answered holds the bus, and the bus
/// its handler: clear `last` at the end.
class PatientHandler final : public Handler {
  public:
    void handle(Delivery delivery, Done done) override {
        last.emplace_back(std::string(delivery.events.front().event.event_id), std::move(done));
    }
    std::vector<std::pair<std::string, Done>> last;  ///< first event and answer of each run
};

/// A bus on a simulated disk, with one consumer `c` that a Recorder handles.
class BusTest : public testing::Test {
  protected:
    void SetUp() override { open(); }
    void TearDown() override {
        bus_.reset();
        executor_->run_ready();
    }

    void open(std::uint64_t seed = 1) {
        auto bus = Bus::open({.disk = disk_, .executor = *executor_, .workers = *executor_},
                             {.directory = "bus",
                              .log = {.segment_bytes = 1 << 20,
                                      .fill_bytes = 64 << 10,
                                      .reserve_bytes = 0,
                                      .seed = seed},
                              .random_seed = seed});
        ASSERT_THAT(bus, Succeeds());
        bus_ = std::move(*bus);
        bus_->attach("recorder", recorder_);
    }

    /// The power goes; everything unsynced is in the disk's lottery.
    void crash_and_reopen() {
        executor_->drop_all();
        disk_.crash();
        bus_.reset();
        executor_->drop_all();
        open(++seed_);
    }

    /// The process ends; what it handed to the system is there.
    void kill_and_reopen() {
        executor_->drop_all();
        bus_.reset();
        executor_->drop_all();
        open(++seed_);
    }

    BusConfig config_of(std::string pattern = R"({"source":["test"]})") {
        BusConfig config;
        config.consumers.push_back(
            {.name = "c", .handler = {.in_process = "recorder"}, .start = Start::earliest});
        config.rules.push_back({.name = "r", .patterns = {{std::move(pattern)}}, .targets = {"c"}});
        return config;
    }

    Result<> configure(BusConfig config) {
        return sim::wait_for<>(
            *executor_, [&](auto done) { bus_->configure(std::move(config), std::move(done)); });
    }

    PublishResult publish(event::Event event) {
        auto results = sim::wait_for<std::vector<PublishResult>>(*executor_, [&](auto done) {
            std::vector<event::Event> events;
            events.push_back(std::move(event));
            bus_->publish(std::move(events), {}, std::move(done));
        });
        EXPECT_THAT(results, Succeeds());
        return results ? results->front() : PublishResult(Rejected{});
    }

    void settle(std::chrono::nanoseconds time = 1h) { executor_->run_for(time); }

    ConsumerStatus status() {
        auto status = sim::wait_for<ConsumerStatus>(
            *executor_, [&](auto done) { bus_->consumer("c", std::move(done)); });
        EXPECT_THAT(status, Succeeds());
        return status ? *status : ConsumerStatus{};
    }

    std::vector<LetterSummary> letters(LetterFilter filter = {}) {
        auto letters = sim::wait_for<std::vector<LetterSummary>>(
            *executor_, [&](auto done) { bus_->letters(std::move(filter), std::move(done)); });
        EXPECT_THAT(letters, Succeeds());
        return letters ? *letters : std::vector<LetterSummary>();
    }

    std::string state_of(Offset offset) {
        auto explanation = sim::wait_for<Explanation>(
            *executor_, [&](auto done) { bus_->explain("c", offset, std::move(done)); });
        EXPECT_THAT(explanation, Succeeds());
        return explanation ? explanation->state : "";
    }

    sim::SimClock clock_;
    std::unique_ptr<sim::SimExecutor> executor_ = std::make_unique<sim::SimExecutor>(clock_, 7);
    sim::SimDisk disk_{*executor_};
    std::shared_ptr<Recorder> recorder_ = std::make_shared<Recorder>();
    std::unique_ptr<Bus> bus_;
    std::uint64_t seed_ = 1;
};

}  // namespace bascule::broker
