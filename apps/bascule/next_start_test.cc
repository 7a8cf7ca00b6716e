#include "next_start.h"

#include <gmock/gmock.h>

namespace bascule {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

config::Node root_of(const char* yaml) { return config::parse_yaml(yaml, "bascule.yaml").value(); }

broker::BusConfig with(std::vector<std::pair<std::string, std::uint32_t>> consumers) {
    broker::BusConfig config;
    for (const auto& [name, concurrency] : consumers) {
        config.consumers.push_back({.name = name, .policy = {.concurrency = concurrency}});
    }
    return config;
}

TEST(NextStartTest, NamesSectionsThatChangedUntilTheyAreAsTheyWere) {
    const broker::BusConfig none;
    NextStart next_start(root_of("server: {listen: a}\nretention: {age: 1h}\n"), none);
    EXPECT_THAT(next_start.waiting(root_of("retention: {age: 1h}\nserver: {listen: a}\n"), none),
                IsEmpty());
    EXPECT_THAT(next_start.waiting(root_of("server: {listen: b}\nbus: {}\n"), none),
                ElementsAre("server", "bus", "retention"));
    EXPECT_THAT(next_start.waiting(root_of("server: {listen: a}\nretention: {age: 1h}\n"), none),
                IsEmpty());
}

TEST(NextStartTest, NamesConsumersThatGoOnWithWhatTheyBeganWith) {
    const config::Node root = root_of("{}");
    NextStart next_start(root, with({{"old", 1}}));
    EXPECT_THAT(next_start.waiting(root, with({{"old", 1}, {"new", 2}})), IsEmpty());
    EXPECT_THAT(next_start.waiting(root, with({{"old", 3}, {"new", 3}})),
                ElementsAre("consumers.old", "consumers.new"));
    EXPECT_THAT(next_start.waiting(root, with({{"old", 1}, {"new", 3}})),
                ElementsAre("consumers.new"));
    EXPECT_THAT(next_start.waiting(root, with({{"old", 1}})), IsEmpty());
    EXPECT_THAT(next_start.waiting(root, with({{"old", 1}, {"new", 3}})), IsEmpty())
        << "it was gone and began anew";
}

}  // namespace
}  // namespace bascule
