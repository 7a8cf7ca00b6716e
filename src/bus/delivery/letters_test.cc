#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/delivery/letter.h"
#include "bus/delivery/testing.h"
#include "foundation/base/hash.h"
#include "foundation/base/testing.h"

namespace bascule::delivery {
namespace {

using testing::HasSubstr;

struct PrintCase {
    const char* claim;
    const char* error;
    const char* print;
};

class FingerprintTest : public testing::TestWithParam<PrintCase> {};

TEST_P(FingerprintTest, LeavesOutWhatVaries) {
    EXPECT_EQ(fingerprint(GetParam().error), GetParam().print);
}

INSTANTIATE_TEST_SUITE_P(
    Table, FingerprintTest,
    testing::Values(PrintCase{"Words", "connection refused", "connection refused"},
                    PrintCase{"Numbers", "line 17: expected 3 fields, got 2",
                              "line #: expected # fields, got #"},
                    PrintCase{"Ids", "no account 018f3b2e-7c1d-7a2b-9c3d-111122223333",
                              "no account #"},
                    PrintCase{"Quotes", "file 'a b.csv' has no \"date\"", "file ? has no ?"},
                    PrintCase{"Apostrophes", "can't open, won't retry", "can't open, won't retry"},
                    PrintCase{"AnOpenQuote", "unexpected \" in text", "unexpected \" in text"},
                    PrintCase{"Empty", "", ""}),
    [](const auto& info) { return info.param.claim; });

Policy parking() { return {.retry = {.initial = 1s, .jitter = 0, .max_attempts = 2}}; }
Policy skipping() {
    return {.retry = {.initial = 1s, .jitter = 0, .max_attempts = 2},
            .on_exhausted = OnExhausted::skip_key};
}

TEST(LettersTest, WhatADiscardLetsGoWaitsForTheSync) {
    Bench bench({});
    bench.offer(5).offer(5).started();
    bench.make_letter().started();
    EXPECT_THAT(bench.consumer->close_letters({}, LetterClosing::discarded, "known", bench.now()),
                Succeeds());
    Commands commands;
    bench.consumer->take_commands(bench.now(), commands);
    EXPECT_EQ(commands.starts.size(), 1u);
    EXPECT_TRUE(commands.hold_starts && commands.sync_journal);
    bench.consumer->take_commands(bench.now(), commands);
    EXPECT_FALSE(commands.hold_starts);
}

TEST(LettersTest, AnEventLeavesTheCycleOnlyWithItsLetterDurable) {
    Bench bench(skipping());
    bench.offer(5).offer(5).started();
    bench.answer(Outcome::transient("busy 1"));
    bench.wait(1s).started();
    bench.answer(Outcome::transient("busy 2"));
    EXPECT_EQ(bench.started(), "") << "the key waits for the letter";
    ASSERT_EQ(bench.letters.size(), 1u);
    const Letter letter = bench.letters.front().letter;
    EXPECT_EQ(letter.consumer, "tested");
    EXPECT_EQ(letter.attempts, 2u);
    EXPECT_EQ(letter.first_error, "busy 1");
    EXPECT_EQ(letter.last_error, "busy 2");
    EXPECT_EQ(letter.fingerprint, "busy #");
    EXPECT_EQ(bench.consumer->position(), Offset(0));
    bench.consumer->letter_durable(Offset(0), bench.now());
    EXPECT_EQ(bench.consumer->position(), Offset(1));
    EXPECT_EQ(bench.started(), "1");
    EXPECT_TRUE(bench.synced);
}

TEST(LettersTest, ALetterThatWasOnItsWayIsWrittenAgainAfterACrash) {
    Bench bench(skipping());
    bench.offer(5).started();
    bench.answer(Outcome::permanent("no")).started();
    bench.crash().offer(5);
    EXPECT_EQ(bench.started(), "");
    ASSERT_EQ(bench.letters.size(), 1u);
    EXPECT_EQ(bench.letters.front().letter.reason, LetterReason::permanent);
    EXPECT_EQ(bench.letters.front().letter.last_error, "no");
}

TEST(LettersTest, AParkedKeyDefersAndHoldsUpNobodyElse) {
    Bench bench(parking());
    bench.offer(5).started();
    bench.make_letter().offer(5).offer(6);
    EXPECT_EQ(bench.started(), "2");
    EXPECT_EQ(bench.state_of(1, 5), EventState::deferred);
}

TEST(LettersTest, RedriveRunsTheHeadFirstAndDeferredEventsFollow) {
    Bench bench(parking());
    bench.offer(5).started();
    bench.make_letter().offer(5).offer(5);
    const auto selection = bench.consumer->redrive({}, {}, bench.now());
    ASSERT_THAT(selection, Succeeds());
    EXPECT_EQ(selection->letters, 1u);
    EXPECT_EQ(selection->keys, 1u);
    EXPECT_EQ(selection->deferred, 2u);
    EXPECT_EQ(bench.started(), "0");
    EXPECT_TRUE(bench.runs.front().letter);
    EXPECT_EQ(bench.runs.front().attempt, 1u);
    EXPECT_EQ(bench.answer().started(), "1");
    ASSERT_EQ(bench.closings.size(), 1u);
    EXPECT_EQ(bench.closings.front().how, LetterClosing::redriven);
    EXPECT_EQ(bench.answer().started(), "2");
}

TEST(LettersTest, RedriveMayBeRepeated) {
    Bench bench(parking());
    bench.offer(5).started();
    bench.make_letter();
    ASSERT_THAT(bench.consumer->redrive({}, {}, bench.now()), Succeeds());
    const auto again = bench.consumer->redrive({}, {}, bench.now());
    ASSERT_THAT(again, Succeeds());
    EXPECT_EQ(again->letters, 0u);
    EXPECT_EQ(bench.started(), "0");
}

TEST(LettersTest, ALetterThatFailsAgainStaysOneLetter) {
    Bench bench(parking());
    bench.offer(5).started();
    bench.make_letter("first");
    ASSERT_THAT(bench.consumer->redrive({}, {}, bench.now()), Succeeds());
    bench.started();
    bench.make_letter("second");
    const auto letters = bench.consumer->letters({});
    ASSERT_EQ(letters.size(), 1u);
    EXPECT_FALSE(letters.front().redriving);
    EXPECT_EQ(letters.front().redrives, 1u);
    EXPECT_EQ(letters.front().fingerprint, hash64("second"));
}

TEST(LettersTest, ALetterIsAsOldAsItsFirstExhaustion) {
    Bench bench(parking());
    bench.offer(5).started();
    const WallTime exhausted = bench.now().wall;
    for (int cycle = 0; cycle < 2; ++cycle) {
        bench.answer(Outcome::permanent("no")).started();
        ASSERT_EQ(bench.letters.size(), 1u);
        EXPECT_EQ(bench.letters.front().letter.opened, exhausted);
        bench.wait(1h);  // a slow disk
        bench.consumer->letter_durable(Offset(0), bench.now());
        EXPECT_EQ(bench.consumer->letters({}).front().opened, exhausted);
        ASSERT_THAT(bench.consumer->redrive({}, {}, bench.now()), Succeeds());
        bench.started();
    }
}

TEST(LettersTest, UnderParkKeyAFailingHeadSendsTheOthersBack) {
    Policy policy = parking();
    policy.batch = Batch{.max_size = 2};
    Bench bench(policy);
    bench.offer(5).offer(5).started();
    bench.make_letter();
    EXPECT_EQ(bench.consumer->counts().letters, 2u);
    EXPECT_THAT(bench.consumer->redrive({.offset = Offset(1)}, {}, bench.now()),
                FailsWith(ErrorKind::conflict, HasSubstr("before the earlier ones")));
    ASSERT_THAT(bench.consumer->redrive({}, {}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "0");
    bench.make_letter();
    EXPECT_EQ(bench.started(), "");
    EXPECT_EQ(bench.state_of(1, 5), EventState::letter_open);
}

TEST(LettersTest, UnderSkipKeyRedrivesNeverRunBesideTheirKey) {
    Bench bench(skipping());
    bench.offer(5).started();
    bench.make_letter().offer(5).offer(5).started();
    ASSERT_THAT(bench.consumer->redrive({}, {}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "") << "1 runs";
    EXPECT_EQ(bench.answer().started(), "0");
    EXPECT_EQ(bench.answer().started(), "2");
}

TEST(LettersTest, RedriveSurvivesACrash) {
    Bench bench(parking());
    bench.offer(5).started();
    bench.make_letter();
    ASSERT_THAT(bench.consumer->redrive({}, {}, bench.now()), Succeeds());
    bench.started();
    bench.crash();
    EXPECT_EQ(bench.started(), "0");
    EXPECT_TRUE(bench.runs.front().letter);
    EXPECT_EQ(bench.runs.front().attempt, 2u);
}

TEST(LettersTest, DiscardFreesTheKeyAndIsRemembered) {
    Bench bench(parking());
    bench.offer(5).started();
    bench.make_letter().offer(5);
    EXPECT_THAT(bench.consumer->close_letters({}, LetterClosing::discarded, "", bench.now()),
                FailsWith(ErrorKind::invalid, HasSubstr("reason")));
    EXPECT_THAT(bench.consumer->close_letters({}, LetterClosing::redriven, "x", bench.now()),
                FailsWith(ErrorKind::invalid));
    ASSERT_THAT(
        bench.consumer->close_letters({}, LetterClosing::discarded, "test data", bench.now()),
        Succeeds());
    EXPECT_EQ(bench.started(), "1");
    EXPECT_EQ(bench.closings.front().reason, "test data");
    EXPECT_EQ(bench.consumer->counts().settled.discarded, 1u);
    bench.crash();
    EXPECT_EQ(bench.state_of(0, 5), EventState::discarded);
}

TEST(LettersTest, WhatIsBeingRedrivenCannotBeDiscarded) {
    Bench bench(parking());
    bench.offer(5).started();
    bench.make_letter();
    ASSERT_THAT(bench.consumer->redrive({}, {}, bench.now()), Succeeds());
    EXPECT_THAT(bench.consumer->close_letters({}, LetterClosing::discarded, "x", bench.now()),
                FailsWith(ErrorKind::conflict));
}

// ── A redrive with a pace ────────────────────────────────────────────────────────────────────────

/// `count` letters of as many keys, from key 5 on.
void make_letters(Bench& bench, std::uint64_t count) {
    for (std::uint64_t key = 5; key < 5 + count; ++key) {
        bench.offer(key);
    }
    for (bench.started(); !bench.runs.empty(); bench.started()) {
        bench.make_letter();
    }
}

TEST(LettersTest, RedrivenAtARateOneBeginsAfterTheOther) {
    Bench bench(parking());
    make_letters(bench, 3);
    ASSERT_THAT(bench.consumer->redrive({}, {.per_second = 2}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "0");
    EXPECT_EQ(bench.consumer->next_deadline(), bench.now().steady + 500ms);
    EXPECT_EQ(bench.wait(499ms).started(), "");
    EXPECT_EQ(bench.wait(1ms).started(), "1");
    EXPECT_THAT(bench.consumer->explain(Offset(2), 7, bench.now()).text,
                HasSubstr("waits for its turn: 0 are before it, 2 a second begin"));
    EXPECT_EQ(bench.wait(10s).started(), "2");
    EXPECT_EQ(bench.answer().answer().answer().started(), "");
    EXPECT_EQ(bench.consumer->counts().letters, 0u);
}

TEST(LettersTest, TheCanaryGoesAloneAndTheOthersFollowOnceItIsDone) {
    Bench bench(parking());
    make_letters(bench, 3);
    ASSERT_THAT(bench.consumer->redrive({}, {.canary = true}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "0");
    EXPECT_EQ(bench.wait(10s).started(), "");
    EXPECT_EQ(bench.state_of(1, 6), EventState::redriving);
    EXPECT_EQ(bench.answer().started(), "1 | 2");
}

TEST(LettersTest, WhenTheCanaryFailsTheOthersAreOpenAgain) {
    Bench bench(parking());
    make_letters(bench, 3);
    ASSERT_THAT(bench.consumer->redrive({}, {.per_second = 9, .canary = true}, bench.now()),
                Succeeds());
    bench.started();
    bench.make_letter();
    EXPECT_EQ(bench.wait(1h).started(), "");
    for (const std::uint64_t offset : {0u, 1u, 2u}) {
        EXPECT_EQ(bench.state_of(offset, 5 + offset), EventState::letter_open);
    }
    EXPECT_EQ(bench.consumer->counts().in_lane[0], 0u);
    ASSERT_THAT(bench.consumer->redrive({}, {}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "0 | 1 | 2");
}

TEST(LettersTest, APaceHoldsOverARestart) {
    Bench bench(parking());
    make_letters(bench, 4);
    ASSERT_THAT(bench.consumer->redrive({}, {.per_second = 1, .canary = true}, bench.now()),
                Succeeds());
    EXPECT_EQ(bench.started(), "0");
    bench.crash();
    EXPECT_EQ(bench.started(), "0") << "the canary is interrupted, and goes on";
    EXPECT_EQ(bench.wait(10s).started(), "");
    EXPECT_EQ(bench.answer().started(), "1");
    EXPECT_EQ(bench.started(), "");
    bench.crash();
    EXPECT_EQ(bench.started(), "1 | 2");
    EXPECT_EQ(bench.wait(1s).started(), "3");
}

TEST(LettersTest, ARedriveThatIsTakenBackLeavesOpenLetters) {
    Bench bench(skipping());
    make_letters(bench, 3);
    ASSERT_THAT(bench.consumer->redrive({}, {.per_second = 1}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "0");
    EXPECT_THAT(bench.consumer->stop_redrive({}, bench.now()), Succeeds());
    EXPECT_EQ(bench.wait(1h).started(), "");
    EXPECT_EQ(bench.state_of(0, 5), EventState::redriving);
    EXPECT_EQ(bench.state_of(1, 6), EventState::letter_open);
    bench.crash();
    EXPECT_EQ(bench.wait(1h).started(), "0");
    EXPECT_THAT(bench.consumer->close_letters({.offset = Offset(1)}, LetterClosing::skipped, "x",
                                              bench.now()),
                Succeeds());
}

/// Two letters of key 5, one of key 6.
Bench with_two_of_a_key() {
    Policy policy = parking();
    policy.batch = Batch{.max_size = 2};
    Bench bench(policy);
    bench.offer(5).offer(5).offer(6).started();
    bench.make_letter();
    bench.wait(5s).started();
    bench.make_letter();
    EXPECT_EQ(bench.consumer->counts().letters, 3u);
    return bench;
}

TEST(LettersTest, UnderParkKeyNobodyOvertakesOneThatIsTakenBack) {
    Bench bench = with_two_of_a_key();
    bench.consumer->pause({}, bench.now());
    ASSERT_THAT(bench.consumer->redrive({}, {.per_second = 1}, bench.now()), Succeeds());
    EXPECT_THAT(bench.consumer->stop_redrive({.offset = Offset(0)}, bench.now()),
                FailsWith(ErrorKind::conflict, HasSubstr("offset 1 too")));
    ASSERT_THAT(bench.consumer->stop_redrive({.offsets = {Offset(0), Offset(1)}}, bench.now()),
                Succeeds());
    EXPECT_EQ(bench.state_of(1, 5), EventState::letter_open);
    EXPECT_EQ(bench.state_of(2, 6), EventState::redriving);
}

TEST(LettersTest, WhoDoesNotWaitOvertakesNobodyWhoDoes) {
    Bench bench = with_two_of_a_key();
    bench.consumer->pause({}, bench.now());
    ASSERT_THAT(bench.consumer->redrive({}, {.per_second = 1}, bench.now()), Succeeds());
    EXPECT_THAT(bench.consumer->redrive({.offset = Offset(1)}, {}, bench.now()),
                FailsWith(ErrorKind::conflict, HasSubstr("offset 0 too")));
    EXPECT_THAT(bench.consumer->redrive({.offset = Offset(1)}, {.per_second = 2}, bench.now()),
                Succeeds());
    EXPECT_THAT(bench.consumer->redrive({.offset = Offset(0)}, {}, bench.now()), Succeeds());
}

TEST(LettersTest, TheCanaryIsTheFirstOfAllThatWait) {
    Bench bench(parking());
    make_letters(bench, 3);
    bench.consumer->pause({}, bench.now());
    ASSERT_THAT(bench.consumer->redrive({.offset = Offset(0)}, {.per_second = 1}, bench.now()),
                Succeeds());
    ASSERT_THAT(bench.consumer->redrive({}, {.canary = true}, bench.now()), Succeeds());
    ASSERT_THAT(bench.consumer->resume({}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "0");
    EXPECT_EQ(bench.answer().started(), "1 | 2");
}

TEST(LettersTest, WhenTheCanaryIsTakenBackTheNextTakesItsPlace) {
    Bench bench(parking());
    make_letters(bench, 4);
    bench.consumer->pause({}, bench.now());
    ASSERT_THAT(bench.consumer->redrive({}, {.canary = true}, bench.now()), Succeeds());
    ASSERT_THAT(bench.consumer->stop_redrive({.offset = Offset(0)}, bench.now()), Succeeds());
    ASSERT_THAT(bench.consumer->resume({}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "1");
    bench.crash();
    EXPECT_EQ(bench.started(), "1");
    EXPECT_EQ(bench.answer().started(), "2 | 3");
    EXPECT_EQ(bench.state_of(0, 5), EventState::letter_open);
}

TEST(LettersTest, APausedConsumerKeepsThePace) {
    Bench bench(parking());
    make_letters(bench, 3);
    bench.consumer->pause({}, bench.now());
    ASSERT_THAT(bench.consumer->redrive({}, {.per_second = 1}, bench.now()), Succeeds());
    EXPECT_EQ(bench.wait(1h).started(), "");
    EXPECT_EQ(bench.consumer->next_deadline(), std::nullopt);
    ASSERT_THAT(bench.consumer->resume({}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "0") << "and no burst of those whose turn has passed";
}

TEST(LettersTest, WithoutAPaceThoseThatWaitBeginAtOnce) {
    Bench bench({.ordering = Ordering::none, .retry = {.jitter = 0, .max_attempts = 2}});
    make_letters(bench, 4);
    ASSERT_THAT(bench.consumer->redrive({}, {.per_second = 1}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "0");
    ASSERT_THAT(bench.consumer->redrive({.offset = Offset(2)}, {}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "2") << "free events need not wait for each other";
    ASSERT_THAT(bench.consumer->redrive({}, {}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "1 | 3");
}

TEST(LettersTest, APaceKeepsTheOrderOfAKey) {
    Policy policy = parking();
    policy.batch = Batch{.max_size = 3};
    Bench bench(policy);
    bench.offer(5).offer(5).offer(5).started();
    bench.make_letter();
    ASSERT_EQ(bench.consumer->counts().letters, 3u);
    ASSERT_THAT(bench.consumer->redrive({}, {.per_second = 1}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "0");
    EXPECT_EQ(bench.wait(1s).started(), "") << "0 runs";
    bench.make_letter();
    EXPECT_EQ(bench.wait(1h).started(), "") << "nobody overtakes a letter of its key";
    EXPECT_EQ(bench.state_of(2, 5), EventState::letter_open);
}

TEST(LettersTest, ARateHasItsLimits) {
    Bench bench(parking());
    EXPECT_THAT(bench.consumer->redrive({}, {.per_second = 1'000'001}, bench.now()),
                FailsWith(ErrorKind::invalid, HasSubstr("1000000")));
}

TEST(LettersTest, FiltersMeanWhatTheySay) {
    Bench bench(skipping());
    bench.offer(5).offer(6).started();
    bench.make_letter("disk 1");
    bench.wait(1h);
    bench.make_letter("tape 2");
    EXPECT_EQ(bench.consumer->letters({}).size(), 2u);
    EXPECT_EQ(bench.consumer->letters({.offset = Offset(1)}).front().offset, Offset(1));
    EXPECT_EQ(bench.consumer->letters({.offsets = {Offset(0), Offset(1)}}).size(), 2u);
    EXPECT_EQ(bench.consumer->letters({.offset = Offset(1), .offsets = {Offset(0)}}).size(), 0u);
    EXPECT_THAT(bench.consumer->redrive({.offset = Offset(7)}, {}, bench.now()),
                FailsWith(ErrorKind::not_found, HasSubstr("offset 7")));
}

TEST(LettersTest, OrderingLogRetriesForEverEvenWhatIsRefused) {
    Bench bench({.ordering = Ordering::log,
                 .retry = {.initial = 1s, .factor = 1, .jitter = 0, .max_attempts = 2}});
    bench.offer(5).offer(6).started();
    for (int i = 0; i < 20; ++i) {
        bench.answer(Outcome::permanent("no"));
        EXPECT_EQ(bench.wait(1s).started(), "0");
    }
    EXPECT_TRUE(bench.letters.empty());
}

TEST(LettersTest, HistoriesAreBounded) {
    std::vector<Attempt> history;
    for (int i = 0; i < 100; ++i) {
        remember(history, {from_unix_ms(i), std::string(5000, 'x')});
    }
    EXPECT_EQ(history.size(), letter_attempts_max);
    EXPECT_EQ(history.front().at, from_unix_ms(0));
    EXPECT_EQ(history.back().at, from_unix_ms(99));
    EXPECT_EQ(history.back().error.size(), error_bytes_max);
}

}  // namespace
}  // namespace bascule::delivery
