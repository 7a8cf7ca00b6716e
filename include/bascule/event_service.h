#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bus/broker/bus.h"
#include "foundation/io/posix_disk.h"
#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"

namespace bascule {

using BaseEvent =
    event::Event;  ///< the envelope of the seed: eventId, eventType, source, userId, data …

/// A durable event bus inside a program of your own, with threads and disk of its own.
///
///     auto service = TRY(EventService::open({.directory = "events"}));
///     service->consumer("printer", {R"({"detail-type": ["order.placed"]})"}, print);
///     TRY(service->start());
///     TRY(service->publish_event(order));       // returns when it is on disk
///
/// Consumers keep their position over restarts: name them as before and they go on where they were.
/// A handler sees each event at least once, events of one user in order; make repeats harmless.
/// Everything the bus can do beyond this is in `bus()`.
///
/// Threads:   publishing and `drain` from any thread but a handler's; they block. The rest from
///            one.
/// Lifetime:  the destructor stops; a directory is open in one process at a time.
class EventService {
  public:
    struct Options {
        std::string directory;
        int workers = 2;  ///< handlers that may run at once
    };

    /// What a consumer does with a run: an event, or the members of a batch or window.
    using Handler = broker::FunctionHandler::Function;

    /// Recovers what is in the directory, or begins an empty bus. Errors: `conflict` when another
    /// process has it open; the log's.
    static Result<std::unique_ptr<EventService>> open(Options options) {
        auto self = std::unique_ptr<EventService>(new EventService(options));
        TRY(self->disk_.make_directories(options.directory));
        self->lock_ = TRY(self->disk_.lock(options.directory + "/LOCK"));
        self->bus_ = TRY(broker::Bus::open({self->disk_, self->tasks_, self->workers_},
                                           {.directory = options.directory}));
        return self;
    }

    ~EventService() { stop(); }
    EventService(const EventService&) = delete;
    EventService& operator=(const EventService&) = delete;

    /// Adds a consumer of every event that matches one of `patterns` (EventBridge's language);
    /// without patterns, of all. Before `start`.
    void consumer(std::string name, std::vector<std::string> patterns, Handler handler) {
        consumer(broker::ConsumerConfig{.name = std::move(name)}, std::move(patterns),
                 std::move(handler));
    }
    void consumer(std::string name, Handler handler) {
        consumer(std::move(name), {}, std::move(handler));
    }
    /// The same with a policy: retries, batches, debounce, lanes.
    void consumer(broker::ConsumerConfig config, std::vector<std::string> patterns,
                  Handler handler) {
        config.handler = {
            .kind = broker::HandlerConfig::Kind::in_process, .in_process = config.name, .http = {}};
        bus_->attach(config.name, std::make_shared<broker::FunctionHandler>(std::move(handler)));
        if (patterns.empty()) {
            patterns.emplace_back(R"({"source": [{"exists": true}]})");
        }
        broker::Rule rule{.name = config.name, .patterns = {}, .targets = {config.name}};
        for (std::string& pattern : patterns) {
            rule.patterns.push_back({.text = std::move(pattern)});
        }
        config_.rules.push_back(std::move(rule));
        config_.consumers.push_back(std::move(config));
    }

    /// Puts the consumers in force; deliveries begin. Errors: `invalid`, naming what is wrong.
    Result<> start() {
        return io::wait_for<>([&](auto done) { bus_->configure(config_, std::move(done)); });
    }

    /// Returns when the event is on stable storage. An event without an id or a time is given them.
    /// Errors: `invalid`, naming the field at fault; `conflict` for an id that is taken by another
    /// content; the log's. A repeat of what is stored is no error: it answers the first one's
    /// place.
    Result<Offset> publish_event(BaseEvent event) {
        std::vector<BaseEvent> events;
        events.push_back(std::move(event));
        const auto results = TRY(publish_events_batch(std::move(events)));
        if (const auto* accepted = std::get_if<broker::Accepted>(&results.front())) {
            return accepted->offset;
        }
        if (const auto* duplicate = std::get_if<broker::Duplicate>(&results.front())) {
            return duplicate->first;
        }
        const auto& rejected = std::get<broker::Rejected>(results.front());
        return fail(rejected.code == broker::Rejected::Code::id_reused ? ErrorKind::conflict
                                                                       : ErrorKind::invalid,
                    rejected.message);
    }

    /// One answer per event, in order, when all are on stable storage; one fdatasync for all.
    Result<std::vector<broker::PublishResult>> publish_events_batch(
        std::vector<BaseEvent> events, broker::Atomicity atomicity = broker::Atomicity::each) {
        return io::wait_for<std::vector<broker::PublishResult>>([&](auto done) {
            bus_->publish(std::move(events), {.atomicity = atomicity}, std::move(done));
        });
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
    explicit EventService(const Options& options)
        : workers_({.name = "handlers", .threads = options.workers}) {}

    io::ThreadPool syncs_{{.name = "disk"}};
    io::PosixDisk disk_{syncs_};
    std::unique_ptr<io::FileLock> lock_;
    io::ThreadPool tasks_{{.name = "bus"}};
    io::ThreadPool workers_;
    std::unique_ptr<broker::Bus> bus_;
    broker::BusConfig config_;
};

}  // namespace bascule
