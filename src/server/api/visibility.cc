#include "server/api/visibility.h"

#include "bus/event/catalogue.h"
#include "foundation/json/raw.h"
#include "foundation/json/writer.h"

namespace bascule::api {

namespace {

/// Who did it is no secret to those who look after the bus; nothing else of it is kept.
std::string redacted(std::string_view metadata) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().member("redacted", true);
    if (const auto raw = json::member_raw(metadata, "actor")) {
        if (const auto actor = json::string_of(*raw)) {
            writer.member("actor", *actor);
        }
    }
    writer.end_object();
    return out;
}

}  // namespace

Visibility::Visibility(auth::Principal principal, const auth::Authenticator& authenticator)
    : principal_(std::move(principal)), authenticator_(authenticator) {
    if (principal_.role == auth::Role::member) {
        query_user_ = principal_.user_id;
    }
}

bool Visibility::may_read(const event::Event& event) const {
    if (event.user_id.empty() || event.user_id == principal_.user_id) {
        return true;
    }
    if (authenticator_.is_or_was_user(event.user_id)) {
        return false;
    }
    return principal_.role == auth::Role::owner || event::find_type(event.event_type) == nullptr;
}

event::Event Visibility::shown(event::Event event) const {
    if (!may_read(event)) {
        event.data = "{}";
        event.metadata = redacted(event.metadata);
        event.extras.clear();
    }
    return event;
}

application::AuditEntry Visibility::shown(application::AuditEntry entry) const {
    entry.event = shown(std::move(entry.event));
    return entry;
}

}  // namespace bascule::api
