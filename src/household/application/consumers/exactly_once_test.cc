#include "household/application/consumers/consumers_test_kit.h"

namespace bascule::application {
namespace {

/// Deliveries that come again, and runs that are cut short.
class ExactlyOnceTest : public ConsumersTest {};

TEST_F(ExactlyOnceTest, EveryDeliveryASecondTimeChangesNothing) {
    const Account giro = world.account("Giro");
    const std::string food = category("Food", "EXPENSE");
    rule(food, "lidl", true);
    world.file("giro.csv", giro_csv, giro.id);
    pump();
    rule(category("Coffee", "EXPENSE"), "coffee", true);
    const std::string id = rows("select id from transactions order by id limit 1").at(0);
    ASSERT_THAT(world.wait<std::int64_t>([&](auto done) {
        world.household.transactions.remove(world.actor(), {id}, std::move(done));
    }),
                Succeeds());
    pump();
    const auto before = state();
    ASSERT_GE(delivered.size(), 20U);
    for (const Delivered& again : std::vector(delivered)) {
        const auto outcome = outcome_of_run(
            handler(again.consumer), delivery_of(again.consumer, {again.event}, again.offset));
        EXPECT_EQ(outcome.kind, delivery::Outcome::Kind::done) << outcome.text;
        ASSERT_EQ(state(), before) << again.consumer << " on " << again.event.event_type;
    }
}

TEST_F(ExactlyOnceTest, AWriterThatGoesAwayLeavesNothingHalfDone) {
    const Account giro = world.account("Giro");
    world.file("giro.csv", giro_csv, giro.id);
    const auto events = world.new_events();
    const auto before = state();
    ASSERT_THAT(io::wait_for<>([&](auto done) { world.writer().stop(std::move(done)); }),
                Succeeds());
    for (const auto& [consumer, handler] : handlers) {
        for (const event::Event& event : events) {
            const auto outcome = outcome_of_run(*handler, delivery_of(consumer, {event}, 1));
            EXPECT_EQ(outcome.kind, delivery::Outcome::Kind::suspended)
                << consumer << " on " << event.event_type << ": " << outcome.text;
        }
    }
    EXPECT_EQ(state(), before);
    EXPECT_EQ(world.count("select count(*) from inbox"), 0);
}

}  // namespace
}  // namespace bascule::application
