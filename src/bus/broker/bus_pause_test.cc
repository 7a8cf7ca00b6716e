#include "bus/broker/bus_testing.h"

namespace bascule::broker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = ResumeFrom::Kind;

/// What was published while it was paused, and where it goes on.
class BusPauseTest : public BusTest {
  protected:
    void SetUp() override {
        BusTest::SetUp();
        ASSERT_THAT(configure(config_of()), Succeeds());
        publish(event_of("1"));
        settle(1s);
        ASSERT_THAT(asked([&](auto done) { bus_->pause("c", {}, {}, std::move(done)); }),
                    Succeeds());
        publish(event_of("2"));
        settle(1s);
        later_ = clock_.wall();
        publish(event_of("3"));
        settle(1s);
    }

    template <class Verb>
    Result<> asked(Verb verb) {
        return sim::wait_for<>(*executor_, std::move(verb));
    }

    Result<> resume(ResumeFrom from) {
        return asked(
            [&](auto done) { bus_->resume_from("c", from, {.actor = "ada"}, std::move(done)); });
    }

    WallTime later_{};
};

TEST_F(BusPauseTest, FromNowLeavesAGapThatSurvivesACrash) {
    ASSERT_THAT(resume({.kind = Kind::now}), Succeeds());
    crash_and_reopen();
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish(event_of("4"));
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "4"));
    const ConsumerStatus now = status();
    EXPECT_EQ(now.counts.settled.gap, 2u);
    EXPECT_EQ(now.counts.matched, now.counts.accounted());
    std::size_t left_out = 0;
    for (const delivery::ConsumerState::Gap& gap : now.gaps) {
        for (Offset at = gap.first; at < gap.end; at = next(at)) {
            left_out += state_of(at) == "gap";
        }
    }
    EXPECT_EQ(left_out, 2u);
}

TEST_F(BusPauseTest, FromATimeOrAnOffset) {
    ASSERT_THAT(resume({.kind = Kind::time, .time = later_}), Succeeds());
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "3"));
    ASSERT_THAT(asked([&](auto done) { bus_->pause("c", {}, {}, std::move(done)); }), Succeeds());
    ASSERT_THAT(resume({.kind = Kind::offset, .offset = Offset(0)}), Succeeds());
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "3", "1", "2", "3"));
    const ConsumerStatus now = status();
    EXPECT_EQ(now.counts.matched + now.counts.settled.reopened, now.counts.accounted());
}

TEST_F(BusPauseTest, FromWhereTheLogIsNotIsRefused) {
    EXPECT_THAT(resume({.kind = Kind::offset, .offset = Offset(1000)}),
                FailsWith(ErrorKind::invalid, HasSubstr("the log holds 0 to")));
    EXPECT_EQ(status().state, "paused");
    ASSERT_THAT(resume({}), Succeeds());
    EXPECT_THAT(resume({.kind = Kind::now}),
                FailsWith(ErrorKind::conflict, HasSubstr("not paused")));
}

TEST_F(BusPauseTest, ADrainHandlesWhatWasReadAndTellsOnce) {
    ASSERT_THAT(resume({}), Succeeds());
    settle();
    recorder_->scripts["4"] = {delivery::Outcome::transient("busy"), delivery::Outcome::done()};
    publish(event_of("4"));
    settle(100ms);
    ASSERT_THAT(asked([&](auto done) { bus_->drain("c", {}, {}, std::move(done)); }), Succeeds());
    ASSERT_THAT(asked([&](auto done) { bus_->drain("c", {}, {}, std::move(done)); }), Succeeds());
    EXPECT_EQ(status().state, "draining");
    publish(event_of("5"));
    settle();
    EXPECT_EQ(status().state, "paused");
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "2", "3", "4", "4"));
    ASSERT_THAT(resume({}), Succeeds());
    settle();
    EXPECT_EQ(recorder_->seen.back(), "5");
}

/// Goal: a power cut that takes a discard away leaves nothing ahead of the letter, which a person
/// may redrive then. Method: a disk whose syncs take half a second.
TEST_F(BusTest, WhatADiscardLetsGoWaitsUntilTheDiscardIsDurable) {
    sim::SimDisk slow(*executor_, {.sync_latency_min = 500ms, .sync_latency_max = 500ms});
    auto opened = Bus::open({.disk = slow, .executor = *executor_, .workers = *executor_},
                            {.directory = "bus", .log = {.reserve_bytes = 0, .seed = 1}});
    ASSERT_THAT(opened, Succeeds());
    Bus& bus = **opened;
    bus.attach("recorder", recorder_);
    ASSERT_THAT(sim::wait_for<>(*executor_,
                                [&](auto done) { bus.configure(config_of(), std::move(done)); }),
                Succeeds());
    recorder_->scripts["1"] = {delivery::Outcome::permanent("no")};
    for (const char* id : {"1", "2"}) {
        std::vector<event::Event> events;
        events.push_back(event_of(id, "p"));
        bus.publish(std::move(events), {}, [](const auto&) {});
    }
    settle(20s);
    ASSERT_THAT(recorder_->seen, ElementsAre("1"));
    const SteadyTime asked = executor_->clock().steady();
    bus.discard({}, {.reason = "wrong"}, [](const auto&) {});
    for (int steps = 0; recorder_->seen.size() < 2 && steps < 10'000; ++steps) {
        ASSERT_TRUE(executor_->run_one());
    }
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "2"));
    EXPECT_GE(executor_->clock().steady() - asked, 500ms) << "before the journal was synced";
    opened->reset();
    executor_->run_ready();
}

}  // namespace
}  // namespace bascule::broker
