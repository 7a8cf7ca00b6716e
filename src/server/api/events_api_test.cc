#include <gmock/gmock.h>

#include "bus/event/time_text.h"
#include "server/api/api_test_kit.h"

/// Events over the API: who sees what, who may publish what, and what a page or a stream promises.
namespace bascule::api {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr auto uploaded =
    R"("eventType":"file.uploaded","source":"transaction_service","data":{"fileId":"f","fileName":"secret.csv","fileSize":812,"s3Key":"k"})";

class EventsApiTest : public testing::Test {
  protected:
    EventsApiTest()
        : ada_id(api.user("Ada", auth::Role::member)),
          ada(api.token(auth::Role::member, ada_id)),
          operator_token(api.token(auth::Role::operator_)),
          publisher(api.token(auth::Role::publisher)) {}

    /// Publishes as the household's services do.
    Answer publish(const std::string& token, const std::string& id, const std::string& user,
                   const std::string& rest) {
        return api.post(token, "/v1/events",
                        R"({"eventId":")" + id + R"(","userId":")" + user +
                            R"(","metadata":{"actor":")" + name_of(token) +
                            R"(","note":"secret"},)" + rest + "}");
    }
    std::string name_of(const std::string& token) { return api.get(token, "/v1/me").at("/name"); }

    TestApi api;
    std::string ada_id;
    std::string ada;
    std::string operator_token;
    std::string publisher;
};

constexpr auto lamp = R"("eventType":"lamp.switched","source":"kitchen","data":{"on":"secret"})";

TEST_F(EventsApiTest, OperatorsSeeWhoDidItButNotWhatAHouseholdsEventSays) {
    ASSERT_EQ(publish(publisher, "catalogue", ada_id, uploaded).status, 200);
    ASSERT_EQ(publish(ada, "custom", ada_id, lamp).status, 200);
    for (const std::string& reader : {operator_token, api.owner}) {
        for (const char* id : {"catalogue", "custom"}) {
            for (const std::string& path :
                 {std::string("/v1/events/") + id, std::string("/v1/events"),
                  std::string("/v1/audit"), std::string("/v1/chains/") + id}) {
                const Answer answer = api.get(reader, path);
                EXPECT_EQ(answer.status, 200) << path;
                EXPECT_THAT(answer.body, AllOf(HasSubstr(id), Not(HasSubstr("secret")))) << path;
            }
            const Answer one = api.get(reader, std::string("/v1/events/") + id);
            const std::string actor = name_of(id == std::string("custom") ? ada : publisher);
            EXPECT_EQ(one.at("/event/metadata"), R"({"redacted":true,"actor":")" + actor + "\"}");
            EXPECT_EQ(one.at("/event/userId"), ada_id);
        }
    }
    EXPECT_EQ(api.get(ada, "/v1/events/custom").at("/event/data/on"), "secret");
}

/// Goal: nobody puts a deed on somebody else; the trail believes `metadata.actor`.
TEST_F(EventsApiTest, AnEventNamesNoActorButWhoPublishesIt) {
    const auto with_metadata = [&](const std::string& token, const std::string& metadata) {
        return api.post(token, "/v1/events",
                        R"({"eventType":"lamp.switched","source":"kitchen","data":{},"userId":")" +
                            ada_id + R"(","metadata":)" + metadata + "}");
    };
    for (const std::string& token : {ada, publisher, operator_token, api.owner}) {
        const std::string own = "\"" + name_of(token) + "\"";
        for (const std::string& forged :
             {std::string(R"("somebody")"), std::string(R"("")"), std::string("7"),
              std::string(R"({"name":"somebody"})"), "[" + own + "]",
              R"("somebody","actor":)" + own, own + R"(,"\u0061ctor":"somebody")"}) {
            const Answer answer = with_metadata(token, R"({"actor":)" + forged + "}");
            EXPECT_EQ(answer.status, 403) << forged;
            EXPECT_EQ(answer.at("/error/field"), "/metadata/actor") << forged;
        }
        for (const std::string& honest :
             {R"({"actor":)" + own + "}", std::string(R"({"actor":null})"), std::string("{}"),
              std::string("null"), std::string(R"({"for":{"actor":"somebody"}})")}) {
            const Answer answer = with_metadata(token, honest);
            EXPECT_EQ(answer.status, 200) << honest << answer.body;
        }
    }
    const Answer batch = api.post(
        ada, "/v1/events",
        R"({"dryRun":true,"events":[{"eventType":"lamp.switched","source":"kitchen","data":{}},)"
        R"({"eventType":"lamp.switched","source":"kitchen","data":{},"metadata":{"actor":"x"}}]})");
    EXPECT_EQ(batch.status, 403);
    EXPECT_EQ(batch.at("/error/field"), "/events/1/metadata/actor");
}

TEST_F(EventsApiTest, ADeletedUsersEventsStayTheirs) {
    ASSERT_EQ(publish(publisher, "catalogue", ada_id, uploaded).status, 200);
    ASSERT_EQ(publish(ada, "custom", ada_id, lamp).status, 200);
    api.delete_user(ada_id);
    for (const std::string& reader : {operator_token, api.owner}) {
        for (const char* path : {"/v1/events/catalogue", "/v1/events/custom", "/v1/events"}) {
            EXPECT_THAT(api.get(reader, path).body, Not(HasSubstr("secret"))) << path;
        }
    }
}

/// A consumer of lamp.switched whose handler says in its error what it was given.
class TellingConsumerTest : public EventsApiTest {
  protected:
    void consume_with(delivery::Outcome outcome, std::string key = "userId") {
        api.bus().attach("telltale", std::make_shared<broker::FunctionHandler>(
                                         [=](const broker::Delivery&) { return outcome; }));
        broker::BusConfig config = application::built_in_consumers();
        config.consumers.push_back({.name = "telltale",
                                    .handler = {.in_process = "telltale"},
                                    .policy = {},
                                    .key = std::move(key),
                                    .start = broker::Start::now});
        config.rules.push_back({.name = "telltale",
                                .patterns = {{.text = R"({"detail-type": ["lamp.switched"]})"}},
                                .targets = {"telltale"}});
        EXPECT_THAT(
            io::wait_for<>([&](auto done) { api.bus().configure(config, std::move(done)); }),
            Succeeds());
    }
    std::string explained(const std::string& reader, const std::string& id) {
        return api.post(reader, "/v1/consumers/telltale:explain", R"({"eventId":")" + id + R"("})")
            .body;
    }
    /// What `ask` answers once it holds `part`.
    template <class Ask>
    static std::string eventually(const std::string& part, Ask ask) {
        const SystemClock clock;
        const SteadyTime end = clock.steady() + std::chrono::seconds(10);
        std::string text = ask();
        while (!text.contains(part) && clock.steady() < end) {
            text = ask();
        }
        EXPECT_THAT(text, HasSubstr(part));
        return text;
    }
};

TEST_F(TellingConsumerTest, AnErrorAboutAnotherUsersEventIsShownByItsKindOnly) {
    consume_with(delivery::Outcome::permanent("HTTP 400: secret Zoë"));
    ASSERT_EQ(publish(ada, "hers", ada_id, lamp).status, 200);
    ASSERT_EQ(publish(api.owner, "owners", api.owner_id, lamp).status, 200);
    const auto letters = [&] { return api.get(api.owner, "/v1/letters").body; };
    eventually(R"("total":2)", letters);
    for (const bool deleted : {false, true}) {
        if (deleted) {
            api.delete_user(ada_id);
        }
        for (const std::string& reader : {operator_token, api.owner}) {
            std::string id;
            const auto list = json::Value::parse(api.get(reader, "/v1/letters").body);
            ASSERT_TRUE(list.has_value());
            for (const json::Value& letter : list->at("/items")->items()) {
                if (letter.at("/eventId")->text() == R"("hers")") {
                    id = *letter.at("/id")->as_string();
                    EXPECT_THAT(letter.text(), Not(HasSubstr("secret")));
                    EXPECT_EQ(*letter.at("/lastError")->as_string(), "HTTP 400");
                    EXPECT_EQ(*letter.at("/fingerprint")->as_string(), "HTTP #");
                }
            }
            ASSERT_FALSE(id.empty());
            const Answer one = api.get(reader, "/v1/letters/" + id);
            EXPECT_THAT(one.body, Not(HasSubstr("secret")));
            EXPECT_EQ(one.at("/firstError"), "HTTP 400");
            EXPECT_EQ(one.at("/history/0/error"), "HTTP 400");
        }
    }
    EXPECT_THAT(letters(), HasSubstr("HTTP 400: secret Zoë")) << "the owner's own";
    // Letters are named by the fingerprints that are shown, and by no other.
    const auto preview = [&](const std::string& fingerprint) {
        return api
            .post(operator_token, "/v1/letters:redrive",
                  R"({"preview":true,"fingerprint":")" + fingerprint + R"("})")
            .at("/count");
    };
    EXPECT_EQ(preview("HTTP #"), "2");
    EXPECT_EQ(preview("HTTP #: secret Zoë"), "0");
    // Groups and exports say no more than the list.
    const Answer groups = api.get(operator_token, "/v1/letters:groups");
    EXPECT_EQ(groups.at("/items/0/letters"), "2");
    EXPECT_EQ(groups.at("/items/0/fingerprint"), "HTTP #");
    EXPECT_THAT(groups.body, Not(HasSubstr("secret")));
    EXPECT_EQ(api.get(api.owner, "/v1/letters:groups").at("/total"), "2");
    const std::string all = api.get(operator_token, "/v1/letters:export").body;
    EXPECT_EQ(std::ranges::count(all, '\n'), 2);
    EXPECT_THAT(all, Not(HasSubstr("secret")));
    const std::string own = api.get(api.owner, "/v1/letters:export?fingerprint=HTTP%20%23").body;
    EXPECT_EQ(std::ranges::count(own, '\n'), 1);
    EXPECT_THAT(own, HasSubstr(R"("eventId":"hers")"));
    EXPECT_THAT(own, Not(HasSubstr("secret")));
}

TEST_F(TellingConsumerTest, LettersOfARemovedConsumerAreInNobodysWay) {
    consume_with(delivery::Outcome::permanent("HTTP 400"));
    ASSERT_EQ(publish(api.owner, "one", "robin", lamp).status, 200);
    eventually(R"("total":1)", [&] { return api.get(api.owner, "/v1/letters").body; });
    EXPECT_THAT(io::wait_for<>([&](auto done) {
                    api.bus().configure(application::built_in_consumers(), std::move(done));
                }),
                Succeeds());
    const auto verb = [&](const std::string& selection) {
        return api.post(operator_token, "/v1/letters:redrive", selection);
    };
    EXPECT_EQ(verb(R"({"fingerprint":"HTTP #"})").at("/count"), "0");
    EXPECT_EQ(verb(R"({"all":true})").at("/count"), "0");
    const std::string id = api.get(operator_token, "/v1/letters").at("/items/0/id");
    const Answer named = verb(R"({"ids":[")" + id + R"("]})");
    EXPECT_EQ(named.status, 409);
    EXPECT_THAT(named.body, HasSubstr("of a consumer that was removed"));
}

TEST_F(TellingConsumerTest, WhatAHiddenEventSaysCannotBeTriedAsAKey) {
    consume_with(delivery::Outcome::permanent("no"), "data.on");
    ASSERT_EQ(publish(ada, "hers", ada_id, lamp).status, 200);
    eventually(R"("total":1)", [&] { return api.get(api.owner, "/v1/letters").body; });
    const auto found = [&](const std::string& token, const char* key) {
        const std::string query = std::string("?key=") + key;
        const std::string body = std::string(R"({"preview":true,"key":")") + key + R"("})";
        return api.get(token, "/v1/letters" + query).at("/total") + " " +
               api.get(token, "/v1/letters:groups" + query).at("/total") + " " +
               std::to_string(api.get(token, "/v1/letters:export" + query).body.size()) + " " +
               api.post(token, "/v1/letters:redrive", body).at("/count");
    };
    EXPECT_EQ(found(operator_token, "secret"), "0 0 0 0");
    EXPECT_EQ(found(api.owner, "secret"), "0 0 0 0") << "a member's own";
    ASSERT_EQ(publish(api.owner, "owners", api.owner_id, lamp).status, 200);
    eventually(R"("eventId":"hers")", [&] { return api.get(api.owner, "/v1/letters").body; });
    EXPECT_EQ(
        api.post(operator_token, "/v1/letters:skip", R"({"consumer":"telltale","reason":"x"})")
            .at("/count"),
        "1");
    eventually(R"("eventId":"owners")", [&] { return api.get(api.owner, "/v1/letters").body; });
    EXPECT_THAT(found(api.owner, "secret"), testing::MatchesRegex("1 1 [1-9][0-9]* 1"));
    EXPECT_EQ(found(operator_token, "wrong"), "0 0 0 0");
}

TEST_F(TellingConsumerTest, TheVerbsOfLettersAreAskedForInWords) {
    consume_with(delivery::Outcome::permanent("HTTP 400"));
    for (const char* id : {"one", "two", "three"}) {
        ASSERT_EQ(publish(api.owner, id, std::string("lamp-") + id, lamp).status, 200);
    }
    eventually(R"("total":3)", [&] { return api.get(api.owner, "/v1/letters").body; });
    const auto verb = [&](const char* name, const std::string& body) {
        return api.post(operator_token, std::string("/v1/letters:") + name, body);
    };
    EXPECT_EQ(
        verb("redrive", R"({"preview":true,"from":"1970-01-01","to":"2000-01-01"})").at("/count"),
        "0");
    EXPECT_EQ(verb("redrive", R"({"preview":true,"from":"1970-01-01"})").at("/count"), "3");
    EXPECT_EQ(verb("redrive", R"({"preview":true,"key":"lamp-two"})").at("/count"), "1");
    EXPECT_THAT(verb("redrive", R"({"from":"yesterday"})").body,
                HasSubstr(R"(/from: is \"yesterday\"; a date)"));
    EXPECT_EQ(verb("redrive", R"({"all":true,"rate":0})").status, 400);
    EXPECT_THAT(verb("redrive", "{}").body, HasSubstr("key"));
    EXPECT_EQ(verb("skip", R"({"all":true})").status, 400) << "needs a reason";
    EXPECT_EQ(verb("discard", R"({"all":true,"reason":"x","rate":1})").status, 400)
        << "only a redrive has a rate";

    // The first fails again, so the others stay.
    ASSERT_EQ(verb("redrive", R"({"all":true,"canary":true,"rate":10})").at("/count"), "3");
    eventually(R"("total":3)",
               [&] { return api.get(operator_token, "/v1/letters?state=open").body; });
    EXPECT_EQ(verb("stop", R"({"all":true})").status, 200);
    eventually(R"("total":0)",
               [&] { return api.get(operator_token, "/v1/letters?state=redriving").body; });
    eventually(R"("redrives":1)", [&] { return api.get(operator_token, "/v1/letters").body; });
    EXPECT_THAT(api.get(operator_token, "/v1/letters?state=offen").body,
                HasSubstr("state: is 'offen'; open, waiting"));
    for (const char* path : {"/v1/letters", "/v1/letters:groups", "/v1/letters:export"}) {
        EXPECT_EQ(api.get(operator_token, std::string(path) + "?consumer=lampe").status, 404);
    }
    EXPECT_EQ(verb("redrive", R"({"consumer":"lampe"})").status, 404);
    EXPECT_EQ(verb("skip", R"({"all":true,"reason":"of last year"})").at("/count"), "3");
    EXPECT_THAT(api.get(operator_token, "/v1/letters?state=closed").body,
                HasSubstr("skipped: of last year"));
    EXPECT_EQ(api.get(operator_token, "/v1/letters:groups").at("/total"), "0");
}

TEST_F(TellingConsumerTest, AnExplanationKeepsAnotherUsersErrorToItself) {
    consume_with(delivery::Outcome::transient("secret", std::chrono::seconds(30)));
    ASSERT_EQ(publish(ada, "hers", ada_id, lamp).status, 200);
    ASSERT_EQ(publish(api.owner, "owners", api.owner_id, lamp).status, 200);
    const std::string reason =
        eventually(" failed, the last with: ", [&] { return explained(operator_token, "hers"); });
    EXPECT_THAT(reason, AllOf(Not(HasSubstr("secret")), HasSubstr(": failed")));
    eventually("secret", [&] { return explained(api.owner, "owners"); });
}

TEST_F(EventsApiTest, EventsOfNobodyHereAreReadByThoseWhoRunTheBus) {
    ASSERT_EQ(publish(publisher, "foreign", "robin", lamp).status, 200);
    ASSERT_EQ(publish(publisher, "foreign-file", "robin", uploaded).status, 200);
    EXPECT_EQ(api.get(operator_token, "/v1/events/foreign").at("/event/data/on"), "secret");
    EXPECT_EQ(api.get(operator_token, "/v1/events/foreign-file").at("/event/data"), "{}");
    EXPECT_EQ(api.get(api.owner, "/v1/events/foreign-file").at("/event/data/fileId"), "f");
    EXPECT_EQ(api.get(ada, "/v1/events/foreign").status, 404);
}

TEST_F(EventsApiTest, TextIsSearchedOnlyInEventsOfTheCallersOwnUser) {
    ASSERT_EQ(publish(publisher, "hers", ada_id, lamp).status, 200);
    ASSERT_EQ(publish(publisher, "owners", api.owner_id, lamp).status, 200);
    EXPECT_EQ(api.get(operator_token, "/v1/events?text=secret").status, 403);
    EXPECT_EQ(api.get(operator_token, "/v1/audit?text=nothing").status, 403);
    EXPECT_EQ(api.get(ada, "/v1/events?text=secret").at("/items/0/event/eventId"), "hers");
    const Answer found = api.get(api.owner, "/v1/events?text=secret");
    EXPECT_EQ(found.at("/total"), "1");
    EXPECT_EQ(found.at("/items/0/event/eventId"), "owners");
}

struct PublishCase {
    const char* claim;
    auth::Role role;
    const char* user;  ///< of the event: "own", "owner", "robin"
    const char* type;
    const char* source;
    const char* field;  ///< of the refusal; "" = accepted
};

class PublishRulesTest : public EventsApiTest, public testing::WithParamInterface<PublishCase> {};

TEST_P(PublishRulesTest, DecideByRoleTypeAndSource) {
    const PublishCase& now = GetParam();
    const bool bound = now.role == auth::Role::member || std::string_view(now.user) == "own";
    const std::string token = api.token(now.role, bound ? ada_id : "");
    const std::string user = std::string_view(now.user) == "own"     ? ada_id
                             : std::string_view(now.user) == "owner" ? api.owner_id
                                                                     : now.user;
    const std::string event =
        R"({"userId":")" + user + R"(","eventType":")" + now.type + R"(","source":")" + now.source +
        R"(","data":{"fileId":"f","fileName":"n","fileSize":1,"s3Key":"k","consumer":"audit"}})";
    for (const char* suffix : {"", R"(,"dryRun":true)"}) {
        const Answer answer =
            api.post(token, "/v1/events", R"({"events":[)" + event + "]" + suffix + "}");
        if (*now.field == '\0') {
            EXPECT_EQ(answer.status, 200) << answer.body;
            continue;
        }
        EXPECT_EQ(answer.status, 403) << answer.body;
        EXPECT_EQ(answer.at("/error/field"), std::string("/events/0") + now.field) << answer.body;
    }
    const Answer single = api.post(token, "/v1/events", event);
    EXPECT_EQ(single.status, *now.field == '\0' ? 200 : 403) << single.body;
}

using auth::Role;
INSTANTIATE_TEST_SUITE_P(
    Table, PublishRulesTest,
    testing::Values(
        PublishCase{"MemberOwnTypes", Role::member, "own", "lamp.switched", "kitchen", ""},
        PublishCase{"MemberForAnother", Role::member, "owner", "lamp.switched", "kitchen",
                    "/userId"},
        PublishCase{"MemberForNobodyHere", Role::member, "robin", "lamp.switched", "kitchen",
                    "/userId"},
        PublishCase{"MemberCatalogueType", Role::member, "own", "file.uploaded",
                    "transaction_service", "/eventType"},
        PublishCase{"MemberCatalogueTypeFromElsewhere", Role::member, "own", "file.uploaded",
                    "kitchen", "/eventType"},
        PublishCase{"MemberSystemSource", Role::member, "own", "lamp.switched",
                    "transaction_service", "/source"},
        PublishCase{"MemberBusType", Role::member, "own", "bus.consumer_paused", "kitchen",
                    "/eventType"},
        PublishCase{"PublisherCatalogueType", Role::publisher, "robin", "file.uploaded",
                    "transaction_service", ""},
        PublishCase{"PublisherWithUserForOwn", Role::publisher, "own", "file.uploaded",
                    "transaction_service", ""},
        PublishCase{"PublisherBusType", Role::publisher, "robin", "bus.anything", "kitchen",
                    "/eventType"},
        PublishCase{"PublisherBusSource", Role::publisher, "robin", "lamp.switched", "bascule",
                    "/source"},
        PublishCase{"OperatorCatalogueType", Role::operator_, "robin", "file.uploaded",
                    "transaction_service", ""},
        PublishCase{"OperatorBusType", Role::operator_, "robin", "bus.consumer_paused", "bascule",
                    "/eventType"},
        PublishCase{"OwnerCatalogueType", Role::owner, "robin", "file.uploaded",
                    "transaction_service", ""},
        PublishCase{"OwnerBusSource", Role::owner, "robin", "lamp.switched", "bascule", "/source"}),
    [](const auto& info) { return info.param.claim; });

TEST_F(EventsApiTest, APublisherWithAUserSpeaksForNobodyElse) {
    const std::string token = api.token(auth::Role::publisher, ada_id);
    EXPECT_EQ(publish(token, "e", api.owner_id, lamp).at("/error/field"), "/userId");
}

TEST_F(EventsApiTest, ControlCharactersAreRefusedWithTheirField) {
    const Answer stored =
        api.post(api.owner, "/v1/events",
                 R"({"eventId":"a\nb","userId":"u","eventType":"x.y","source":"s","data":{}})");
    EXPECT_EQ(stored.status, 422);
    EXPECT_EQ(stored.at("/error/field"), "/eventId");
    for (const char* target :
         {"/v1/events?text=%00", "/v1/events?type=a%0Ab", "/v1/transactions?text=%00",
          "/v1/transactions?text=%C2%85", "/v1/transactions?text=%FF"}) {
        const Answer answer = api.get(api.owner, target);
        EXPECT_EQ(answer.status, 400) << target;
        EXPECT_THAT(answer.at("/error/message"), HasSubstr("control characters")) << target;
        EXPECT_NE(answer.at("/error/field"), "-") << target;
    }
    EXPECT_EQ(api.get(api.owner, "/v1/accounts/a%0Ab").status, 400);
    EXPECT_EQ(api.get(api.owner, "/v1/transactions?text=%C3%BC").status, 200);
}

TEST_F(EventsApiTest, WhatWasPublishedIsFoundAtOnce) {
    for (int i = 0; i < 5; ++i) {
        const std::string id = "e" + std::to_string(i);
        const Answer published = publish(publisher, id, "robin", lamp);
        ASSERT_EQ(published.status, 200);
        const Answer page = api.get(api.owner, "/v1/events?limit=1");
        EXPECT_EQ(page.at("/items/0/event/eventId"), id);
        EXPECT_EQ(page.at("/complete"), "true");
        EXPECT_EQ(api.get(api.owner, "/v1/chains/" + id).status, 200);
    }
}

TEST_F(EventsApiTest, NothingBesideABatchIsIgnored) {
    const std::string event = R"({"userId":"u","eventType":"lamp.on","source":"s","data":{}})";
    for (const std::string& body : {R"({"events":[)" + event + R"(],"eventType":"lamp.off"})",
                                    R"({"eventType":"lamp.off","events":[)" + event + "]}"}) {
        const Answer answer = api.post(api.owner, "/v1/events", body);
        EXPECT_EQ(answer.status, 400) << body;
        EXPECT_THAT(answer.at("/error/message"), HasSubstr("'eventType' is not known beside"));
    }
}

TEST_F(EventsApiTest, AnIdempotencyKeyIsItsTokensAlone) {
    const std::string event = R"({"userId":"u","eventType":"lamp.on","source":"s","data":{}})";
    const std::string other = api.token(auth::Role::publisher);
    const auto publish_with_key = [&](const std::string& token) {
        http::Headers headers;
        headers.set("Idempotency-Key", "k");
        return api.ask(token, http::Method::post, "/v1/events", event, std::move(headers))
            .at("/results/0/status");
    };
    EXPECT_EQ(publish_with_key(publisher), "accepted");
    EXPECT_EQ(publish_with_key(other), "accepted");
    EXPECT_EQ(publish_with_key(publisher), "duplicate");
}

TEST_F(EventsApiTest, SearchesTakeDaysTimesAndMilliseconds) {
    ASSERT_EQ(publish(api.owner, "one", api.owner_id, lamp).status, 200);
    const auto found = [&](const std::string& filter) {
        return api.get(api.owner, "/v1/events?type=lamp.switched&" + filter).at("/total");
    };
    for (const char* past :
         {"2000-01-01", "2000-01-01T00:00:00Z", "2000-01-01T02:00:00.5%2B02:00", "946684800000"}) {
        EXPECT_EQ(found(std::string("from=") + past), "1") << past;
        EXPECT_EQ(found(std::string("to=") + past), "0") << past;
    }
    for (const char* coming : {"2999-01-01", "2999-01-01T00:00:00-11:30"}) {
        EXPECT_EQ(found(std::string("from=") + coming), "0") << coming;
        EXPECT_EQ(found(std::string("to=") + coming), "1") << coming;
    }
    const std::string ms =
        api.get(api.owner, "/v1/events?type=lamp.switched").at("/items/0/recordedAt");
    const std::string day = event::to_iso_seconds(from_unix_ms(std::stoll(ms))).substr(0, 10);
    for (const std::string& same : {day, ms}) {
        EXPECT_EQ(found("from=" + same + "&to=" + same), "1") << "both ends belong to it: " << same;
    }
    for (const char* wrong : {"2026-01-01T00:00:00", "2026-01-01T25:00:00Z", "yesterday", "-1"}) {
        const Answer answer = api.get(api.owner, std::string("/v1/events?from=") + wrong);
        EXPECT_EQ(answer.status, 400) << wrong;
        EXPECT_THAT(answer.at("/error/message"), HasSubstr("YYYY-MM-DDThh:mm:ssZ")) << wrong;
    }
}

TEST_F(EventsApiTest, ATrailThatStandsStillIsAnsweredAsFarAsItGoes) {
    ASSERT_EQ(publish(publisher, "before", "robin", lamp).status, 200);
    const std::string reached = api.get(api.owner, "/v1/events").at("/completeTo");
    ASSERT_EQ(api.post(api.owner, "/v1/consumers/audit:pause", "{}").status, 200);
    ASSERT_EQ(publish(publisher, "after", "robin", lamp).status, 200);
    const Answer page = api.get(api.owner, "/v1/events");
    EXPECT_EQ(page.at("/complete"), "false");
    EXPECT_EQ(page.at("/completeTo"), reached);
    EXPECT_THAT(page.body, Not(HasSubstr("after")));
    // The one event that is known by its id is looked for in the log itself.
    EXPECT_EQ(api.get(api.owner, "/v1/events/after").status, 200);
}

TEST_F(EventsApiTest, ACursorBelongsToItsListItsFiltersAndItsReader) {
    for (const char* id : {"a", "b", "c"}) {
        ASSERT_EQ(publish(publisher, id, ada_id, lamp).status, 200);
    }
    const std::string cursor = api.get(ada, "/v1/events?limit=1").at("/nextCursor");
    const std::string with = "limit=1&cursor=" + cursor;
    const Answer second = api.get(ada, "/v1/events?" + with);
    EXPECT_EQ(second.at("/items/0/event/eventId"), "b");
    EXPECT_EQ(api.get(ada, "/v1/events?cursor=" + cursor).at("/items/1/event/eventId"), "a");
    std::string changed = cursor;
    changed.back() = changed.back() == '0' ? '1' : '0';
    for (const auto& [reader, target] : std::vector<std::pair<std::string, std::string>>{
             {ada, "/v1/audit?" + with},
             {ada, "/v1/events?type=lamp.switched&" + with},
             {ada, "/v1/accounts?" + with},
             {api.owner, "/v1/events?" + with},
             {ada, "/v1/events?cursor=" + changed},
             {ada, "/v1/events?cursor=1"},
             {ada, "/v1/events?cursor=" + cursor.substr(0, 16)}}) {
        const Answer answer = api.get(reader, target);
        EXPECT_EQ(answer.status, 400) << target;
        EXPECT_EQ(answer.at("/error/field"), "cursor") << answer.body;
    }
    EXPECT_EQ(api.get(api.owner, "/v1/letters?cursor=5").status, 400);
}

TEST_F(EventsApiTest, AStreamThatComesBackToAnotherLogSaysSo) {
    ASSERT_EQ(publish(publisher, "e", "robin", lamp).status, 200);
    const std::string end = "0:" + std::to_string(api.bus().log().end().value());
    const auto back = [&](const std::string& last) {
        return api.ask(api.owner, http::Method::get, "/v1/stream", "", {{"Last-Event-ID", last}});
    };
    const std::string last = "0:" + std::to_string(api.bus().log().end().value() - 1);
    const Answer beyond = back("0:999999");
    EXPECT_EQ(beyond.status, 200);
    EXPECT_THAT(beyond.body, AllOf(HasSubstr("event: gap\n"), HasSubstr("id: " + last + "\n"),
                                   HasSubstr(R"("continuesAt":")" + end + "\"")));
    EXPECT_THAT(back(last).body, Not(HasSubstr("gap")));
    EXPECT_EQ(back("nonsense").at("/error/field"), "Last-Event-ID");
    const Answer from = api.get(api.owner, "/v1/stream?from=0:999999");
    EXPECT_EQ(from.status, 400);
    EXPECT_THAT(from.at("/error/message"), HasSubstr(end));
    EXPECT_EQ(api.get(api.owner, "/v1/stream?from=" + end).status, 200);
}

}  // namespace
}  // namespace bascule::api
