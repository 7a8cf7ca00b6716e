#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "foundation/io/completion.h"
#include "household/application/actor.h"
#include "household/application/page.h"
#include "household/money/date.h"
#include "server/api/cursor.h"
#include "server/api/moment.h"
#include "server/api/services.h"
#include "server/auth/principal.h"
#include "server/http/message.h"
#include "server/http/reply.h"
#include "server/http/router.h"

namespace bascule::api {

/// One request on its way to its answer: who asks, what, and the duty to answer once.
class Call {
  public:
    Call(http::Request request, http::Reply reply, auth::Principal principal,
         const Services& services)
        : request_(std::move(request)),
          reply_(std::move(reply)),
          principal_(std::move(principal)),
          services_(&services) {}

    const http::Request& request() const { return request_; }
    http::Request& request() { return request_; }
    const auth::Principal& principal() const { return principal_; }
    const std::string& user_id() const { return principal_.user_id; }
    const std::string& id() const { return request_.parameter("id"); }
    std::string query(std::string_view name) const {
        return std::string(request_.query.value_or(name, ""));
    }

    /// A day in the query; nothing if it is not there. Errors: `invalid`.
    Result<std::optional<money::Date>> date(std::string_view name) const;

    /// A moment in the query. Errors: `invalid`.
    Result<std::optional<Moment>> moment(std::string_view name) const {
        return parse_moment(query(name), name);
    }

    /// Who asks, with the request's idempotency key.
    application::Actor actor() const;

    /// The list that is asked for, to which its cursors belong.
    Listing listing() const { return Listing(principal_, request_); }
    /// `cursor` and `limit`. Errors: `invalid`.
    Result<application::PageRequest> page() const;

    void answer(int status, std::string json);
    void answer(http::Response response);
    /// The kind chooses the status; a field that the message begins with is named apart. Where our
    /// files are is nobody's business: the client is told without, and the log gets the whole.
    void refuse(const Error& error);
    void refuse(int status, const http::ErrorBody& error);

    http::Stream stream(http::Response head) { return reply_.stream(std::move(head)); }

    /// Answers with `form(value)` and `status`, or with the error.
    template <class T, class Form>
    void answer_with(Result<T> result, int status, const Form& form) {
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
    const Services* services_;
};

/// `text` without the folders of the absolute paths in it: "write /data/blobs/ab: no space" is
/// "write ab: no space".
std::string without_folders(std::string_view text);

using Operation = std::function<void(Call)>;
using Query = std::function<Result<std::string>(const Call&)>;

/// Adds operations to a router: each checks token, permission and the text of its parameters first.
class Routes {
  public:
    Routes(http::Router& router, const Services& services) : router_(router), services_(services) {}

    /// `operation` must not block.
    void add(http::Method method, std::string_view pattern, auth::Permission permission,
             Operation operation);

    /// A write with a body: `read` makes of it what `operation(call, edit)` is given, or refuses
    /// it.
    template <class Read, class Write>
    void add_write(http::Method method, std::string_view pattern, auth::Permission permission,
                   Read read, Write operation);

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
    return [call = std::move(call), status, form = std::move(form)](Result<T> result) mutable {
        call.answer_with(std::move(result), status, form);
    };
}

/// `{"items": […], "nextCursor": …, "total": n}` with `form(item)` for each item.
template <class T, class Form>
std::string list_form(const Listing& listing, const application::Page<T>& page, const Form& form);

/// The same of a list that is always answered whole.
template <class T, class Form>
std::string whole_list_form(const std::vector<T>& all, const Form& form);

// The parts of the API, each adding its own operations.
void add_publish_routes(Routes& routes);
void add_event_routes(Routes& routes);
void add_stream_routes(Routes& routes);
void add_bus_routes(Routes& routes);
void add_pattern_routes(Routes& routes);
void add_letter_routes(Routes& routes);
void add_outbox_routes(Routes& routes);
void add_account_routes(Routes& routes);
void add_file_routes(Routes& routes);
void add_transaction_routes(Routes& routes);
void add_category_routes(Routes& routes);
void add_report_routes(Routes& routes);
void add_access_routes(Routes& routes);
void add_service_routes(Routes& routes);

template <class Read, class Write>
void Routes::add_write(http::Method method, std::string_view pattern, auth::Permission permission,
                       Read read, Write operation) {
    add(method, pattern, permission,
        [read = std::move(read), operation = std::move(operation)](Call call) {
            auto edit = read(call.request().body);
            if (edit) {
                operation(std::move(call), *std::move(edit));
            } else {
                call.refuse(edit.error());
            }
        });
}

/// `{"items": […], "nextCursor": text or null, "total": n}`.
template <class T, class Form>
std::string items_form(const std::vector<T>& items, std::string_view next_cursor,
                       std::uint64_t total, const Form& form) {
    std::string out = R"({"items":[)";
    for (std::size_t i = 0; i < items.size(); ++i) {
        out.append(i == 0 ? "" : ",").append(form(items[i]));
    }
    // Cursors are base64url, hexadecimal or digits: nothing in them needs an escape.
    out.append(R"(],"nextCursor":)");
    if (next_cursor.empty()) {
        out.append("null");
    } else {
        out.append("\"").append(next_cursor).append("\"");
    }
    return out.append(R"(,"total":)").append(std::to_string(total)).append("}");
}

template <class T, class Form>
std::string list_form(const Listing& listing, const application::Page<T>& page, const Form& form) {
    return items_form(page.items, listing.bound(page.next_cursor), page.total, form);
}

template <class T, class Form>
std::string whole_list_form(const std::vector<T>& all, const Form& form) {
    return items_form(all, "", all.size(), form);
}

}  // namespace bascule::api
