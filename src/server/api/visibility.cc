#include "server/api/visibility.h"

#include <algorithm>

#include "bus/event/catalogue.h"

namespace bascule::api {

Visibility::Visibility(auth::Principal principal, const auth::Authenticator& authenticator)
    : principal_(std::move(principal)), authenticator_(authenticator) {
    if (principal_.role == auth::Role::member) {
        query_user_ = principal_.user_id;
    }
}

event::Event Visibility::shown(event::Event event) const {
    const bool own = event.user_id.empty() || event.user_id == principal_.user_id;
    if (own || event::find_type(event.event_type) == nullptr) {
        return event;
    }
    const auto users = authenticator_.users();
    const bool somebody_elses =
        std::ranges::find(users, event.user_id, &auth::User::id) != users.end();
    // Operators see no household's payload, also not that of a user who was deleted.
    if (somebody_elses || principal_.role == auth::Role::operator_) {
        event.data = "{}";
        event.metadata = R"({"redacted":true})";
        event.extras.clear();
    }
    return event;
}

application::AuditEntry Visibility::shown(application::AuditEntry entry) const {
    entry.event = shown(std::move(entry.event));
    return entry;
}

bool Visibility::may_publish_for(std::string_view user_id) const {
    // Owners, and publishers that are nobody's, speak for whom they want.
    return principal_.role == auth::Role::owner || principal_.role == auth::Role::operator_ ||
           principal_.user_id.empty() || user_id == principal_.user_id;
}

}  // namespace bascule::api
