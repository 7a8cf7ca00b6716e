#include "foundation/json/flat.h"

namespace bascule::json {

namespace {

bool is_scalar(const Value& value) { return !value.is(Kind::array) && !value.is(Kind::object); }

void add_scalar(std::vector<FlatEntry>& entries, const std::string& key, const Value& value) {
    if (const auto text = value.as_string()) {
        entries.push_back({key, std::string(*text)});
    } else if (!value.is(Kind::null)) {
        entries.push_back({key, value.text(), value.is(Kind::number)});
    }
}

Result<> add(std::vector<FlatEntry>& entries, const std::string& key, const Value& value) {
    if (value.is(Kind::object)) {
        return fail(ErrorKind::invalid, key +
                                            ": must not be an object; a text, a number, true, "
                                            "false or a list of these is allowed");
    }
    if (is_scalar(value)) {
        add_scalar(entries, key, value);
        return {};
    }
    for (const Value& item : value.items()) {
        if (!is_scalar(item)) {
            return fail(ErrorKind::invalid,
                        key + ": must be a flat list, of texts, numbers, true and false");
        }
        add_scalar(entries, key, item);
    }
    return {};
}

}  // namespace

Result<std::vector<FlatEntry>> flattened(const Value& object, std::string_view nested) {
    if (!object.is(Kind::object)) {
        return fail(ErrorKind::invalid, "must be a JSON object");
    }
    std::vector<FlatEntry> entries;
    for (const Member& member : object.members()) {
        if (member.key != nested) {
            TRY(add(entries, member.key, member.value));
        } else if (member.value.is(Kind::object)) {
            for (const Member& inner : member.value.members()) {
                TRY(add(entries, member.key + "." + inner.key, inner.value));
            }
        } else if (!member.value.is(Kind::null)) {
            return fail(ErrorKind::invalid, member.key + ": must be an object");
        }
    }
    return entries;
}

}  // namespace bascule::json
