#pragma once

#include <optional>

#include "bus/event/event.h"
#include "server/auth/principal.h"
#include "server/http/message.h"

namespace bascule::api {

/// Who may publish what over REST; what the server itself publishes does not pass here.
///
/// | token | may publish |
/// |---|---|
/// | any | no `bus.*` type and nothing from source `bascule`: those are the bus's own word |
/// | any | no `metadata.actor` but its own name: the audit trail believes it |
/// | member | events of its own user, of types and sources that are not the household's |
/// | publisher with a user | events of that user, the catalogue's too |
/// | publisher without a user, operator, owner | events of anybody, the catalogue's too |
///
/// Answers nothing if `principal` may publish `event`, else the refusal; its field is a pointer
/// into the event.
std::optional<http::ErrorBody> publish_refusal(const auth::Principal& principal,
                                               const event::Event& event);

}  // namespace bascule::api
