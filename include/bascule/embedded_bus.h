#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bus/broker/bus.h"
#include "foundation/base/uuid.h"
#include "foundation/io/posix_disk.h"
#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"

namespace bascule {

/// A durable event bus inside a program of your own, with threads and disk of its own.
///
///     auto bus = TRY(EmbeddedBus::open({.directory = "events"}));
///     bus->consume({.name = "printer"}, {R"({"detail-type": ["order.placed"]})"}, print);
///     TRY(bus->start());
///     TRY(bus->publish({order}));       // returns when it is on disk
///
/// Consumers keep their position over restarts: name them as before and they go on where they were.
/// A handler sees each event at least once, events of one user in order; make repeats harmless.
/// Everything the bus can do beyond this is in `bus()`.
///
/// Threads:   `publish` and `drain` from any thread but a handler's; they block. The rest from one.
/// Lifetime:  the destructor stops; a directory is open in one process at a time.
class EmbeddedBus {
  public:
    struct Options {
        std::string directory;
        int workers = 2;  ///< handlers that may run at once
    };

    /// Recovers what is in the directory, or begins an empty bus. Errors: the log's.
    static Result<std::unique_ptr<EmbeddedBus>> open(Options options) {
        auto self = std::unique_ptr<EmbeddedBus>(new EmbeddedBus(options));
        self->bus_ = TRY(broker::Bus::open({self->disk_, self->tasks_, self->workers_},
                                           {.directory = options.directory}));
        return self;
    }

    ~EmbeddedBus() { stop(); }
    EmbeddedBus(const EmbeddedBus&) = delete;
    EmbeddedBus& operator=(const EmbeddedBus&) = delete;

    /// Adds a consumer of every event that matches one of `patterns` (EventBridge's language).
    /// Before `start`.
    void consume(broker::ConsumerConfig consumer, const std::vector<std::string>& patterns,
                 broker::FunctionHandler::Function function) {
        consumer.handler = {.kind = broker::HandlerConfig::Kind::in_process,
                            .in_process = consumer.name,
                            .http = {}};
        bus_->attach(consumer.name, std::make_shared<broker::FunctionHandler>(std::move(function)));
        broker::Rule rule{.name = consumer.name, .patterns = {}, .targets = {consumer.name}};
        for (const std::string& pattern : patterns) {
            rule.patterns.push_back({.text = pattern});
        }
        config_.rules.push_back(std::move(rule));
        config_.consumers.push_back(std::move(consumer));
    }

    /// Puts the consumers in force; deliveries begin. Errors: `invalid`, naming what is wrong.
    Result<> start() {
        return io::wait_for<>([&](auto done) { bus_->configure(config_, std::move(done)); });
    }

    /// One answer per event, in order, when all are on stable storage. An event without an id or
    /// a time is given them.
    Result<std::vector<broker::PublishResult>> publish(std::vector<event::Event> events) {
        for (event::Event& event : events) {
            event::stamp_missing(event, new_uuid(), tasks_.clock().wall());
        }
        return io::wait_for<std::vector<broker::PublishResult>>(
            [&](auto done) { bus_->publish(std::move(events), {}, std::move(done)); });
    }

    /// Returns when every consumer has handled everything.
    Result<> drain() {
        return io::wait_for<>([&](auto done) { bus_->when_idle(std::move(done)); });
    }

    /// Lets running handlers answer and closes the bus. Calling it again does nothing.
    void stop() {
        if (bus_) {
            (void)io::wait_for<>(
                [&](auto done) { bus_->stop(std::chrono::seconds(10), std::move(done)); });
            workers_.stop();
            tasks_.stop();
            bus_.reset();
            syncs_.stop();
        }
    }

    broker::Bus& bus() { return *bus_; }

  private:
    explicit EmbeddedBus(const Options& options)
        : workers_({.name = "handlers", .threads = options.workers}) {}

    io::ThreadPool syncs_{{.name = "disk"}};
    io::PosixDisk disk_{syncs_};
    io::ThreadPool tasks_{{.name = "bus"}};
    io::ThreadPool workers_;
    std::unique_ptr<broker::Bus> bus_;
    broker::BusConfig config_;
};

}  // namespace bascule
