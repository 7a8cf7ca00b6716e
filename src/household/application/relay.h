#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/broker/bus.h"
#include "foundation/sql/database.h"
#include "foundation/sql/outbox.h"
#include "foundation/sql/writer.h"
#include "household/application/stores/refused_events.h"

namespace bascule::application {

/// What the relay needs of a bus. `of` gives that of a real one.
struct RelayTarget {
    /// Publishes all or none as (producer, sequence), (producer, sequence + 1) … and completes when
    /// they are durable.
    std::function<void(std::vector<event::Event> events, const broker::PublishOptions& options,
                       io::Completion<std::vector<broker::PublishResult>> done)>
        publish;
    /// The producer's highest sequence that is durable.
    std::function<std::optional<std::uint64_t>(std::uint64_t producer)> highest_sequence;
    /// Whether an outbox published the event, as far back as the bus remembers ids. One that
    /// somebody else published under its id does not count: it is refused as `id_reused` and seen.
    std::function<bool(const event::Event& event)> contains;

    static RelayTarget of(broker::Bus& bus);
};

/// Carries committed events from the outbox to the bus, in order, each once.
///
/// Woken by every COMMIT (sql::Writer::on_commit calls `wake`), never polling. Numbers rows,
/// publishes them as (producer = outbox incarnation, sequence), marks what the log took. A crash
/// between publish and mark repeats nothing: the log refuses a sequence that is not above its
/// highest. If at `start` the highest number assigned is below the log's, the database was
/// restored: a new incarnation begins, and unmarked rows are looked up by id first.
///
/// Trouble (the bus is full or failing, the database busy) is retried with growing waits. An event
/// that the bus will never take (UnitOfWork checks the same rules before COMMIT, so this is a
/// defect or a limit that was lowered since) is set aside in `outbox_refused` with the reason, and
/// what stands behind it goes on: docs/adr/0007-refused-events.md.
///
/// Threads:   any. Lifetime: everything given outlives it; `stop` before destroying.
class Relay {
  public:
    Relay(sql::Database& database, sql::Writer& writer, broker::Bus& bus, io::Executor& executor);
    Relay(sql::Database& database, sql::Writer& writer, RelayTarget target, io::Executor& executor);
    ~Relay();

    void start(io::Completion<> done);
    void wake();
    /// Finishes the round under way. What is left goes out after the next start.
    void stop(io::Completion<> done);

    /// Rows that were committed and not yet acknowledged by the log; for readiness and metrics.
    Result<std::uint64_t> backlog() const;
    /// Events that were set aside, oldest first; an operator's matter. A page may be shorter than
    /// its limit where events are large. Errors: `invalid` (cursor, limit), the database's.
    Result<Page<RefusedEvent>> refused(const PageRequest& page) const;
    /// Errors: `not_found`, the database's.
    Result<RefusedEvent> refused(const std::string& id) const;
    /// How many were; known from `start` on. No SQL.
    std::uint64_t refused_count() const;
    /// Why the last round failed; empty if it did not.
    std::string trouble() const;

    /// Calls `listener` with that text whenever it changes, on the relay's strand: it is short and
    /// does not block. Before `start`.
    void on_trouble(std::function<void(const std::string& trouble)> listener);
    /// Calls `listener` on the relay's strand for each event that was set aside,
    /// with the reason. That is no trouble, which passes: it stays in `refused` until a person
    /// decides. Before `start`.
    void on_refused(std::function<void(const std::string& reason)> listener);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace bascule::application
