#include "household/application/consumers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/base/testing.h"

namespace bascule::application {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using testing::UnorderedElementsAre;

TEST(BuiltInConsumersTest, EachHasAValidPolicyAndADefaultRule) {
    const broker::BusConfig config = built_in_consumers();
    ASSERT_THAT(config.consumers, SizeIs(6));
    for (const broker::ConsumerConfig& consumer : config.consumers) {
        EXPECT_THAT(consumer.policy.validate(), Succeeds()) << consumer.name;
        EXPECT_EQ(consumer.start, broker::Start::earliest);
        EXPECT_EQ(std::ranges::count_if(config.rules,
                                        [&](const broker::Rule& rule) {
                                            return rule.name == "default." + consumer.name &&
                                                   rule.targets == std::vector{consumer.name};
                                        }),
                  1)
            << consumer.name;
    }
    EXPECT_THAT(broker::Routing::build(config.plan(), nullptr, WallTime{}), Succeeds());
}

TEST(BuiltInConsumersTest, RoutesTheSeedsEvents) {
    const auto routing =
        broker::Routing::build(built_in_consumers().plan(), nullptr, WallTime{}).value();
    const auto consumers_of = [&](const char* type) {
        const event::Event event{.event_id = "e",
                                 .event_type = type,
                                 .source = "transaction_service",
                                 .user_id = "u",
                                 .data = "{}"};
        std::vector<std::string> names;
        for (const auto number : routing->match(event::view_of(event))) {
            names.push_back(routing->find(number)->name);
        }
        return names;
    };
    EXPECT_THAT(consumers_of("file.uploaded"), UnorderedElementsAre("file_processor", "audit"));
    EXPECT_THAT(consumers_of("transactions.created"),
                UnorderedElementsAre("categorization", "analytics_status", "analytics", "audit"));
    EXPECT_THAT(consumers_of("account.deleted"),
                UnorderedElementsAre("analytics_status", "analytics", "notification", "audit"));
    EXPECT_THAT(consumers_of("notification.raised"), ElementsAre("audit"));
}

TEST(BuiltInConsumersTest, AnalyticsLanesAreTheSeedsPriorities) {
    const auto config = built_in_consumers();
    const delivery::Lanes& lanes = *config.find("analytics")->policy.lanes;
    EXPECT_EQ(lanes.lane_of("account.deleted"), 1);
    for (const char* type : {"file.processed", "transactions.created", "transactions.deleted"}) {
        EXPECT_EQ(lanes.lane_of(type), 2) << type;
    }
    for (const char* type : {"transaction.updated", "account.created", "account.updated"}) {
        EXPECT_EQ(lanes.lane_of(type), 3) << type;
    }
    EXPECT_THAT(target_aliases().at("analytics_consumer"),
                ElementsAre("analytics_status", "analytics"));
}

}  // namespace
}  // namespace bascule::application
