#include "simulator/deeds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bascule::simulator {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

class DeedsTest : public testing::Test {
  protected:
    std::string paused() {
        const std::string actor = deeds_.asked(Deeds::Kind::pause, "c", now_);
        deeds_.confirmed(actor);
        return actor;
    }
    void told(const std::string& actor, const std::string& type = "bus.consumer_paused",
              const std::string& letter = "") {
        deeds_.told({.type = type, .consumer = "c", .actor = actor, .letter = letter});
    }

    SteadyTime now_{1s};
    Deeds deeds_;
};

TEST_F(DeedsTest, ADeedIsToldOnce) {
    const std::string actor = paused();
    told(actor);
    deeds_.finish();
    EXPECT_THAT(deeds_.violation(), IsEmpty());
    told(actor);
    EXPECT_THAT(deeds_.violation(), HasSubstr("is told twice"));
}

TEST_F(DeedsTest, AConfirmedDeedIsTold) {
    paused();
    deeds_.finish();
    EXPECT_THAT(deeds_.violation(), HasSubstr("was confirmed and not told"));
}

TEST_F(DeedsTest, EveryLetterIsTold) {
    const std::string actor = deeds_.asked(Deeds::Kind::redrive, "c", now_);
    deeds_.confirmed(actor, {"c:1", "c:2"});
    told(actor, "bus.letter_redriven", "c:1");
    deeds_.finish();
    EXPECT_THAT(deeds_.violation(), HasSubstr("of letter c:2"));
}

TEST_F(DeedsTest, NothingIsToldThatNobodyDid) {
    told("nobody");
    EXPECT_THAT(deeds_.violation(), HasSubstr("tells of what nobody did"));
}

TEST_F(DeedsTest, APauseThatWasConfirmedStands) {
    paused();
    deeds_.process_ended();
    deeds_.seen("c", true, now_);
    EXPECT_THAT(deeds_.violation(), IsEmpty());
    deeds_.seen("c", false, now_);
    EXPECT_THAT(deeds_.violation(), HasSubstr("goes on though it was paused"));
}

TEST_F(DeedsTest, WhatWasNotAnsweredMayOrMayNotBeSo) {
    deeds_.asked(Deeds::Kind::pause, "c", now_);
    deeds_.process_ended();
    deeds_.seen("c", true, now_);
    deeds_.seen("c", false, now_);
    EXPECT_THAT(deeds_.violation(), IsEmpty());
}

TEST_F(DeedsTest, APauseEndsWhenItSaidAndNotBefore) {
    deeds_.confirmed(deeds_.asked(Deeds::Kind::pause, "c", now_, now_ + 1s));
    EXPECT_EQ(deeds_.paused("c", now_ + 999ms), true);
    EXPECT_EQ(deeds_.paused("c", now_ + 3s), false);
}

TEST_F(DeedsTest, ToResumeWhatRunsIsNoDeed) {
    deeds_.confirmed(deeds_.asked(Deeds::Kind::resume, "c", now_));
    deeds_.finish();
    EXPECT_THAT(deeds_.violation(), IsEmpty());
}

}  // namespace
}  // namespace bascule::simulator
