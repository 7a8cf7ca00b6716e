#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "bus/event/builders.h"
#include "bus/event/event.h"
#include "foundation/sql/session.h"
#include "household/application/actor.h"
#include "household/application/environment.h"

namespace bascule::application {

/// One change of state with the events that tell of it: both are committed, or neither.
///
///     environment.writer.submit([=](sql::Session& session) -> Result<Account> {
///         UnitOfWork unit(session, actor, clock.wall());
///         …rows…
///         unit.publish(event::account_created(unit.occasion(), {…}));
///         TRY(unit.finish());
///         return account;
///     }, done);
///
/// Lives inside one savepoint of sql::Writer, on its thread.
class UnitOfWork {
  public:
    /// For a person's or a program's request: events begin a chain of their own.
    UnitOfWork(sql::Session& session, const Actor& actor, WallTime now);

    /// For a consumer: events follow `cause` (causationId, correlationId, hops + 1), and their ids
    /// are derived from `consumer`, the cause's id, the part of the run and their number, so that
    /// catching up after a database restore makes the same ids. Parts of one run have different
    /// numbers. The ids depend on a secret of the database too: whoever may publish in the
    /// household's name could else publish under them first, and the log takes an id once.
    /// Errors: those of a query.
    static Result<UnitOfWork> following(sql::Session& session, std::string_view consumer,
                                        const event::EventView& cause, WallTime now,
                                        std::uint32_t part = 0);

    sql::Session& session() { return session_; }
    const std::string& user_id() const { return user_id_; }
    WallTime now() const { return now_; }

    /// Ids, time, user and cause for the next event that is published.
    event::Occasion occasion();

    /// An id for a row that this unit makes: new for a request, derived for a consumer.
    std::string new_id();

    /// Notes an event; its order among the unit's events is kept. What the log would refuse
    /// (schema, size, hops) makes `finish` fail.
    void publish(event::Event event);

    /// Writes the events to the outbox, under the user's key. Errors: `invalid`, naming event type
    /// and field; then the whole unit must fail.
    Result<> finish();

  private:
    UnitOfWork(sql::Session& session, std::string_view consumer, const event::EventView& cause,
               WallTime now, std::string seed);

    sql::Session& session_;
    std::string user_id_;
    std::string metadata_;
    std::string replay_id_;
    std::string seed_;  ///< of derived ids; empty for a request
    std::string correlation_id_;
    std::string causation_id_;
    std::uint32_t hops_ = 0;
    std::uint64_t made_ = 0;
    WallTime now_;
    std::vector<event::Event> events_;
};

}  // namespace bascule::application
