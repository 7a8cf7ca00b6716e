#include "server/http/router.h"

#include <gmock/gmock.h>

#include "server/http/wire.h"

namespace bascule::http {
namespace {

using testing::HasSubstr;

/// Keeps the answer that it is given.
class RecordingSink final : public ReplySink {
  public:
    void send(Response given) override { response = std::move(given); }
    void begin_stream(Response) override {}
    Taken write(std::string&) override { return Taken::gone; }
    void when_writable(std::move_only_function<void()>) override {}
    void when_gone(std::move_only_function<void()>) override {}
    void end_stream() override {}

    Response response;
};

/// Answers with the name of its route and what the parameters were.
RouteHandler named(std::string route) {
    return [route = std::move(route)](Request request, Reply reply) {
        std::string text = route;
        for (const auto& [name, value] : request.parameters) {
            text.append(" ").append(name).append("=").append(value);
        }
        reply.send(text_response(200, text));
    };
}

Router example() {
    Router router;
    router.add(Method::get, "/v1/accounts", named("list"));
    router.add(Method::post, "/v1/accounts", named("create"));
    router.add(Method::get, "/v1/accounts/{id}", named("get"));
    router.add(Method::delete_, "/v1/accounts/{id}", named("delete"));
    router.add(Method::get, "/v1/accounts/{id}/files/{file}", named("file"));
    router.add(Method::get, "/v1/accounts/main/files/all", named("literal"));
    router.add(Method::get, "/v1/consumers/{name}", named("consumer"));
    router.add(Method::post, "/v1/consumers/{name}:pause", named("pause"));
    router.add(Method::post, "/v1/consumers/{name}:resume", named("resume"));
    router.add(Method::post, "/v1/events:explain", named("explain"));
    router.add(Method::get, "/{file...}", named("console"));
    router.add(Method::post, "/", named("aws"));
    return router;
}

Response ask(const Router& router, Method method, std::string target) {
    Request request{.method = method, .method_text = std::string(name(method)), .target = target};
    EXPECT_TRUE(read_target(request).has_value());
    request.id = "r-1";
    const auto sink = std::make_shared<RecordingSink>();
    router.dispatch(std::move(request), Reply(sink));
    return sink->response;
}

struct RouteCase {
    const char* claim;
    Method method;
    const char* target;
    const char* answer;
};

class RouteTest : public testing::TestWithParam<RouteCase> {};

TEST_P(RouteTest, IsChosenAsTheContractSays) {
    const Response response = ask(example(), GetParam().method, GetParam().target);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, GetParam().answer);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RouteTest,
    testing::Values(
        RouteCase{"MethodDecides", Method::post, "/v1/accounts", "create"},
        RouteCase{"QueryPlaysNoPart", Method::get, "/v1/accounts?x=/v1", "list"},
        RouteCase{"ParameterIsDecoded", Method::get, "/v1/accounts/a%20b%2Fc", "get id=a b/c"},
        RouteCase{"LiteralWins", Method::get, "/v1/accounts/main/files/all", "literal"},
        RouteCase{"LiteralThatLeadsNowhereIsGivenUp", Method::get, "/v1/accounts/main/files/7",
                  "file id=main file=7"},
        RouteCase{"VerbIsCutFromTheName", Method::post, "/v1/consumers/c1:pause", "pause name=c1"},
        RouteCase{"OnlyTheLastColonIsAVerb", Method::post, "/v1/consumers/a:b:resume",
                  "resume name=a:b"},
        RouteCase{"AnEncodedColonIsNoVerb", Method::get, "/v1/consumers/a%3Apause",
                  "consumer name=a:pause"},
        RouteCase{"AVerbOfAnotherMethodIsPartOfTheName", Method::get, "/v1/consumers/a:pause",
                  "consumer name=a:pause"},
        RouteCase{"VerbOfALiteral", Method::post, "/v1/events:explain", "explain"},
        RouteCase{"HeadIsGet", Method::head, "/v1/accounts/7", "get id=7"},
        RouteCase{"RestTakesMany", Method::get, "/assets/app.js", "console file=assets/app.js"},
        RouteCase{"RestMayBeEmpty", Method::get, "/", "console file="},
        RouteCase{"RootByMethod", Method::post, "/", "aws"}),
    [](const auto& info) { return info.param.claim; });

TEST(RouterTest, AnotherMethodIs405WithWhatIsAllowed) {
    const Response response = ask(example(), Method::put, "/v1/accounts/7");
    EXPECT_EQ(response.status, 405);
    EXPECT_EQ(response.headers.value_or("Allow", ""), "GET, HEAD, DELETE, OPTIONS");
    EXPECT_THAT(response.body, HasSubstr("PUT is not possible on /v1/accounts/7"));
}

TEST(RouterTest, OptionsSaysWhatIsAllowed) {
    const Response response = ask(example(), Method::options, "/v1/events:explain");
    EXPECT_EQ(response.status, 204);
    EXPECT_EQ(response.headers.value_or("Allow", ""), "POST, OPTIONS");
}

TEST(RouterTest, UnknownPathsAre404InTheOneShape) {
    Router router;
    router.add(Method::get, "/v1/accounts/{id}", named("get"));
    for (const char* target : {"/v1/accounts", "/v1/accounts/", "/v1/accounts/7/", "/v2", "*"}) {
        const Response response = ask(router, Method::get, target);
        EXPECT_EQ(response.status, 404) << target;
        EXPECT_EQ(response.body, R"({"error":{"code":"not_found","message":"nothing is at )" +
                                     std::string(target) + R"(","requestId":"r-1"}})");
    }
}

TEST(RouterDeathTest, MistakesInPatternsAreOurs) {
    Router router;
    router.add(Method::get, "/a/{id}", named("a"));
    EXPECT_DEATH(router.add(Method::get, "/a/{id}", named("again")), "check failed");
    EXPECT_DEATH(router.add(Method::post, "/a/{other}", named("renamed")), "check failed");
    EXPECT_DEATH(router.add(Method::get, "/{rest...}/more", named("rest")), "check failed");
}

}  // namespace
}  // namespace bascule::http
