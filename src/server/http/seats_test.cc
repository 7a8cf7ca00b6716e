#include "server/http/seats.h"

#include <gtest/gtest.h>

#include <vector>

namespace bascule::http {
namespace {

/// Seats in the order in which they were taken, and which of them were sent away.
class SeatsTest : public testing::Test {
  protected:
    Seat* take(std::string_view peer) {
        auto seat = seats_.take(peer, SteadyTime(std::chrono::seconds(++now_)));
        if (!seat) {
            return nullptr;
        }
        seat->when_wanted([this, number = taken_.size()] { gone_.push_back(number); });
        taken_.push_back(std::move(seat));
        return taken_.back().get();
    }

    Seats seats_{{.all_max = 3, .per_peer_max = 2, .spare_max = 1}};
    std::vector<std::unique_ptr<Seat>> taken_;
    std::vector<std::size_t> gone_;
    int now_ = 0;
};

TEST_F(SeatsTest, TheLongestIdleMakesRoomForANewcomer) {
    take("a")->works();
    take("b");
    take("c");
    EXPECT_FALSE(take("d")->spare());
    EXPECT_EQ(gone_, std::vector<std::size_t>{1}) << "the first works";
    taken_[2]->waits(SteadyTime(std::chrono::seconds(100)));
    EXPECT_FALSE(take("e")->spare());
    EXPECT_EQ(gone_, (std::vector<std::size_t>{1, 3})) << "the third was busy of late";
}

TEST_F(SeatsTest, APeerAtItsLimitMakesRoomForItselfAndHarmsNobodyElse) {
    take("b");
    take("a");
    take("a");
    EXPECT_FALSE(take("a")->spare());
    EXPECT_EQ(gone_, std::vector<std::size_t>{1});
}

TEST_F(SeatsTest, APeerWhoseConnectionsAllWorkGetsASpareSeat) {
    take("a")->works();
    take("a")->works();
    EXPECT_TRUE(take("a")->spare());
    EXPECT_FALSE(take("b")->spare());
    EXPECT_TRUE(gone_.empty());
}

TEST_F(SeatsTest, WhenAllWorkNewcomersShareTheSpareSeats) {
    for (const char* peer : {"a", "b", "c"}) {
        take(peer)->works();
    }
    EXPECT_TRUE(take("d")->spare());
    EXPECT_TRUE(take("e")->spare());
    EXPECT_EQ(gone_, std::vector<std::size_t>{3}) << "idle spares make room as well";
    taken_.back()->works();
    EXPECT_EQ(take("f"), nullptr);
}

TEST_F(SeatsTest, HalfARequestMakesRoomAfterTheIdleAndOnlyIfItStandsStill) {
    take("a")->receives(SteadyTime(std::chrono::seconds(0)));
    take("b")->works();
    take("c");
    EXPECT_FALSE(take("d")->spare());
    EXPECT_EQ(gone_, std::vector<std::size_t>{2}) << "the idle one first";
    taken_[3]->works();
    EXPECT_FALSE(take("e")->spare());
    EXPECT_EQ(gone_, (std::vector<std::size_t>{2, 0}));
    taken_[4]->receives(SteadyTime(std::chrono::seconds(now_ + 1)));
    EXPECT_TRUE(take("f")->spare()) << "something of it came just now";
    taken_[4]->works();
    now_ += 10;
    take("g");
    EXPECT_EQ(gone_, (std::vector<std::size_t>{2, 0, 5})) << "a whole request stays";
}

TEST_F(SeatsTest, ASeatGivenBackIsFree) {
    for (const char* peer : {"a", "a", "b"}) {
        take(peer)->works();
    }
    taken_.erase(taken_.begin());
    EXPECT_FALSE(take("a")->spare());
    EXPECT_TRUE(gone_.empty());
}

TEST_F(SeatsTest, OneSentAwayCountsNoMoreAlsoWhenItEndsLater) {
    take("a");
    take("a");
    take("a");
    ASSERT_EQ(gone_, std::vector<std::size_t>{0});
    taken_.erase(taken_.begin());
    take("a");
    EXPECT_EQ(gone_, (std::vector<std::size_t>{0, 1})) << "its end freed no second place";
}

TEST_F(SeatsTest, RoomIsMadeOnDemandWhileSomebodyIsIdle) {
    EXPECT_FALSE(seats_.make_room(SteadyTime(std::chrono::seconds(100))));
    take("a");
    EXPECT_TRUE(seats_.make_room(SteadyTime(std::chrono::seconds(100))));
    EXPECT_FALSE(seats_.make_room(SteadyTime(std::chrono::seconds(100))));
    EXPECT_EQ(gone_, std::vector<std::size_t>{0});
}

}  // namespace
}  // namespace bascule::http
