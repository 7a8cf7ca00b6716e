#include "household/application/consumers/analytics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "household/application/consumers/analytics_status.h"
#include "household/application/consumers/test_kit.h"
#include "household/application/household_test_kit.h"

namespace bascule::application {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// An account whose figures are all computed, and then a row in January and one in February.
class AnalyticsLetterTest : public testing::Test {
  protected:
    AnalyticsLetterTest() {
        const Account giro = world.account("Giro");
        compute(world.new_events().at(0), 1);
        world.new_events();
        world.transaction(giro.id, "2025-01-05", "-1.00");
        january = world.new_events().at(0);
        world.transaction(giro.id, "2025-02-05", "-2.00");
        february = world.new_events().at(0);
    }

    void mark(const event::Event& event, std::uint64_t offset) {
        EXPECT_EQ(outcome_of_run(marker, delivery_of("analytics_status", {event}, offset)).kind,
                  delivery::Outcome::Kind::done);
    }
    void compute(const event::Event& event, std::uint64_t offset) {
        EXPECT_EQ(outcome_of_run(analytics, delivery_of("analytics", {event}, offset)).kind,
                  delivery::Outcome::Kind::done);
    }
    bool is_stale() { return world.household.reports.report("ada", {.type = "cash_flow"})->stale; }
    std::vector<std::string> months() {
        std::vector<std::string> found;
        auto snapshot = world.database().read().value();
        EXPECT_TRUE(snapshot->query("select month from analytics_cells order by month", {},
                                    [&](const sql::Row& row) { found.push_back(row.text(0)); }));
        return found;
    }

    TestHousehold world;
    AnalyticsStatusMarker marker{world.environment()};
    AnalyticsConsumer analytics{world.environment()};
    event::Event january;
    event::Event february;
};

// The event of January became a letter, so February's is computed before it.
TEST_F(AnalyticsLetterTest, RedrivenIsComputedAndStaleUntilThen) {
    mark(january, 10);
    mark(february, 20);
    compute(february, 20);
    EXPECT_THAT(months(), ElementsAre("2025-02"));
    EXPECT_TRUE(is_stale());
    world.new_events();
    compute(january, 10);
    EXPECT_THAT(months(), ElementsAre("2025-01", "2025-02"));
    EXPECT_FALSE(is_stale());
    EXPECT_THAT(world.new_types(), ElementsAre("analytics.computed"));
}

TEST_F(AnalyticsLetterTest, IsComputedThoughItsMarkCameLate) {
    compute(february, 20);
    mark(january, 10);
    EXPECT_TRUE(is_stale());
    compute(january, 10);
    EXPECT_FALSE(is_stale());
    EXPECT_THAT(months(), ElementsAre("2025-01", "2025-02"));
}

TEST_F(AnalyticsLetterTest, WithoutAnyMarkIsComputedWhenRedriven) {
    compute(february, 20);
    compute(january, 10);
    EXPECT_THAT(months(), ElementsAre("2025-01", "2025-02"));
    EXPECT_FALSE(is_stale());
    mark(january, 10);
    mark(february, 20);
    EXPECT_FALSE(is_stale()) << "marks that come after the figures";
}

TEST_F(AnalyticsLetterTest, ALaterEventOfTheSameMonthHealsIt) {
    mark(january, 10);
    compute(february, 20);
    EXPECT_TRUE(is_stale());
    event::Event again = january;
    again.event_id = "again";
    compute(again, 30);
    EXPECT_FALSE(is_stale());
    world.new_events();
    compute(january, 10);
    EXPECT_THAT(world.new_types(), IsEmpty()) << "nobody waits for it any more";
}

}  // namespace
}  // namespace bascule::application
