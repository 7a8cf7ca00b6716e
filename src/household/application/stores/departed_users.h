#pragma once

#include <string_view>

#include "foundation/sql/session.h"

/// Who is gone. The ids of users are never used again, so that one table says for ever that nothing
/// may be done for them any more: what was asked before their deletion and comes to the writer
/// after it is refused, and what is still delivered of their events has no effect.
///
/// Threads: the session's. Cost: one look into an index.
namespace bascule::application::departed_users {

/// Belongs into the unit of work that deletes the user.
Result<> add(sql::Session& session, std::string_view user_id);

Result<bool> contains(sql::Session& session, std::string_view user_id);

}  // namespace bascule::application::departed_users
