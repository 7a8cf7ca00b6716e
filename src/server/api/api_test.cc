#include <gtest/gtest.h>

#include "foundation/base/testing.h"
#include "foundation/json/value.h"
#include "server/api/body.h"
#include "server/api/forms.h"
#include "server/api/openapi.h"

namespace bascule::api {
namespace {

using testing::HasSubstr;

TEST(BodyTest, NamesTheMemberAndWhatIsAllowed) {
    auto body = Body::parse(R"({"name":7,"priority":101,"extra":1})");
    ASSERT_THAT(body, Succeeds());
    EXPECT_EQ(body->text("name"), std::nullopt);
    EXPECT_THAT(body->finish(), FailsWith(ErrorKind::invalid, HasSubstr("/name: must be a text")));

    body = Body::parse(R"({"priority":101})");
    EXPECT_EQ(body->integer("priority", 0, 100), std::nullopt);
    EXPECT_THAT(body->finish(), FailsWith(ErrorKind::invalid, HasSubstr("0 to 100")));

    body = Body::parse(R"({"nmae":"x"})");
    EXPECT_EQ(body->text("name"), std::nullopt);
    EXPECT_THAT(body->finish(), FailsWith(ErrorKind::invalid,
                                          HasSubstr("/nmae: is not known here; known are name")));
}

TEST(BodyTest, NullMeansAbsentButForMembersThatItTakesAway) {
    auto body = Body::parse(R"({"a":null,"b":null})");
    EXPECT_EQ(body->text("a"), std::nullopt);
    EXPECT_EQ(body->text_or_null("b"), "");
    EXPECT_THAT(body->finish(), Succeeds());
}

TEST(BodyTest, RefusesWhatIsNoObject) {
    EXPECT_THAT(Body::parse("[1]"), FailsWith(ErrorKind::invalid, HasSubstr("JSON object")));
    EXPECT_THAT(Body::parse("{"), FailsWith(ErrorKind::invalid, HasSubstr("not JSON")));
    EXPECT_THAT(Body::parse(""), Succeeds());
}

TEST(PositionTest, SurvivesItsText) {
    EXPECT_EQ(parse_position(position_text(Offset(42))).value(), Offset(42));
    for (const char* bad : {"42", "0:", "1:42", "0:4x", ""}) {
        EXPECT_THAT(parse_position(bad), FailsWith(ErrorKind::invalid)) << bad;
    }
}

TEST(OpenApiTest, IsServedAsJsonWithAllItsPaths) {
    const auto document = json::Value::parse(openapi_json());
    ASSERT_THAT(document, Succeeds());
    EXPECT_EQ(document->find("openapi")->as_string(), "3.1.0");
    EXPECT_NE(document->at("/paths/~1v1~1events/post/operationId"), nullptr);
    EXPECT_NE(document->at("/components/schemas/Error"), nullptr);
}

}  // namespace
}  // namespace bascule::api
