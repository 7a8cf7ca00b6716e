#include "bus/event/event.h"

#include <gtest/gtest.h>

#include "bus/event/body.h"
#include "bus/event/eventbridge_form.h"
#include "bus/event/seed_form.h"
#include "foundation/base/random.h"
#include "foundation/base/testing.h"

namespace bascule::event {
namespace {

using testing::HasSubstr;

Event sample() {
    return {.event_id = "e",
            .event_type = "a.b",
            .event_version = "1.0",
            .timestamp = from_unix_ms(5),
            .source = "s",
            .user_id = "u",
            .correlation_id = "c",
            .causation_id = "k",
            .data = R"({"a":1,"b":[2]})",
            .metadata = R"({"m":1})",
            .hops = 3,
            .replay_id = "r",
            .extras = R"({"x":1})"};
}

TEST(BodyTest, KeepsEveryField) {
    Event event = sample();
    event.form = Form::eventbridge;
    event.timestamp_is_receipt = true;
    const std::string body = encode_body(event);
    const auto view = decode_body(body);
    ASSERT_THAT(view, Succeeds());
    EXPECT_EQ(encode_body(*view), body);
    EXPECT_EQ(view->form, Form::eventbridge);
    EXPECT_TRUE(view->timestamp_is_receipt);
    EXPECT_EQ(view->event_id, "e");
    EXPECT_EQ(view->replay_id, "r");
    EXPECT_EQ(view->hops, 3U);
    EXPECT_EQ(view->data, event.data);
    EXPECT_EQ(view->metadata, event.metadata);
    EXPECT_EQ(view->extras, event.extras);
    EXPECT_GE(view->data.data(), body.data()) << "a view, not a copy";
    EXPECT_LE(view->data.data() + view->data.size(), body.data() + body.size());
}

// The bytes of docs/format/record_body.md: a body written today must be readable for ever.
TEST(BodyTest, HasTheDocumentedLayout) {
    const std::string body = encode_body(Event{.event_id = "E",
                                               .event_type = "a.b",
                                               .timestamp = from_unix_ms(0x0102),
                                               .source = "s",
                                               .user_id = "u",
                                               .data = "{}",
                                               .hops = 1});
    const std::string expected(
        "\x01\x01\x00\x00\x01\x00\x00\x00\x02\x01\x00\x00\x00\x00\x00\x00"
        "\x01\x00\x03\x00\x03\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00"
        "Ea.b1.0su{}",
        55);
    EXPECT_EQ(body, expected);
}

TEST(BodyTest, RefusesEveryCutAndEveryLongerBody) {
    const std::string body = encode_body(sample());
    for (std::size_t bytes = 0; bytes < body.size(); ++bytes) {
        ASSERT_THAT(decode_body(std::string_view(body).substr(0, bytes)),
                    FailsWith(ErrorKind::corrupt))
            << bytes;
    }
    EXPECT_THAT(decode_body(body + "x"), FailsWith(ErrorKind::corrupt, HasSubstr("add up to")));
}

TEST(BodyTest, RefusesWhatItDoesNotKnow) {
    for (const auto& [byte, message] :
         {std::pair(0, "version 9"), std::pair(1, "form 9"), std::pair(2, "flags 9")}) {
        std::string body = encode_body(sample());
        body[static_cast<std::size_t>(byte)] = 9;
        EXPECT_THAT(decode_body(body), FailsWith(ErrorKind::corrupt, HasSubstr(message)));
    }
}

TEST(BodyTest, NeverReadsBeyondDamagedBytes) {
    Random random(3);
    const std::string whole = encode_body(sample());
    for (int round = 0; round < 20000; ++round) {
        const std::string body = [&] {
            std::string damaged = whole;
            damaged[random.below(damaged.size())] = static_cast<char>(random.next());
            return damaged;
        }();
        if (const auto view = decode_body(body)) {
            ASSERT_EQ(encode_body(*view), body) << "what is accepted is accepted whole";
        }
    }
}

TEST(EventTest, HasOneIdPerSourceAndEventId) {
    Event event = sample();
    Event other = event;
    other.data = "{}";
    EXPECT_EQ(id_hash(view_of(event)), id_hash(view_of(other)));
    other.source = "t";
    EXPECT_NE(id_hash(view_of(event)), id_hash(view_of(other)));
    event.source = "ab";
    event.event_id = "c";
    other.source = "a";
    other.event_id = "bc";
    EXPECT_NE(id_hash(view_of(event)), id_hash(view_of(other)));
}

Hash128 content(const char* seed) { return content_hash(view_of(parse_seed(seed).value())); }

TEST(EventTest, HasTheSameContentHoweverItIsSpelled) {
    const auto plain = content(
        R"({"eventId":"1","eventType":"a.b","timestamp":5,"source":"s","userId":"u","data":{"a":1,"b":[1,{"c":"é"}]},"x":1,"y":2})");
    EXPECT_EQ(
        plain,
        content(
            R"({"y":2,"x":1,"data":{"b":[1, {"c":"\u00e9"}],"a":1},"userId":"u","metadata":null,"source":"s","timestamp":5,"eventVersion":"1.0","eventType":"a.b","eventId":"2"})"));
}

// Hashes stand in the log: another value for the same event would make each repeat of a stored one
// "id_reused".
TEST(EventTest, HasTheSameHashesForEver) {
    Event event = sample();
    event.data = R"({"b":[{"d":1,"c":"\u00e9"}], "a":1.0})";
    const EventView view = view_of(event);
    EXPECT_EQ(id_hash(view), (Hash128{.high = 0x2a8fa932269ce7a, .low = 0xc55415d7beddc48e}));
    EXPECT_EQ(content_hash(view), (Hash128{.high = 0x834b7a4fdf4b2ff1, .low = 0x42d0212a363eacec}));
}

TEST(EventTest, HasOtherContentIfAnyFieldDiffers) {
    Event event = sample();
    const Hash128 before = content_hash(view_of(event));
    const auto differs = [&](auto change) {
        Event other = event;
        change(other);
        return content_hash(view_of(other)) != before;
    };
    EXPECT_TRUE(differs([](Event& other) { other.event_type = "a.c"; }));
    EXPECT_TRUE(differs([](Event& other) { other.event_version = "1.1"; }));
    EXPECT_TRUE(differs([](Event& other) { other.timestamp += 1ms; }));
    EXPECT_TRUE(differs([](Event& other) { other.source = "t"; }));
    EXPECT_TRUE(differs([](Event& other) { other.user_id = "v"; }));
    EXPECT_TRUE(differs([](Event& other) { other.correlation_id = ""; }));
    EXPECT_TRUE(differs([](Event& other) { other.causation_id = ""; }));
    EXPECT_TRUE(differs([](Event& other) { other.data = R"({"a":1.0,"b":[2]})"; }));
    EXPECT_TRUE(differs([](Event& other) { other.metadata = ""; }));
    EXPECT_TRUE(differs([](Event& other) { other.extras = ""; }));
    EXPECT_FALSE(differs([](Event& other) { other.hops = 9; })) << "the bus's";
    EXPECT_FALSE(differs([](Event& other) { other.replay_id = ""; })) << "the bus's";
}

TEST(EventTest, HasTheSameContentInEitherForm) {
    Event seed = sample();
    seed.replay_id.clear();
    const std::string bridge = to_eventbridge_json(view_of(seed));
    Event other =
        parse_eventbridge_event(bridge, {.id = "x", .time = {}, .account = "1", .region = "r"})
            .value();
    other.extras =
        R"({"id":"other","account":"1","region":"r"})";  // as an entry without Time would have it
    EXPECT_EQ(content_hash(view_of(seed)), content_hash(view_of(other)));
}

TEST(EventTest, DoesNotCountTheTimeThatTheBusStamped) {
    Event first = sample();
    first.timestamp = {};
    first.event_id.clear();
    Event second = first;
    stamp_missing(first, "id-1", from_unix_ms(100));
    stamp_missing(second, "id-1", from_unix_ms(200));
    EXPECT_EQ(first.event_id, "id-1");
    EXPECT_EQ(to_unix_ms(first.timestamp), 100);
    EXPECT_EQ(content_hash(view_of(first)), content_hash(view_of(second)));
    Event third = sample();
    stamp_missing(third, "id-1", from_unix_ms(100));
    EXPECT_EQ(third.event_id, "e");
    EXPECT_EQ(to_unix_ms(third.timestamp), 5);
}

}  // namespace
}  // namespace bascule::event
