#include "server/http/webhook.h"

#include <gtest/gtest.h>

namespace bascule::http {
namespace {

using Kind = delivery::Outcome::Kind;

struct AnswerCase {
    const char* claim;
    int status;
    const char* retry_after;
    ConflictMeans conflict;
    Kind kind;
    bool counted;
};

class OutcomeOfTest : public testing::TestWithParam<AnswerCase> {};

TEST_P(OutcomeOfTest, IsAsTheContractSays) {
    const AnswerCase& row = GetParam();
    Response response{.status = row.status};
    if (*row.retry_after != '\0') {
        response.headers.set("Retry-After", row.retry_after);
    }
    const delivery::Outcome outcome = outcome_of(response, row.conflict);
    EXPECT_EQ(outcome.kind, row.kind);
    EXPECT_EQ(outcome.counted, row.counted);
}

constexpr auto retry = ConflictMeans::retry;
INSTANTIATE_TEST_SUITE_P(
    Table, OutcomeOfTest,
    testing::Values(AnswerCase{"OkIsDone", 200, "", retry, Kind::done, true},
                    AnswerCase{"NoContentIsDone", 204, "", retry, Kind::done, true},
                    AnswerCase{"RequestTimeoutIsTransient", 408, "", retry, Kind::transient, true},
                    AnswerCase{"ConflictIsTransient", 409, "", retry, Kind::transient, true},
                    AnswerCase{"ConflictMayBeDone", 409, "", ConflictMeans::done, Kind::done, true},
                    AnswerCase{"TooEarlyIsTransient", 425, "", retry, Kind::transient, true},
                    AnswerCase{"ServerErrorIsTransient", 500, "", retry, Kind::transient, true},
                    AnswerCase{"BusyWithTimeIsNotCounted", 503, "7", retry, Kind::transient, false},
                    AnswerCase{"TooManyWithTimeIsNotCounted", 429, "7", retry, Kind::transient,
                               false},
                    AnswerCase{"TooManyWithoutTimeCounts", 429, "", retry, Kind::transient, true},
                    AnswerCase{"NonsenseTimeCounts", 429, "soon", retry, Kind::transient, true},
                    AnswerCase{"NotFoundIsPermanent", 404, "", retry, Kind::permanent, true},
                    AnswerCase{"BadRequestIsPermanent", 400, "", retry, Kind::permanent, true},
                    AnswerCase{"RedirectIsPermanent", 302, "", retry, Kind::permanent, true}),
    [](const auto& info) { return info.param.claim; });

TEST(OutcomeOfTest, TheHandlersWaitIsKept) {
    Response response{.status = 503};
    response.headers.set("Retry-After", "7");
    EXPECT_EQ(outcome_of(response, retry).retry_after, std::chrono::seconds(7));
}

TEST(WebhookSignatureTest, CoversTimeAndBody) {
    // HMAC-SHA256("key", "1700000000.{}"), computed with openssl dgst.
    const std::string signature = webhook_signature("key", 1'700'000'000, "{}");
    EXPECT_EQ(signature,
              "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae");
    EXPECT_NE(signature, webhook_signature("key", 1'700'000'001, "{}"));
    EXPECT_NE(signature, webhook_signature("key", 1'700'000'000, "{ }"));
    EXPECT_NE(signature, webhook_signature("yek", 1'700'000'000, "{}"));
}

}  // namespace
}  // namespace bascule::http
