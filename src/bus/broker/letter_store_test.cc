#include "bus/broker/letter_store.h"

#include <gmock/gmock.h>

#include "foundation/base/testing.h"
#include "sim/sim_disk.h"
#include "sim/sim_executor.h"

namespace bascule::broker {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* path = "letters";

delivery::Letter letter_at(std::uint64_t offset, std::string consumer = "c") {
    return {.consumer = std::move(consumer),
            .offset = Offset(offset),
            .key_hash = 0xFEDC'BA98'7654'3210,  // above what a signed integer holds
            .reason = delivery::LetterReason::permanent,
            .opened = from_unix_ms(1'700'000'000'000),
            .attempts = 3,
            .redrives = 1,
            .history = {{.at = from_unix_ms(5), .error = "first \"quoted\"\nline"},
                        {.at = from_unix_ms(6), .error = "last"}},
            .first_error = "first \"quoted\"\nline",
            .last_error = "last",
            .fingerprint = "last"};
}

delivery::CloseLetter closing_of(std::uint64_t offset, std::int64_t at_ms = 7) {
    return {.offset = Offset(offset),
            .how = delivery::LetterClosing::discarded,
            .reason = "known bad",
            .at = from_unix_ms(at_ms)};
}

class LetterStoreTest : public testing::Test {
  protected:
    void SetUp() override { open(); }

    void open() {
        auto opened = LetterStore::open(disk_, strand_, path);
        ASSERT_THAT(opened, Succeeds());
        store_ = std::move(*opened);
    }
    Result<> sync() {
        return sim::wait_for<>(executor_, [&](auto done) { store_->sync(std::move(done)); });
    }
    /// The power goes.
    void crash() {
        store_.reset();
        executor_.drop_all();
        disk_.crash();
        open();
    }
    std::uint64_t stored_bytes() {
        return (*disk_.open(path, io::OpenMode::read))->size().value_or(0);
    }
    const LetterStore::Stored* find(std::uint64_t offset) {
        return store_->find("c", Offset(offset));
    }

    sim::SimClock clock_;
    sim::SimExecutor executor_{clock_, 1};
    sim::SimDisk disk_{executor_, {.sync_latency_min = 1ms}};
    io::Strand strand_{executor_};
    std::unique_ptr<LetterStore> store_;
};

TEST_F(LetterStoreTest, SyncedLetterSurvivesCrashWithEverythingInIt) {
    const std::string body("any\nbytes\0 at all", 17);
    store_->write(letter_at(4), body);
    ASSERT_THAT(sync(), Succeeds());
    crash();
    const LetterStore::Stored* stored = find(4);
    ASSERT_NE(stored, nullptr);
    const delivery::Letter wanted = letter_at(4);
    EXPECT_EQ(stored->body, body);
    EXPECT_FALSE(stored->closed);
    EXPECT_EQ(stored->letter.key_hash, wanted.key_hash);
    EXPECT_EQ(stored->letter.reason, wanted.reason);
    EXPECT_EQ(stored->letter.opened, wanted.opened);
    EXPECT_EQ(stored->letter.attempts, 3U);
    EXPECT_EQ(stored->letter.redrives, 1U);
    ASSERT_THAT(stored->letter.history, SizeIs(2));
    EXPECT_EQ(stored->letter.history[0].error, wanted.first_error);
    EXPECT_EQ(stored->letter.history[1].at, from_unix_ms(6));
    EXPECT_EQ(stored->letter.first_error, wanted.first_error);
    EXPECT_EQ(stored->letter.last_error, "last");
    EXPECT_EQ(stored->letter.fingerprint, "last");
}

TEST_F(LetterStoreTest, WhatWasNotSyncedIsGoneAfterACrash) {
    store_->write(letter_at(1), "synced");
    ASSERT_THAT(sync(), Succeeds());
    store_->write(letter_at(2), "not synced");
    crash();
    EXPECT_NE(find(1), nullptr);
    EXPECT_EQ(find(2), nullptr);
}

TEST_F(LetterStoreTest, WritingAgainReplacesAndOpens) {
    store_->write(letter_at(1), "body");
    store_->close("c", closing_of(1));
    delivery::Letter again = letter_at(1);
    again.attempts = 9;
    store_->write(again, "body");
    ASSERT_THAT(sync(), Succeeds());
    crash();
    ASSERT_THAT(store_->all(), SizeIs(1));
    EXPECT_EQ(find(1)->letter.attempts, 9U);
    EXPECT_FALSE(find(1)->closed);
}

TEST_F(LetterStoreTest, ClosedLetterRemainsWithHowWhyAndWhen) {
    store_->write(letter_at(1), "body");
    store_->close("c", closing_of(1));
    ASSERT_THAT(sync(), Succeeds());
    crash();
    ASSERT_NE(find(1), nullptr);
    EXPECT_TRUE(find(1)->closed);
    EXPECT_EQ(find(1)->how, delivery::LetterClosing::discarded);
    EXPECT_EQ(find(1)->closing_reason, "known bad");
    EXPECT_EQ(find(1)->closed_at, from_unix_ms(7));
    EXPECT_EQ(find(1)->body, "body");
}

TEST_F(LetterStoreTest, ClosingTwiceKeepsTheFirstReason) {
    store_->write(letter_at(1), "body");
    store_->close("c", closing_of(1));
    delivery::CloseLetter second = closing_of(1, 9);
    second.reason = "again";
    store_->close("c", second);
    EXPECT_EQ(find(1)->closing_reason, "known bad");
}

TEST_F(LetterStoreTest, ClosingAnUnknownLetterWritesNothing) {
    const std::uint64_t before = stored_bytes();
    store_->close("c", closing_of(1));
    ASSERT_THAT(sync(), Succeeds());
    EXPECT_THAT(store_->all(), IsEmpty());
    EXPECT_EQ(stored_bytes(), before);
}

TEST_F(LetterStoreTest, LettersOfOneOffsetAreOneForEachConsumer) {
    store_->write(letter_at(1, "a"), "for a");
    store_->write(letter_at(1, "b"), "for b");
    store_->close("a", closing_of(1));
    ASSERT_THAT(sync(), Succeeds());
    crash();
    EXPECT_TRUE(store_->find("a", Offset(1))->closed);
    EXPECT_FALSE(store_->find("b", Offset(1))->closed);
    EXPECT_EQ(store_->find("b", Offset(1))->body, "for b");
}

TEST_F(LetterStoreTest, FileIsRewrittenOnceHistoryOutweighsIt) {
    const std::string body(16 << 10, 'x');
    for (int i = 0; i < 200; ++i) {
        store_->write(letter_at(1), body);
    }
    store_->close("c", closing_of(1));
    store_->write(letter_at(2), "open");
    ASSERT_THAT(sync(), Succeeds());
    EXPECT_LT(stored_bytes(), 200U << 10) << "3 MiB of history were to go";
    crash();
    ASSERT_THAT(store_->all(), SizeIs(2));
    EXPECT_TRUE(find(1)->closed);
    EXPECT_EQ(find(1)->body, body);
    EXPECT_FALSE(find(2)->closed);
}

TEST_F(LetterStoreTest, CrashDuringRewriteKeepsEveryLetter) {
    const std::string body(16 << 10, 'x');
    // Lets the process end after each number of steps in turn, until the rewrite gets through.
    bool through = false;
    for (int steps = 0; !through; ++steps) {
        store_->write(letter_at(2), "kept");
        ASSERT_THAT(sync(), Succeeds());
        for (int i = 0; i < 100; ++i) {
            store_->write(letter_at(1), body);
        }
        store_->sync([&](const Result<>& synced) { through = through || bool(synced); });
        for (int i = 0; i < steps && executor_.run_one(); ++i) {
        }
        crash();
        ASSERT_NE(find(2), nullptr) << steps << " steps";
        EXPECT_EQ(find(2)->body, "kept");
        ASSERT_LT(steps, 100);
    }
    ASSERT_NE(find(1), nullptr);
    EXPECT_EQ(find(1)->body, body);
}

TEST_F(LetterStoreTest, OldestClosedLettersAreForgottenOpenOnesNever) {
    store_->write(letter_at(0), "open");
    const std::uint64_t closed = LetterStore::closed_kept_max + 3;
    for (std::uint64_t offset = 1; offset <= closed; ++offset) {
        store_->write(letter_at(offset), "");
        store_->close("c", closing_of(offset, static_cast<std::int64_t>(offset)));
    }
    EXPECT_THAT(store_->all(), SizeIs(LetterStore::closed_kept_max + 1));
    EXPECT_NE(find(0), nullptr);
    EXPECT_EQ(find(3), nullptr);
    EXPECT_NE(find(4), nullptr);
    EXPECT_NE(find(closed), nullptr);
}

TEST_F(LetterStoreTest, FullDiskKeepsLettersForALaterSync) {
    store_->write(letter_at(1), "there");
    ASSERT_THAT(sync(), Succeeds());
    disk_.set_capacity(stored_bytes());
    store_->write(letter_at(2), std::string(256 << 10, 'x'));
    ASSERT_THAT(sync(), FailsWith(ErrorKind::exhausted));
    disk_.set_capacity(1 << 30);
    ASSERT_THAT(sync(), Succeeds());
    crash();
    EXPECT_NE(find(1), nullptr);
    EXPECT_NE(find(2), nullptr);
}

TEST_F(LetterStoreTest, DamageIsToldAndHealedByTheNextSyncWithWhatIsLeft) {
    store_->write(letter_at(1), "damaged");
    ASSERT_THAT(sync(), Succeeds());
    const std::uint64_t behind_first = stored_bytes();
    store_->write(letter_at(2), "whole");
    ASSERT_THAT(sync(), Succeeds());
    store_->write(letter_at(3), "whole");
    ASSERT_THAT(sync(), Succeeds());
    store_.reset();
    executor_.run_until_idle();
    ASSERT_GT(behind_first, 0U);
    std::string content(behind_first, '\0');
    const auto file = disk_.open(path, io::OpenMode::read);
    ASSERT_THAT(file, Succeeds());
    ASSERT_THAT((*file)->read(0, std::as_writable_bytes(std::span(content))), Succeeds());
    const std::size_t at = content.find("\ndamaged");
    ASSERT_NE(at, std::string::npos);
    disk_.flip_bit(path, at + 1, 0);

    open();
    EXPECT_THAT(store_->damage(), HasSubstr("damaged"));
    EXPECT_EQ(find(1), nullptr);
    ASSERT_NE(find(2), nullptr);
    ASSERT_NE(find(3), nullptr);
    ASSERT_THAT(sync(), Succeeds());
    EXPECT_THAT(store_->damage(), IsEmpty());
    crash();
    EXPECT_THAT(store_->damage(), IsEmpty());
    EXPECT_THAT(store_->all(), SizeIs(2));
}

}  // namespace
}  // namespace bascule::broker
