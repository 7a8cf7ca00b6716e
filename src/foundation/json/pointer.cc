#include "foundation/json/pointer.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "foundation/json/raw.h"
#include "foundation/json/value.h"

namespace bascule::json {

std::string pointer_name(std::string_view token) {
    std::string name;
    for (std::size_t i = 0; i < token.size(); ++i) {
        const bool escape = token[i] == '~' && i + 1 < token.size();
        name += !escape ? token[i] : token[i + 1] == '1' ? '/' : '~';
        i += escape ? 1 : 0;
    }
    return name;
}

std::optional<std::size_t> pointer_index(std::string_view token) {
    if (token.empty() || (token.size() > 1 && token.front() == '0')) {
        return std::nullopt;
    }
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
    return error == std::errc() && end == token.data() + token.size() ? std::optional(index)
                                                                      : std::nullopt;
}

std::string_view next_token(std::string_view& pointer) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    const std::string_view token = pointer.substr(0, end);
    pointer.remove_prefix(end);
    return token;
}

std::string pointer_token(std::string_view name) {
    std::string token;
    for (const char c : name) {
        if (c == '~') {
            token += "~0";
        } else if (c == '/') {
            token += "~1";
        } else {
            token += c;
        }
    }
    return token;
}

const Value* Value::at(std::string_view pointer) const {
    if (!pointer.empty() && pointer.front() != '/') {
        return nullptr;
    }
    const Value* found = this;
    while (found != nullptr && !pointer.empty()) {
        const std::string_view token = next_token(pointer);
        if (found->is(Kind::array)) {
            const auto index = pointer_index(token);
            found = index && *index < found->items().size() ? &found->items()[*index] : nullptr;
        } else {
            found = found->find(pointer_name(token));
        }
    }
    return found;
}

}  // namespace bascule::json
