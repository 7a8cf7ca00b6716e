#include "server/api/cursor.h"

#include <algorithm>
#include <array>
#include <vector>

#include "foundation/base/hash.h"

namespace bascule::api {

namespace {

constexpr std::size_t tag_digits = 16;

/// What says which part of the list is wanted, or who asks, and not which list.
bool is_of_the_page(std::string_view parameter) {
    constexpr std::array<std::string_view, 3> names = {"cursor", "limit", "access_token"};
    return std::ranges::find(names, parameter) != names.end();
}

}  // namespace

Listing::Listing(const auth::Principal& principal, const http::Request& request)
    : name_(principal.user_id) {
    name_.append("\n").append(auth::name(principal.role)).append("\n").append(request.path);
    std::vector<std::string> filters;
    for (const auto& [name, value] : request.query) {
        if (!is_of_the_page(name) && !value.empty()) {
            filters.push_back(name + "=" + value);
        }
    }
    std::ranges::sort(filters);
    for (const std::string& filter : filters) {
        name_.append("\n").append(filter);
    }
}

std::string Listing::tag(std::string_view cursor) const {
    return to_hex(sha256(name_ + "\n" + std::string(cursor))).substr(0, tag_digits);
}

std::string Listing::bound(std::string_view cursor) const {
    return cursor.empty() ? "" : tag(cursor).append(cursor);
}

Result<std::string> Listing::unbound(std::string_view cursor) const {
    if (cursor.empty()) {
        return "";
    }
    const std::string_view place = cursor.substr(std::min(cursor.size(), tag_digits));
    if (place.empty() || cursor.substr(0, tag_digits) != tag(place)) {
        return fail(ErrorKind::invalid,
                    "cursor: is not one that this list has given with these filters; leave it out "
                    "for the first page");
    }
    return std::string(place);
}

}  // namespace bascule::api
