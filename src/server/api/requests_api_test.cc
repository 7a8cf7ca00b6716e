#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "server/api/api_test_kit.h"
#include "server/api/call.h"

/// What requests are refused for, and how the refusal reads.
namespace bascule::api {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RequestsApiTest : public testing::Test {
  protected:
    std::string account(const std::string& name) {
        return api
            .post(api.owner, "/v1/accounts",
                  R"({"name":")" + name + R"(","type":"checking","currency":"EUR"})")
            .at("/id");
    }
    Answer enter(const std::string& account, const std::string& amount) {
        return api.post(api.owner, "/v1/transactions",
                        R"({"accountId":")" + account + R"(","date":"2026-01-02","amount":")" +
                            amount + R"("})");
    }

    TestApi api;
};

TEST_F(RequestsApiTest, AnEventThatIsTooLargeIsToldByWhichLimit) {
    const auto publish = [&](std::size_t bytes) {
        return api.post(api.owner, "/v1/events",
                        R"({"eventType":"a.b","source":"s","userId":"u","data":{"x":")" +
                            std::string(bytes, 'x') + R"("}})");
    };
    for (const auto& [bytes, limit] : {std::pair{std::size_t{2} << 20, "1048576"},
                                       std::pair{std::size_t{20} << 20, "16777216"}}) {
        const Answer answer = publish(bytes);
        EXPECT_EQ(answer.status, 413) << answer.body;
        EXPECT_EQ(answer.at("/error/code"), "too_large");
        EXPECT_THAT(answer.at("/error/message"), HasSubstr(limit));
        EXPECT_THAT(answer.body, HasSubstr("bus.event_bytes_max"));
        EXPECT_THAT(answer.at("/error/hint"), HasSubstr("publish where it is"));
    }
}

TEST_F(RequestsApiTest, AnAmountOutOfRangeIsTheRequestsFault) {
    const std::string id = account("a");
    for (const char* amount :
         {"92233720368547758.08", "1e5", "12345678901234567890123456789012345678901"}) {
        const Answer answer = enter(id, amount);
        EXPECT_EQ(answer.status, 400) << answer.body;
        EXPECT_EQ(answer.at("/error/field"), "amount") << answer.body;
    }
    // Each fits, their sum does not.
    ASSERT_EQ(enter(id, "92233720368547758.07").status, 201);
    const Answer sum = enter(id, "0.01");
    EXPECT_EQ(sum.status, 400) << sum.body;
    EXPECT_EQ(sum.at("/error/field"), "amount") << sum.body;
}

TEST_F(RequestsApiTest, SurplusDigitsAreRefusedWithWhatIsAllowed) {
    const std::string id = account("a");
    const Answer refused = enter(id, "-12.505");
    EXPECT_EQ(refused.status, 400) << refused.body;
    EXPECT_EQ(refused.at("/error/field"), "amount");
    EXPECT_THAT(refused.at("/error/message"),
                HasSubstr("-12.505 has more digits than EUR, which has 2 behind the point; "
                          "-12.50 is the nearest"));
    for (const char* exact : {"1.5", "1.50", "1.500"}) {
        EXPECT_EQ(enter(id, exact).at("/amount"), "1.50");
    }
    const Answer opened = api.ask(api.owner, http::Method::patch, "/v1/accounts/" + id,
                                  R"({"openingBalance":"0.125","openingDate":"2026-01-01"})");
    EXPECT_EQ(opened.status, 400) << opened.body;
    EXPECT_EQ(opened.at("/error/field"), "openingBalance");
}

TEST_F(RequestsApiTest, ADatabaseThatTakesNoMoreWritesIsNotReady) {
    EXPECT_EQ(api.get("", "/readyz").status, 200);
    api.trouble.with([](auto& now) { now.told = {"the database /data/a.db: grows"}; });
    const Answer told = api.get("", "/readyz");
    EXPECT_EQ(told.status, 200);
    EXPECT_THAT(told.body, AllOf(HasSubstr("a.db: grows"), Not(HasSubstr("/data"))));
    api.trouble.with([](auto& now) { now.stopped = {"the database /data/b.db: sync refused"}; });
    const Answer stopped = api.get("", "/readyz");
    EXPECT_EQ(stopped.status, 503);
    EXPECT_THAT(stopped.body, AllOf(HasSubstr("b.db: sync refused"), Not(HasSubstr("/data"))));
}

TEST_F(RequestsApiTest, APauseThatIsOverIsRefused) {
    const Answer answer = api.post(api.owner, "/v1/consumers/audit:pause", R"({"until":0})");
    EXPECT_EQ(answer.status, 422);
    EXPECT_EQ(answer.at("/error/field"), "/until");
    EXPECT_THAT(answer.at("/error/message"), HasSubstr("not in the future"));
    EXPECT_EQ(api.get(api.owner, "/v1/consumers/audit").at("/state"), "running");
}

TEST_F(RequestsApiTest, TimesAreWrittenInAnyOfTheirForms) {
    const std::string pause = "/v1/consumers/audit:pause";
    for (const char* until : {"4102444800000", R"("4102444800000")", R"("2100-01-01")",
                              R"("2100-01-01T00:00:00Z")", R"("2100-01-01T02:00:00+02:00")"}) {
        const Answer answer = api.post(api.owner, pause, R"({"until":)" + std::string(until) + "}");
        EXPECT_EQ(answer.status, 200) << answer.body;
        EXPECT_THAT(answer.body, HasSubstr("\"state\":\"paused\"")) << until;
        ASSERT_EQ(api.post(api.owner, "/v1/consumers/audit:resume", "{}").status, 200);
    }
    for (const char* until : {R"("soon")", "true", "-1", "1.5", R"("")"}) {
        const Answer answer = api.post(api.owner, pause, R"({"until":)" + std::string(until) + "}");
        EXPECT_EQ(answer.status, 400);
        EXPECT_THAT(answer.at("/error/message"),
                    AllOf(HasSubstr("/until: is"), HasSubstr("a date YYYY-MM-DD")))
            << until;
    }
}

TEST_F(RequestsApiTest, AConsumerGoesOnFromWhereItIsTold) {
    const std::string resume = "/v1/consumers/audit:resume";
    EXPECT_EQ(api.post(api.owner, resume, R"({"from":"here"})").at("/error/field"), "/from");
    EXPECT_EQ(api.post(api.owner, resume, R"({"position":"x"})").at("/error/field"), "/position");
    EXPECT_EQ(api.post(api.owner, resume, R"({"from":"now","time":5})").status, 400);
    EXPECT_EQ(api.post(api.owner, resume, R"({"from":"now"})").status, 409) << "not paused";
    ASSERT_EQ(api.post(api.owner, "/v1/consumers/audit:pause", "{}").status, 200);
    const Answer answer = api.post(api.owner, resume, R"({"from":"now"})");
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.at("/state"), "running");
}

TEST_F(RequestsApiTest, ConditionsAreRefusedWithTheirPlace) {
    const Answer answer =
        api.post(api.owner, "/v1/category-rules",
                 R"({"categoryId":"c","conditions":{"all":[{"field":"payee","operator":"is"}]}})");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.at("/error/field"), "conditions.all[0].value") << answer.body;
}

TEST_F(RequestsApiTest, WhereFilesLieIsToldToTheLogOnly) {
    // A file in the place of the blobs' folders: every upload fails in the file system.
    std::filesystem::remove_all(api.folder() + "/blobs");
    std::ofstream(api.folder() + "/blobs") << "x";
    const Answer answer = api.post(api.owner, "/v1/files?fileName=a.csv", "Date,Amount\n");
    EXPECT_GE(answer.status, 500) << answer.body;
    EXPECT_THAT(answer.body, AllOf(Not(HasSubstr(api.folder())), HasSubstr("r-1")));
    api.reports.with([&](const std::string& all) {
        EXPECT_THAT(all, AllOf(HasSubstr("request r-1, POST /v1/files: "),
                               HasSubstr(api.folder() + "/blobs")));
    });
}

TEST(WithoutFoldersTest, LeavesOnlyNames) {
    EXPECT_EQ(without_folders("blob ab: write /srv/data/blobs/ab/cd: No space left on device"),
              "blob ab: write cd: No space left on device");
    EXPECT_EQ(without_folders("open /data: refused"), "open data: refused");
    EXPECT_EQ(without_folders("the queue is full, 3/4 of 200"), "the queue is full, 3/4 of 200");
    EXPECT_EQ(without_folders(""), "");
}

}  // namespace
}  // namespace bascule::api
