#include "server/api/call.h"

#include <charconv>

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

void refuse_unauthorized(const http::Request& request, http::Reply reply) {
    http::Response response = http::error_response(
        401,
        {.code = "unauthorized",
         .message = "a valid token is needed",
         .hint = "send the header `Authorization: Bearer TOKEN`; `bascule token create` makes one"},
        request.id);
    response.headers.set("WWW-Authenticate", "Bearer");
    reply.send(std::move(response));
}

}  // namespace

application::Actor Call::actor() const {
    return {.user_id = principal_.user_id,
            .name = principal_.name,
            .request_id = request_.id,
            .idempotency_key = std::string(request_.headers.value_or("Idempotency-Key", ""))};
}

Result<application::PageRequest> Call::page() const {
    application::PageRequest page{.cursor = query("cursor")};
    const std::string limit = query("limit");
    if (limit.empty()) {
        return page;
    }
    const auto [end, error] =
        std::from_chars(limit.data(), limit.data() + limit.size(), page.limit);
    if (error != std::errc() || end != limit.data() + limit.size() || page.limit < 1 ||
        page.limit > application::PageRequest::limit_max) {
        return fail(ErrorKind::invalid, "limit is '" + limit + "'; 1 to 1000 is allowed");
    }
    return page;
}

void Call::answer(int status, std::string json) {
    reply_.send(http::json_response(status, std::move(json)));
}

void Call::answer(http::Response response) { reply_.send(std::move(response)); }

void Call::refuse(const Error& error) { reply_.send(http::error_response(error, request_.id)); }

void Call::refuse(int status, const http::ErrorBody& error) {
    reply_.send(http::error_response(status, error, request_.id));
}

void Routes::add(http::Method method, std::string_view pattern, auth::Permission permission,
                 Operation operation) {
    const auth::Authenticator* authenticator = &services_.authenticator;
    router_.add(method, pattern,
                [authenticator, permission, operation = std::move(operation)](http::Request request,
                                                                              http::Reply reply) {
                    auto principal = authenticator->authenticate(token_of(request));
                    if (!principal) {
                        refuse_unauthorized(request, std::move(reply));
                        return;
                    }
                    Call call(std::move(request), std::move(reply), std::move(*principal));
                    if (!auth::may(call.principal(), permission)) {
                        call.refuse(403,
                                    {.code = "forbidden",
                                     .message = "a token of role " +
                                                std::string(auth::name(call.principal().role)) +
                                                " may not do this"});
                        return;
                    }
                    operation(std::move(call));
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
    add_event_routes(routes);
    add_stream_routes(routes);
    add_bus_routes(routes);
    add_letter_routes(routes);
    add_account_routes(routes);
    add_file_routes(routes);
    add_transaction_routes(routes);
    add_category_routes(routes);
    add_report_routes(routes);
    add_access_routes(routes);
    add_service_routes(routes);
}

}  // namespace bascule::api
