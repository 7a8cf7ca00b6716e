#pragma once

#include "foundation/base/clock.h"
#include "foundation/sql/session.h"
#include "household/application/actor.h"

namespace bascule::application {

/// What a household does when the user `actor.user_id` is deleted: their notifications, settings
/// and figures go with them, and user.deleted is published. What a user owns (holdings_of) must be
/// gone already. Runs inside the unit of work of the deletion, so that both happen or neither. No
/// later unit of work does anything for them (stores/departed_users.h).
///
/// Threads: the session's.
Result<> forget_user(sql::Session& session, const Actor& actor, WallTime now);

}  // namespace bascule::application
