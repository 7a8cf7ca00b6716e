#include <gtest/gtest.h>

#include "bus/broker/bus.h"
#include "server/api/api_test_kit.h"

namespace bascule::api {
namespace {

using http::Method;
using testing::AllOf;
using testing::HasSubstr;

class PatternsApiTest : public testing::Test {
  protected:
    Answer test(std::string body) { return test(api_.owner, std::move(body)); }
    Answer test(const std::string& token, std::string body) {
        return api_.ask(token, Method::post, "/v1/patterns:test", std::move(body));
    }

    TestApi api_;
};

TEST_F(PatternsApiTest, SaysWhetherAnEventMatchesAndWhy) {
    const Answer no = test(
        R"({"pattern":{"detail":{"data":{"amount":[{"numeric":[">",100]}],"tags":["x"]}}},)"
        R"("event":{"source":"s","detail-type":"t","detail":{"data":{"amount":1.50,"tags":["y","x"]}}}})");
    EXPECT_EQ(no.status, 200);
    EXPECT_EQ(
        no.body,
        R"({"matches":false,"verdict":"no","ways":[{"branches":[],"verdict":"no","fields":[)"
        R"({"path":"detail.data.amount","verdict":"differs","wanted":[{"numeric":[">",100]}],)"
        R"("values":[{"at":"/detail/data/amount","value":1.50,"cut":false,"fits":false,"chosen":false}],)"
        R"("valueCount":1,"container":false,"apartFrom":[]},)"
        R"({"path":"detail.data.tags","verdict":"met","wanted":["x"],)"
        R"("values":[{"at":"/detail/data/tags/0","value":"y","cut":false,"fits":false,"chosen":false},)"
        R"({"at":"/detail/data/tags/1","value":"x","cut":false,"fits":true,"chosen":true}],)"
        R"("valueCount":2,"container":false,"apartFrom":[]}]}],"wayCount":1})");
    const Answer yes = test(R"({"pattern":{"$or":[{"a":[1]},{"b":[1]}]},"event":{"b":1}})");
    EXPECT_EQ(yes.at("/matches"), "true");
    EXPECT_EQ(yes.at("/ways/1/branches/0"), "/$or/1");
    EXPECT_EQ(yes.at("/ways/1/verdict"), "yes");
}

/// The seed's form is seen as the bus sees it, which is also what decides here.
TEST_F(PatternsApiTest, TakesEventsOfEveryFormAndTexts) {
    const std::string seed =
        R"({"eventType":"file.uploaded","source":"s","userId":"u","timestamp":5,"data":{"size":6}})";
    const std::string pattern =
        R"({"detail-type":["file.uploaded"],"detail":{"userId":["u"],"timestamp":[5],"data":{"size":[6]}}})";
    EXPECT_EQ(test("{\"pattern\":" + pattern + ",\"event\":" + seed + "}").at("/matches"), "true");
    EXPECT_EQ(test(R"({"pattern":{"account":[{"exists":true}]},"event":)" + seed + "}")
                  .at("/ways/0/fields/0/verdict"),
              "missing");
    EXPECT_EQ(test(R"({"pattern":"{\"a\":[\"é\"]}","event":"{\"a\":\"\u00e9\"}"})").at("/matches"),
              "true");
    EXPECT_EQ(test(R"({"pattern":{"source":["*"]},"event":{"source":"s"}})").at("/matches"),
              "false");
    EXPECT_EQ(test(R"({"pattern":{"source":["*"]},"event":{"source":"s"},"dialect":"routing"})")
                  .at("/matches"),
              "true");
}

TEST_F(PatternsApiTest, SaysAllThatIsWrongWithPatternAndEvent) {
    const Answer pattern = test(R"({"pattern":{"a":[],"b":1},"event":{}})");
    EXPECT_EQ(pattern.status, 400);
    EXPECT_EQ(pattern.at("/error/code"), "invalid");
    EXPECT_EQ(pattern.at("/error/field"), "/pattern");
    EXPECT_EQ(pattern.at("/error/message"),
              "/pattern: Event pattern is not valid. Reason: Empty arrays are not allowed\n at "
              "[Source: (String)\"{\"a\":[],\"b\":1}\"; line: 1, column: 8]\n"
              "/pattern: Event pattern is not valid. Reason: \"b\" must be an object or an array\n "
              "at [Source: (String)\"{\"a\":[],\"b\":1}\"; line: 1, column: 14]");
    const Answer event = test(
        R"({"pattern":{"a":[1]},"event":{"eventType":"t","source":"s","timestamp":"now","data":{}}})");
    EXPECT_EQ(event.status, 400);
    EXPECT_EQ(event.at("/error/field"), "/event");
    EXPECT_THAT(event.at("/error/message"), HasSubstr("/timestamp: must be an integer"));
    const Answer both = test(R"({"pattern":{},"event":"{"})");
    EXPECT_EQ(both.status, 400);
    EXPECT_THAT(both.at("/error/message"),
                AllOf(HasSubstr("/pattern: Event pattern is not valid. Reason: Empty objects"),
                      HasSubstr("\n/event: line 1, column 2")));
    EXPECT_EQ(test(R"({"pattern":{},"event":{},"dialect":"x"})").at("/error/field"), "/dialect");
    EXPECT_EQ(test(R"({"pattern":{},"event":{},"other":1})").at("/error/field"), "/other");
    for (const char* body :
         {R"({"pattern":{"a":[1]}})", R"({"event":{}})", R"({"pattern":{"a":[1]},"event":5})",
          R"({"pattern":{"a":[1]},"event":{},"dialect":"x"})",
          R"({"pattern":{"a":[1]},"event":{},"other":1})", "{", "[]", ""}) {
        EXPECT_EQ(test(body).status, 400) << body;
    }
}

TEST_F(PatternsApiTest, HoldsItsLimits) {
    const std::string most(256 << 10, 'x');
    const auto of_size = [&](std::size_t bytes) {
        return R"({"pattern":{"a":[1]},"event":{"a":")" + most.substr(0, bytes - 8) + "\"}}";
    };
    EXPECT_EQ(test(of_size(most.size())).status, 200);
    const Answer event = test(of_size(most.size() + 1));
    EXPECT_EQ(event.status, 400);
    EXPECT_EQ(event.at("/error/field"), "/event");
    EXPECT_EQ(test(std::string(3 * most.size(), ' ')).status, 413);
    const Answer pattern =
        test(R"({"pattern":{"a":[")" + most.substr(0, 5000) + R"("]},"event":{}})");
    EXPECT_EQ(pattern.status, 400);
    EXPECT_THAT(pattern.at("/error/message"), HasSubstr("at most 4096 are allowed"));
}

TEST_F(PatternsApiTest, AsksForATokenAndNothingElse) {
    const std::string body = R"({"pattern":{"a":[1]},"event":{"a":1}})";
    EXPECT_EQ(test("", body).status, 401);
    for (const auth::Role role : {auth::Role::publisher, auth::Role::consumer}) {
        EXPECT_EQ(test(api_.token(role), body).status, 200);
    }
}

}  // namespace
}  // namespace bascule::api
