#pragma once

#include "bus/broker/status.h"
#include "household/application/stores/audit_trail.h"
#include "household/application/stores/refused_events.h"
#include "server/api/call.h"

namespace bascule::api {

/// What a caller may see of stored events.
///
/// A member finds the events of their own data and no others. Owners and operators look after the
/// bus and find every event; what it says (data, members that nobody knows, metadata but for the
/// actor, and errors about it) is shown to them if
///  - it is of their own data, or of nobody's, as what the bus itself tells;
///  - or its userId never was a user's here, and the reader is an owner, or the type is none of the
///    catalogue, whose payloads are household data whoever published them.
class Visibility {
  public:
    Visibility(auth::Principal principal, const auth::Authenticator& authenticator);
    Visibility(const Call& call, const auth::Authenticator& authenticator)
        : Visibility(call.principal(), authenticator) {}

    /// The user that queries must be limited to; empty: none.
    const std::string& query_user() const { return query_user_; }

    /// The event as it may be shown: whole, or without what it says.
    event::Event shown(event::Event event) const;
    application::AuditEntry shown(application::AuditEntry entry) const;

    /// Handlers quote in their errors what they were given: of an event that may not be read only
    /// the kind of error is shown, and a fingerprint of that.
    broker::LetterSummary shown(broker::LetterSummary letter) const;
    /// Whether all of it is shown.
    bool shows(const broker::LetterSummary& letter) const {
        // A letter whose event cannot be read names nobody, which does not make it everybody's.
        return !letter.event_id.empty() && may_read(letter.user_id, letter.event_type);
    }
    broker::LetterDetail shown(broker::LetterDetail letter) const;
    broker::Explanation shown(broker::Explanation explanation, const event::Event& of) const;
    /// So does the log when it refuses one.
    application::RefusedEvent shown(application::RefusedEvent refused) const;

  private:
    bool may_read(const std::string& user_id, const std::string& event_type) const;

    auth::Principal principal_;
    const auth::Authenticator& authenticator_;
    std::string query_user_;
};

}  // namespace bascule::api
