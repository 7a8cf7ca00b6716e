#include "server/http/wire.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <vector>

#include "server/http/form.h"

namespace bascule::http {

namespace {

void append_number(std::string& out, std::uint64_t number) {
    char digits[24];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
    out.append(digits, end);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ");
    const std::size_t begin = out.size();
    out.append(value);
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
        [](char letter) { return letter == '\r' || letter == '\n' || letter == '\0'; }, ' ');
    out.append("\r\n");
}

bool is_framing(std::string_view name) {
    return equal_fold(name, "content-length") || equal_fold(name, "transfer-encoding") ||
           equal_fold(name, "connection");
}

constexpr std::string_view month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<unsigned> number_of(std::string_view digits) {
    unsigned number = 0;
    const char* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, number);
    return read.ec == std::errc() && read.ptr == end ? std::optional(number) : std::nullopt;
}

/// Two digits are the years from 1970 on.
std::optional<unsigned> year_of(std::string_view digits) {
    const auto number = number_of(digits);
    if (!number || digits.size() != 2) {
        return digits.size() == 4 ? number : std::nullopt;
    }
    return *number + (*number < 70 ? 2000 : 1900);
}

}  // namespace

void append_head(std::string& out, const Response& response, const Framing& framing) {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::uint64_t>(response.status));
    out.append(" ").append(reason_of(response.status)).append("\r\n");
    for (const auto& [name, value] : response.headers) {
        if (!is_framing(name)) {
            append_field(out, name, value);
        }
    }
    if (!response.headers.find("X-Request-Id")) {
        append_field(out, "X-Request-Id", framing.request_id);
    }
    append_field(out, "Date", framing.date);
    if (framing.body == Framing::Body::sized) {
        out.append("Content-Length: ");
        append_number(out, framing.size);
        out.append("\r\n");
    } else if (framing.body == Framing::Body::chunked && !framing.http_1_0) {
        out.append("Transfer-Encoding: chunked\r\n");
    }
    if (!framing.keep_alive) {
        out.append("Connection: close\r\n");
    } else if (framing.http_1_0) {
        out.append("Connection: keep-alive\r\n");
    }
    out.append("\r\n");
}

void append_head(std::string& out, std::string_view method, std::string_view target,
                 std::string_view host, const Headers& headers, std::optional<std::uint64_t> size) {
    out.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
    append_field(out, "Host", host);
    for (const auto& [name, value] : headers) {
        if (!is_framing(name) && !equal_fold(name, "host")) {
            append_field(out, name, value);
        }
    }
    if (size) {
        out.append("Content-Length: ");
        append_number(out, *size);
        out.append("\r\n");
    }
    out.append("\r\n");
}

std::string http_date(WallTime time) {
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
    char text[64];
    const int length = std::snprintf(
        text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT",
        days[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
        month_names[static_cast<unsigned>(date.month()) - 1].data(), static_cast<int>(date.year()),
        static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()));
    return std::string(text, static_cast<std::size_t>(length));
}

/// By its words, which tell the forms apart: "Sun, 06 Nov 1994 08:49:37 GMT",
/// "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994".
std::optional<WallTime> read_http_date(std::string_view text) {
    constexpr std::string_view breaks = " ,-:";
    std::vector<std::string_view> words;
    while (true) {
        const std::size_t begin = text.find_first_not_of(breaks);
        if (begin == std::string_view::npos) {
            break;
        }
        text.remove_prefix(begin);
        words.push_back(text.substr(0, text.find_first_of(breaks)));
        text.remove_prefix(words.back().size());
    }
    const bool zoned = words.size() == 8 && words[7] == "GMT";
    if (!zoned && words.size() != 7) {
        return std::nullopt;
    }
    const std::size_t clock = zoned ? 4 : 3;
    const auto month =
        std::ranges::find(month_names, zoned ? words[2] : words[1]) - std::begin(month_names);
    const auto day = number_of(zoned ? words[1] : words[2]);
    const auto year = year_of(zoned ? words[3] : words[6]);
    const auto hour = number_of(words[clock]);
    const auto minute = number_of(words[clock + 1]);
    const auto second = number_of(words[clock + 2]);
    if (!day || !year || !hour || !minute || !second || *hour > 23 || *minute > 59 ||
        *second > 60) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                           std::chrono::month(static_cast<unsigned>(month) + 1),
                                           std::chrono::day(*day));
    if (!date.ok()) {
        return std::nullopt;
    }
    return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

Result<> read_target(Request& request) {
    std::string& target = request.target;
    if (const std::size_t scheme = target.find("://");
        scheme != target.npos && !target.starts_with('/') && scheme < target.find('?')) {
        // Absolute form, as a proxy is asked: the part before the path says nothing new to us.
        const std::size_t path = target.find_first_of("/?", scheme + 3);
        target.erase(0, std::min(path, target.size()));
        if (!target.starts_with('/')) {
            target.insert(0, "/");
        }
    }
    const std::size_t question = std::min(target.find('?'), target.size());
    auto path = percent_decoded(std::string_view(target).substr(0, question), Plus::plain);
    if (!path || path->find('\0') != path->npos) {
        return fail(ErrorKind::invalid,
                    "the path has a % without two hexadecimal digits, or a zero byte");
    }
    request.path = std::move(*path);
    if (question < target.size()) {
        request.query = TRY(parse_query(std::string_view(target).substr(question + 1)));
    }
    return {};
}

}  // namespace bascule::http
