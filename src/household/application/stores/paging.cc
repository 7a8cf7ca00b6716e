#include "household/application/stores/paging.h"

#include <charconv>

#include "foundation/base/hash.h"

namespace bascule::application {

namespace {

constexpr char separator = '\x1f';

std::unexpected<Error> bad_cursor() {
    return fail(ErrorKind::invalid,
                "cursor: is not one that this list has given; leave it out for the first page");
}

}  // namespace

Result<> check_limit(const PageRequest& page) {
    if (page.limit < 1 || page.limit > PageRequest::limit_max) {
        return fail(ErrorKind::invalid, "limit: is " + std::to_string(page.limit) + "; 1 to " +
                                            std::to_string(PageRequest::limit_max) + " is allowed");
    }
    return {};
}

std::string encode_cursor(std::string_view place) { return to_hex(as_bytes(place)); }

std::string encode_cursor(const std::vector<std::string>& place) {
    std::string text;
    for (const std::string& part : place) {
        text += part;
        text += separator;
    }
    return encode_cursor(text);
}

Result<std::string> decode_cursor(std::string_view cursor) {
    std::string place;
    if (cursor.size() % 2 != 0) {
        return bad_cursor();
    }
    for (std::size_t i = 0; i < cursor.size(); i += 2) {
        unsigned char byte = 0;
        const char* end = cursor.data() + i + 2;
        const auto [stopped, error] = std::from_chars(cursor.data() + i, end, byte, 16);
        if (error != std::errc() || stopped != end) {
            return bad_cursor();
        }
        place += static_cast<char>(byte);
    }
    return place;
}

Result<std::vector<std::string>> decode_cursor(std::string_view cursor, std::size_t parts) {
    const std::string place = TRY(decode_cursor(cursor));
    std::vector<std::string> found;
    std::size_t begin = 0;
    for (std::size_t end = place.find(separator); end != std::string::npos;
         end = place.find(separator, begin)) {
        found.push_back(place.substr(begin, end - begin));
        begin = end + 1;
    }
    if (found.size() != parts || begin != place.size()) {
        return bad_cursor();
    }
    return found;
}

}  // namespace bascule::application
