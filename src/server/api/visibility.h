#pragma once

#include "household/application/stores/audit_trail.h"
#include "server/api/call.h"

namespace bascule::api {

/// What a caller may see of stored events.
///
/// A member sees the events of their own data and no others. Owners and operators look after the
/// bus and find every event; but what happened to another user's money (the payload of a household
/// event) is shown to neither.
class Visibility {
  public:
    Visibility(auth::Principal principal, const auth::Authenticator& authenticator);
    Visibility(const Call& call, const auth::Authenticator& authenticator)
        : Visibility(call.principal(), authenticator) {}

    /// The user that queries must be limited to; empty: none.
    const std::string& query_user() const { return query_user_; }

    /// The event as it may be shown: whole, or with an empty payload.
    event::Event shown(event::Event event) const;
    application::AuditEntry shown(application::AuditEntry entry) const;

    /// Whether the caller may publish for that user.
    bool may_publish_for(std::string_view user_id) const;

  private:
    auth::Principal principal_;
    const auth::Authenticator& authenticator_;
    std::string query_user_;
};

}  // namespace bascule::api
