#include "bus/broker/publisher.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "bus/broker/undecidable_testing.h"
#include "foundation/base/testing.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_executor.h"

namespace bascule::broker {
namespace {

using Results = Result<std::vector<PublishResult>>;

std::vector<event::Event> one_event() {
    event::Event event;
    event.event_type = "thing.done";
    event.source = "test";
    event.user_id = "u";
    event.data = "{}";
    return {event};
}

/// A publisher on a log that refuses at once, since it is closed.
class RefusedPublisherTest : public testing::Test {
  protected:
    void SetUp() override {
        auto log = log::Log::open(disk_, executor_, "log", {.reserve_bytes = 0, .seed = 1}, {});
        ASSERT_THAT(log, Succeeds());
        log_ = std::move(*log);
        publisher_ = std::make_unique<Publisher>(*log_, std::make_shared<TargetSets>(), executor_,
                                                 Routing::empty());
        ASSERT_THAT(sim::wait_for<>(executor_, [&](auto done) { log_->close(std::move(done)); }),
                    Succeeds());
    }

    sim::SimClock clock_;
    sim::SimExecutor executor_{clock_, 7};
    sim::SimDisk disk_{executor_};
    std::unique_ptr<log::Log> log_;
    std::unique_ptr<Publisher> publisher_;
};

TEST_F(RefusedPublisherTest, WhoIsRefusedMayPublishAgainAndAgain) {
    int refused = 0;
    int deep = 0;
    std::function<void()> publish = [&] {
        ++deep;
        publisher_->publish(one_event(), {}, [&](const Results& results) {
            EXPECT_THAT(results, FailsWith(ErrorKind::unavailable));
            EXPECT_EQ(deep, 0) << "inside of publish";
            if (++refused < 1000) {
                publish();
            }
        });
        --deep;
    };
    publish();
    executor_.run_until_idle();
    EXPECT_EQ(refused, 1000);
}

TEST_F(RefusedPublisherTest, NoAnswerComesInsideOfTheCall) {
    struct Case {
        const char* name;
        std::vector<event::Event> events;
    };
    std::vector<event::Event> invalid = one_event();
    invalid.front().event_type.clear();
    for (const Case& row : {Case{"none", {}}, Case{"an invalid one", invalid}}) {
        bool answered = false;
        publisher_->publish(row.events, {}, [&](const Results&) { answered = true; });
        EXPECT_FALSE(answered) << row.name;
        executor_.run_until_idle();
        EXPECT_TRUE(answered) << row.name;
    }
}

TEST_F(RefusedPublisherTest, WhoIsRefusedMayChangeTheRules) {
    const auto next = Routing::build({}, Routing::empty().get(), clock_.wall());
    ASSERT_THAT(next, Succeeds());
    bool answered = false;
    publisher_->publish(one_event(), {}, [&](const Results&) {
        publisher_->change_routing(*next, [&](const Result<Offset>& at) {
            EXPECT_THAT(at, FailsWith(ErrorKind::unavailable));
            answered = true;
        });
    });
    executor_.run_until_idle();
    EXPECT_TRUE(answered);
    EXPECT_EQ(publisher_->routing(), Routing::empty()) << "a refused change is not in force";
}

/// The limit leaves room for an event, but not for twenty definitions in one record.
TEST(PublisherTest, SetsAreDefinedWhateverTheLimitOfEvents) {
    sim::SimClock clock;
    sim::SimExecutor executor(clock, 7);
    sim::SimDisk disk(executor);
    auto log = log::Log::open(disk, executor, "log",
                              {.record_bytes_max = 400, .reserve_bytes = 0, .seed = 1}, {});
    ASSERT_THAT(log, Succeeds());
    RoutingPlan plan;
    std::vector<event::Event> events;
    for (int i = 0; i < 20; ++i) {
        const std::string name = "c" + std::to_string(i);
        plan.subscribers.push_back({name});
        plan.rules.push_back(
            {.name = name,
             .patterns = {{R"({"detail-type":["thing.t)" + std::to_string(i) + R"("]})"}},
             .targets = {name}});
        events.push_back(one_event().front());
        events.back().event_type = "thing.t" + std::to_string(i);
    }
    const auto routing = Routing::build(plan, Routing::empty().get(), clock.wall());
    ASSERT_THAT(routing, Succeeds());
    Publisher publisher(**log, std::make_shared<TargetSets>(), executor, Routing::empty());
    ASSERT_THAT(
        sim::wait_for<Offset>(
            executor, [&](auto done) { publisher.change_routing(*routing, std::move(done)); }),
        Succeeds());
    const auto results = sim::wait_for<std::vector<PublishResult>>(
        executor, [&](auto done) { publisher.publish(events, {}, std::move(done)); });
    ASSERT_THAT(results, Succeeds());
    for (const PublishResult& result : *results) {
        const auto* rejected = std::get_if<Rejected>(&result);
        ASSERT_EQ(rejected, nullptr) << rejected->message;
    }
    TargetSets recovered;
    std::size_t routed = 0;
    const auto batch = (*log)->read((*log)->begin());
    ASSERT_THAT(batch, Succeeds());
    for (const log::RecordView& record : batch->records()) {
        if (record.kind == log::RecordKind::event) {
            ++routed;
            EXPECT_THAT(recovered.members(record.target_set), testing::SizeIs(1))
                << "who gets record " << record.offset.value() << " is lost with a restart";
        } else if (record.rule_version == 0) {
            EXPECT_THAT(recovered.absorb(record.body), Succeeds());
        }
    }
    EXPECT_EQ(routed, events.size());
}

/// Goal: an event for which a rule cannot be decided is neither lost to the rule's consumer in
/// silence nor told to it: it is rejected, alone unless the batch is all or nothing.
TEST(PublisherTest, AnEventThatARuleLeavesUndecidedIsRejected) {
    sim::SimClock clock;
    sim::SimExecutor executor(clock, 7);
    sim::SimDisk disk(executor);
    auto log = log::Log::open(disk, executor, "log", {.reserve_bytes = 0, .seed = 1}, {});
    ASSERT_THAT(log, Succeeds());
    const Undecidable hard = undecidable();
    const auto routing = Routing::build(
        {.rules = {{.name = "hard", .patterns = {{hard.pattern}}, .targets = {"a"}},
                   {.name = "all", .patterns = {{R"({"source":["test"]})"}}, .targets = {"b"}}},
         .subscribers = {{"a"}, {"b"}}},
        Routing::empty().get(), clock.wall());
    ASSERT_THAT(routing, Succeeds());
    Publisher publisher(**log, std::make_shared<TargetSets>(), executor, *routing);
    std::vector<event::Event> events(3, one_event().front());
    events[1].data = hard.data;
    const auto codes = [&](const std::vector<event::Event>& of, const PublishOptions& options) {
        const auto results = sim::wait_for<std::vector<PublishResult>>(
            executor, [&](auto done) { publisher.publish(of, options, std::move(done)); });
        EXPECT_THAT(results, Succeeds());
        std::string text;
        for (const PublishResult& result : results.value()) {
            const auto* rejected = std::get_if<Rejected>(&result);
            text += (text.empty() ? "" : " ");
            text += rejected == nullptr ? "accepted" : name(rejected->code);
        }
        return text;
    };
    EXPECT_EQ(codes(events, {.atomicity = Atomicity::all}),
              "atomic_batch_failed undecided atomic_batch_failed");
    EXPECT_EQ((*log)->end(), (*log)->begin());
    EXPECT_EQ(codes({events[1]}, {}), "undecided");
    EXPECT_EQ(codes(events, {}), "accepted undecided accepted");
    EXPECT_EQ(publisher.counts().accepted, 2u);
    EXPECT_EQ(publisher.counts().rejected, 5u);
    EXPECT_EQ(publisher.counts().undecided, 3u);
    std::size_t stored = 0;
    const auto batch = (*log)->read((*log)->begin());
    ASSERT_THAT(batch, Succeeds());
    for (const log::RecordView& record : batch->records()) {
        stored += record.kind == log::RecordKind::event ? 1 : 0;
    }
    EXPECT_EQ(stored, 2u);
}

TEST(PublisherTest, RulesThatNoRecordCanHoldAreRefusedInTheirOwnWords) {
    sim::SimClock clock;
    sim::SimExecutor executor(clock, 7);
    sim::SimDisk disk(executor);
    auto log = log::Log::open(
        disk, executor, "log",
        {.frame_bytes_max = 4096, .record_bytes_max = 256, .reserve_bytes = 0, .seed = 1}, {});
    ASSERT_THAT(log, Succeeds());
    const RoutingPlan plan{.rules = {{.name = std::string(5000, 'r'),
                                      .patterns = {{R"({"source":["s"]})"}},
                                      .targets = {"c"}}},
                           .subscribers = {{"c"}}};
    const auto routing = Routing::build(plan, Routing::empty().get(), clock.wall());
    ASSERT_THAT(routing, Succeeds());
    Publisher publisher(**log, std::make_shared<TargetSets>(), executor, Routing::empty());
    std::optional<Result<Offset>> changed;
    publisher.change_routing(*routing, [&](Result<Offset> result) { changed = std::move(result); });
    EXPECT_EQ(publisher.routing(), Routing::empty()) << "events are matched with them already";
    executor.run_ready();
    ASSERT_TRUE(changed);
    EXPECT_THAT(*changed,
                FailsWith(ErrorKind::invalid, testing::HasSubstr("fewer or shorter rules")));
    EXPECT_EQ(publisher.routing(), Routing::empty());
}

}  // namespace
}  // namespace bascule::broker
