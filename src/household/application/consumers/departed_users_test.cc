#include <future>
#include <set>

#include "household/application/consumers/consumers_test_kit.h"
#include "household/application/use_cases/users.h"

namespace bascule::application {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// What is delivered of a user who is gone, and of others in the same run.
class DepartedUsersTest : public ConsumersTest {
  protected:
    void forget(const std::string& user_id) {
        ASSERT_THAT(world.wait<void>([&](auto done) {
            world.writer().submit(
                [&](sql::Session& session) {
                    return forget_user(session, world.actor(user_id), world.clock.wall());
                },
                std::move(done));
        }),
                    Succeeds());
    }
};

TEST_F(DepartedUsersTest, EventsFromBeforeTheDeletionHaveNoEffectAndAreDone) {
    const Account giro = world.account("Giro");
    rule(category("Food", "EXPENSE"), "lidl", true);
    world.file("giro.csv", giro_csv, giro.id);
    world.transaction(giro.id, "2025-03-01", "-2");
    ASSERT_THAT(world.wait<std::int64_t>([&](auto done) {
        world.household.accounts.remove(world.actor(), giro.id, std::move(done));
    }),
                Succeeds());
    forget("ada");
    const auto before = state();
    const auto events = pump();
    EXPECT_EQ(state(), before);
    EXPECT_THAT(of_type(events, "user.deleted"), SizeIs(1));
    std::set<std::string> asked;
    for (const Delivered& run : delivered) {
        asked.insert(run.consumer);
    }
    EXPECT_THAT(asked, ElementsAre("analytics", "analytics_status", "categorization",
                                   "file_processor", "notification"));
    EXPECT_EQ(world.count("select count(*) from analytics_months"), 0);
    EXPECT_EQ(world.count("select count(*) from inbox"), static_cast<int>(delivered.size()))
        << "each was claimed";
}

/// Goal: a user who is deleted between the reading of a file and its commit. Method: the file is
/// read, and its unit waits in the writer behind one that deletes the user.
TEST_F(DepartedUsersTest, AnImportUnderWayLeavesNothing) {
    const Account giro = world.account("Giro");
    world.file("giro.csv", giro_csv, giro.id);
    const auto uploaded = of_type(world.new_events(), "file.uploaded").at(0);
    std::promise<void> queued;
    std::promise<Result<>> forgotten;
    world.writer().submit(
        [&](sql::Session& session) -> Result<> {
            queued.get_future().wait();
            return forget_user(session, world.actor(), world.clock.wall());
        },
        [&](Result<> result) { forgotten.set_value(std::move(result)); });
    std::promise<delivery::Outcome> answer;
    handler("file_processor")
        .handle(delivery_of("file_processor", {uploaded}, 1),
                [&](delivery::Outcome outcome) { answer.set_value(std::move(outcome)); });
    queued.set_value();
    const delivery::Outcome outcome = answer.get_future().get();
    EXPECT_THAT(forgotten.get_future().get(), Succeeds());
    EXPECT_EQ(outcome.kind, delivery::Outcome::Kind::done) << outcome.text;
    EXPECT_EQ(world.count("select count(*) from transactions"), 0);
    EXPECT_THAT(rows("select status from files"), ElementsAre("pending"));
    EXPECT_THAT(world.new_types(), ElementsAre("user.deleted"));
}

TEST_F(DepartedUsersTest, RulesApplyToNoRowOfTheirs) {
    rule(category("Food", "EXPENSE"), "lidl", true);
    const Account giro = world.account("Giro");
    pump();
    world.transaction(giro.id, "2025-03-01", "-2", "Lidl 42");
    forget("ada");
    EXPECT_THAT(types_of(pump()), ElementsAre("transactions.created", "user.deleted"));
    EXPECT_THAT(rows("select category_id from transactions"), ElementsAre(""));
}

TEST_F(DepartedUsersTest, AMixedRunStillServesTheOthers) {
    for (const char* user : {"ada", "bob"}) {
        world.transaction(world.account("Giro", user).id, "2025-03-01", "-2", "", user);
    }
    forget("ada");
    const auto created = of_type(world.new_events(), "transactions.created");
    ASSERT_THAT(created, SizeIs(2));
    const auto outcome =
        outcome_of_run(handler("analytics_status"), delivery_of("analytics_status", created, 1));
    EXPECT_EQ(outcome.kind, delivery::Outcome::Kind::done) << outcome.text;
    EXPECT_THAT(rows("select distinct user_id from analytics_status"), ElementsAre("bob"));
    EXPECT_THAT(rows("select user_id from analytics_months where user_id = 'ada'"), IsEmpty());
}

}  // namespace
}  // namespace bascule::application
