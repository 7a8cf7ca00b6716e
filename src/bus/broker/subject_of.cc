#include "bus/broker/subject_of.h"

namespace bascule::broker {

pattern::Subject header_of(const event::EventView& event) {
    pattern::Subject subject;
    subject.text("source", event.source).text("detail-type", event.event_type);
    return subject;
}

pattern::Subject subject_of(const event::EventView& event) {
    pattern::Subject subject = header_of(event);
    if (event.form == event::Form::eventbridge) {
        subject.json("detail", event.data);
        // id, time, region, account and resources as the publisher gave them; the header is said.
        if (!event.extras.empty()) {
            subject.json("", event.extras);
        }
        return subject;
    }
    subject.text("id", event.event_id)
        .text("detail.eventId", event.event_id)
        .text("detail.eventVersion", event.event_version)
        .number("detail.timestamp", to_unix_ms(event.timestamp))
        .text("detail.userId", event.user_id)
        .json("detail.data", event.data);
    if (!event.correlation_id.empty()) {
        subject.text("detail.correlationId", event.correlation_id);
    }
    if (!event.causation_id.empty()) {
        subject.text("detail.causationId", event.causation_id);
    }
    if (!event.metadata.empty()) {
        subject.json("detail.metadata", event.metadata);
    }
    if (!event.extras.empty()) {
        subject.json("detail", event.extras);
    }
    return subject;
}

}  // namespace bascule::broker
