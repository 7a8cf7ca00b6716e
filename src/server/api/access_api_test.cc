#include <gmock/gmock.h>

#include "server/api/api_test_kit.h"

/// Users and tokens over the API.
namespace bascule::api {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AccessApiTest : public testing::Test {
  protected:
    Answer post(const std::string& token, const std::string& target, const std::string& body,
                const std::string& key) {
        return api.ask(token, http::Method::post, target, body, {{"Idempotency-Key", key}});
    }
    Answer remove(const std::string& target, const std::string& key = "") {
        http::Headers headers;
        if (!key.empty()) {
            headers.set("Idempotency-Key", key);
        }
        return api.ask(api.owner, http::Method::delete_, target, "", std::move(headers));
    }
    std::string count(const std::string& target) { return api.get(api.owner, target).at("/total"); }
    /// The list once it has an item.
    Answer filled(const std::string& token, const std::string& target) {
        const SystemClock clock;
        const SteadyTime end = clock.steady() + std::chrono::seconds(10);
        Answer answer = api.get(token, target);
        while (answer.at("/total") == "0" && clock.steady() < end) {
            answer = api.get(token, target);
        }
        return answer;
    }

    TestApi api;
};

TEST_F(AccessApiTest, AUserThatOwnsDataStaysAndIsToldWhat) {
    const std::string ada = api.user("Ada", auth::Role::member);
    const std::string token = api.token(auth::Role::member, ada);
    const std::string account =
        api.post(token, "/v1/accounts", R"({"name":"a","type":"checking","currency":"EUR"})")
            .at("/id");
    for (const char* amount : {"1.00", "2.00"}) {
        ASSERT_EQ(api.post(token, "/v1/transactions",
                           R"({"accountId":")" + account + R"(","date":"2026-01-02","amount":")" +
                               amount + R"("})")
                      .status,
                  201);
    }
    const Answer refused = remove("/v1/users/" + ada, "k");
    EXPECT_EQ(refused.status, 409) << refused.body;
    EXPECT_THAT(refused.at("/error/message"),
                AllOf(HasSubstr("1 account, 2 transactions"), Not(HasSubstr("file"))));
    EXPECT_EQ(api.get(token, "/v1/me").status, 200) << "nothing was changed";

    ASSERT_EQ(api.ask(token, http::Method::delete_, "/v1/accounts/" + account).status, 200);
    EXPECT_EQ(remove("/v1/users/" + ada, "k").status, 200) << "the refused request left its key";
    EXPECT_EQ(api.get(token, "/v1/me").status, 401);
}

TEST_F(AccessApiTest, EveryKindOfDataCounts) {
    const std::string ada = api.user("Ada", auth::Role::member);
    const std::string token = api.token(auth::Role::member, ada);
    const std::string category =
        api.post(token, "/v1/categories", R"({"name":"Food","type":"expense"})").at("/id");
    ASSERT_EQ(api.post(token, "/v1/category-rules",
                       R"({"categoryId":")" + category +
                           R"(","conditions":{"all":[{"field":"payee","operator":"equals",)"
                           R"("value":"x"}]}})")
                  .status,
              201);
    ASSERT_EQ(api.post(token, "/v1/files?fileName=a.csv", "Date,Amount\n").status, 202);
    EXPECT_THAT(remove("/v1/users/" + ada).at("/error/message"),
                HasSubstr("1 file, 1 category, 1 category rule;"));
    EXPECT_EQ(remove("/v1/users/nobody").status, 404);
}

TEST_F(AccessApiTest, ADeletedUserLeavesNothingBehindAndIsTold) {
    const std::string bob = api.user("Bob", auth::Role::member);
    const std::string eve = api.user("Eve", auth::Role::member);
    const std::string token = api.token(auth::Role::member, bob);
    for (const std::string& user : {token, api.token(auth::Role::member, eve)}) {
        const Answer put = api.ask(
            user, http::Method::put, "/v1/preferences",
            R"({"webhook":{"url":"https://example.org","secret":"s3cret","enabled":false}})");
        ASSERT_EQ(put.status, 200) << put.body;
        const std::string account =
            api.post(user, "/v1/accounts", R"({"name":"Giro","type":"checking","currency":"EUR"})")
                .at("/id");
        ASSERT_EQ(api.ask(user, http::Method::delete_, "/v1/accounts/" + account).status, 200);
        ASSERT_EQ(filled(user, "/v1/notifications").at("/total"), "1");
    }
    const std::string read = api.get(token, "/v1/notifications").at("/items/0/id");
    ASSERT_EQ(api.post(token, "/v1/notifications/" + read + ":read", "{}").status, 200);

    ASSERT_EQ(remove("/v1/users/" + bob, "k").status, 200);
    ASSERT_EQ(remove("/v1/users/" + bob, "k").status, 200) << "the same answer";
    for (const char* table : {"preferences", "notifications", "notification_reads"}) {
        EXPECT_EQ(api.rows_of(bob, table), 0) << table;
    }
    EXPECT_EQ(api.rows_of(eve, "preferences"), 1) << "others keep theirs";
    EXPECT_EQ(api.rows_of(eve, "notifications"), 1);
    const Answer told = filled(api.owner, "/v1/events?type=user.deleted");
    EXPECT_EQ(told.at("/total"), "1");
    EXPECT_EQ(told.at("/items/0/event/userId"), bob);
    EXPECT_EQ(told.at("/items/0/event/source"), "user_service");
}

/// Goal: what a user asked before their deletion is not carried out after it.
TEST_F(AccessApiTest, WhatWaitsBehindTheDeletionOfItsUserIsRefused) {
    const std::string bob = api.user("Bob", auth::Role::owner);
    const std::string token = api.token(auth::Role::owner, bob);
    std::promise<void> writer = api.hold_writer();
    const auto asked = [&](const std::string& by, http::Method method, const std::string& target,
                           const std::string& body) {
        auto answer = std::make_shared<std::promise<Answer>>();
        api.dispatch(by, method, target, TestApi::reply_to([answer](Result<Answer> told) {
                         answer->set_value(std::move(told).value());
                     }),
                     body);
        return answer->get_future();
    };
    auto deleted = asked(api.owner, http::Method::delete_, "/v1/users/" + bob, "");
    auto account = asked(token, http::Method::post, "/v1/accounts",
                         R"({"name":"Giro","type":"checking","currency":"EUR"})");
    auto other = asked(token, http::Method::post, "/v1/tokens", R"({"role":"publisher"})");
    auto removed = asked(token, http::Method::delete_, "/v1/users/" + api.owner_id, "");
    writer.set_value();
    EXPECT_EQ(deleted.get().status, 200);
    for (auto* late : {&account, &other, &removed}) {
        const Answer answer = late->get();
        EXPECT_EQ(answer.status, 404) << answer.body;
        EXPECT_THAT(answer.at("/error/message"), HasSubstr("the user was deleted before"));
    }
    EXPECT_EQ(api.rows_of(bob, "accounts"), 0);
    EXPECT_EQ(api.get(api.owner, "/v1/me").status, 200);
    EXPECT_EQ(api.get(token, "/v1/me").status, 401);
}

TEST_F(AccessApiTest, ARepeatedUserIsTheSameUser) {
    const std::string body = R"({"name":"Ada","password":"correct horse"})";
    const Answer first = post(api.owner, "/v1/users", body, "k");
    ASSERT_EQ(first.status, 201) << first.body;
    const Answer again = post(api.owner, "/v1/users", body, "k");
    EXPECT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(count("/v1/users"), "2");

    const Answer other = post(api.owner, "/v1/users", R"({"name":"Bob"})", "k");
    EXPECT_EQ(other.status, 409);
    EXPECT_THAT(other.at("/error/message"), HasSubstr("Idempotency-Key"));
    EXPECT_EQ(post(api.owner, "/v1/users", body, "k2").status, 409) << "the name is taken";
    EXPECT_EQ(post(api.owner, "/v1/users", R"({"name":"Bob"})", std::string(256, 'k')).status, 400);
}

TEST_F(AccessApiTest, ARepeatedTokenIsNamedAndNotMadeTwice) {
    const std::string body = R"({"role":"publisher","description":"shop"})";
    const Answer first = post(api.owner, "/v1/tokens", body, "k");
    ASSERT_EQ(first.status, 201) << first.body;
    const std::string before = count("/v1/tokens");
    const Answer again = post(api.owner, "/v1/tokens", body, "k");
    EXPECT_EQ(again.status, 409) << again.body;
    EXPECT_THAT(again.at("/error/message"), HasSubstr(first.at("/id")));
    EXPECT_EQ(count("/v1/tokens"), before);
    EXPECT_EQ(api.get(first.at("/token"), "/v1/me").status, 200);
}

TEST_F(AccessApiTest, ARepeatedRemovalAnswersTheSame) {
    const std::string bob = api.user("Bob", auth::Role::member);
    EXPECT_EQ(remove("/v1/users/" + bob, "k").at("/count"), "1");
    EXPECT_EQ(remove("/v1/users/" + bob, "k").at("/count"), "1");
    EXPECT_EQ(remove("/v1/users/" + bob).status, 404);
    EXPECT_EQ(remove("/v1/users/" + api.owner_id, "k").status, 409) << "another request";

    const std::string token =
        api.post(api.owner, "/v1/tokens", R"({"role":"publisher"})").at("/id");
    EXPECT_EQ(remove("/v1/tokens/" + token, "k2").at("/count"), "1");
    EXPECT_EQ(remove("/v1/tokens/" + token, "k2").at("/count"), "1");
}

TEST_F(AccessApiTest, TokensOfNobodyDoNotShareTheirKeys) {
    const std::string one = api.token(auth::Role::owner);
    const std::string two = api.token(auth::Role::owner);
    EXPECT_EQ(post(one, "/v1/users", R"({"name":"Ada"})", "k").status, 201);
    EXPECT_EQ(post(two, "/v1/users", R"({"name":"Bob"})", "k").status, 201);
}

}  // namespace
}  // namespace bascule::api
