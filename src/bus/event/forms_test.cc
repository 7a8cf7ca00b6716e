#include <gtest/gtest.h>

#include "bus/event/body.h"
#include "bus/event/eventbridge_form.h"
#include "bus/event/seed_form.h"
#include "bus/event/time_text.h"
#include "foundation/base/random.h"
#include "foundation/base/testing.h"
#include "foundation/json/raw.h"
#include "foundation/json/value.h"

namespace bascule::event {
namespace {

using testing::HasSubstr;

constexpr const char* uploaded =
    R"({"eventId":"e-1","eventType":"file.uploaded","eventVersion":"1.0","timestamp":1732521600123,"source":"transaction_service","userId":"u-1","correlationId":"c-1","causationId":"e-0","data":{ "fileId":"f", "fileSize": 1.0e3,"big":12345678901234567890.10,"fileId2":"\u00e9" },"metadata":{"actor":"u-1"},"x-new":[1, 2],"tags":{"a":null}})";

constexpr Arrival arrival{.id = "7bf73129-1428-4cd3-a780-95db273d1602",
                          .time = WallTime(std::chrono::milliseconds(1732521600999)),
                          .account = "111111111111",
                          .region = "eu-central-1"};

TEST(SeedFormTest, ReadsEveryField) {
    const auto event = parse_seed(uploaded);
    ASSERT_THAT(event, Succeeds());
    EXPECT_EQ(event->form, Form::seed);
    EXPECT_EQ(event->event_id, "e-1");
    EXPECT_EQ(event->event_type, "file.uploaded");
    EXPECT_EQ(event->event_version, "1.0");
    EXPECT_EQ(to_unix_ms(event->timestamp), 1732521600123);
    EXPECT_EQ(event->source, "transaction_service");
    EXPECT_EQ(event->user_id, "u-1");
    EXPECT_EQ(event->correlation_id, "c-1");
    EXPECT_EQ(event->causation_id, "e-0");
    EXPECT_EQ(
        event->data,
        R"({ "fileId":"f", "fileSize": 1.0e3,"big":12345678901234567890.10,"fileId2":"\u00e9" })");
    EXPECT_EQ(event->metadata, R"({"actor":"u-1"})");
    EXPECT_EQ(event->extras, R"({"x-new":[1, 2],"tags":{"a":null}})");
}

TEST(SeedFormTest, GivesBackEveryByteOfDataAndUnknownMembers) {
    EXPECT_EQ(to_seed_json(view_of(parse_seed(uploaded).value())), uploaded);
}

TEST(SeedFormTest, TakesNullForAbsent) {
    const auto event = parse_seed(
        R"({"eventId":"e","eventType":"a.b","eventVersion":null,"timestamp":1,"source":"s","userId":"u","correlationId":null,"causationId":null,"data":{},"metadata":null})");
    ASSERT_THAT(event, Succeeds());
    EXPECT_EQ(event->event_version, "1.0");
    EXPECT_EQ(event->correlation_id, "");
    EXPECT_EQ(event->metadata, "");
    EXPECT_EQ(correlation_of(view_of(*event)), "e");
    EXPECT_EQ(
        to_seed_json(view_of(*event)),
        R"({"eventId":"e","eventType":"a.b","eventVersion":"1.0","timestamp":1,"source":"s","userId":"u","data":{}})");
}

struct RefusedSeed {
    const char* claim;
    const char* text;
    const char* message;
};

class RefusedSeedTest : public testing::TestWithParam<RefusedSeed> {};

TEST_P(RefusedSeedTest, SaysWhatAndWhere) {
    EXPECT_THAT(parse_seed(GetParam().text),
                FailsWith(ErrorKind::invalid, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedSeedTest,
    testing::Values(
        RefusedSeed{"NoObject", "[]", "byte 0): expected an object"},
        RefusedSeed{"NumberForText", R"({"userId": 3})",
                    "(byte 11): /userId: must be a string, is 3"},
        RefusedSeed{"TextForTime", R"({"timestamp":"3"})",
                    R"(/timestamp: must be an integer (Unix time in ms), is "3")"},
        RefusedSeed{"FractionForTime", R"({"timestamp":3.5})",
                    "/timestamp: must be an integer (Unix time in ms), is 3.5"},
        RefusedSeed{"TimeBeyondInt64", R"({"timestamp":1e30})", "/timestamp: must be an integer"},
        RefusedSeed{"TextForData", R"({"data":"{}"})", R"(/data: must be an object, is "{}")"},
        RefusedSeed{"ListForMetadata", R"({"metadata":[]})", "/metadata: must be an object, is []"},
        RefusedSeed{"TheSameFieldTwice", R"({"userId":"a","\u0075serId":"b"})",
                    "/userId: appears twice"},
        RefusedSeed{"BrokenData", R"({"data":{"a":01}})", "leading zeros"},
        RefusedSeed{
            "LongValueIsCut",
            R"({"userId":{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":1}})",
            "aaa…"}),
    [](const auto& info) { return info.param.claim; });

constexpr const char* foreign =
    R"({"version":"0","id":"b-1","detail-type":"Order Placed","source":"shop","account":"222222222222","time":"2026-11-23T05:08:00Z","region":"us-west-2","resources":["arn:x"],"detail":{ "total": 1.10, "eventId": 3 },"trace":"t"})";

TEST(EventBridgeFormTest, WelcomesForeignEvents) {
    const auto event = parse_eventbridge_event(foreign, arrival);
    ASSERT_THAT(event, Succeeds());
    EXPECT_EQ(event->form, Form::eventbridge);
    EXPECT_EQ(event->event_id, "b-1");
    EXPECT_EQ(event->event_type, "Order Placed");
    EXPECT_EQ(event->source, "shop");
    EXPECT_EQ(event->user_id, "");
    EXPECT_EQ(event->data, R"({ "total": 1.10, "eventId": 3 })");
    EXPECT_EQ(payload_of(view_of(*event)), event->data);
    EXPECT_EQ(to_iso_seconds(event->timestamp), "2026-11-23T05:08:00Z");
    EXPECT_FALSE(event->timestamp_is_receipt);
    EXPECT_EQ(to_eventbridge_json(view_of(*event)), foreign);
}

TEST(EventBridgeFormTest, FindsOurEnvelopeInsideDetail) {
    const std::string entry =
        R"({"Source":"transaction_service","DetailType":"account.deleted","EventBusName":"default","Detail":"{\"eventId\":\"e-1\",\"eventVersion\":\"1.2\",\"timestamp\":1732521600123,\"userId\":\"u-1\",\"causationId\":\"e-0\",\"data\":{\"accountId\":\"a\"},\"metadata\":{\"m\":1},\"more\":2}","Time":1732521600.75,"Resources":["arn:r"],"TraceHeader":"Root=1"})";
    const auto event = parse_eventbridge_entry(entry, arrival);
    ASSERT_THAT(event, Succeeds());
    EXPECT_EQ(event->event_id, "e-1");
    EXPECT_EQ(event->event_version, "1.2");
    EXPECT_EQ(event->user_id, "u-1");
    EXPECT_EQ(event->causation_id, "e-0");
    EXPECT_EQ(event->metadata, R"({"m":1})");
    EXPECT_EQ(to_unix_ms(event->timestamp), 1732521600123);
    EXPECT_EQ(payload_of(view_of(*event)), R"({"accountId":"a"})");
    EXPECT_EQ(
        to_eventbridge_json(view_of(*event)),
        R"({"version":"0","id":"7bf73129-1428-4cd3-a780-95db273d1602","detail-type":"account.deleted","source":"transaction_service","account":"111111111111","time":"2024-11-25T08:00:00Z","region":"eu-central-1","resources":["arn:r"],"detail":{"eventId":"e-1","eventVersion":"1.2","timestamp":1732521600123,"userId":"u-1","causationId":"e-0","data":{"accountId":"a"},"metadata":{"m":1},"more":2},"TraceHeader":"Root=1"})");
    EXPECT_EQ(
        to_seed_json(view_of(*event)),
        R"({"eventId":"e-1","eventType":"account.deleted","eventVersion":"1.2","timestamp":1732521600123,"source":"transaction_service","userId":"u-1","causationId":"e-0","data":{"accountId":"a"},"metadata":{"m":1},"more":2})");
}

TEST(EventBridgeFormTest, GivesReceiptAsTheTimeOfAnEntryWithoutOne) {
    const auto event =
        parse_eventbridge_entry(R"({"Source":"s","DetailType":"d","Detail":"{}"})", arrival);
    ASSERT_THAT(event, Succeeds());
    EXPECT_EQ(event->timestamp, arrival.time);
    EXPECT_TRUE(event->timestamp_is_receipt);
    EXPECT_EQ(event->event_id, arrival.id);
}

TEST(EventBridgeFormTest, RefusesWhatIsNoDetail) {
    for (const char* detail : {R"("")", R"("[]")", R"("{\"a\":}")", "3", "{}"}) {
        EXPECT_THAT(
            parse_eventbridge_entry(
                std::string(R"({"Source":"s","DetailType":"d","Detail":)") + detail + "}", arrival),
            FailsWith(ErrorKind::invalid, HasSubstr("/Detail: must be")))
            << detail;
    }
    EXPECT_THAT(parse_eventbridge_event(R"({"source":"s"})", arrival),
                FailsWith(ErrorKind::invalid, HasSubstr("/detail: must be an object, is missing")));
    EXPECT_THAT(parse_eventbridge_entry(
                    R"({"Source":"s","DetailType":"d","Detail":"{}","Time":"noon"})", arrival),
                FailsWith(ErrorKind::invalid, HasSubstr("/Time: must be seconds since 1970")));
}

/// An entry's members have names of their own; those of an event are not the publisher's to give.
TEST(EventBridgeFormTest, RefusesMembersOfAnEventInAnEntry) {
    for (const char* name : {"version", "id", "source", "detail-type", "detail", "account", "time",
                             "region", "resources", "replay-name", "", "sour\\u0063e"}) {
        EXPECT_THAT(parse_eventbridge_entry(std::string(R"({"Source":"s","DetailType":"d",)") +
                                                "\"" + name + R"(":"x","Detail":"{}"})",
                                            arrival),
                    FailsWith(ErrorKind::invalid, HasSubstr("no member of an entry")))
            << name;
    }
    EXPECT_THAT(parse_eventbridge_event(
                    R"({"source":"s","detail-type":"d","detail":{},"":{"source":"t"}})", arrival),
                FailsWith(ErrorKind::invalid, HasSubstr("a member without a name")));
}

TEST(EventBridgeFormTest, ShowsSeedEventsAsEventBridgeWould) {
    const std::string shown = to_eventbridge_json(view_of(parse_seed(uploaded).value()),
                                                  {.account = "333333333333", .region = "home"});
    EXPECT_EQ(
        shown,
        R"({"version":"0","id":"e-1","detail-type":"file.uploaded","source":"transaction_service","account":"333333333333","time":"2024-11-25T08:00:00Z","region":"home","resources":[],"detail":{"eventId":"e-1","eventVersion":"1.0","timestamp":1732521600123,"userId":"u-1","correlationId":"c-1","causationId":"e-0","data":{ "fileId":"f", "fileSize": 1.0e3,"big":12345678901234567890.10,"fileId2":"\u00e9" },"metadata":{"actor":"u-1"},"x-new":[1, 2],"tags":{"a":null}}})");
    EXPECT_EQ(to_seed_json(view_of(parse_eventbridge_event(shown, arrival).value())), uploaded);
}

TEST(TimeTextTest, ReadsWhatClientsWrite) {
    EXPECT_EQ(to_unix_ms(from_iso("2026-11-25T08:15:30Z").value()), 1795594530000);
    EXPECT_EQ(to_unix_ms(from_iso("2026-11-25T08:15:30.1239Z").value()), 1795594530123);
    EXPECT_EQ(to_unix_ms(from_iso("2026-11-25T10:15:30+02:00").value()), 1795594530000);
    EXPECT_EQ(to_unix_ms(from_iso("2026-11-25T03:45:30-04:30").value()), 1795594530000);
    for (const char* wrong :
         {"", "2026-11-25", "2026-02-30T00:00:00Z", "2026-11-25T24:00:00Z", "2026-11-25T08:15:30",
          "2026-11-25T08:15:30.Z", "2026-11-25 08:15:30Z", "2026-11-25T08:15:30Zx",
          "2026-13-25T08:15:30Z"}) {
        EXPECT_EQ(from_iso(wrong), std::nullopt) << wrong;
    }
    EXPECT_EQ(to_iso_seconds(from_unix_ms(1795594530999)), "2026-11-25T08:15:30Z");
}

/// A random JSON value with blanks, escapes, long numbers and duplicate members in it.
std::string random_json(Random& random, int depth) {
    const auto blank = [&] { return std::string(random.below(4) == 0 ? " " : ""); };
    switch (random.below(depth > 0 ? 7 : 5)) {
        case 0:
            return "null";
        case 1:
            return random.below(2) == 0 ? "true" : "false";
        case 2:
            return std::to_string(random.next()) + "." + std::to_string(random.next()) +
                   (random.below(2) == 0 ? "E-7" : "");
        case 3:
            return R"("\u00e9\ud83d\ude00\"\\ text")";
        case 4:
            return "\"\xC3\xA9 plain\"";
        case 5: {
            std::string text = "[";
            for (std::uint64_t i = random.below(4); i > 0; --i) {
                text += blank() + random_json(random, depth - 1) + blank() + (i > 1 ? "," : "");
            }
            return text + "]";
        }
        default: {
            std::string text = "{";
            for (std::uint64_t i = random.below(4); i > 0; --i) {
                text += blank() + "\"m" + std::to_string(random.below(3)) +
                        "\\t\":" + random_json(random, depth - 1) + (i > 1 ? "," : "");
            }
            return text + "}";
        }
    }
}

std::string random_object(Random& random) {
    return R"({"a":)" + random_json(random, 4) + R"( ,"b":)" + random_json(random, 4) + "}";
}

// Seed → body → seed, and EventBridge → body → EventBridge, byte for byte in what the publisher
// wrote.
TEST(FormsTest, AreLosslessThroughARecordBody) {
    Random random(7);
    for (int round = 0; round < 2000; ++round) {
        const std::string seed =
            R"({"eventId":"e","eventType":"a.b","eventVersion":"1.0","timestamp":5,"source":"s","userId":"u","data":)" +
            random_object(random) + R"(,"metadata":)" + random_object(random) + R"(,"zz":)" +
            random_json(random, 3) + R"(,"aa":)" + random_json(random, 3) + "}";
        const auto event = parse_seed(seed);
        ASSERT_THAT(event, Succeeds()) << seed;
        const std::string body = encode_body(*event);
        ASSERT_EQ(to_seed_json(decode_body(body).value()), seed);

        const std::string bridge =
            R"({"version":"0","id":"i","detail-type":"D","source":"s","account":"1","time":"2026-11-23T05:08:00Z","region":"r","resources":[],"detail":)" +
            random_object(random) + R"(,"zz":)" + random_json(random, 3) + "}";
        const auto foreign_event = parse_eventbridge_event(bridge, arrival);
        ASSERT_THAT(foreign_event, Succeeds()) << bridge;
        const std::string foreign_body = encode_body(*foreign_event);
        ASSERT_EQ(to_eventbridge_json(decode_body(foreign_body).value()), bridge);
    }
}

}  // namespace
}  // namespace bascule::event
