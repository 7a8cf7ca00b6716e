#include "server/http/message.h"

#include <algorithm>
#include <array>

#include "foundation/base/check.h"
#include "foundation/json/writer.h"

namespace bascule::http {

namespace {

constexpr std::array<std::string_view, 7> method_names = {"GET",   "HEAD",   "POST",   "PUT",
                                                          "PATCH", "DELETE", "OPTIONS"};

char folded(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

}  // namespace

std::string_view name(Method method) {
    return method == Method::other ? "?" : method_names[static_cast<std::size_t>(method)];
}

Method method_of(std::string_view text) {
    const auto found = std::ranges::find(method_names, text);
    return static_cast<Method>(found - method_names.begin());  // past the end is `other`
}

bool equal_fold(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, {}, folded, folded);
}

std::optional<std::string_view> Fields::find(std::string_view name) const {
    const auto found = std::ranges::find(entries_, name, &Entries::value_type::first);
    return found == entries_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
    const auto found = std::ranges::find_if(
        entries_, [&](const auto& entry) { return equal_fold(entry.first, name); });
    return found == entries_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

void Headers::set(std::string_view name, std::string value) {
    std::erase_if(entries_, [&](const auto& entry) { return equal_fold(entry.first, name); });
    add(std::string(name), std::move(value));
}

const std::string& Request::parameter(std::string_view name) const {
    const auto found = std::ranges::find(parameters, name, &Fields::Entries::value_type::first);
    CHECK(found != parameters.end());
    return found->second;
}

Response json_response(int status, std::string body) {
    return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

Response text_response(int status, std::string body) {
    return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)};
}

Response error_response(int status, const ErrorBody& error, std::string_view request_id) {
    std::string body;
    json::Writer writer(body);
    writer.begin_object().key("error").begin_object();
    const std::pair<std::string_view, std::string_view> members[] = {{"code", error.code},
                                                                     {"message", error.message},
                                                                     {"hint", error.hint},
                                                                     {"field", error.field},
                                                                     {"requestId", request_id}};
    for (const auto& [member, value] : members) {
        if (!value.empty()) {
            writer.member(member, value);
        }
    }
    writer.end_object().end_object();
    return json_response(status, std::move(body));
}

Response error_response(const Error& error, std::string_view request_id) {
    Response response = error_response(
        status_of(error.kind()),
        {.code = std::string(name(error.kind())), .message = error.message()}, request_id);
    if (error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::exhausted) {
        response.headers.set("Retry-After", "1");
    }
    return response;
}

int status_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::invalid:
            return 400;
        case ErrorKind::not_found:
            return 404;
        case ErrorKind::conflict:
            return 409;
        case ErrorKind::unavailable:
            return 503;
        case ErrorKind::exhausted:
            return 429;
        case ErrorKind::corrupt:
            return 500;
        case ErrorKind::io:
            return 500;
    }
    return 500;
}

std::string_view reason_of(int status) {
    switch (status) {
        case 100:
            return "Continue";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 207:
            return "Multi-Status";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Payload Too Large";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Entity";
        case 428:
            return "Precondition Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        case 507:
            return "Insufficient Storage";
        default:
            return "";
    }
}

}  // namespace bascule::http
