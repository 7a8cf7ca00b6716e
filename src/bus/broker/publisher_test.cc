#include "bus/broker/publisher.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

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

}  // namespace
}  // namespace bascule::broker
