#pragma once

#include <string>

#include "bus/event/event.h"
#include "foundation/sql/session.h"
#include "household/application/page.h"

/// The events that the relay set aside, as people look at them (sql::outbox::refuse).
namespace bascule::application {

/// A committed event that the bus will never take.
struct RefusedEvent {
    std::string id;       ///< the event's
    std::string user_id;  ///< whose change it tells of
    std::string code;     ///< Rejected::Code by name, or "unreadable": quotes nothing of the event
    std::string reason;
    WallTime at;
    event::Event event;  ///< without an id if it cannot be read
};

/// Oldest first. A page may be shorter than its limit where events are large.
/// Errors: `invalid` (cursor, limit).
Result<Page<RefusedEvent>> list_refused(sql::Session& session, const PageRequest& request);
/// Errors: `not_found`.
Result<RefusedEvent> find_refused(sql::Session& session, const std::string& id);

}  // namespace bascule::application
