#include "bus/broker/bus_testing.h"

namespace bascule::broker {
namespace {

using testing::ElementsAre;

/// Goal: a receiver that drops what it knows by delivery id drops nothing that it was not sent.
TEST_F(BusTest, TheDeliveryIdOfABatchNamesItsMembers) {
    BusConfig config = config_of();
    config.consumers[0].policy.batch =
        delivery::Batch{.max_size = 3, .max_wait = 1s, .on_error = delivery::BatchOnError::bisect};
    ASSERT_THAT(configure(std::move(config)), Succeeds());
    settle();
    for (const std::string id : {"1", "2", "3"}) {
        publish(event_of(id, "user " + id));
    }
    recorder_->scripts["1"] = {delivery::Outcome::uncounted("429", 1s),
                               delivery::Outcome::transient("busy"), delivery::Outcome::done()};
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "2", "3", "1", "2", "3", "1", "2", "3"));
    const std::vector<std::string>& ids = recorder_->ids["1"];
    ASSERT_EQ(ids.size(), 3u);
    EXPECT_EQ(ids[0], ids[1]) << "the same work";
    EXPECT_NE(ids[0], ids[2]);
}

}  // namespace
}  // namespace bascule::broker
