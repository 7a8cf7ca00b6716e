#include <gmock/gmock.h>

#include "bus/event/body.h"
#include "server/api/api_test_kit.h"

/// Committed events that the log will never take, over the API.
namespace bascule::api {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class OutboxApiTest : public testing::Test {
  protected:
    /// Commits an event against its schema; the log's words about it quote `says`.
    void commit_bad_event(const std::string& user_id, const std::string& id,
                          const std::string& says) {
        event::Event bad;
        bad.event_id = id;
        bad.event_type = "account.deleted";
        bad.timestamp = from_unix_ms(1'767'225'600'000);
        bad.source = "account_service";
        bad.user_id = user_id;
        bad.data = R"({"accountId":"a","transactionCount":")" + says + R"("})";
        api.commit_to_outbox(user_id, id, event::encode_body(bad));
    }
    Answer refused(const std::string& token, const std::string& total) {
        const SystemClock clock;
        const SteadyTime end = clock.steady() + std::chrono::seconds(10);
        Answer list = api.get(token, "/v1/outbox/refused");
        while (list.at("/total") != total && clock.steady() < end) {
            list = api.get(token, "/v1/outbox/refused");
        }
        return list;
    }

    TestApi api;
    std::string ada = api.user("Ada", auth::Role::member);
    std::string operator_token = api.token(auth::Role::operator_);
};

/// Goal: a committed event does not vanish because somebody published another under its id.
TEST_F(OutboxApiTest, AnEventWhoseIdWasTakenFromOutsideIsSetAsideInPlainSight) {
    ASSERT_EQ(api.post(api.owner, "/v1/events",
                       R"({"eventId":"taken","eventType":"account.deleted",)"
                       R"("source":"account_service","userId":")" +
                           ada + R"(","data":{"accountId":"b","transactionCount":1}})")
                  .status,
              200);
    event::Event ours;
    ours.event_id = "taken";
    ours.event_type = "account.deleted";
    ours.timestamp = from_unix_ms(1'767'225'600'000);
    ours.source = "account_service";
    ours.user_id = ada;
    ours.data = R"({"accountId":"a","transactionCount":1})";
    api.commit_to_outbox(ada, "taken", event::encode_body(ours));
    EXPECT_EQ(refused(api.owner, "1").at("/items/0/code"), "id_reused");
}

TEST_F(OutboxApiTest, WhatWasRefusedIsListedAndToldButItsWordsOnlyToWhoMayReadThem) {
    EXPECT_EQ(api.get(operator_token, "/v1/outbox/refused").at("/total"), "0");
    EXPECT_THAT(api.get("", "/readyz").body, Not(HasSubstr("never be published")));

    commit_bad_event(ada, "hers", "secret Zoë");
    commit_bad_event(api.owner_id, "owners", "my secret");
    api.commit_to_outbox(ada, "broken", "rubbish");

    const Answer list = refused(api.owner, "3");
    ASSERT_EQ(list.status, 200) << list.body;
    const auto of = [&](const std::string& id, const std::string& member) {
        for (const char* place : {"/items/0", "/items/1", "/items/2"}) {
            if (list.at(place + std::string("/id")) == id) {
                return list.at(place + ("/" + member));
            }
        }
        return std::string("not in the list");
    };
    EXPECT_EQ(of("hers", "userId"), ada);
    EXPECT_EQ(of("hers", "eventType"), "account.deleted");
    EXPECT_EQ(of("hers", "code"), "invalid_event");
    EXPECT_EQ(of("hers", "reason"), "invalid_event") << "of another's event the kind only";
    EXPECT_THAT(of("owners", "reason"), HasSubstr("my secret"));
    EXPECT_EQ(of("broken", "reason"), "unreadable");
    EXPECT_THAT(list.body, Not(HasSubstr("Zoë")));
    EXPECT_THAT(api.get(operator_token, "/v1/outbox/refused").body, Not(HasSubstr("secret")));

    EXPECT_THAT(api.get("", "/readyz").body, HasSubstr("3 events of the household will never be"));
    EXPECT_EQ(api.get("", "/readyz").status, 200) << "nobody is kept from working";
    EXPECT_THAT(api.get("", "/metrics").body, HasSubstr("\nbascule_outbox_refused 3"));
}

TEST_F(OutboxApiTest, OneIsShownWithItsEventAsFarAsItMayBeRead) {
    commit_bad_event(ada, "hers", "secret Zoë");
    commit_bad_event(api.owner_id, "owners", "my secret");
    api.commit_to_outbox(ada, "broken", "rubbish");
    ASSERT_EQ(refused(api.owner, "3").at("/total"), "3");

    const Answer own = api.get(api.owner, "/v1/outbox/refused/owners");
    EXPECT_EQ(own.at("/event/data/transactionCount"), "my secret") << own.body;
    EXPECT_THAT(own.at("/reason"), HasSubstr("/data/transactionCount"));
    const Answer hers = api.get(api.owner, "/v1/outbox/refused/hers");
    EXPECT_EQ(hers.at("/event/eventType"), "account.deleted") << hers.body;
    EXPECT_EQ(hers.at("/event/data"), "{}");
    EXPECT_THAT(hers.body, Not(HasSubstr("Zoë")));
    EXPECT_EQ(api.get(api.owner, "/v1/outbox/refused/broken").at("/event"), "null");
    EXPECT_EQ(api.get(api.owner, "/v1/outbox/refused/other").status, 404);
}

TEST_F(OutboxApiTest, PagesAreOneListAndMembersSeeNone) {
    for (const char* id : {"1", "2", "3"}) {
        commit_bad_event(ada, id, "x");
    }
    ASSERT_EQ(refused(operator_token, "3").at("/total"), "3");
    std::string ids;
    std::string cursor;
    do {
        const Answer page =
            api.get(operator_token,
                    "/v1/outbox/refused?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
        ASSERT_EQ(page.status, 200) << page.body;
        for (const char* item : {"/items/0/id", "/items/1/id"}) {
            ids += page.at(item);
        }
        cursor = page.at("/nextCursor");
    } while (cursor != "null");
    EXPECT_EQ(ids, "123-");
    EXPECT_EQ(api.get(operator_token, "/v1/outbox/refused?cursor=x").status, 400);
    for (const auth::Role role : {auth::Role::member, auth::Role::publisher}) {
        const std::string token = api.token(role, ada);
        EXPECT_EQ(api.get(token, "/v1/outbox/refused").status, 403);
        EXPECT_EQ(api.get(token, "/v1/outbox/refused/1").status, 403);
    }
}

}  // namespace
}  // namespace bascule::api
