#include "cli/routes_verb.h"

#include "cli/cli.h"
#include "cli/terminal.h"

namespace bascule::cli {

namespace {

int tell(const Failure& failure) {
    print_error(failure.message);
    return failure.exit_code;
}

}  // namespace

int show_routes(bool mermaid, const Target& target, Output output) {
    auto session = Session::open(target);
    if (!session) {
        return tell(session.error());
    }
    if (mermaid) {
        const auto picture = session->raw({.path = "/v1/routes", .query = {{"format", "mermaid"}}});
        if (!picture) {
            return tell(picture.error());
        }
        print(*picture);
        return exit_yes;
    }
    const auto answer = session->json({.path = "/v1/routes"});
    if (!answer) {
        return tell(answer.error());
    }
    constexpr Column columns[] = {
        {"RULE", "/rule"}, {"CONSUMER", "/consumer"}, {"PATTERN", "/pattern"}};
    const json::Value* routes = answer->find("routes");
    print(rendered_list(routes == nullptr ? std::span<const json::Value>() : routes->items(),
                        columns, output));
    return exit_yes;
}

int verify_audit(const Target& target, Output output) {
    auto session = Session::open(target);
    if (!session) {
        return tell(session.error());
    }
    const auto verdict = session->json({.method = http::Method::post, .path = "/v1/audit:verify"});
    if (!verdict) {
        return tell(verdict.error());
    }
    print(rendered_object(*verdict, output));
    const json::Value* ok = verdict->find("ok");
    return ok != nullptr && ok->as_boolean().value_or(false) ? exit_yes : exit_no;
}

}  // namespace bascule::cli
