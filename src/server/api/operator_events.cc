#include "server/api/operator_events.h"

#include "foundation/base/uuid.h"
#include "foundation/json/writer.h"

namespace bascule::api {

event::Occasion OperatorEvents::occasion() const {
    std::string metadata;
    json::Writer(metadata).begin_object().member("actor", actor_).end_object();
    return {.event_id = new_uuid(),
            .timestamp = services_.clock.wall(),
            .metadata = std::move(metadata)};
}

void OperatorEvents::publish(std::vector<event::Event> events) const {
    if (!events.empty()) {
        services_.bus.publish(std::move(events), {}, [](const auto&) {});
    }
}

void OperatorEvents::paused(const std::string& consumer, const std::string& reason,
                            std::optional<WallTime> until) const {
    std::vector<event::Event> events;
    events.push_back(event::bus_consumer_paused(
        occasion(), {.consumer = consumer, .reason = reason, .until = until}));
    publish(std::move(events));
}

void OperatorEvents::resumed(const std::string& consumer) const {
    std::vector<event::Event> events;
    events.push_back(
        event::bus_consumer_resumed(occasion(), {.consumer = consumer, .from = "position"}));
    publish(std::move(events));
}

template <class Make>
void OperatorEvents::settled(const std::vector<broker::LetterSummary>& letters,
                             const std::string& reason, Make make) const {
    std::vector<event::Event> events;
    for (const broker::LetterSummary& letter : letters) {
        if (events.size() == broker::publish_events_max) {
            publish(std::exchange(events, {}));
        }
        events.push_back(make(
            occasion(),
            {.consumer = letter.consumer, .letter_event_id = letter.event_id, .reason = reason}));
    }
    publish(std::move(events));
}

void OperatorEvents::redriven(const std::vector<broker::LetterSummary>& letters) const {
    settled(letters, "", event::bus_letter_redriven);
}

void OperatorEvents::discarded(const std::vector<broker::LetterSummary>& letters,
                               const std::string& reason) const {
    settled(letters, reason, event::bus_letter_discarded);
}

}  // namespace bascule::api
