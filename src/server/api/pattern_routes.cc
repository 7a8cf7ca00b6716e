#include <algorithm>
#include <optional>
#include <utility>

#include "bus/broker/subject_of.h"
#include "bus/event/seed_form.h"
#include "bus/pattern/explain.h"
#include "bus/pattern/explain_json.h"
#include "foundation/json/reader.h"
#include "foundation/json/value.h"
#include "server/api/call.h"

namespace bascule::api {

namespace {

/// EventBridge takes events of this size.
constexpr std::size_t event_bytes_max = 256 << 10;
/// Of a request: as much again for escapes where the event is a text, and room for the pattern.
constexpr std::size_t request_bytes_max = 2 * event_bytes_max + (64 << 10);

struct Question {
    std::string pattern;
    std::string event;
    pattern::Dialect dialect = pattern::Dialect::eventbridge;
};

/// A member that is JSON, or a text that holds JSON: EventBridge's own API has it so.
std::string json_or_text(json::Reader& reader) {
    return reader.peek() == json::Kind::string ? reader.string().decoded()
                                               : std::string(reader.skip());
}

Result<Question> question_of(std::string_view body) {
    Question question;
    bool has_pattern = false;
    bool has_event = false;
    json::Reader reader(body);
    reader.enter_object();
    while (const auto key = reader.next_member()) {
        if (*key == "pattern") {
            question.pattern = json_or_text(reader);
            has_pattern = true;
        } else if (*key == "event") {
            question.event = json_or_text(reader);
            has_event = true;
        } else if (*key == "dialect") {
            const std::string dialect = reader.string().decoded();
            if (dialect != "eventbridge" && dialect != "routing") {
                return fail(ErrorKind::invalid,
                            "/dialect: is '" + dialect + "'; eventbridge or routing is allowed");
            }
            question.dialect =
                dialect == "routing" ? pattern::Dialect::routing : pattern::Dialect::eventbridge;
        } else {
            return fail(
                ErrorKind::invalid,
                "/" + key->decoded() + ": is not known here; known are dialect, event, pattern");
        }
    }
    TRY(reader.finish());
    if (!has_pattern || !has_event) {
        return fail(ErrorKind::invalid,
                    std::string(has_pattern ? "/event" : "/pattern") + ": is needed");
    }
    return question;
}

/// An event as the rules of the bus see it.
class SeenEvent {
  public:
    /// Errors: `invalid`, with a pointer.
    static Result<SeenEvent> of(std::string text) {
        const auto value = json::Value::parse(text);
        if (!value) {
            return fail(ErrorKind::invalid, "/event: " + value.error().message());
        }
        if (!value->is(json::Kind::object)) {
            return fail(ErrorKind::invalid, "/event: must be a JSON object");
        }
        SeenEvent seen;
        if (value->find("detail-type") == nullptr && value->find("eventType") != nullptr) {
            auto event = event::parse_seed(text);
            if (!event) {
                return fail(ErrorKind::invalid, "/event: " + event.error().message());
            }
            seen.seed_ = std::move(*event);
        }
        seen.text_ = std::move(text);
        return seen;
    }

    pattern::Subject subject() const {
        if (seed_) {
            return broker::subject_of(event::view_of(*seed_));
        }
        pattern::Subject subject;
        return subject.json("", text_);
    }

  private:
    std::string text_;
    std::optional<event::Event> seed_;
};

/// Errors: `invalid`, with all that is wrong with the pattern and with the event.
Result<std::string> explanation_of(const Question& question, const pattern::Limits& limits) {
    std::string wrong;
    for (const Error& fault :
         pattern::Pattern::faults(question.pattern, question.dialect, limits)) {
        wrong += (wrong.empty() ? "/pattern: " : "\n/pattern: ") + fault.message();
    }
    const auto event = question.event.size() > event_bytes_max
                           ? Result<SeenEvent>(fail(ErrorKind::invalid,
                                                    "/event: has more than " +
                                                        std::to_string(event_bytes_max) + " bytes"))
                           : SeenEvent::of(question.event);
    if (!event) {
        wrong += (wrong.empty() ? "" : "\n") + event.error().message();
    }
    if (!wrong.empty()) {
        return fail(ErrorKind::invalid, std::move(wrong));
    }
    const auto pattern = TRY(pattern::Pattern::parse(question.pattern, question.dialect, limits));
    return explanation_json(explain(pattern, event->subject()));
}

void test_pattern(const Services& services, Call call) {
    if (call.request().body.size() > request_bytes_max) {
        call.refuse(413,
                    {.code = "too_large",
                     .message = "the request has " + std::to_string(call.request().body.size()) +
                                " bytes; " + std::to_string(request_bytes_max) + " are allowed"});
        return;
    }
    auto question = question_of(call.request().body);
    if (!question) {
        call.refuse(question.error());
        return;
    }
    const Services* all = &services;
    // An explanation may take a while: no thread of the network's waits for it.
    services.readers.post([=, call = std::move(call), question = *std::move(question)]() mutable {
        call.answer_with(explanation_of(question, all->bus_config().limits.pattern), 200,
                         [](const std::string& json) { return json; });
    });
}

}  // namespace

void add_pattern_routes(Routes& routes) {
    const Services* services = &routes.services();
    routes.add(http::Method::post, "/v1/patterns:test", auth::Permission::anyone,
               [=](Call call) { test_pattern(*services, std::move(call)); });
}

}  // namespace bascule::api
