#include "simulator/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "foundation/base/hash.h"

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
        const std::uint64_t content = hash64(id);
        model_.sent(id, content);
        model_.logged({.offset = Offset(offset),
                       .id = std::move(id),
                       .key = std::move(key),
                       .source = std::move(source),
                       .rules = 1,
                       .content = content});
    }
    void start(std::uint64_t run, std::uint64_t offset, const std::string& id,
               std::optional<SteadyTime> deadline = {}, std::uint32_t attempt = 1) {
        model_.run_started({.consumer = "c",
                            .number = run,
                            .attempt = attempt,
                            .events = {Offset(offset)},
                            .ids = {id},
                            .contents = {hash64(id)},
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

    Model with(const delivery::Policy& policy) {
        return Model({{"c", policy}}, [this](const std::string& consumer, Offset offset) {
            return consumer == "c" && letters_.contains(offset);
        });
    }

    SteadyTime now_{1s};
    std::set<Offset> letters_;  // of "c"
    delivery::Policy policy_{.retry = {.initial = 100ms, .jitter = 0, .max_attempts = 2}};
    Model model_ = with(policy_);
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
    model_.log_reopened({{.offset = Offset(0), .id = "a", .content = hash64("a")},
                         {.offset = Offset(1), .id = "b", .content = hash64("b")}});
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
    model_.discarded("c", Offset(0), now_);
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
    start(2, 0, "a", {}, 2);
    EXPECT_THAT(model_.violation(), HasSubstr("before its time"));
}

TEST_F(ModelTest, ARetryWaitsOverARestartToo) {
    start(1, 0, "a");
    answer(1, Outcome::transient("later"));
    now_ += 50ms;
    model_.ended({.kind = End::Kind::kill, .settled_before = now_});
    start(2, 0, "a", {}, 2);
    EXPECT_THAT(model_.violation(), HasSubstr("before its time"));
}

TEST_F(ModelTest, AWallClockThatWasSetExcusesARestart) {
    start(1, 0, "a");
    answer(1, Outcome::transient("later"));
    now_ += 50ms;
    model_.wall_clock_was_set();
    model_.ended({.kind = End::Kind::kill, .settled_before = now_});
    start(2, 0, "a", {}, 2);
    EXPECT_THAT(model_.violation(), IsEmpty());
}

TEST_F(ModelTest, AnEventSaysWhatItsPublisherSaid) {
    model_.sent("a2", 1);
    model_.logged({.offset = Offset(4), .id = "a2", .source = "north", .rules = 1, .content = 2});
    EXPECT_THAT(model_.violation(), HasSubstr("is not what was published"));
}

TEST_F(ModelTest, AHandlerGetsWhatStandsInTheLog) {
    model_.run_started({.consumer = "c",
                        .number = 1,
                        .events = {Offset(0)},
                        .ids = {"a"},
                        .contents = {hash64("b")}},
                       now_);
    EXPECT_THAT(model_.violation(), HasSubstr("otherwise than it was published"));
}

TEST_F(ModelTest, AnAttemptIsCharged) {
    start(1, 0, "a");
    answer(1, Outcome::transient("later"));
    now_ += 1s;
    start(2, 0, "a");
    EXPECT_THAT(model_.violation(), HasSubstr("is attempt 1, and 1 were charged before"));
}

TEST_F(ModelTest, NoAttemptIsMadeUp) {
    start(1, 0, "a", {}, 2);
    EXPECT_THAT(model_.violation(), HasSubstr("no more than 0 can have been charged"));
}

TEST_F(ModelTest, AttemptsEnd) {
    start(1, 0, "a", {}, 3);
    EXPECT_THAT(model_.violation(), HasSubstr("is attempt 3 of 2"));
}

TEST_F(ModelTest, AnAttemptThatAProcessEndedInIsCharged) {
    start(1, 0, "a");
    model_.ended({.kind = End::Kind::kill, .settled_before = now_});
    start(2, 0, "a");
    EXPECT_THAT(model_.violation(), HasSubstr("is attempt 1, and 1 were charged before"));
}

TEST_F(ModelTest, TheConcurrencyIsALimit) {
    policy_.concurrency = 1;
    model_ = with(policy_);
    model_.rules(1, {{"c", {"north"}}});
    log("a", 0, "k");
    log("b", 1, "l");
    start(1, 0, "a");
    start(2, 1, "b");
    EXPECT_THAT(model_.violation(), HasSubstr("above the concurrency"));
}

TEST_F(ModelTest, UnderSkipKeyAKeyGoesOnOnceTheLetterIsDurable) {
    policy_.on_exhausted = delivery::OnExhausted::skip_key;
    model_ = with(policy_);
    model_.rules(1, {{"c", {"north"}}});
    log("a", 0, "k");
    log("b", 1, "k");
    log("c", 2, "k");
    start(1, 0, "a");
    answer(1, Outcome::permanent("no"));
    letters_.insert(Offset(0));
    handle(2, 1, "b");
    EXPECT_THAT(model_.violation(), IsEmpty());
    model_ = with(policy_);
    model_.rules(1, {{"c", {"north"}}});
    log("a", 0, "k");
    log("b", 1, "k");
    letters_.clear();
    start(1, 0, "a");
    answer(1, Outcome::permanent("no"));
    handle(2, 1, "b");
    EXPECT_THAT(model_.violation(), HasSubstr("0:0 comes before it and is not settled"));
}

TEST_F(ModelTest, WhatACrashMadeForgottenComesAgainInOrder) {
    handle(1, 0, "a");
    handle(2, 1, "b");
    model_.ended({.kind = End::Kind::power_cut, .settled_before = now_});
    handle(3, 1, "b");
    EXPECT_THAT(model_.violation(), IsEmpty());
    start(4, 0, "a");
    EXPECT_THAT(model_.violation(), HasSubstr("goes back to 0:0 of k"));
}

TEST_F(ModelTest, ALetterIsDurableBeforeItIsOpen) {
    start(1, 0, "a");
    answer(1, Outcome::permanent("no"));
    const Model::Letter letter{
        .offset = Offset(0), .event_id = "a", .state = "open", .reason = "permanent"};
    letters_.insert(Offset(0));
    model_.letters("c", {letter});
    EXPECT_THAT(model_.violation(), IsEmpty());
    letters_.clear();
    model_.letters("c", {letter});
    EXPECT_THAT(model_.violation(), HasSubstr("would not survive a power cut"));
}

TEST_F(ModelTest, AnEventHasOneLetter) {
    letters_.insert(Offset(0));
    const Model::Letter letter{
        .offset = Offset(0), .event_id = "a", .state = "open", .reason = "attempts", .attempts = 2};
    model_.letters("c", {letter, letter});
    EXPECT_THAT(model_.violation(), HasSubstr("is there twice"));
}

TEST_F(ModelTest, ALetterIsWrittenWhenAttemptsAreExhausted) {
    letters_.insert(Offset(0));
    model_.letters("c", {{.offset = Offset(0),
                          .event_id = "a",
                          .state = "open",
                          .reason = "attempts",
                          .attempts = 1}});
    EXPECT_THAT(model_.violation(), HasSubstr("before they were exhausted"));
}

TEST_F(ModelTest, EveryMatchingEventIsCounted) {
    delivery::Counts counts;
    counts.matched = 3;
    model_.counted("c", Offset(4), counts);
    EXPECT_THAT(model_.violation(), IsEmpty());
    counts.matched = 2;
    model_.counted("c", Offset(4), counts);
    EXPECT_THAT(model_.violation(), HasSubstr("counts 2 matching events"));
}

TEST_F(ModelTest, WhatIsHeldIsBounded) {
    policy_.max_unsettled = 1;
    model_ = with(policy_);
    model_.rules(1, {{"c", {"north"}}});
    log("a", 0, "k");
    log("b", 1, "l");
    delivery::Counts counts;
    counts.matched = counts.queued = 2;
    model_.counted("c", Offset(2), counts);
    EXPECT_THAT(model_.violation(), HasSubstr("above max_unsettled"));
}

TEST_F(ModelTest, WhatFailsHoldsUpOnlyWhatIsBehindItInItsKey) {
    const auto a_fails = [](const std::string&, const std::string& id) { return id == "a"; };
    handle(1, 2, "x");
    model_.at_rest(a_fails);  // b waits behind a
    EXPECT_THAT(model_.violation(), IsEmpty());
}

TEST_F(ModelTest, AKeyThatFailsHoldsUpNoOther) {
    const auto a_fails = [](const std::string&, const std::string& id) { return id == "a"; };
    model_.at_rest(a_fails);
    EXPECT_THAT(model_.violation(), HasSubstr("G4: c has not come to 0:2"));
}

/// What the bus may say of events of which one is done, one runs, one waits behind that and one is
/// nobody's; anything else is a lie.
TEST_F(ModelTest, WhatTheBusSaysOfAnEventIsSo) {
    struct Row {
        std::uint64_t offset;
        std::string state;
        bool is_so;
    };
    const Row rows[] = {
        {2, "done", true},          {2, "queued", false},     {2, "discarded", false},
        {0, "running", true},       {0, "retry_wait", false}, {0, "done", false},
        {1, "behind_key", true},    {1, "unmatched", false},  {1, "running", false},
        {1, "letter_open", false},  {1, "deferred", false},   {1, "window_open", false},
        {1, "rate_limited", false}, {3, "unmatched", true},   {3, "queued", false},
    };
    for (const Row& row : rows) {
        model_ = with(policy_);
        model_.rules(1, {{"c", {"north"}}});
        log("a", 0, "k");
        log("b", 1, "k");
        log("x", 2, "other");
        log("far", 3, "k", "south");
        handle(1, 2, "x");
        start(2, 0, "a");
        model_.explained("c", Offset(row.offset), {.state = row.state, .rules = 1});
        EXPECT_EQ(model_.violation().empty(), row.is_so) << row.state << ": " << model_.violation();
    }
}

TEST_F(ModelTest, TheRulesThatDecidedAreNamed) {
    model_.explained("c", Offset(0), {.state = "queued", .rules = 2});
    EXPECT_THAT(model_.violation(), HasSubstr("but by rules 1"));
}

TEST_F(ModelTest, OfAPausedConsumerItIsSaid) {
    model_.explained("c", Offset(0), {.state = "queued", .rules = 1, .paused = true});
    EXPECT_THAT(model_.violation(), HasSubstr("a person paused the consumer"));
}

TEST_F(ModelTest, ARunThatWasGivenUpMayBeFollowed) {
    start(1, 0, "a", now_ + 1s);
    now_ += 3s;
    answer(1);  // too late to count
    start(2, 0, "a", {}, 2);
    answer(2);
    EXPECT_THAT(model_.violation(), IsEmpty());
}

TEST_F(ModelTest, ARunWithinItsTimeIsNotDoubled) {
    start(1, 2, "x", now_ + 1s);
    start(2, 2, "x", now_ + 1s);
    EXPECT_THAT(model_.violation(), HasSubstr("is open"));
}

}  // namespace
}  // namespace bascule::simulator
