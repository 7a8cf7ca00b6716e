#include "server/api/body.h"

#include <algorithm>

namespace bascule::api {

Result<Body> Body::parse(std::string_view text) {
    if (text.empty()) {
        return Body(json::Value::object());
    }
    auto value = json::Value::parse(text);
    if (!value) {
        return std::unexpected(std::move(value).error().in("the body is not JSON"));
    }
    if (!value->is(json::Kind::object)) {
        return fail(ErrorKind::invalid, "the body must be a JSON object");
    }
    return Body(std::move(*value));
}

const json::Value* Body::member(std::string_view key) {
    known_.emplace(key);
    const json::Value* found = value_.find(key);
    return found == nullptr || found->is(json::Kind::null) ? nullptr : found;
}

void Body::fault(std::string_view key, std::string_view message) {
    if (!fault_) {
        fault_.emplace(ErrorKind::invalid, "/" + std::string(key) + ": " + std::string(message));
    }
}

void Body::fault(Error error) {
    if (!fault_) {
        fault_.emplace(std::move(error));
    }
}

void Body::need(std::string_view key) {
    if (member(key) == nullptr) {
        fault(key, "is needed");
    }
}

std::optional<std::string> Body::text(std::string_view key) {
    const json::Value* found = member(key);
    if (found == nullptr) {
        return std::nullopt;
    }
    const auto text = found->as_string();
    if (!text) {
        fault(key, "must be a text");
        return std::nullopt;
    }
    return std::string(*text);
}

std::optional<std::string> Body::text_or_null(std::string_view key) {
    const json::Value* found = value_.find(key);
    if (found != nullptr && found->is(json::Kind::null)) {
        known_.emplace(key);
        return "";
    }
    return text(key);
}

std::optional<bool> Body::flag(std::string_view key) {
    const json::Value* found = member(key);
    if (found == nullptr) {
        return std::nullopt;
    }
    const auto flag = found->as_boolean();
    if (!flag) {
        fault(key, "must be true or false");
    }
    return flag;
}

std::optional<std::int64_t> Body::integer(std::string_view key, std::int64_t least,
                                          std::int64_t most) {
    const json::Value* found = member(key);
    if (found == nullptr) {
        return std::nullopt;
    }
    const auto integer = found->as_int64();
    if (!integer || *integer < least || *integer > most) {
        fault(key, "is " + found->text() + "; a whole number from " + std::to_string(least) +
                       " to " + std::to_string(most) + " is allowed");
        return std::nullopt;
    }
    return integer;
}

std::optional<Moment> Body::moment(std::string_view key) {
    const json::Value* found = member(key);
    if (found == nullptr) {
        return std::nullopt;
    }
    const bool is_number = found->as_number().has_value();
    const std::string text =
        is_number ? found->text() : std::string(found->as_string().value_or(""));
    auto moment = parse_moment(text, key);
    if (!moment || !*moment) {
        fault(key, "is " + found->text() + "; " + std::string(moment_forms) + " is allowed");
        return std::nullopt;
    }
    return **moment;
}

std::optional<std::vector<std::string>> Body::texts(std::string_view key) {
    const json::Value* found = member(key);
    if (found == nullptr) {
        return std::nullopt;
    }
    std::vector<std::string> texts;
    bool all_texts = found->is(json::Kind::array);
    for (const json::Value& item : found->items()) {
        all_texts = all_texts && item.as_string().has_value();
        texts.emplace_back(item.as_string().value_or(""));
    }
    if (!all_texts) {
        fault(key, "must be a list of texts");
        return std::nullopt;
    }
    return texts;
}

std::optional<std::string> Body::raw(std::string_view key) {
    const json::Value* found = member(key);
    return found == nullptr ? std::nullopt : std::optional(found->text());
}

Result<> Body::finish() const {
    if (fault_) {
        return std::unexpected(*fault_);
    }
    for (const json::Member& member : value_.members()) {
        if (!known_.contains(member.key)) {
            std::string all;
            for (const std::string& known : known_) {
                all.append(all.empty() ? "" : ", ").append(known);
            }
            return fail(ErrorKind::invalid,
                        "/" + member.key + ": is not known here; known are " + all);
        }
    }
    return {};
}

}  // namespace bascule::api
