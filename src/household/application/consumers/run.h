#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "bus/broker/handler.h"
#include "foundation/base/result.h"
#include "foundation/sql/inbox.h"
#include "foundation/sql/session.h"
#include "household/application/environment.h"
#include "household/application/unit_of_work.h"

/// What the built-in consumers share: an event's effects, once.
namespace bascule::application {

/// What the inbox knows an event by: the same publication is the same message, wherever it stands
/// in the log. No two pairs of source and event id share one.
std::string message_id(const event::EventView& event);

/// How a run ends whose work answered `result`. Trouble of our own (the database or a disk cannot
/// serve) suspends the consumer and is charged to nobody; what the event itself is to blame for is
/// permanent; a state that moved meanwhile is tried again.
delivery::Outcome outcome_of(const Result<>& result);

/// A run under way: keeps the events' memory and says the outcome once.
class Run {
  public:
    Run(broker::Delivery delivery, broker::Done done)
        : delivery_(std::move(delivery)), done_(std::move(done)) {}

    const std::string& consumer() const { return delivery_.consumer; }
    const std::vector<broker::DeliveredEvent>& events() const { return delivery_.events; }
    /// Everything of the consumer below it was settled when the run began.
    Offset position_low() const { return delivery_.position_low; }
    const event::EventView& event() const { return delivery_.events.back().event; }

    void finish(delivery::Outcome outcome) { done_(std::move(outcome)); }
    void finish(const Result<>& result) { done_(outcome_of(result)); }

  private:
    broker::Delivery delivery_;
    broker::Done done_;
};
using SharedRun = std::shared_ptr<Run>;

/// Claims the last event of a run inside a unit; `seen` means: change nothing.
Result<sql::inbox::Claim> claim(sql::Session& session, const Run& run, std::uint32_t part = 0,
                                bool last_part = true);

/// What makes two deliveries the same message.
enum class KnownBy {
    publication,  ///< source and event id; a replay is another message
    place,        ///< the publication and its offset; a replay is no news
};

/// Claims all events of a run and returns those that are fresh.
Result<std::vector<const broker::DeliveredEvent*>> claim_all(
    sql::Session& session, const Run& run, KnownBy known_by = KnownBy::publication);

/// Whether an event is of a user who was deleted since: it is claimed and done, and has no effect.
/// Asked in the unit that writes the effects, as the deletion may have come while they were made.
Result<bool> is_of_departed_user(sql::Session& session, const broker::DeliveredEvent& delivered);
/// The same for the fresh events of a run.
Result<> drop_departed_users(sql::Session& session,
                             std::vector<const broker::DeliveredEvent*>& events);

/// Notes in the database how far the consumer has come, and forgets inbox rows below. Keeps
/// `inbox_rows_kept` offsets more than the journal's position needs: a power loss may put the
/// journal back by what it settled in its last 100 ms, and what is delivered again then must still
/// be known here.
Result<> keep_position(sql::Session& session, const Run& run);
inline constexpr std::uint64_t inbox_rows_kept = 50'000;

/// Effects of one event, or of one part of it.
using Effects = std::function<Result<>(UnitOfWork&)>;

/// Commits inbox row, effects and outbox rows of a run of one event in one savepoint and ends the
/// run. An event that was seen, or whose user is gone, changes nothing and is done.
void commit_once(const Environment& environment, const SharedRun& run, Effects effects);

/// What an event does whose effects can never be committed, and why they cannot.
using Resort = std::function<Result<>(UnitOfWork&, const Error&)>;

/// The same in a transaction of its own. What would end as a letter, as the event itself is to
/// blame, is undone, and `resort` is committed in its place.
void commit_once_alone(const Environment& environment, const SharedRun& run, Effects effects,
                       Resort resort);

}  // namespace bascule::application
