#include "server/api/call.h"

#include <algorithm>
#include <charconv>
#include <expected>
#include <optional>

#include "foundation/json/utf8.h"

namespace bascule::api {

namespace {

constexpr std::string_view bearer = "Bearer ";

/// The token of a request: its Authorization header, or for browsers' event streams, which cannot
/// set one, the query's access_token.
std::string_view token_of(const http::Request& request) {
    const std::string_view header = request.headers.value_or("Authorization", "");
    if (header.size() > bearer.size() &&
        http::equal_fold(header.substr(0, bearer.size()), bearer)) {
        return header.substr(bearer.size());
    }
    return request.query.value_or("access_token", "");
}

/// Nothing that would break a line of a log or end a text early, and no bytes that are no text.
bool is_plain_text(std::string_view text) {
    const char* const end = text.data() + text.size();
    for (const char* at = text.data(); at != end;) {
        const std::size_t bytes = json::utf8_sequence(at, end);
        const auto byte = static_cast<unsigned char>(*at);
        const bool c1 = bytes == 2 && byte == 0xc2 && static_cast<unsigned char>(at[1]) <= 0x9f;
        if (bytes == 0 || byte < 0x20 || byte == 0x7f || c1) {
            return false;
        }
        at += bytes;
    }
    return true;
}

/// The first parameter of path or query that is no plain text; its value is not repeated.
std::optional<http::ErrorBody> unreadable_parameter(const http::Request& request) {
    for (const http::Fields* fields : {&request.parameters, &request.query}) {
        for (const auto& [name, value] : *fields) {
            if (is_plain_text(name) && is_plain_text(value)) {
                continue;
            }
            const std::string shown = is_plain_text(name) ? name : "";
            return http::ErrorBody{
                .code = "invalid",
                .message = "the parameter " + (shown.empty() ? "" : "'" + shown + "' ") +
                           "holds control characters or is not UTF-8; plain text is allowed",
                .field = shown};
        }
    }
    return std::nullopt;
}

/// "priority" of "/priority: must be …" and of "priority: must be …"; empty where a message does
/// not begin so.
std::string field_of(const Error& error) {
    if (error.kind() != ErrorKind::invalid) {
        return "";
    }
    const std::string_view message = error.message();
    const std::string_view field = message.substr(0, message.find(": "));
    const bool is_field = field.size() < message.size() && !field.empty() &&
                          std::ranges::all_of(
                              field,
                              [](char c) {
                                  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                         (c >= '0' && c <= '9') ||
                                         std::string_view("/._-[]~").contains(c);
                              });
    return is_field ? std::string(field) : "";
}

http::Response unauthorized(const http::Request& request) {
    http::Response response = http::error_response(
        401,
        {.code = "unauthorized",
         .message = "a valid token is needed",
         .hint = "send the header `Authorization: Bearer TOKEN`; `bascule token create` makes one"},
        request.id);
    response.headers.set("WWW-Authenticate", "Bearer");
    return response;
}

/// Who asks, if they may do it; else what they are told. Needs no more of the request than its
/// header.
std::expected<auth::Principal, http::Response> admitted(const Services& services,
                                                        auth::Permission permission,
                                                        const http::Request& request) {
    auto principal = services.authenticator.authenticate(token_of(request));
    if (!principal) {
        return std::unexpected(unauthorized(request));
    }
    if (!auth::may(*principal, permission)) {
        return std::unexpected(http::error_response(
            403,
            {.code = "forbidden",
             .message = "a token of role " + std::string(auth::name(principal->role)) +
                        " may not do this"},
            request.id));
    }
    return *std::move(principal);
}

}  // namespace

application::Actor Call::actor() const {
    return {.user_id = principal_.user_id,
            .name = principal_.name,
            .request_id = request_.id,
            .idempotency_key = std::string(request_.headers.value_or("Idempotency-Key", ""))};
}

Result<std::optional<money::Date>> Call::date(std::string_view name) const {
    const std::string text = query(name);
    if (text.empty()) {
        return std::nullopt;
    }
    auto date = money::Date::parse(text);
    if (!date) {
        return std::unexpected(std::move(date).error().in(name));
    }
    return *date;
}

Result<application::PageRequest> Call::page() const {
    application::PageRequest page { .cursor = TRY(listing().unbound(query("cursor"))) };
    const std::string limit = query("limit");
    if (limit.empty()) {
        return page;
    }
    const auto [end, error] =
        std::from_chars(limit.data(), limit.data() + limit.size(), page.limit);
    if (error != std::errc() || end != limit.data() + limit.size() || page.limit < 1 ||
        page.limit > application::PageRequest::limit_max) {
        return fail(ErrorKind::invalid, "limit: is '" + limit + "'; 1 to 1000 is allowed");
    }
    return page;
}

void Call::answer(int status, std::string json) {
    reply_.send(http::json_response(status, std::move(json)));
}

void Call::answer(http::Response response) { reply_.send(std::move(response)); }

void Call::refuse(const Error& error) {
    if (error.kind() == ErrorKind::invalid) {
        refuse(http::status_of(error.kind()), {.code = std::string(name(error.kind())),
                                               .message = error.message(),
                                               .field = field_of(error)});
        return;
    }
    const std::string clean = without_folders(error.message());
    const bool of_our_files = clean != error.message();
    if (of_our_files || error.kind() == ErrorKind::io || error.kind() == ErrorKind::corrupt) {
        // The target as it was sent, since a decoded path may hold line ends; without the query,
        // which may hold a token.
        services_->report("request " + request_.id + ", " + request_.method_text + " " +
                          request_.target.substr(0, request_.target.find('?')) + ": " +
                          error.message());
    }
    http::Response response = http::error_response(Error(error.kind(), clean), request_.id);
    // A full disk is no haste of the client's that a moment's patience would mend.
    if (of_our_files && error.kind() == ErrorKind::exhausted) {
        response.status = 507;
    }
    reply_.send(std::move(response));
}

void Call::refuse(int status, const http::ErrorBody& error) {
    reply_.send(http::error_response(status, error, request_.id));
}

std::string without_folders(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t space = text.find(' ');
        const std::string_view word = text.substr(0, space);
        const std::size_t slash = word.rfind('/');
        out.append(word.starts_with('/') ? word.substr(slash + 1) : word);
        if (space == text.npos) {
            break;
        }
        out += ' ';
        text.remove_prefix(space + 1);
    }
    return out;
}

void Routes::add(http::Method method, std::string_view pattern, auth::Permission permission,
                 Operation operation) {
    const Services* services = &services_;
    router_.add(
        method, pattern,
        [services, permission, operation = std::move(operation)](http::Request request,
                                                                 http::Reply reply) {
            auto principal = admitted(*services, permission, request);
            if (!principal) {
                reply.send(std::move(principal).error());
                return;
            }
            Call call(std::move(request), std::move(reply), *std::move(principal), *services);
            if (const auto unreadable = unreadable_parameter(call.request())) {
                call.refuse(400, *unreadable);
                return;
            }
            operation(std::move(call));
        },
        [services, permission](const http::Request& request) -> std::optional<http::Response> {
            auto principal = admitted(*services, permission, request);
            return principal ? std::nullopt : std::optional(std::move(principal).error());
        });
}

void Routes::add_query(std::string_view pattern, auth::Permission permission, Query query) {
    io::Executor* readers = &services_.readers;
    add(http::Method::get, pattern, permission, [readers, query = std::move(query)](Call call) {
        readers->post([query, call = std::move(call)]() mutable {
            auto answer = query(call);
            if (answer) {
                call.answer(200, std::move(*answer));
            } else {
                call.refuse(answer.error());
            }
        });
    });
}

void Routes::add_open(std::string_view pattern,
                      std::function<void(http::Request, http::Reply)> handler) {
    router_.add(http::Method::get, pattern, std::move(handler));
}

void add_routes(http::Router& router, const Services& services) {
    Routes routes(router, services);
    add_publish_routes(routes);
    add_event_routes(routes);
    add_stream_routes(routes);
    add_bus_routes(routes);
    add_pattern_routes(routes);
    add_letter_routes(routes);
    add_outbox_routes(routes);
    add_account_routes(routes);
    add_file_routes(routes);
    add_transaction_routes(routes);
    add_category_routes(routes);
    add_report_routes(routes);
    add_access_routes(routes);
    add_service_routes(routes);
}

}  // namespace bascule::api
