#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/broker/bus_testing.h"
#include "foundation/base/testing.h"

namespace bascule::broker {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

/// A bus that keeps 40 KiB of its log, with a consumer that works in a database.
class BusRetentionTest : public BusTest {
  protected:
    void SetUp() override {
        open_small();
        ASSERT_THAT(configure(config_of()), Succeeds());
    }

    void open_small() {
        auto bus = Bus::open({.disk = disk_, .executor = *executor_, .workers = *executor_},
                             {.directory = "bus",
                              .log = {.segment_bytes = 16 << 10,
                                      .fill_bytes = 4 << 10,
                                      .retention = {.bytes = 40 << 10},
                                      .reserve_bytes = 0,
                                      .seed = 3},
                              .random_seed = 3});
        ASSERT_THAT(bus, Succeeds());
        bus_ = std::move(*bus);
        bus_->attach("recorder", recorder_,
                     InboxState{.low = inbox_low_,
                                .done = {},
                                .advance = [this](Offset low, io::Completion<> done) {
                                    asked_.push_back(low);
                                    if (database_works_) {
                                        inbox_low_ = low;
                                        done({});
                                    } else {
                                        done(fail(ErrorKind::unavailable, "locked"));
                                    }
                                }});
    }

    void reopen(bool power_cut) {
        executor_->drop_all();
        if (power_cut) {
            disk_.crash();
        }
        bus_.reset();
        executor_->drop_all();
        open_small();
        ASSERT_THAT(configure(config_of()), Succeeds());
    }

    /// More than is kept, and time for retention to look.
    void fill() {
        for (int i = 0; i < 40; ++i) {
            event::Event event = event_of(std::to_string(++events_), "u");
            event.data = R"({"filler":")" + std::string(2000, 'x') + R"("})";
            publish(std::move(event));
        }
        settle(3min);
    }

    Offset inbox_low_;
    bool database_works_ = true;
    std::vector<Offset> asked_;
    int events_ = 0;
};

TEST_F(BusRetentionTest, NothingIsTakenThatADatabaseDoesNotKnowToBeGone) {
    database_works_ = false;
    fill();
    EXPECT_EQ(bus_->log().begin(), Offset(0));
    EXPECT_THAT(asked_, Not(IsEmpty()));
    database_works_ = true;
    settle(3min);
    EXPECT_GT(bus_->log().begin(), Offset(0));
    EXPECT_LE(bus_->log().begin(), inbox_low_);
}

TEST_F(BusRetentionTest, AfterARestartNothingCountsAsLost) {
    for (const bool power_cut : {false, true}) {
        fill();
        const Offset begin = bus_->log().begin();
        ASSERT_GT(begin, Offset(0));
        reopen(power_cut);
        settle(3min);
        EXPECT_THAT(letters(), IsEmpty());
        EXPECT_GE(status().position, begin);
        EXPECT_THAT(recorder_->seen, SizeIs(testing::Ge(static_cast<std::size_t>(events_))));
    }
}

TEST_F(BusRetentionTest, AConsumerThatCameAfterTheBeginningWentMissesNothing) {
    fill();
    ASSERT_GT(bus_->log().begin(), Offset(0));
    const auto patient = std::make_shared<PatientHandler>();
    BusConfig config = config_of();
    for (const Start start : {Start::earliest, Start::now}) {
        config.consumers.push_back({.name = start == Start::now ? "late" : "early",
                                    .handler = {.in_process = "patient"},
                                    .start = start});
        config.rules[0].targets.push_back(config.consumers.back().name);
    }
    bus_->attach("patient", patient, InboxState{});
    ASSERT_THAT(configure(config), Succeeds());
    publish(event_of("held", "u"));
    settle(1s);
    ASSERT_THAT(patient->last, SizeIs(2));  // their first runs are in the journal, unanswered
    executor_->drop_all();
    patient->last.clear();
    bus_.reset();
    executor_->drop_all();
    open_small();
    bus_->attach("patient", patient, InboxState{});
    ASSERT_THAT(configure(config), Succeeds());
    settle(1s);
    EXPECT_THAT(letters(), IsEmpty());
    EXPECT_THAT(patient->last, SizeIs(2));
    patient->last.clear();
}

TEST_F(BusRetentionTest, ADatabaseFromBeforeTheLogBeginsIsTold) {
    fill();
    ASSERT_GT(bus_->log().begin(), Offset(0));
    inbox_low_ = Offset(0);  // somebody restored it
    reopen(false);
    settle(3min);
    const auto lost = letters();
    ASSERT_THAT(lost, SizeIs(1));
    EXPECT_EQ(next(lost[0].offset), bus_->log().begin());
}

}  // namespace
}  // namespace bascule::broker
