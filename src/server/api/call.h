#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "foundation/io/completion.h"
#include "household/application/actor.h"
#include "household/application/page.h"
#include "server/api/services.h"
#include "server/auth/principal.h"
#include "server/http/message.h"
#include "server/http/reply.h"
#include "server/http/router.h"

namespace bascule::api {

/// One request on its way to its answer: who asks, what, and the duty to answer once.
class Call {
  public:
    Call(http::Request request, http::Reply reply, auth::Principal principal)
        : request_(std::move(request)),
          reply_(std::move(reply)),
          principal_(std::move(principal)) {}

    const http::Request& request() const { return request_; }
    http::Request& request() { return request_; }
    const auth::Principal& principal() const { return principal_; }
    const std::string& user_id() const { return principal_.user_id; }
    const std::string& id() const { return request_.parameter("id"); }
    std::string query(std::string_view name) const {
        return std::string(request_.query.value_or(name, ""));
    }

    /// Who asks, with the request's idempotency key.
    application::Actor actor() const;

    /// `cursor` and `limit`. Errors: `invalid`.
    Result<application::PageRequest> page() const;

    void answer(int status, std::string json);
    void answer(http::Response response);
    void refuse(const Error& error);
    void refuse(int status, const http::ErrorBody& error);

    http::Stream stream(http::Response head) { return reply_.stream(std::move(head)); }

    /// Answers with `form(value)` and `status`, or with the error.
    template <class T, class Form>
    void answer_with(Result<T> result, int status, Form form) {
        if (result) {
            answer(status, form(*result));
        } else {
            refuse(result.error());
        }
    }

  private:
    http::Request request_;
    http::Reply reply_;
    auth::Principal principal_;
};

using Operation = std::function<void(Call)>;
using Query = std::function<Result<std::string>(const Call&)>;

/// Adds operations to a router: each checks token and permission first.
class Routes {
  public:
    Routes(http::Router& router, const Services& services) : router_(router), services_(services) {}

    /// `operation` must not block.
    void add(http::Method method, std::string_view pattern, auth::Permission permission,
             Operation operation);

    /// `query` may block: it runs on the readers, and its JSON is answered with 200.
    void add_query(std::string_view pattern, auth::Permission permission, Query query);

    /// Without a token.
    void add_open(std::string_view pattern,
                  std::function<void(http::Request, http::Reply)> handler);

    const Services& services() const { return services_; }

  private:
    http::Router& router_;
    const Services& services_;
};

/// A completion that answers `call` with `form(value)`; the call moves into it.
///
///     household.accounts.create(actor, edit, answering<Account>(std::move(call), 201,
///     account_form));
template <class T, class Form>
io::Completion<T> answering(Call call, int status, Form form) {
    return [call = std::move(call), status, form](Result<T> result) mutable {
        call.answer_with(std::move(result), status, form);
    };
}

/// `{"items": […], "nextCursor": …, "total": n}` with `form(item)` for each item.
template <class T, class Form>
std::string list_form(const application::Page<T>& page, Form form);

// The parts of the API, each adding its own operations.
void add_event_routes(Routes& routes);
void add_stream_routes(Routes& routes);
void add_bus_routes(Routes& routes);
void add_letter_routes(Routes& routes);
void add_account_routes(Routes& routes);
void add_file_routes(Routes& routes);
void add_transaction_routes(Routes& routes);
void add_category_routes(Routes& routes);
void add_report_routes(Routes& routes);
void add_access_routes(Routes& routes);
void add_service_routes(Routes& routes);

template <class T, class Form>
std::string list_form(const application::Page<T>& page, Form form) {
    std::string out = R"({"items":[)";
    for (std::size_t i = 0; i < page.items.size(); ++i) {
        out.append(i == 0 ? "" : ",").append(form(page.items[i]));
    }
    // Cursors are base64url or digits: nothing in them needs an escape.
    out.append(R"(],"nextCursor":)");
    out.append(page.next_cursor.empty() ? "null" : "\"" + page.next_cursor + "\"");
    return out.append(R"(,"total":)").append(std::to_string(page.total)).append("}");
}

}  // namespace bascule::api
