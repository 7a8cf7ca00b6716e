#include "health_news.h"

#include <gmock/gmock.h>

namespace bascule {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

broker::BusHealth with_log(log::State state, std::string detail = "") {
    broker::BusHealth health;
    health.log.state = state;
    health.log.reason = "for anyone";
    health.log.detail = std::move(detail);
    return health;
}

TEST(HealthNewsTest, AFullDiskIsToldOnceWithFileAndRemedyAndSoIsItsEnd) {
    const auto full = with_log(log::State::full, "write DATA/buses/1/log/0.seg: no space left");
    const auto news = health_news({}, full);
    ASSERT_EQ(news.size(), 1u);
    EXPECT_FALSE(news[0].good);
    EXPECT_THAT(news[0].text, AllOf(HasSubstr("publishes are refused, the log is full"),
                                    HasSubstr("DATA/buses/1/log/0.seg"), HasSubstr("free space")));
    EXPECT_THAT(health_news(full, full), IsEmpty());
    const auto again = health_news(full, {});
    ASSERT_EQ(again.size(), 1u);
    EXPECT_TRUE(again[0].good);
}

TEST(HealthNewsTest, EveryStateThatRefusesSaysWhatToDo) {
    EXPECT_THAT(health_news({}, with_log(log::State::failed))[0].text,
                AllOf(HasSubstr("failed: for anyone"), HasSubstr("restart")));
    EXPECT_THAT(health_news({}, with_log(log::State::read_only))[0].text, HasSubstr("restore"));
    EXPECT_EQ(health_news(with_log(log::State::full), with_log(log::State::failed)).size(), 1u);
}

TEST(HealthNewsTest, WellnessAndAnOrderlyEndAreNoNews) {
    EXPECT_THAT(health_news({}, {}), IsEmpty());
    EXPECT_THAT(health_news({}, with_log(log::State::closed)), IsEmpty());
    EXPECT_THAT(health_news(with_log(log::State::full), with_log(log::State::closed)), IsEmpty());
}

TEST(HealthNewsTest, DeliveryIsToldBesideTheLog) {
    auto trouble = with_log(log::State::full, "no space");
    trouble.delivery_reason = "letters cannot be written: the disk is full";
    trouble.delivery_detail = "write DATA/letters: no space left";
    const auto news = health_news({}, trouble);
    ASSERT_EQ(news.size(), 2u);
    EXPECT_THAT(news[1].text,
                AllOf(HasSubstr("nothing new is delivered"), HasSubstr("DATA/letters")));
    const auto over = health_news(trouble, with_log(log::State::full));
    ASSERT_EQ(over.size(), 1u);
    EXPECT_TRUE(over[0].good);
}

TEST(HealthNewsTest, LostEventsAreNamedOnce) {
    broker::BusHealth lost;
    lost.lost_reason = "events at positions 5 to 9 cannot be read: the checksum differs";
    const auto news = health_news({}, lost);
    ASSERT_EQ(news.size(), 1u);
    EXPECT_FALSE(news[0].good);
    EXPECT_THAT(news[0].text, AllOf(HasSubstr("positions 5 to 9"), HasSubstr("Letters name")));
    EXPECT_THAT(health_news(lost, lost), IsEmpty());
}

}  // namespace
}  // namespace bascule
