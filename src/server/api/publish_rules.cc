#include "server/api/publish_rules.h"

#include <algorithm>

#include "bus/event/catalogue.h"
#include "foundation/json/reader.h"

namespace bascule::api {

namespace {

constexpr std::string_view bus_source = "bascule";
constexpr std::string_view bus_types = "bus.";

http::ErrorBody refused(std::string_view field, std::string message) {
    return {.code = "forbidden", .message = std::move(message), .field = std::string(field)};
}

bool is_system_source(std::string_view source) {
    return std::ranges::find(event::catalogue(), source, &event::TypeInfo::source) !=
           event::catalogue().end();
}

bool may_publish_for(const auth::Principal& principal, std::string_view user_id) {
    switch (principal.role) {
        case auth::Role::owner:
        case auth::Role::operator_:
            return true;
        case auth::Role::member:
            return user_id == principal.user_id;
        case auth::Role::publisher:
            return principal.user_id.empty() || user_id == principal.user_id;
        case auth::Role::consumer:
            return false;
    }
    return false;
}

/// Whether every `actor` in the metadata, however it is spelled, is the token's own name. `null` is
/// absent.
bool names_itself(const auth::Principal& principal, std::string_view metadata) {
    json::Reader reader(metadata);
    if (metadata.empty() || !reader.enter_object()) {
        return true;
    }
    bool own = true;
    while (const auto key = reader.next_member()) {
        if (*key == "actor" && reader.peek() == json::Kind::string) {
            own = own && reader.string() == principal.name;
        } else {
            own = own && (*key != "actor" || reader.peek() == json::Kind::null);
            reader.skip();
        }
    }
    return own;
}

}  // namespace

std::optional<http::ErrorBody> publish_refusal(const auth::Principal& principal,
                                               const event::Event& event) {
    if (event.event_type.starts_with(bus_types)) {
        return refused("/eventType",
                       "types that begin with \"bus.\" are reserved for the bus itself; publish "
                       "under another type");
    }
    if (event.source == bus_source) {
        return refused("/source",
                       "the source \"bascule\" is reserved for the bus itself; publish under the "
                       "name of your own component");
    }
    if (!names_itself(principal, event.metadata)) {
        return refused("/metadata/actor",
                       "says who did it, and a token may only name itself, \"" + principal.name +
                           "\"; leave it out, or say in another member for whom you act");
    }
    if (!may_publish_for(principal, event.user_id)) {
        return refused("/userId",
                       "this token may only publish events of its own user, " + principal.user_id);
    }
    if (principal.role != auth::Role::member) {
        return std::nullopt;
    }
    if (event::find_type(event.event_type) != nullptr) {
        return refused("/eventType",
                       "\"" + event.event_type +
                           "\" is reserved for the household's own services; a member's token may "
                           "publish types that the catalogue does not have, a publisher's or an "
                           "operator's all but bus.*");
    }
    if (is_system_source(event.source)) {
        return refused("/source",
                       "\"" + event.source +
                           "\" is one of the household's own services; a member's token must name "
                           "a source of its own");
    }
    return std::nullopt;
}

}  // namespace bascule::api
