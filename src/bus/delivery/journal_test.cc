#include "bus/delivery/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/delivery/testing.h"
#include "foundation/base/hash.h"
#include "foundation/base/testing.h"

namespace bascule::delivery {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t key = 0x1122'3344'5566'7788;

/// One of each entry of version 1, with values at the edges of their encodings.
std::string one_of_each_of_version_one() {
    static const std::vector<Offset> members{Offset(0), Offset(127), Offset(128),
                                             Offset(1ull << 40)};
    const WallTime at = from_unix_ms(-1);
    std::string out;
    journal::append(out, journal::Begin{Offset(1),
                                        Offset(2),
                                        Offset(1),
                                        Offset(0),
                                        Offset(9),
                                        7,
                                        {.done = 300, .reopened = 1}});
    journal::append(out, journal::Interval{journal::SetKind::settled, Offset(4), Offset(6)});
    journal::append(out, journal::OffsetList{journal::ListKind::decided, members});
    journal::append(out,
                    journal::Started{RunId(8 << 16 | 1), key, RunShape::window, false, 3, members});
    journal::append(out, journal::Failed{3, 5s, 2s, at, 1, "busy", members});
    journal::append(out, journal::Returned{std::span(members).first(1)});
    journal::append(out, journal::Settled{RunId(8 << 16 | 1), true, std::span(members).first(2)});
    journal::append(out, journal::LetterOpened{{.offset = Offset(128),
                                                .key_hash = key,
                                                .fingerprint = 5,
                                                .opened = at,
                                                .bytes = 9,
                                                .redrives = 1,
                                                .lane = 2,
                                                .reason = LetterReason::age}});
    journal::append(out, journal::LetterMoved{Offset(128), true});
    journal::append(out, journal::LetterClosed{Offset(128), LetterClosing::skipped});
    journal::append(out,
                    journal::WindowChanged{key, {Offset(300), Offset(301), at, at, 300s, true}});
    journal::append(out, journal::WindowRan{key, at});
    journal::append(out, journal::Paused{{.until = at, .reason = "why", .since = at}});
    journal::append(out, journal::Resumed{});
    journal::append(out, journal::UnitKept{{.key_hash = key,
                                            .members = {Offset(500)},
                                            .shape = 1,
                                            .attempts = 2,
                                            .history = {{at, "e"}}}});
    journal::append(out, journal::Low{Offset(3)});
    out[1] = 1;  // the version, in the first entry
    return out;
}

std::string one_of_each_of_version_two() {
    std::string out = one_of_each_of_version_one();
    out[1] = 2;
    journal::append(out, journal::Tallied{{.attempts = 300, .failures = 2, .late_answers = 1}});
    return out;
}

std::string one_of_each_of_version_three() {
    std::string out = one_of_each_of_version_two();
    out[1] = 3;
    journal::append(out, journal::BreakerChanged{{.state = BreakerState::open,
                                                  .trips = 2,
                                                  .since = from_unix_ms(1),
                                                  .until = from_unix_ms(2),
                                                  .text = "why"}});
    return out;
}

std::string one_of_each_of_version_four() {
    static const std::vector<Offset> members{Offset(310), Offset(311)};
    std::string out = one_of_each_of_version_three();
    out[1] = 4;
    journal::append(out,
                    journal::Paused{{.reason = "why", .since = from_unix_ms(1), .drain = true}});
    journal::append(out, journal::Moved{Offset(320)});
    journal::append(out, journal::PassedOver{members});
    journal::append(out, journal::GapKept{{Offset(330), Offset(340)}});
    return out;
}

std::string one_of_each() {
    std::string out = one_of_each_of_version_four();
    out[1] = 5;
    journal::append(out,
                    journal::LetterMoved{.offset = Offset(9), .redriving = true, .paced = true});
    journal::append(out, journal::RedrivePaced{{.per_second = 300, .canary = Offset(9)}});
    return out;
}

TEST(JournalTest, ReadsWhatWasWritten) {
    const std::string bytes = one_of_each();
    journal::Reader again(bytes);
    std::string copy;
    std::size_t entries = 0;
    while (!again.at_end()) {
        const auto entry = again.next();
        ASSERT_THAT(entry, Succeeds());
        std::visit([&](const auto& value) { journal::append(copy, value); }, *entry);
        ++entries;
    }
    EXPECT_EQ(entries, std::variant_size_v<journal::Entry> + 2) << "a pause is one of two";
    EXPECT_EQ(copy, bytes);
}

/// Journals of all versions stay readable: if a hash changes, the version must.
TEST(JournalTest, VersionsAreFixed) {
    EXPECT_EQ(to_hex(sha256(one_of_each_of_version_one())).substr(0, 16), "7e194404d1c01c57");
    EXPECT_EQ(to_hex(sha256(one_of_each_of_version_two())).substr(0, 16), "f7c3b80f0719b124");
    EXPECT_EQ(to_hex(sha256(one_of_each_of_version_three())).substr(0, 16), "2b15ca29a4f6ddf6");
    EXPECT_EQ(to_hex(sha256(one_of_each_of_version_four())).substr(0, 16), "925933589d08f04f");
    EXPECT_EQ(to_hex(sha256(one_of_each())).substr(0, 16), "77cf8197feb04e9d");
}

TEST(JournalTest, VersionOneIsReadAndKnewNoTally) {
    ConsumerState first(Offset(0));
    ASSERT_THAT(first.apply(one_of_each_of_version_one()), Succeeds());
    ConsumerState second(Offset(0));
    ASSERT_THAT(second.apply(one_of_each_of_version_three()), Succeeds());
    EXPECT_EQ(first.tally, Tally());
    EXPECT_EQ(second.tally, (Tally{.attempts = 300, .failures = 2, .late_answers = 1}));
    EXPECT_EQ(second.breaker.trips, 2u);
    second.tally = {};
    second.breaker = {};
    EXPECT_EQ(second.encode(), first.encode());
}

/// A consumer with tens of thousands of letters and as many keys that wait for a retry.
ConsumerState large_state() {
    ConsumerState state(Offset(0));
    for (std::uint64_t i = 0; i < 30'000; ++i) {
        const Offset offset(3 * i);
        state.letters[offset] = {.offset = offset, .key_hash = i + 1, .fingerprint = i};
        state.units.push_back({.key_hash = i + 1'000'000,
                               .members = {Offset(3 * i + 1)},
                               .attempts = 1,
                               .history = {{from_unix_ms(1), "busy"}}});
        state.decided.push_back(Offset(3 * i + 2));
    }
    state.tally.attempts = 300'000;
    ConsumerState settled(Offset(0));  // what are letters and decided is settled in it
    EXPECT_THAT(settled.apply(state.encode()), Succeeds());
    return settled;
}

TEST(JournalTest, ALargeStateComesInPartsThatMakeItAgain) {
    const ConsumerState state = large_state();
    const auto parts = state.encode_parts(64 << 10);
    EXPECT_GT(parts.size(), 20u);
    ConsumerState copy(Offset(0));
    for (const std::string& part : parts) {
        EXPECT_LE(part.size(), (64u << 10) * 2);
        ASSERT_THAT(copy.apply(part), Succeeds());
    }
    EXPECT_EQ(copy.letters.size(), state.letters.size());
    EXPECT_EQ(copy.units.size(), state.units.size());
    EXPECT_EQ(copy.decided.size(), 30'000u);
    EXPECT_TRUE(copy.encode() == state.encode()) << "too long to be printed";
}

TEST(JournalTest, PiecesEndBetweenEntriesAndLeaveNothingOut) {
    const std::string bytes = large_state().encode();
    std::string joined;
    for (const std::string_view piece : journal::pieces(bytes, 10'000)) {
        EXPECT_LE(piece.size(), 50'000u);  // the list of decided ones is one entry
        journal::Reader reader(piece);
        while (!reader.at_end()) {
            ASSERT_THAT(reader.next(), Succeeds());
        }
        joined += piece;
    }
    EXPECT_TRUE(joined == bytes);
    EXPECT_GT(journal::pieces(bytes, 10'000).size(), bytes.size() / 50'000);
}

TEST(JournalTest, AStateIsTheSameAfterEncodingIt) {
    ConsumerState state(Offset(0));
    ASSERT_THAT(state.apply(one_of_each()), Succeeds());
    const std::string bytes = state.encode();
    ConsumerState copy(Offset(77));
    ASSERT_THAT(copy.apply(bytes), Succeeds());
    EXPECT_EQ(copy.encode(), bytes);
    EXPECT_EQ(copy.settlements.skipped, 1u);
    EXPECT_EQ(copy.run_next, 9u);
    EXPECT_EQ(copy.seen_end, Offset((1ull << 40) + 1));
}

TEST(JournalTest, CutAnywhereItIsEitherWholeOrRefused) {
    const std::string bytes = one_of_each();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        ConsumerState state(Offset(0));
        const auto applied = state.apply(std::string_view(bytes).substr(0, size));
        if (!applied) {
            EXPECT_THAT(applied, FailsWith(ErrorKind::corrupt, HasSubstr("at byte")));
        }
    }
}

TEST(JournalTest, WhatWasCountedSurvivesARestart) {
    Bench bench({.on_exhausted = OnExhausted::skip_key});
    bench.offer(10).offer(11).offer(12).started();
    bench.answer().make_letter().answer(Outcome::transient("busy")).started();
    const Counts before = bench.consumer->counts();
    EXPECT_EQ(before.attempts, 3u);
    EXPECT_EQ(before.failures, 2u);
    bench.crash();
    EXPECT_EQ(bench.consumer->counts().attempts, 3u);
    EXPECT_EQ(bench.consumer->counts().failures, 2u);
    ConsumerState again(Offset(0));
    ASSERT_THAT(again.apply(bench.consumer->snapshot(bench.now()).encode()), Succeeds());
    EXPECT_EQ(again.tally.attempts, 3u);
}

struct DamageCase {
    const char* claim;
    std::string bytes;
    const char* message;
};

class JournalDamageTest : public testing::TestWithParam<DamageCase> {};

TEST_P(JournalDamageTest, IsNamed) {
    ConsumerState state(Offset(0));
    EXPECT_THAT(state.apply(GetParam().bytes),
                FailsWith(ErrorKind::corrupt, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, JournalDamageTest,
    testing::Values(
        DamageCase{"UnknownType", "\x7f", "type 127 at byte 0 has an unknown type"},
        DamageCase{"OtherVersion", "\x01\x06", "version that this program does not know"},
        DamageCase{"CutShort", "\x08", "is cut short"},
        DamageCase{"MoreMembersThanBytes", "\x07\x7f\x01", "more members than bytes"},
        DamageCase{"MembersThatDoNotAscend", std::string("\x07\x02\x01\x00", 4), "do not ascend"},
        DamageCase{"AbsurdNumber", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "above 64 bits"},
        DamageCase{"LastOffset", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "out of range"},
        DamageCase{"UnknownClosing", "\x0b\x01\x09", "out of range"}),
    [](const auto& info) { return info.param.claim; });

// ── What a restored database changes ─────────────────────────────────────────────────────────────

/// Five events of five keys: 0 and 3 done, 1 discarded, 2 an open letter, 4 running.
Bench five_events() {
    Bench bench({.on_exhausted = OnExhausted::skip_key});
    bench.offer(10).offer(11).offer(12).offer(13).offer(14).started();
    bench.answer();
    bench.make_letter().make_letter().answer().started();
    EXPECT_THAT(bench.consumer->close_letters({.offset = Offset(1)}, LetterClosing::discarded, "x",
                                              bench.now()),
                Succeeds());
    bench.started();
    return bench;
}

ConsumerState restored(const Bench& bench) {
    ConsumerState state(Offset(0));
    EXPECT_THAT(state.apply(bench.journal), Succeeds());
    return state;
}

TEST(ReconcileTest, WhatTheInboxLacksIsDeliveredAgain) {
    Bench bench = five_events();
    ConsumerState state = restored(bench);
    EXPECT_EQ(state.settled.low(), Offset(4));
    state.reconcile(Offset(0), [](Offset offset) { return offset == Offset(3); });
    EXPECT_EQ(state.settled.low(), Offset(0));
    EXPECT_TRUE(state.settled.contains(Offset(1))) << "discards stand";
    EXPECT_TRUE(state.settled.contains(Offset(2))) << "letters stand";
    EXPECT_TRUE(state.settled.contains(Offset(3)));

    ConsumerState copy(Offset(0));
    ASSERT_THAT(copy.apply(state.encode()), Succeeds());
    bench.open(std::move(copy));
    bench.offer(10, 1, 0).offer(11).offer(12).offer(13).offer(14);
    EXPECT_EQ(bench.started(), "0 | 4");
    bench.answer().answer();
    const Counts counts = bench.consumer->counts();
    EXPECT_EQ(counts.matched, 5u);
    EXPECT_EQ(counts.settled.done, 4u);
    EXPECT_EQ(counts.settled.reopened, 1u);
    EXPECT_EQ(counts.matched + counts.settled.reopened, counts.accounted());
}

TEST(ReconcileTest, AnInboxAheadOfTheJournalChangesNothing) {
    const Bench bench = five_events();
    ConsumerState state = restored(bench);
    state.reconcile(Offset(100), [](Offset) { return false; });
    EXPECT_EQ(state.settled.low(), Offset(4));
    EXPECT_TRUE(state.reopened.empty());
}

TEST(ReconcileTest, ADatabaseThatKnowsTheConsumerNotStartsAtItsStart) {
    ConsumerState state(Offset(50));
    state.reconcile(Offset(0), [](Offset) { return false; });
    EXPECT_EQ(state.settled.low(), Offset(50));
}

}  // namespace
}  // namespace bascule::delivery
