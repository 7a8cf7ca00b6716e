#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/message.h"
#include "server/http/reply.h"

namespace bascule::http {

/// Runs on a network thread and must not block; may be called by several at once.
using RouteHandler = std::function<void(Request, Reply)>;

/// Looks at a request whose body has not come yet; an answer refuses it unread.
using Admission = std::function<std::optional<Response>(const Request&)>;

/// Which handler answers which method and path.
///
/// A pattern is a path whose segments are literal, `{name}` (one segment), `{name}:verb` (one
/// segment that ends so) or, last of all, `{name...}` (the rest, also empty):
///
///     /v1/accounts/{id}      /v1/consumers/{name}:pause      /{file...}
///
/// Literal segments win over `{name}:verb`, that over `{name}`, that over the rest. Segments are
/// told apart before they are decoded, so that an encoded slash or colon stays part of a name.
/// HEAD is answered by GET's handler, OPTIONS by the router, a path without that method with 405
/// and Allow, an unknown path with 404.
///
/// Threads: filled by one, then only read, by any.
class Router {
  public:
    Router();
    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;
    ~Router();

    /// A malformed pattern, or the same twice, is our mistake (CHECK).
    /// `admission` spares reading bodies in vain; the handler must check the same, since a request
    /// whose body comes with its header is not asked about.
    void add(Method method, std::string_view pattern, RouteHandler handler,
             Admission admission = {});

    /// What a request is answered whose body need not be read for it: nothing is there, or the
    /// route does not admit it. May be called before the body has come.
    std::optional<Response> refusal(const Request& request) const;

    /// Fills `request.parameters` and calls the handler, or answers itself.
    void dispatch(Request request, Reply reply) const;

  private:
    struct Node;
    struct Found;
    Found find(const Request& request) const;
    std::unique_ptr<Node> root_;
};

}  // namespace bascule::http
