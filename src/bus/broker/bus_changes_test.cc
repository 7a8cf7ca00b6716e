// Changes of the configuration, and the room that is kept for positions.
#include <gtest/gtest.h>

#include "bus/broker/bus_testing.h"
#include "bus/broker/undecidable_testing.h"

namespace bascule::broker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class BusChangesTest : public BusTest {
  protected:
    /// The disk holds what it holds, and no more.
    void fill_disk() { disk_.set_capacity(~0ULL - *disk_.free_bytes("bus")); }
    void empty_disk() { disk_.set_capacity(~0ULL); }
};

TEST_F(BusChangesTest, TwoThatAreRefusedTogetherLeaveTheRulesThatAreStored) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle();
    const auto stored = bus_->routing();
    fill_disk();
    std::size_t refused = 0;
    for (const char letter : {'a', 'b'}) {
        BusConfig large = config_of();
        large.rules[0].name = std::string(300'000, letter);
        bus_->configure(std::move(large), [&](const Result<>& outcome) {
            EXPECT_THAT(outcome, FailsWith(ErrorKind::exhausted));
            ++refused;
        });
    }
    settle(10s);
    EXPECT_EQ(refused, 2u);
    EXPECT_EQ(bus_->routing(), stored);
    empty_disk();
    settle(10s);
    ASSERT_THAT(configure(config_of(R"({"source":["other"]})")), Succeeds());
    EXPECT_EQ(bus_->routing()->version(), stored->version() + 1);
}

TEST_F(BusChangesTest, RulesThatTakeTooMuchMemoryLeaveTheOnesInForce) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    const auto before = bus_->routing();
    BusConfig large = config_of();
    large.limits.memory_bytes_max = 50'000;
    for (int i = 0; i < 1000; ++i) {
        large.rules[0].patterns.push_back(
            {R"({"detail":{"data":{"a":[)" + std::to_string(i) + "]}}}"});
    }
    EXPECT_THAT(configure(large), FailsWith(ErrorKind::invalid, HasSubstr("rule 'r'")));
    EXPECT_EQ(bus_->routing(), before);
    publish(event_of("1"));
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1"));
}

TEST_F(BusChangesTest, ThoseAskedForTogetherAreMadeInTheirOrder) {
    std::vector<std::string> made;
    for (const std::string type : {"a.done", "b.done", "c.done"}) {
        bus_->configure(config_of(R"({"detail-type":[")" + type + R"("]})"),
                        [&, type](const Result<>& outcome) {
                            EXPECT_THAT(outcome, Succeeds());
                            made.push_back(type);
                        });
    }
    settle();
    EXPECT_THAT(made, ElementsAre("a.done", "b.done", "c.done"));
    publish(event_of("1", "u", "b.done"));
    publish(event_of("2", "u", "c.done"));
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("2"));
}

TEST_F(BusChangesTest, ABadPolicyOfOneConsumerCostsNoOtherItsPosition) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish(event_of("1"));
    settle();
    crash_and_reopen();
    const std::uint32_t version = bus_->routing()->version();
    BusConfig bad = config_of();
    bad.consumers.push_back(bad.consumers[0]);
    bad.consumers[1].name = "d";
    bad.consumers[1].policy.max_unsettled = 0;
    EXPECT_THAT(configure(bad), FailsWith(ErrorKind::invalid, HasSubstr("'d'")));
    EXPECT_EQ(bus_->routing()->version(), version) << "the rules are as they were";
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1")) << "what was settled stays so";
}

TEST_F(BusChangesTest, OlderEventsThatCannotBeDecidedArePassedOverAndCounted) {
    const Undecidable hard = undecidable();
    publish(event_of("1", "u", "thing.done", hard.data));
    publish(event_of("2"));
    ASSERT_THAT(configure(config_of(hard.pattern)), Succeeds());
    settle();
    EXPECT_THAT(recorder_->seen, testing::IsEmpty());
    EXPECT_EQ(status().undecided, 1U);
    EXPECT_EQ(status().lag_events, 0U);
    const auto explanation = sim::wait_for<Explanation>(
        *executor_, [&](auto done) { bus_->explain("c", Offset(0), std::move(done)); });
    ASSERT_THAT(explanation, Succeeds());
    EXPECT_EQ(explanation->state, "unmatched");
    EXPECT_THAT(explanation->reason, HasSubstr("takes too long"));
}

/// Goal: a consumer whose settings are changed and changed back, while it waits for a run to end,
/// goes on; and with other settings it goes on with these.
TEST_F(BusChangesTest, AChangeThatIsTakenBackBeforeItWasMadeStopsNobody) {
    const auto handler = std::make_shared<PatientHandler>();
    bus_->attach("recorder", handler);
    BusConfig one_at_a_time = config_of();
    one_at_a_time.consumers.front().policy.concurrency = 1;
    for (const bool is_taken_back : {true, false}) {
        ASSERT_THAT(configure(one_at_a_time), Succeeds());
        publish(event_of(is_taken_back ? "a" : "d"));
        settle(1s);
        ASSERT_THAT(handler->last, testing::SizeIs(1));
        ASSERT_THAT(configure(config_of()), Succeeds());
        if (is_taken_back) {
            ASSERT_THAT(configure(one_at_a_time), Succeeds());
        }
        std::exchange(handler->last, {}).front().second(delivery::Outcome::done());
        publish(event_of(is_taken_back ? "b" : "e", "u"));
        publish(event_of(is_taken_back ? "c" : "f", "v"));
        settle(1s);
        EXPECT_THAT(handler->last, testing::SizeIs(is_taken_back ? 1 : 2));
        while (!handler->last.empty()) {
            for (auto& [id, done] : std::exchange(handler->last, {})) {
                done(delivery::Outcome::done());
            }
            settle(1s);
        }
        EXPECT_EQ(status().counts.settled.done, is_taken_back ? 3u : 6u);
    }
}

/// Goal: a change that must drain first is made although another one had stopped the consumer.
TEST_F(BusChangesTest, AChangeThatDrainsFollowsOneThatStopped) {
    const auto handler = std::make_shared<PatientHandler>();
    bus_->attach("recorder", handler);
    BusConfig config = config_of();
    config.consumers.front().policy.concurrency = 1;
    ASSERT_THAT(configure(config), Succeeds());
    publish(event_of("a"));
    publish(event_of("b"));
    settle(1s);
    ASSERT_THAT(handler->last, testing::SizeIs(1));
    ASSERT_THAT(configure(config_of()), Succeeds());
    config.consumers.front().policy.ordering = delivery::Ordering::none;
    ASSERT_THAT(configure(config), Succeeds());
    for (const char* const id : {"a", "b"}) {
        ASSERT_THAT(handler->last, testing::SizeIs(1)) << id;
        EXPECT_EQ(handler->last.front().first, id);
        std::exchange(handler->last, {}).front().second(delivery::Outcome::done());
        settle(1s);
    }
    publish(event_of("c"));
    settle(1s);
    EXPECT_THAT(handler->last, testing::SizeIs(1));
    handler->last.clear();
}

TEST_F(BusChangesTest, WhatIsDoneWhileTheJournalCannotBeWrittenIsConfirmedOnceItIs) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle();
    disk_.fail_operation(1, ErrorKind::exhausted);
    EXPECT_THAT(
        sim::wait_for<>(*executor_,
                        [&](auto done) { bus_->pause("c", std::nullopt, {}, std::move(done)); }),
        FailsWith(ErrorKind::exhausted));
    ASSERT_THAT(
        sim::wait_for<>(*executor_, [&](auto done) { bus_->resume("c", {}, std::move(done)); }),
        Succeeds());
    crash_and_reopen();
    ASSERT_THAT(configure(config_of()), Succeeds());
    EXPECT_EQ(status().state, "running");
}

TEST_F(BusChangesTest, NobodyWaitsForAJournalThatStaysRefused) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle();
    for (int i = 0; i < 3; ++i) {
        disk_.fail_operation(1, ErrorKind::exhausted);
        EXPECT_THAT(sim::wait_for<>(*executor_,
                                    [&](auto done) {
                                        bus_->pause("c", std::nullopt,
                                                    {.reason = std::to_string(i)}, std::move(done));
                                    }),
                    FailsWith(ErrorKind::exhausted));
    }
    settle(1min);
    EXPECT_EQ(status().state, "paused");
    EXPECT_EQ(status().state_reason, "2");
}

TEST_F(BusChangesTest, TheReserveIsTakenAgainOnceThereIsRoom) {
    auto with_reserve = Bus::open(
        {.disk = disk_, .executor = *executor_, .workers = *executor_},
        {.directory = "kept", .log = {.reserve_bytes = 256 << 10, .seed = 1}, .random_seed = 1});
    ASSERT_THAT(with_reserve, Succeeds());
    bus_ = std::move(*with_reserve);
    bus_->attach("recorder", recorder_);
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle();
    const auto held = [&] { return bus_->log().status().reserve_held; };
    ASSERT_TRUE(held());
    const auto write_positions = [&] {
        for (int i = 0; i < 2; ++i) {
            (void)sim::wait_for<>(*executor_,
                                  [&](auto done) { bus_->resume("c", {}, std::move(done)); });
            (void)sim::wait_for<>(*executor_, [&](auto done) {
                bus_->pause("c", std::nullopt, {}, std::move(done));
            });
        }
    };
    fill_disk();
    for (int i = 0; i < 5000 && held(); ++i) {
        write_positions();
    }
    ASSERT_FALSE(held()) << "it was given to the journal";
    settle(1min);
    write_positions();
    EXPECT_FALSE(held()) << "there is only the room that it gave";
    empty_disk();
    settle(1min);
    write_positions();
    EXPECT_TRUE(held());
}

}  // namespace
}  // namespace bascule::broker
