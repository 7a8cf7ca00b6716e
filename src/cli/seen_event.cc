#include "cli/seen_event.h"

#include <utility>

#include "bus/event/eventbridge_form.h"
#include "bus/event/seed_form.h"
#include "foundation/json/raw.h"
#include "foundation/json/value.h"

namespace bascule::cli {

Result<SeenEvent> SeenEvent::of(std::string text) {
    const json::Value value = TRY(json::Value::parse(text));
    if (value.find("detail-type") != nullptr || value.find("eventType") == nullptr) {
        return SeenEvent(std::move(text), false);
    }
    const event::Event event = TRY(event::parse_seed(text));
    return SeenEvent(event::to_eventbridge_json(event::view_of(event)), true);
}

pattern::Subject SeenEvent::subject() const {
    pattern::Subject subject;
    if (!is_seed_) {
        return subject.json("", text_);
    }
    // What else EventBridge's form has, account and region for one, is made up when an event is
    // handed out: rules do not see it.
    for (const char* const member : {"id", "source", "detail-type", "detail"}) {
        if (const auto raw = json::member_raw(text_, member)) {
            subject.json(member, *raw);
        }
    }
    return subject;
}

}  // namespace bascule::cli
