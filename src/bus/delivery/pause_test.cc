#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/delivery/testing.h"
#include "foundation/base/testing.h"

// Draining, and going on from elsewhere. What a plain pause does is in consumer_test.cc.

namespace bascule::delivery {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Gap = ConsumerState::Gap;

ConsumerMode mode(Bench& bench) { return bench.consumer->status(bench.now()).mode; }

// ── Drain first ──────────────────────────────────────────────────────────────────────────────────

TEST(DrainTest, HandlesWhatWasReadAndReadsNoMore) {
    Bench bench({.concurrency = 1, .retry = {.initial = 1s, .jitter = 0}});
    bench.offer(5).offer(6).started();
    bench.consumer->pause({.reason = "move", .drain = true}, bench.now());
    EXPECT_FALSE(bench.consumer->wants_more());
    EXPECT_EQ(mode(bench), ConsumerMode::draining);
    EXPECT_EQ(bench.answer(Outcome::transient("busy")).started(), "1");
    EXPECT_EQ(bench.answer().started(), "");
    EXPECT_EQ(mode(bench), ConsumerMode::draining) << "a retry is still to come";
    EXPECT_EQ(bench.wait(1s).started(), "0");
    EXPECT_EQ(bench.answer().started(), "");
    EXPECT_EQ(mode(bench), ConsumerMode::paused);
    EXPECT_EQ(bench.consumer->status(bench.now()).text, "move");
    EXPECT_TRUE(bench.synced);
    EXPECT_TRUE(bench.consumer->wants_more());
    EXPECT_EQ(bench.offer(7).started(), "");
    EXPECT_THAT(bench.consumer->resume({}, bench.now()), Succeeds());
    EXPECT_EQ(bench.started(), "2");
}

TEST(DrainTest, WaitsForNoWindowBatchOrLetter) {
    Bench windows({.debounce = Debounce{.period = 1h, .leading = 1h, .max_wait = 2h}});
    windows.offer(5).offer(5);
    windows.consumer->pause({.drain = true}, windows.now());
    EXPECT_EQ(windows.started(), "0 1");

    Bench batches({.batch = Batch{.max_wait = 1h}});
    batches.offer(5);
    batches.consumer->pause({.drain = true}, batches.now());
    EXPECT_EQ(batches.started(), "0");

    Bench letters({});
    letters.offer(5).offer(5).started();
    letters.make_letter();
    letters.consumer->pause({.drain = true}, letters.now());
    letters.started();
    EXPECT_EQ(mode(letters), ConsumerMode::paused) << "deferred events wait for a person";
}

TEST(DrainTest, GoesOnAfterACrashAndEndsWithAResume) {
    Bench bench({.concurrency = 1});
    bench.offer(5).offer(6).started();
    bench.consumer->pause({.drain = true}, bench.now());
    bench.started();
    bench.crash();
    EXPECT_TRUE(bench.consumer->wants_more()) << "what was interrupted is read again";
    EXPECT_EQ(bench.offer(5).started(), "0");
    EXPECT_FALSE(bench.consumer->wants_more());
    EXPECT_EQ(bench.answer().started(), "");
    EXPECT_EQ(mode(bench), ConsumerMode::paused);
    bench.crash();
    EXPECT_EQ(mode(bench), ConsumerMode::paused);
    bench.consumer->pause({.drain = true}, bench.now());
    EXPECT_THAT(bench.consumer->resume({}, bench.now()), Succeeds());
    EXPECT_EQ(mode(bench), ConsumerMode::running);
}

// ── Going on from elsewhere ──────────────────────────────────────────────────────────────────────

/// 0 done, 1 failed and waiting, 2 behind it, 3 done, 4 not started; paused.
Bench halfway() {
    Bench bench({.concurrency = 3, .retry = {.initial = 1s, .jitter = 0}});
    bench.offer(5).offer(6).offer(6).offer(7).started();
    bench.answer().answer(Outcome::transient("busy")).answer();
    bench.consumer->pause({}, bench.now());
    bench.offer(8).started();
    return bench;
}

TEST(MoveTest, ForwardLeavesAGapThatIsCountedAsItIsRead) {
    Bench bench = halfway();
    EXPECT_THAT(bench.consumer->resume(Offset(6), bench.now()), Succeeds());
    EXPECT_THAT(bench.consumer->gaps(),
                ElementsAre(Gap{Offset(1), Offset(3)}, Gap{Offset(4), Offset(6)}));
    EXPECT_EQ(bench.consumer->cursor(), Offset(1));
    bench.started();
    EXPECT_TRUE(bench.synced);
    bench.offer(6, 1, 1).offer(6);
    EXPECT_EQ(bench.consumer->next_wanted(), Offset(4)) << "what was done is not read again";
    bench.offer(8, 1, 4).offer(9).offer(6).offer(6);
    EXPECT_EQ(bench.started(), "6");
    EXPECT_EQ(bench.answer().started(), "7");
    const Counts counts = bench.consumer->counts();
    EXPECT_EQ(counts.settled.gap, 4u);
    EXPECT_EQ(counts.settled.done, 3u);
    EXPECT_EQ(counts.matched + counts.settled.reopened, counts.accounted());
    EXPECT_EQ(bench.state_of(1, 6), EventState::gap);
    EXPECT_EQ(bench.state_of(3, 7), EventState::done);
}

TEST(MoveTest, AGapStandsAfterACrashAndARestoredDatabase) {
    Bench bench = halfway();
    EXPECT_THAT(bench.consumer->resume(Offset(6), bench.now()), Succeeds());
    bench.started();
    bench.crash();
    EXPECT_EQ(mode(bench), ConsumerMode::running);
    bench.offer(6, 1, 1).offer(6).started();
    bench.crash();
    EXPECT_EQ(bench.consumer->counts().settled.gap, 2u);
    bench.offer(8, 1, 4).offer(9).offer(9);
    EXPECT_EQ(bench.started(), "6");
    EXPECT_EQ(bench.consumer->counts().settled.gap, 4u);

    ConsumerState state = bench.consumer->snapshot(bench.now());
    state.reconcile(Offset(0), [](Offset) { return false; });
    EXPECT_FALSE(state.settled.contains(Offset(0)));
    EXPECT_TRUE(state.settled.contains(Offset(1)));
}

TEST(MoveTest, BackDeliversAgainWhatWasDone) {
    Bench bench = halfway();
    EXPECT_THAT(bench.consumer->resume(Offset(0), bench.now()), Succeeds());
    bench.offer(5, 1, 0).offer(6).offer(6).offer(7).offer(8);
    EXPECT_EQ(bench.started(), "0 | 1 | 3") << "attempts begin anew, nobody waits for a retry";
    EXPECT_EQ(bench.runs[1].attempt, 1u);
    bench.answer().answer().answer().started();
    bench.answer().answer().started();
    const Counts counts = bench.consumer->counts();
    EXPECT_EQ(counts.matched, 5u);
    EXPECT_EQ(counts.settled.done, 7u);
    EXPECT_EQ(counts.settled.reopened, 2u);
    EXPECT_EQ(counts.matched + counts.settled.reopened, counts.accounted());
}

TEST(MoveTest, BackIntoAGapDeliversWhatItHeld) {
    Bench bench = halfway();
    EXPECT_THAT(bench.consumer->resume(Offset(6), bench.now()), Succeeds());
    bench.offer(6, 1, 1).offer(6).offer(8, 1, 4).offer(9).started();
    bench.consumer->pause({}, bench.now());
    EXPECT_THAT(bench.consumer->resume(Offset(2), bench.now()), Succeeds());
    EXPECT_THAT(bench.consumer->gaps(), ElementsAre(Gap{Offset(1), Offset(2)}));
    EXPECT_EQ(bench.offer(6, 1, 2).started(), "2");
}

TEST(MoveTest, LettersAndWhatAPersonDecidedStand) {
    Bench bench({.on_exhausted = OnExhausted::skip_key});
    bench.offer(5).offer(6).offer(7).started();
    bench.make_letter().make_letter().answer().started();
    EXPECT_THAT(bench.consumer->close_letters({.offset = Offset(1)}, LetterClosing::discarded, "x",
                                              bench.now()),
                Succeeds());
    bench.consumer->pause({}, bench.now());
    EXPECT_THAT(bench.consumer->resume(Offset(0), bench.now()), Succeeds());
    EXPECT_EQ(bench.consumer->next_wanted(), Offset(2));
    EXPECT_EQ(bench.offer(7, 1, 2).started(), "2");
    EXPECT_EQ(bench.state_of(0, 5), EventState::letter_open);
    EXPECT_EQ(bench.state_of(1, 6), EventState::discarded);
}

TEST(MoveTest, NotBackOverALetterThatParksItsKey) {
    Bench bench({});
    bench.offer(5).offer(5).offer(5).started();
    bench.answer().started();
    bench.make_letter().started();
    bench.consumer->pause({}, bench.now());
    EXPECT_THAT(bench.consumer->resume(Offset(0), bench.now()),
                FailsWith(ErrorKind::conflict, HasSubstr("letter at offset 1")));
    EXPECT_THAT(bench.consumer->resume(Offset(3), bench.now()), Succeeds());
    bench.offer(5, 1, 2).started();
    EXPECT_EQ(bench.state_of(2, 5), EventState::gap) << "deferred events are left out too";
    EXPECT_EQ(bench.state_of(1, 5), EventState::letter_open);
}

TEST(MoveTest, ManyEventsBehindAreReadWithinTheLimit) {
    Bench bench({.max_unsettled = 2});
    for (int i = 0; i < 20; ++i) {
        bench.offer(5).started();
        bench.answer();
    }
    bench.consumer->pause({}, bench.now());
    EXPECT_THAT(bench.consumer->resume(Offset(0), bench.now()), Succeeds());
    bench.offer(5, 1, 0).offer(5);
    EXPECT_FALSE(bench.consumer->wants_more());
}

TEST(MoveTest, IsRefusedWhereItCouldLoseOrDoubleSomething) {
    ConsumerState state(Offset(10));
    Bench bench({}, std::move(state));
    EXPECT_THAT(bench.consumer->resume(Offset(20), bench.now()),
                FailsWith(ErrorKind::conflict, HasSubstr("not paused")));
    bench.offer(5, 1, 10).started();
    bench.consumer->pause({}, bench.now());
    EXPECT_THAT(bench.consumer->resume(Offset(20), bench.now()),
                FailsWith(ErrorKind::conflict, HasSubstr("1 runs under way")));
    bench.answer();
    EXPECT_THAT(bench.consumer->resume(Offset(9), bench.now()),
                FailsWith(ErrorKind::invalid, HasSubstr("starts at offset 10")));
    EXPECT_EQ(mode(bench), ConsumerMode::paused);
    EXPECT_THAT(bench.consumer->gaps(), IsEmpty());
}

TEST(PauseTest, AnEndIsKeptThoughTheClockIsSetBeforeSettingsChange) {
    Bench bench({});
    bench.consumer->pause({.until = bench.now().wall + 1min}, bench.now());
    bench.wall += std::chrono::milliseconds(1h).count();
    auto next = Consumer::create("tested", bench.consumer->policy(),
                                 bench.consumer->snapshot(bench.now()), Random(1), bench.now());
    ASSERT_THAT(next, Succeeds());
    next->take_over(*bench.consumer);
    *bench.consumer = std::move(*next);
    EXPECT_EQ(bench.wait(59s).offer(5).started(), "");
    EXPECT_EQ(bench.wait(1s).started(), "0");
}

}  // namespace
}  // namespace bascule::delivery
