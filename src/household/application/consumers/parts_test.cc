#include "household/application/consumers/parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "foundation/base/testing.h"
#include "household/application/consumers/test_kit.h"
#include "household/application/household_test_kit.h"

namespace bascule::application {
namespace {

using testing::ElementsAre;

/// Runs a parted run whose part `failing` fails, and notes what each part found.
class PartedRunTest : public testing::Test {
  protected:
    delivery::Outcome run(std::size_t parts, std::optional<std::size_t> failing = std::nullopt,
                          std::uint32_t first = 0) {
        const event::Event event{.event_id = "e",
                                 .event_type = "transactions.created",
                                 .source = "s",
                                 .user_id = "ada",
                                 .data = "{}"};
        fresh.clear();
        PartedRun::Numbers numbers(parts);
        std::iota(numbers.begin(), numbers.end(), first);
        std::promise<delivery::Outcome> answer;
        PartedRun::start(
            world.environment(),
            std::make_shared<application::Run>(
                delivery_of("c", {event}, 1),
                [&](delivery::Outcome outcome) { answer.set_value(std::move(outcome)); }),
            numbers, [&, failing](UnitOfWork& unit, std::size_t index) -> Result<> {
                fresh.push_back(index);
                if (index == failing) {
                    return fail(ErrorKind::conflict, "as wanted");
                }
                return raise_generation(unit.session(), "ada", "part" + std::to_string(index));
            });
        return answer.get_future().get();
    }
    std::int64_t committed() { return world.count("select count(*) from generations"); }
    bool is_complete() { return world.count("select max(complete) from inbox") == 1; }

    TestHousehold world;
    std::vector<std::size_t> fresh;
};

TEST_F(PartedRunTest, CommitsEveryPartOnceInOrder) {
    EXPECT_EQ(run(40).kind, delivery::Outcome::Kind::done);
    EXPECT_THAT(fresh, testing::SizeIs(40));
    EXPECT_TRUE(std::ranges::is_sorted(fresh));
    EXPECT_EQ(committed(), 40);
    EXPECT_TRUE(is_complete());
}

TEST_F(PartedRunTest, AFailureStopsTheRestAndARepeatDoesOnlyWhatIsMissing) {
    EXPECT_EQ(run(5, 2).kind, delivery::Outcome::Kind::transient);
    EXPECT_THAT(fresh, ElementsAre(0, 1, 2));
    EXPECT_EQ(committed(), 2);
    EXPECT_FALSE(is_complete());
    EXPECT_EQ(run(5).kind, delivery::Outcome::Kind::done);
    EXPECT_THAT(fresh, ElementsAre(2, 3, 4));
    EXPECT_EQ(committed(), 5);
    EXPECT_TRUE(is_complete());
}

TEST_F(PartedRunTest, FailureInALaterRoundKeepsTheEarlierOnes) {
    EXPECT_EQ(run(40, 20).kind, delivery::Outcome::Kind::transient);
    EXPECT_EQ(committed(), 20);
}

TEST_F(PartedRunTest, LaterNumbersFollowThoseOfAnEarlierAttempt) {
    EXPECT_EQ(run(2, 1).kind, delivery::Outcome::Kind::transient);
    EXPECT_EQ(run(2, std::nullopt, 1).kind, delivery::Outcome::Kind::done);
    EXPECT_THAT(fresh, ElementsAre(0, 1)) << "new parts under the numbers 1 and 2";
    EXPECT_EQ(world.count("select max(part) from inbox"), 2);
}

TEST_F(PartedRunTest, AStoppedWriterSuspends) {
    ASSERT_THAT(io::wait_for<>([&](auto done) { world.writer().stop(std::move(done)); }),
                Succeeds());
    EXPECT_EQ(run(40).kind, delivery::Outcome::Kind::suspended);
    EXPECT_EQ(committed(), 0);
}

}  // namespace
}  // namespace bascule::application
