#include "server/api/visibility.h"

#include "bus/delivery/letter.h"
#include "bus/event/catalogue.h"
#include "foundation/json/raw.h"
#include "foundation/json/writer.h"
#include "server/http/webhook.h"

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

bool Visibility::may_read(const std::string& user_id, const std::string& event_type) const {
    if (user_id.empty() || user_id == principal_.user_id) {
        return true;
    }
    if (authenticator_.is_or_was_user(user_id)) {
        return false;
    }
    return principal_.role == auth::Role::owner || event::find_type(event_type) == nullptr;
}

event::Event Visibility::shown(event::Event event) const {
    if (!may_read(event.user_id, event.event_type)) {
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

broker::LetterSummary Visibility::shown(broker::LetterSummary letter) const {
    if (!shows(letter)) {
        letter.first_error = http::error_class(letter.first_error);
        letter.last_error = http::error_class(letter.last_error);
        letter.fingerprint = delivery::fingerprint(letter.last_error);
    }
    return letter;
}

broker::LetterDetail Visibility::shown(broker::LetterDetail letter) const {
    letter.summary = shown(std::move(letter.summary));
    if (letter.event.event_id.empty() || !may_read(letter.event.user_id, letter.event.event_type)) {
        for (broker::LetterAttempt& attempt : letter.attempts) {
            attempt.error = http::error_class(attempt.error);
        }
    }
    letter.event = shown(std::move(letter.event));
    return letter;
}

broker::Explanation Visibility::shown(broker::Explanation explanation,
                                      const event::Event& of) const {
    if (!explanation.last_error.empty() && !may_read(of.user_id, of.event_type)) {
        explanation.last_error = http::error_class(explanation.last_error);
    }
    return explanation;
}

application::RefusedEvent Visibility::shown(application::RefusedEvent refused) const {
    // One that cannot be read names nobody, which does not make it everybody's.
    if (refused.event.event_id.empty() || !may_read(refused.user_id, refused.event.event_type)) {
        refused.reason = refused.code;
    }
    refused.event = shown(std::move(refused.event));
    return refused;
}

}  // namespace bascule::api
