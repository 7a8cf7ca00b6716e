#include "foundation/json/raw.h"

#include "foundation/json/pointer.h"
#include "foundation/json/reader.h"

namespace bascule::json {

namespace {

/// Splits the first part from `path` at `separator`.
std::string_view next_part(std::string_view& path, char separator) {
    const std::size_t end = path.find(separator);
    const std::string_view part = path.substr(0, end);
    path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
    return part;
}

std::optional<std::string_view> item_raw(std::string_view array, std::size_t index) {
    Reader reader(array);
    std::optional<std::string_view> found;
    if (reader.enter_array()) {
        for (std::size_t i = 0; reader.next_item(); ++i) {
            const std::string_view item = reader.skip();
            if (i == index) {
                found = item;
            }
        }
    }
    return reader.finish() ? found : std::nullopt;
}

void copy_compact(Reader& reader, std::string& out) {
    switch (reader.peek()) {
        case Kind::object: {
            out += '{';
            bool comma = false;
            if (reader.enter_object()) {
                while (const auto key = reader.next_member()) {
                    out += comma ? ",\"" : "\"";
                    out.append(key->raw()).append("\":");
                    copy_compact(reader, out);
                    comma = true;
                }
            }
            out += '}';
            return;
        }
        case Kind::array: {
            out += '[';
            bool comma = false;
            if (reader.enter_array()) {
                while (reader.next_item()) {
                    out += comma ? "," : "";
                    copy_compact(reader, out);
                    comma = true;
                }
            }
            out += ']';
            return;
        }
        default:
            out += reader.skip();
            return;
    }
}

}  // namespace

Result<> check_text(std::string_view text, const Limits& limits) {
    Reader reader(text, limits);
    reader.skip();
    return reader.finish();
}

bool is_valid(std::string_view text) { return check_text(text).has_value(); }

bool is_valid_object(std::string_view text) {
    Reader reader(text);
    return reader.peek() == Kind::object && !reader.skip().empty() && reader.finish();
}

std::optional<std::string_view> member_raw(std::string_view object, std::string_view key) {
    Reader reader(object);
    std::optional<std::string_view> found;
    if (reader.enter_object()) {
        while (const auto name = reader.next_member()) {
            const bool wanted = *name == key;
            const std::string_view value = reader.skip();
            if (wanted) {
                found = value;
            }
        }
    }
    return reader.finish() ? found : std::nullopt;
}

std::optional<std::string_view> raw_at(std::string_view text, std::string_view pointer) {
    if (!pointer.empty() && pointer.front() != '/') {
        return std::nullopt;
    }
    std::optional<std::string_view> found = text;
    while (found && !pointer.empty()) {
        const std::string_view token = next_token(pointer);
        if (Reader(*found).peek() == Kind::array) {
            const auto index = pointer_index(token);
            found = index ? item_raw(*found, *index) : std::nullopt;
        } else {
            found = member_raw(*found, pointer_name(token));
        }
    }
    return found;
}

std::optional<std::string_view> raw_at_path(std::string_view text, std::string_view dotted) {
    std::optional<std::string_view> found = text;
    while (found && !dotted.empty()) {
        found = member_raw(*found, next_part(dotted, '.'));
    }
    return found;
}

std::optional<std::string> string_of(std::string_view raw) {
    Reader reader(raw);
    if (reader.peek() != Kind::string) {
        return std::nullopt;
    }
    const Text text = reader.string();
    if (!reader.finish()) {
        return std::nullopt;
    }
    return text.decoded();
}

Result<std::string> compact(std::string_view text, const Limits& limits) {
    Reader reader(text, limits);
    std::string out;
    copy_compact(reader, out);
    TRY(reader.finish());
    return out;
}

}  // namespace bascule::json
