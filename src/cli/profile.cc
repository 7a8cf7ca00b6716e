#include "cli/profile.h"

#include <string>
#include <vector>

#include "foundation/json/value.h"

namespace bascule::cli {

namespace {

using Entries = std::vector<statement::MappingEntry>;

Result<> flatten(const std::string& key, const json::Value& value, Entries& entries) {
    switch (value.kind()) {
        case json::Kind::array:
            for (const json::Value& item : value.items()) {
                if (item.is(json::Kind::array)) {
                    return fail(ErrorKind::invalid,
                                "profile: " + key +
                                    " is a list of lists; a list of texts or numbers is allowed");
                }
                TRY(flatten(key, item, entries));
            }
            return {};
        case json::Kind::object:
            if (key != "columns") {
                return fail(ErrorKind::invalid,
                            "profile: " + key + " is an object; only columns may be one");
            }
            for (const json::Member& member : value.members()) {
                if (member.value.is(json::Kind::object)) {
                    return fail(
                        ErrorKind::invalid,
                        "profile: columns." + member.key +
                            " is an object; a header's name or a column's number is allowed");
                }
                TRY(flatten("columns." + member.key, member.value, entries));
            }
            return {};
        case json::Kind::null:
            return {};
        case json::Kind::boolean:
        case json::Kind::string:
            entries.push_back({key, value.as_string() ? std::string(value.as_string().value_or(""))
                                                      : value.text()});
            return {};
        case json::Kind::number:
            entries.push_back({key, value.text(), true});
            return {};
    }
    return {};
}

}  // namespace

Result<statement::Mapping> parse_profile(std::string_view text) {
    auto value = json::Value::parse(text);
    if (!value) {
        return std::unexpected(std::move(value).error().in("profile"));
    }
    if (!value->is(json::Kind::object)) {
        return fail(ErrorKind::invalid, "profile: a JSON object is allowed");
    }
    Entries entries;
    for (const json::Member& member : value->members()) {
        TRY(flatten(member.key, member.value, entries));
    }
    return statement::Mapping::from_entries(entries);
}

}  // namespace bascule::cli
