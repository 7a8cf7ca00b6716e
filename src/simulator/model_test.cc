#include "simulator/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// The judge must be able to condemn: each promise is broken once, and once kept just so.

namespace bascule::simulator {
namespace {

using namespace std::chrono_literals;
using delivery::Outcome;
using testing::HasSubstr;
using testing::IsEmpty;

class ModelTest : public testing::Test {
  protected:
    ModelTest() {
        model_.rules(1, {{"c", {"north"}}});
        log("a", 0, "k");
        log("b", 1, "k");
        log("x", 2, "other");
        log("far", 3, "k", "south");
    }
    void log(std::string id, std::uint64_t offset, std::string key, std::string source = "north") {
        model_.logged({.offset = Offset(offset),
                       .id = std::move(id),
                       .key = std::move(key),
                       .source = std::move(source),
                       .rules = 1});
    }
    void start(std::uint64_t run, std::uint64_t offset, const std::string& id,
               std::optional<SteadyTime> deadline = {}) {
        model_.run_started({.consumer = "c",
                            .number = run,
                            .events = {Offset(offset)},
                            .ids = {id},
                            .deadline = deadline},
                           now_);
    }
    void answer(std::uint64_t run, const Outcome& outcome = Outcome::done()) {
        model_.run_answered("c", run, outcome, now_);
    }
    void handle(std::uint64_t run, std::uint64_t offset, const std::string& id) {
        start(run, offset, id);
        answer(run);
    }

    SteadyTime now_{1s};
    Model model_{{{"c", {.retry = {.initial = 100ms, .jitter = 0, .max_attempts = 2}}}}};
};

TEST_F(ModelTest, KeptPromisesAreNoViolation) {
    model_.confirmed("a", Offset(0));
    handle(1, 0, "a");
    handle(2, 1, "b");
    handle(3, 2, "x");
    model_.finish();
    EXPECT_THAT(model_.violation(), IsEmpty());
}

TEST_F(ModelTest, AConfirmedEventMustBeInTheLog) {
    model_.confirmed("lost", Offset(9));
    EXPECT_THAT(model_.violation(), HasSubstr("lost was confirmed at 0:9 and is not in the log"));
}

TEST_F(ModelTest, AConfirmedEventMustStayWhereItIs) {
    model_.confirmed("a", Offset(1));
    EXPECT_THAT(model_.violation(), HasSubstr("stands at 0:0"));
}

TEST_F(ModelTest, WhatCouldBeReadMustBeThereAfterACrash) {
    model_.log_reopened({{.offset = Offset(0), .id = "a"}, {.offset = Offset(1), .id = "b"}});
    EXPECT_THAT(model_.violation(), HasSubstr("x at 0:2 could be read and is gone"));
}

TEST_F(ModelTest, NoEventStandsTwice) {
    log("a", 4, "k");
    EXPECT_THAT(model_.violation(), HasSubstr("a is in the log twice"));
}

TEST_F(ModelTest, AHandlerGetsNothingThatNoRuleSends) {
    start(1, 3, "far");
    EXPECT_THAT(model_.violation(), HasSubstr("which no rule sends there"));
}

TEST_F(ModelTest, EveryMatchingEventIsSettledInTheEnd) {
    handle(1, 0, "a");
    handle(2, 1, "b");
    model_.finish();
    EXPECT_THAT(model_.violation(), HasSubstr("never settled x"));
}

TEST_F(ModelTest, AKeyHasOneRunAtATime) {
    start(1, 0, "a");
    start(2, 1, "b");
    EXPECT_THAT(model_.violation(), HasSubstr("run 1 of k is open"));
}

TEST_F(ModelTest, AKeyGoesInLogOrder) {
    handle(1, 1, "b");
    EXPECT_THAT(model_.violation(), HasSubstr("0:0 comes before it and is not settled"));
}

TEST_F(ModelTest, AParkedKeyStaysInOrder) {
    start(1, 0, "a");
    answer(1, Outcome::permanent("no"));
    start(2, 1, "b");
    EXPECT_THAT(model_.violation(), HasSubstr("G3"));
}

TEST_F(ModelTest, ADiscardedLetterLetsTheKeyGoOn) {
    start(1, 0, "a");
    answer(1, Outcome::permanent("no"));
    model_.discarded("c", Offset(0));
    handle(2, 1, "b");
    EXPECT_THAT(model_.violation(), IsEmpty());
    start(3, 0, "a");
    EXPECT_THAT(model_.violation(), HasSubstr("which a person discarded"));
}

TEST_F(ModelTest, NothingIsHandledAgainWithoutACause) {
    handle(1, 0, "a");
    start(2, 0, "a");
    EXPECT_THAT(model_.violation(), HasSubstr("again though it is done"));
}

TEST_F(ModelTest, AfterACrashWhatWasSettledLongAgoStays) {
    handle(1, 0, "a");
    now_ += 1s;
    handle(2, 2, "x");
    model_.ended({.kind = End::Kind::power_cut, .settled_before = now_ - 100ms});
    handle(3, 2, "x");
    EXPECT_THAT(model_.violation(), IsEmpty());
    start(4, 0, "a");
    EXPECT_THAT(model_.violation(), HasSubstr("again though it is done"));
}

TEST_F(ModelTest, ARetryWaits) {
    start(1, 0, "a");
    answer(1, Outcome::transient("later"));
    now_ += 99ms;
    start(2, 0, "a");
    EXPECT_THAT(model_.violation(), HasSubstr("before its time"));
}

TEST_F(ModelTest, ARunThatWasGivenUpMayBeFollowed) {
    start(1, 0, "a", now_ + 1s);
    now_ += 3s;
    answer(1);  // too late to count
    handle(2, 0, "a");
    EXPECT_THAT(model_.violation(), IsEmpty());
}

TEST_F(ModelTest, ARunWithinItsTimeIsNotDoubled) {
    start(1, 2, "x", now_ + 1s);
    start(2, 2, "x", now_ + 1s);
    EXPECT_THAT(model_.violation(), HasSubstr("is open"));
}

}  // namespace
}  // namespace bascule::simulator
