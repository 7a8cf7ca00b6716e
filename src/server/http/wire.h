#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "server/http/message.h"

/// The text of HTTP/1.1 that we write ourselves, apart from sockets. Source: RFC 9110 and 9112.
namespace bascule::http {

/// How a response travels, beside what it says.
struct Framing {
    enum class Body { none, sized, chunked };
    Body body = Body::sized;
    std::uint64_t size = 0;
    bool keep_alive = true;
    bool http_1_0 = false;
    std::string_view request_id;
    std::string_view date;
};

/// Appends status line and header, with the empty line. Line ends inside values become spaces, so
/// that no value can begin a header of its own.
void append_head(std::string& out, const Response& response, const Framing& framing);

/// Appends the head of a client's request.
void append_head(std::string& out, std::string_view method, std::string_view target,
                 std::string_view host, const Headers& headers, std::optional<std::uint64_t> size);

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(WallTime time);

/// The three forms that RFC 9110 (section 5.6.7) asks recipients to read; empty if it is none.
std::optional<WallTime> read_http_date(std::string_view text);

/// Fills path and query from the target. Errors: `invalid`.
Result<> read_target(Request& request);

}  // namespace bascule::http
