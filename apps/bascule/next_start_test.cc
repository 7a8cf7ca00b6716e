#include "next_start.h"

#include <gmock/gmock.h>

namespace bascule {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

config::Node root_of(const char* yaml) { return config::parse_yaml(yaml, "bascule.yaml").value(); }

TEST(NextStartTest, NamesSectionsThatChangedUntilTheyAreAsTheyWere) {
    const broker::BusConfig none;
    const NextStart next_start(root_of("server: {listen: a}\nretention: {age: 1h}\n"), none);
    EXPECT_THAT(next_start.waiting(root_of("retention: {age: 1h}\nserver: {listen: a}\n"), none),
                IsEmpty());
    EXPECT_THAT(next_start.waiting(root_of("server: {listen: b}\nbus: {}\n"), none),
                ElementsAre("server", "bus", "retention"));
    EXPECT_THAT(next_start.waiting(root_of("server: {listen: a}\nretention: {age: 1h}\n"), none),
                IsEmpty());
}

TEST(NextStartTest, NamesWhatABuiltInConsumerTakesAtOnceAndNoOtherSettingOfConsumers) {
    const config::Node root = root_of("{}");
    broker::BusConfig config;
    config.consumers.push_back({.name = "c", .part_size = 100});
    const NextStart next_start(root, config);
    config.consumers.front().policy.concurrency = 1;
    config.consumers.push_back({.name = "new", .part_size = 7});
    EXPECT_THAT(next_start.waiting(root, config), IsEmpty());
    config.consumers.front().part_size = 50;
    EXPECT_THAT(next_start.waiting(root, config), ElementsAre("consumers.c.batch_size"));
}

}  // namespace
}  // namespace bascule
