#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bus/broker/publish.h"
#include "bus/broker/routing.h"
#include "bus/broker/target_sets.h"
#include "bus/log/log.h"
#include "foundation/io/completion.h"
#include "foundation/io/executor.h"

namespace bascule::broker {

/// Counters since start, for metrics.
struct PublishCounts {
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> duplicates{0};
    std::atomic<std::uint64_t> rejected{0};
    std::atomic<std::uint64_t> unrouted{0};   ///< accepted, but no rule matched
    std::atomic<std::uint64_t> undecided{0};  ///< rejected since not every pattern was decided
    std::atomic<std::uint64_t> bytes{0};
};

/// The way of events into the log: check, match, append. All of it happens on the caller's thread
/// except the append, so that publishers share the processors and the writer only writes.
///
/// Rules are decided at append. A publisher matches without a lock, then enqueues under a shared
/// one, after a look at the rules' version: `change_routing` takes the lock alone, so between the
/// control record and the records that follow it no event can stand that was matched with the rules
/// before.
///
/// Completions run on the log's strand or as tasks of the executor, never inside the call and never
/// under the lock: they may publish.
///
/// Threads:   any.    Lifetime: log and executor outlive it.
class Publisher {
  public:
    Publisher(log::Log& log, std::shared_ptr<TargetSets> sets, io::Executor& executor,
              std::shared_ptr<const Routing> routing);

    /// Completes when the accepted events are on stable storage. Missing ids and timestamps are
    /// made here. Errors, for the call as a whole: `invalid` (no event, or more than
    /// publish_events_max), and the log's `exhausted`, `io`, `corrupt`.
    void publish(std::vector<event::Event> events, const PublishOptions& options,
                 io::Completion<std::vector<PublishResult>> done);

    /// Appends `next` as a control record and routes by it from there on; completes when it is
    /// durable, with its offset. One at a time: the next when this one has completed, so that what
    /// a refused change goes back to is durable.
    void change_routing(std::shared_ptr<const Routing> next, io::Completion<Offset> done);

    std::shared_ptr<const Routing> routing() const;
    const PublishCounts& counts() const { return *counts_; }

  private:
    struct Call;

    /// Checks and encodes; what is refused has its result already.
    std::shared_ptr<Call> prepare(std::vector<event::Event> events, const PublishOptions& options,
                                  io::Completion<std::vector<PublishResult>> done) const;
    /// Finds who gets each event. One for which a rule is undecided is taken out of the call and
    /// rejected: it would be lost to whoever the rule names, or told to who shall not know of it.
    void match(Call& call, const Routing& routing) const;
    void reject_undecided(Call& call, std::span<const std::size_t> records) const;
    void prepend_definitions(Call& call) const;
    /// Errors: the log refused the call at once; nobody was told.
    Result<> append(const std::shared_ptr<Call>& call);
    static void finish(Call& call, TargetSets& sets, PublishCounts& counts,
                       Result<std::vector<log::AppendOutcome>> outcomes);

    struct Rules {
        std::shared_ptr<const Routing> routing;
        bool changing = false;  ///< `routing` is not durable yet
    };
    /// The rules in force; shared with completions, which may outlive the publisher.
    using InForce = SharedGuarded<Rules>;

    log::Log& log_;
    std::shared_ptr<TargetSets> sets_;
    io::Executor& executor_;
    std::shared_ptr<PublishCounts> counts_ = std::make_shared<PublishCounts>();
    std::shared_ptr<InForce> in_force_;
};

}  // namespace bascule::broker
