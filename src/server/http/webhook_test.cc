#include "server/http/webhook.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

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
    const delivery::Outcome outcome = outcome_of(response, {}, row.conflict, WallTime{});
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
                    AnswerCase{"NoStatusAtAllIsTransient", 0, "", retry, Kind::transient, true},
                    AnswerCase{"BelowHttpIsTransient", 99, "", retry, Kind::transient, true},
                    AnswerCase{"InformationIsTransient", 101, "", retry, Kind::transient, true},
                    AnswerCase{"AboveHttpIsTransient", 999, "", retry, Kind::transient, true},
                    AnswerCase{"RedirectIsPermanent", 302, "", retry, Kind::permanent, true}),
    [](const auto& info) { return info.param.claim; });

struct WaitCase {
    const char* claim;
    const char* retry_after;
    std::optional<std::chrono::milliseconds> wait;  ///< nothing: the attempt counts
};

class RetryAfterTest : public testing::TestWithParam<WaitCase> {};

TEST_P(RetryAfterTest, IsReadAndKeptWithinItsBounds) {
    // One minute and 500 ms before the dates below.
    constexpr WallTime now =
        std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 48min + 36s + 500ms;
    Response response{.status = 503};
    response.headers.set("Retry-After", GetParam().retry_after);
    const delivery::Outcome outcome = outcome_of(response, {}, retry, now);
    EXPECT_EQ(outcome.kind, Kind::transient);
    EXPECT_EQ(outcome.retry_after, GetParam().wait);
    EXPECT_EQ(outcome.counted, !GetParam().wait);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RetryAfterTest,
    testing::Values(WaitCase{"Seconds", "7", 7s}, WaitCase{"NoTimeIsTheLeast", "0", 1s},
                    WaitCase{"MuchIsTheMost", "86401", 24h},
                    WaitCase{"MoreDigitsThanANumberHolds", "99999999999999999999999", 24h},
                    WaitCase{"Date", "Sun, 06 Nov 1994 08:49:37 GMT", 60'500ms},
                    WaitCase{"DateOfRfc850", "Sunday, 06-Nov-94 08:49:37 GMT", 60'500ms},
                    WaitCase{"DateOfAsctime", "Sun Nov  6 08:49:37 1994", 60'500ms},
                    WaitCase{"DateGoneByIsTheLeast", "Sun, 06 Nov 1994 08:00:00 GMT", 1s},
                    WaitCase{"FarDateIsTheMost", "Mon, 06 Nov 2094 08:49:37 GMT", 24h},
                    WaitCase{"LeapSecond", "Sun, 06 Nov 1994 08:48:60 GMT", 23'500ms},
                    WaitCase{"Negative", "-1", {}}, WaitCase{"Fraction", "1.5", {}},
                    WaitCase{"Nonsense", "soon", {}}, WaitCase{"Empty", "", {}},
                    WaitCase{"NoSuchDay", "Sun, 31 Nov 1994 08:49:37 GMT", {}},
                    WaitCase{"NoSuchHour", "Sun, 06 Nov 1994 24:49:37 GMT", {}},
                    WaitCase{"NoSuchMonth", "Sun, 06 Nob 1994 08:49:37 GMT", {}},
                    WaitCase{"AnotherZone", "Sun, 06 Nov 1994 08:49:37 CET", {}}),
    [](const auto& info) { return info.param.claim; });

// ── Answers per event ────────────────────────────────────────────────────────────────────────────

struct ItemsCase {
    const char* claim;
    const char* body;
    Kind kind;
    std::vector<std::pair<std::uint64_t, delivery::ItemFailure::Kind>> failures;
    const char* text;
};

class FailuresInAnAnswerTest : public testing::TestWithParam<ItemsCase> {};

TEST_P(FailuresInAnAnswerTest, AreOfTheEventsThatTheyName) {
    const ItemsCase& row = GetParam();
    const SentEvents sent{{"a", Offset(3)}, {"b", Offset(5)}, {"a", Offset(8)}};
    const delivery::Outcome outcome =
        outcome_of({.status = 200, .body = row.body}, sent, retry, WallTime{});
    EXPECT_EQ(outcome.kind, row.kind);
    std::vector<std::pair<std::uint64_t, delivery::ItemFailure::Kind>> failures;
    std::string text = outcome.text;
    for (const delivery::ItemFailure& failure : outcome.failures) {
        failures.emplace_back(failure.offset.value(), failure.kind);
        text = failure.text;
    }
    EXPECT_EQ(failures, row.failures);
    EXPECT_EQ(text, row.text);
}

constexpr auto later = delivery::ItemFailure::Kind::transient;
constexpr auto never = delivery::ItemFailure::Kind::permanent;
INSTANTIATE_TEST_SUITE_P(
    Table, FailuresInAnAnswerTest,
    testing::Values(
        ItemsCase{"NoBody", "", Kind::done, {}, ""}, ItemsCase{"NoJson", "{ok", Kind::done, {}, ""},
        ItemsCase{"NothingAboutFailures", R"({"ok": true})", Kind::done, {}, ""},
        ItemsCase{"NoFailures", R"({"failures": []})", Kind::done, {}, ""},
        ItemsCase{"OneOfThree",
                  R"({"failures": [{"eventId": "b", "error": "row 7"}]})",
                  Kind::done,
                  {{5, later}},
                  "HTTP 200: row 7"},
        ItemsCase{"NeverAgain",
                  R"({"failures": [{"eventId": "b", "retry": false}]})",
                  Kind::done,
                  {{5, never}},
                  "HTTP 200: "},
        ItemsCase{"AllOfThatName",
                  R"( {"failures": [{"eventId": "a", "retry": true, "error": "x"}]})",
                  Kind::done,
                  {{3, later}, {8, later}},
                  "HTTP 200: x"},
        ItemsCase{"OfAnotherRun",
                  R"({"failures": [{"eventId": "b"}, {"eventId": "c"}]})",
                  Kind::transient,
                  {},
                  "HTTP 200: its failures name an event that was not sent"},
        ItemsCase{"NoList",
                  R"({"failures": 2})",
                  Kind::transient,
                  {},
                  "HTTP 200: its failures are no list"},
        ItemsCase{"NoId",
                  R"({"failures": [{"id": "a"}]})",
                  Kind::transient,
                  {},
                  "HTTP 200: its failures hold something without an eventId, or a retry that is "
                  "neither true nor false"},
        ItemsCase{"NoFlag",
                  R"({"failures": [{"eventId": "a", "retry": "no"}]})",
                  Kind::transient,
                  {},
                  "HTTP 200: its failures hold something without an eventId, or a retry that is "
                  "neither true nor false"}),
    [](const auto& info) { return info.param.claim; });

TEST(ErrorClassTest, RepeatsNothingThatAnEndpointSaid) {
    for (const auto& [error, expected] : std::vector<std::pair<std::string, std::string>>{
             {"HTTP 400: secret", "HTTP 400"},
             {"HTTP 302 (redirects are not followed; name the final URL)", "HTTP 302"},
             {"HTTP 4", "failed"},
             {"HTTP 4x0: secret", "failed"},
             {"shop.example:8443: connect: Connection refused", "not connected"},
             {"shop.example: no answer within 1000 ms", "no answer in time"},
             {"no answer within 1000 ms", "no answer in time"},
             {"cannot be read: offsets 5 to 9 are lost: secret", "the event cannot be read"},
             {"the letter was damaged and made anew: its history is lost",
              "the letter was damaged and made anew"},
             {"row 17: secret", "failed"},
             {"secret", "failed"},
             {"", "failed"}}) {
        EXPECT_EQ(error_class(error), expected) << error;
    }
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
