#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/broker/consumer_config.h"
#include "bus/broker/handler.h"
#include "bus/broker/publish.h"
#include "bus/broker/publisher.h"
#include "bus/broker/routing.h"
#include "bus/broker/status.h"
#include "bus/delivery/letter.h"
#include "bus/log/log.h"
#include "foundation/io/completion.h"
#include "foundation/io/disk.h"
#include "foundation/io/executor.h"

namespace bascule::broker {

/// What a database says an in-process consumer has done (delivery contract, section 2, "Inbox").
struct InboxState {
    Offset low;                ///< everything below is done
    std::vector<Offset> done;  ///< at or above `low`, ascending

    /// Notes in the database that nothing below `low` will be asked for any more, and completes
    /// when that is durable; from any thread, must not block. Retention takes nothing that the
    /// database does not know to be gone: at the next start its position would lie before the log,
    /// and nobody could tell what was lost from what was done. Without it nothing from the
    /// inbox's `low` on is taken.
    std::function<void(Offset low, io::Completion<> done)> advance = {};
};

/// Who does something to a bus, and why: told in the event that says so.
struct Deed {
    static constexpr std::size_t reason_bytes_max = delivery::error_bytes_max;

    std::string actor;   ///< empty: the program itself
    std::string reason;  ///< may be empty where none is asked for
    /// Of verbs of letters: says to which letters it would be done, or what is in the way, and does
    /// nothing.
    bool preview = false;
};

struct BusState;

/// A durable event bus: publish, rules, consumers, letters.
///
///     auto bus = Bus::open(environment, options);         // recovers log, journal and letters
///     bus->attach("analytics", handler);                   // for every in-process consumer
///     bus->configure(plan, done);                          // rules and policies in force
///     bus->publish(events, {}, done);                      // completes when they are durable
///     bus->stop(grace, done);
///
/// Threads:   every member from any thread. Delivery state lives on one strand; completions are
///            called there or on the log's, and must not block.
/// Lifetime:  disk, executors and handlers' peers outlive the bus; `stop` before destroying.
/// Limits:    docs/reference/limits.md. The publish queue is bounded (`exhausted`), consumers read
///            ahead at most limits.max_unsettled events.
/// On disk:   DIRECTORY/log, DIRECTORY/delivery; architecture in docs/internals/bus.md.
class Bus {
  public:
    struct Environment {
        io::Disk& disk;
        io::Executor& executor;  ///< log writer and strand
        io::Executor& workers;   ///< handlers
    };

    struct Options {
        std::string directory;
        log::Options log;
        std::chrono::milliseconds journal_sync_interval{100};
        std::uint64_t random_seed = 0;  ///< 0 = from the system
    };

    /// Makes a handler for what a consumer's configuration names; `not_found` for in-process names
    /// that were not attached.
    using HandlerFactory =
        std::function<Result<std::shared_ptr<Handler>>(const ConsumerConfig& consumer)>;

    /// Recovers everything below `directory`; blocks. Errors: the log's and the journal's.
    static Result<std::unique_ptr<Bus>> open(Environment environment, Options options);
    ~Bus();
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;

    /// Gives an in-process consumer its function, before the first `configure` that names it.
    /// `inbox` is what its database says was done; nothing for handlers without one.
    void attach(std::string name, std::shared_ptr<Handler> handler,
                std::optional<InboxState> inbox = std::nullopt);
    void set_handler_factory(HandlerFactory factory);

    /// Puts rules and consumers in force; what changed becomes one control record. Completes when
    /// it is durable and the consumers run. On an error nothing changed: `invalid` with what is
    /// wrong, or the log's.
    void configure(BusConfig config, io::Completion<> done);

    /// See Publisher::publish.
    void publish(std::vector<event::Event> events, const PublishOptions& options,
                 io::Completion<std::vector<PublishResult>> done);

    /// Who would get the event by the rules in force; appends nothing.
    std::vector<std::string> would_receive(const event::Event& event) const;

    /// Synced records; see log::Log. Control records are among them.
    const log::Log& log() const;
    std::shared_ptr<const Routing> routing() const;
    const PublishCounts& publish_counts() const;

    void consumers(io::Completion<std::vector<ConsumerStatus>> done);
    void consumer(std::string name, io::Completion<ConsumerStatus> done);

    // Everything a person does is durable before it completes, and told in an event of the bus
    // itself (bus.consumer_paused …), which is published once, also over a crash. What is so
    // already is no deed: it succeeds and is not told again. Errors of all: `not_found`, `invalid`
    // (a reason above reason_bytes_max, an actor that no event can name), `io`.

    void pause(std::string name, std::optional<WallTime> until, Deed deed, io::Completion<> done);
    /// The same once everything that was read is handled; until then it reads nothing more.
    void drain(std::string name, std::optional<WallTime> until, Deed deed, io::Completion<> done);
    void resume(std::string name, Deed deed, io::Completion<> done);
    /// Errors, beyond those of all: `conflict` and `invalid` as delivery::Consumer::resume,
    /// `invalid` for a place that the log does not hold.
    void resume_from(std::string name, ResumeFrom from, Deed deed, io::Completion<> done);
    /// Fires every open window and batch of the consumer.
    void flush(std::string name, io::Completion<> done);

    /// In which state an event is for a consumer, and why. Errors: `not_found`.
    void explain(std::string consumer, Offset offset, io::Completion<Explanation> done);

    /// Errors: `not_found` for a consumer that is not there.
    void letters(LetterFilter filter, io::Completion<std::vector<LetterSummary>> done);
    void letter(std::string id, io::Completion<LetterDetail> done);
    // All verbs are done to all letters that the filter means or to none, also over a crash;
    // letters that are closed or being redriven are not meant, so that a verb can be repeated.
    // Errors: `not_found` for an id, `conflict` naming the letter that is in the way, `io`.

    /// The letters that are attempted again, head first per key, as they were before.
    /// With a pace they begin one after the other, see delivery::Consumer::redrive; it holds over
    /// a restart.
    void redrive(LetterFilter filter, delivery::RedrivePace pace, Deed deed,
                 io::Completion<std::vector<LetterSummary>> done);
    /// Takes back those that wait for their turn: the letters that are open once more.
    void stop_redrive(LetterFilter filter, Deed deed,
                      io::Completion<std::vector<LetterSummary>> done);
    /// Wants a reason, which stays with the letters too.
    void discard(LetterFilter filter, Deed deed, io::Completion<std::vector<LetterSummary>> done);
    /// The same, said of events that need not be handled: their keys go on without them.
    void skip(LetterFilter filter, Deed deed, io::Completion<std::vector<LetterSummary>> done);
    /// Letters with their events, by consumer and offset: `filter` as for `letters`.
    void letter_details(LetterFilter filter, std::size_t most, std::string after,
                        io::Completion<std::vector<LetterDetail>> done);

    /// Whether events are taken and delivered, at this moment.
    BusHealth health() const;
    /// BusHealth::delivery_reason.
    std::string trouble() const { return health().delivery_reason; }

    /// Calls `listener` on the strand with the present health, and whenever the log's state or the
    /// trouble with delivery changes.
    void on_health(std::function<void(const BusHealth& health)> listener);

    /// Calls `listener` on the strand with the new end after each sync; coalesced.
    void on_durable(std::function<void(Offset end)> listener);

    /// Completes when nothing is unsettled and no window is open: for tests, demos and imports.
    void when_idle(io::Completion<> done);

    /// Stops reading, lets running handlers answer (at most `grace`), syncs and closes.
    void stop(std::chrono::milliseconds grace, io::Completion<> done);

  private:
    explicit Bus(std::shared_ptr<BusState> state);
    std::shared_ptr<BusState> state_;
};

}  // namespace bascule::broker
