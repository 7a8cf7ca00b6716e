#include "server/http/router.h"

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "foundation/base/check.h"
#include "server/http/form.h"

namespace bascule::http {

namespace {

constexpr std::size_t method_count = static_cast<std::size_t>(Method::other);

/// Takes the segment before the next slash off the front of `path`; nothing once it is used up.
std::optional<std::string_view> next_segment(std::optional<std::string_view>& path) {
    if (!path) {
        return std::nullopt;
    }
    const std::size_t slash = path->find('/');
    const std::string_view segment = path->substr(0, slash);
    if (slash == path->npos) {
        path.reset();
    } else {
        path->remove_prefix(slash + 1);
    }
    return segment;
}

}  // namespace

struct Router::Node {
    struct Route {
        RouteHandler handler;
        Admission admission;
    };
    /// The routes that end here; the names of their parameters stand beside, in path order.
    std::array<Route, method_count> routes;
    std::vector<std::string> names;
    bool ends = false;

    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::map<std::string, std::unique_ptr<Node>, std::less<>> verbs;  ///< of {name}:verb
    std::unique_ptr<Node> any;
    std::unique_ptr<Node> rest;

    const Node* find(std::optional<std::string_view> path, Method method,
                     std::vector<std::string_view>& values, const Node** other_method) const;
    const Node* find_here(Method method, const Node** other_method) const;
    Response not_allowed(const Request& request) const;
    bool answers(Method method) const {
        return method != Method::other && bool(routes[static_cast<std::size_t>(method)].handler);
    }
};

/// Backtracks through the kinds of segment in their order of precedence; a node that ends here but
/// has no such method is remembered for the 405.
const Router::Node* Router::Node::find(std::optional<std::string_view> path, Method method,
                                       std::vector<std::string_view>& values,
                                       const Node** other_method) const {
    std::optional<std::string_view> left = path;
    const auto segment = next_segment(left);
    if (!segment) {
        return find_here(method, other_method);
    }
    const auto with_value = [&](const Node* next, std::string_view value,
                                std::optional<std::string_view> onward) -> const Node* {
        values.push_back(value);
        const Node* found = next->find(onward, method, values, other_method);
        if (found == nullptr) {
            values.pop_back();
        }
        return found;
    };
    if (const auto literal = literals.find(*segment); literal != literals.end()) {
        if (const Node* found = literal->second->find(left, method, values, other_method)) {
            return found;
        }
    }
    if (const std::size_t colon = segment->rfind(':'); colon != segment->npos && colon > 0) {
        if (const auto verb = verbs.find(segment->substr(colon + 1)); verb != verbs.end()) {
            if (const Node* found =
                    with_value(verb->second.get(), segment->substr(0, colon), left)) {
                return found;
            }
        }
    }
    if (any && !segment->empty()) {
        if (const Node* found = with_value(any.get(), *segment, left)) {
            return found;
        }
    }
    return rest ? with_value(rest.get(), path.value_or(std::string_view()), std::nullopt) : nullptr;
}

const Router::Node* Router::Node::find_here(Method method, const Node** other_method) const {
    if (answers(method) || (method == Method::head && answers(Method::get))) {
        return this;
    }
    if (ends && *other_method == nullptr) {
        *other_method = this;
    }
    return nullptr;
}

namespace {

Response not_found(const Request& request) {
    return error_response(404, {.code = "not_found", .message = "nothing is at " + request.path},
                          request.id);
}

}  // namespace

/// What OPTIONS asks for, and any method that is not possible here.
Response Router::Node::not_allowed(const Request& request) const {
    std::string allowed;
    for (std::size_t i = 0; i < method_count; ++i) {
        if (answers(static_cast<Method>(i))) {
            const bool get = static_cast<Method>(i) == Method::get;
            allowed.append(name(static_cast<Method>(i))).append(get ? ", HEAD, " : ", ");
        }
    }
    allowed += "OPTIONS";
    Response response =
        request.method == Method::options
            ? Response{.status = 204}
            : error_response(405,
                             {.code = "method_not_allowed",
                              .message = request.method_text + " is not possible on " +
                                         request.path + "; allowed: " + allowed},
                             request.id);
    response.headers.set("Allow", allowed);
    return response;
}

Router::Router() : root_(std::make_unique<Node>()) {}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

void Router::add(Method method, std::string_view pattern, RouteHandler handler,
                 Admission admission) {
    CHECK(method != Method::other && pattern.starts_with('/') && handler);
    Node* node = root_.get();
    std::vector<std::string> names;
    const auto step = [&](std::unique_ptr<Node>& next) {
        if (!next) {
            next = std::make_unique<Node>();
        }
        node = next.get();
    };
    std::optional<std::string_view> left = pattern.substr(1);
    while (const auto segment = next_segment(left)) {
        if (!segment->starts_with('{')) {
            step(node->literals[std::string(*segment)]);
            continue;
        }
        const std::size_t brace = segment->find('}');
        CHECK(brace != segment->npos && brace > 1);
        std::string_view name = segment->substr(1, brace - 1);
        const std::string_view suffix = segment->substr(brace + 1);
        if (name.ends_with("...")) {
            CHECK(suffix.empty() && !left);
            name.remove_suffix(3);
            step(node->rest);
        } else if (suffix.empty()) {
            step(node->any);
        } else {
            CHECK(suffix.starts_with(':') && suffix.size() > 1);
            step(node->verbs[std::string(suffix.substr(1))]);
        }
        names.emplace_back(name);
    }
    auto& place = node->routes[static_cast<std::size_t>(method)];
    CHECK(!place.handler);
    CHECK(!node->ends || node->names == names);
    place = {std::move(handler), std::move(admission)};
    node->names = std::move(names);
    node->ends = true;
}

/// The node that answers a request, or what is said where none does.
struct Router::Found {
    const Node* node = nullptr;
    std::vector<std::string_view> values;  ///< of its parameters, into the request's target
    std::optional<Response> own_answer;

    const Node::Route& route(Method method) const {
        const bool as_get = method == Method::head && !node->answers(Method::head);
        return node->routes[static_cast<std::size_t>(as_get ? Method::get : method)];
    }
};

Router::Found Router::find(const Request& request) const {
    Found found;
    std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
    if (!path.starts_with('/')) {
        found.own_answer = not_found(request);
        return found;
    }
    path.remove_prefix(1);
    const Node* other_method = nullptr;
    found.node = root_->find(path, request.method, found.values, &other_method);
    if (found.node == nullptr) {
        found.own_answer =
            other_method == nullptr ? not_found(request) : other_method->not_allowed(request);
    }
    return found;
}

std::optional<Response> Router::refusal(const Request& request) const {
    Found found = find(request);
    if (found.node == nullptr) {
        return std::move(found.own_answer);
    }
    const Admission& admission = found.route(request.method).admission;
    return admission ? admission(request) : std::nullopt;
}

void Router::dispatch(Request request, Reply reply) const {
    Found found = find(request);
    if (found.own_answer) {
        reply.send(*std::move(found.own_answer));
        return;
    }
    for (std::size_t i = 0; i < found.values.size(); ++i) {
        auto value = percent_decoded(found.values[i], Plus::plain);
        CHECK(value);  // the whole path was decoded before
        request.parameters.add(found.node->names[i], std::move(*value));
    }
    const RouteHandler& handler = found.route(request.method).handler;
    handler(std::move(request), std::move(reply));
}

}  // namespace bascule::http
