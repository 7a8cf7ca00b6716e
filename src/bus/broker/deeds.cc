#include "bus/broker/deeds.h"

#include "bus/event/validate.h"
#include "foundation/base/uuid.h"
#include "foundation/json/writer.h"

namespace bascule::broker {

event::Occasion occasion_of(BusState& state, const Deed& deed) {
    const WallTime now = state.now().wall;
    std::string metadata;
    if (!deed.actor.empty()) {
        json::Writer(metadata).begin_object().member("actor", deed.actor).end_object();
    }
    return {
        .event_id = new_uuid(now, state.random), .timestamp = now, .metadata = std::move(metadata)};
}

Result<> check_deed(const Deed& deed, const event::Event& fact) {
    if (deed.reason.size() > Deed::reason_bytes_max) {
        return fail(ErrorKind::invalid,
                    "the reason has " + std::to_string(deed.reason.size()) + " bytes; at most " +
                        std::to_string(Deed::reason_bytes_max) + " are allowed");
    }
    return event::validate(fact);
}

}  // namespace bascule::broker
