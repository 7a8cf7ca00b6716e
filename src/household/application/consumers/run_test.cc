#include "household/application/consumers/run.h"

#include <gtest/gtest.h>

#include <future>

#include "bus/event/builders.h"
#include "household/application/consumers/consumers_test_kit.h"

namespace bascule::application {
namespace {

std::string id_of(std::string_view source, std::string_view event_id) {
    return message_id({.event_id = event_id, .source = source});
}

// The inbox must tell apart what the log tells apart (event::id_hash).
TEST(MessageIdTest, NoTwoPairsOfSourceAndIdShareOne) {
    EXPECT_EQ(id_of("shop", "1"), id_of("shop", "1"));
    EXPECT_NE(id_of("https://shop", "orders/1"), id_of("https://shop/orders", "1"));
    EXPECT_NE(id_of("a", "bc"), id_of("ab", "c"));
    EXPECT_NE(id_of("", "1:a"), id_of("1", ":a"));
    EXPECT_NE(id_of("1", "1"), id_of("11", ""));
}

/// Goal: an event whose letter was redriven long after, in a process that died between the commit
/// and the answer: its effect is done once all the same (G5).
TEST(CommitOnceTest, ALateEventIsDoneOnceAlso) {
    TestHousehold world;
    const event::Event event = event::user_deleted({.event_id = "e", .user_id = "ada"}, {});
    int effects = 0;
    for (int attempt = 1; attempt <= 2; ++attempt) {
        broker::Delivery delivery = delivery_of("c", {event}, 9);
        delivery.position_low = Offset(10 * inbox_rows_kept);
        std::promise<delivery::Outcome> answer;
        commit_once(world.environment(),
                    std::make_shared<application::Run>(
                        std::move(delivery),
                        [&](delivery::Outcome outcome) { answer.set_value(std::move(outcome)); }),
                    [&](UnitOfWork&) {
                        ++effects;
                        return Result<>();
                    });
        EXPECT_EQ(answer.get_future().get().kind, delivery::Outcome::Kind::done);
    }
    EXPECT_EQ(effects, 1);
}

}  // namespace
}  // namespace bascule::application
