#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "server/http/message.h"
#include "server/http/reply.h"

namespace bascule::http {

/// Runs on a network thread and must not block; may be called by several at once.
using RouteHandler = std::function<void(Request, Reply)>;

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
    void add(Method method, std::string_view pattern, RouteHandler handler);

    /// Fills `request.parameters` and calls the handler, or answers itself.
    void dispatch(Request request, Reply reply) const;

  private:
    struct Node;
    std::unique_ptr<Node> root_;
};

}  // namespace bascule::http
