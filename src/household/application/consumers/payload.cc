#include "household/application/consumers/payload.h"

namespace bascule::application {

namespace {

std::string text_of(const json::Value* value) {
    return value == nullptr ? "" : std::string(value->as_string().value_or(""));
}

}  // namespace

Result<Payload> Payload::of(const event::EventView& event) {
    auto value = TRY(json::Value::parse(event::payload_of(event)));
    if (!value.is(json::Kind::object)) {
        return fail(ErrorKind::invalid, "the event's data is not a JSON object");
    }
    return Payload(std::move(value));
}

std::string Payload::text(std::string_view member) const { return text_of(value_.find(member)); }

std::int64_t Payload::integer(std::string_view member, std::int64_t otherwise) const {
    const json::Value* value = value_.find(member);
    return value == nullptr ? otherwise : value->as_int64().value_or(otherwise);
}

bool Payload::boolean(std::string_view member) const {
    const json::Value* value = value_.find(member);
    return value != nullptr && value->as_boolean().value_or(false);
}

std::vector<std::string> Payload::texts(std::string_view member) const {
    std::vector<std::string> texts;
    if (const json::Value* value = value_.find(member); value != nullptr) {
        for (const json::Value& item : value->items()) {
            if (const auto text = item.as_string()) {
                texts.emplace_back(*text);
            }
        }
    }
    return texts;
}

std::string Payload::text_at(std::string_view pointer) const { return text_of(value_.at(pointer)); }

}  // namespace bascule::application
