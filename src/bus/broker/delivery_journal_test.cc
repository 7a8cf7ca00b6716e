#include "bus/broker/delivery_journal.h"

#include <gmock/gmock.h>

#include "bus/delivery/consumer_state.h"
#include "bus/delivery/journal.h"
#include "foundation/base/testing.h"
#include "sim/sim_disk.h"
#include "sim/sim_executor.h"

namespace bascule::broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr const char* path = "journal";
constexpr ConsumerNumber one{1};
/// Needs all four bytes of its tag.
constexpr ConsumerNumber large{0x8040'2010};

class DeliveryJournalTest : public testing::Test {
  protected:
    void SetUp() override { open(); }

    void open() {
        replayed_.clear();
        auto opened = DeliveryJournal::open(
            disk_, strand_, path, [this](ConsumerNumber consumer, std::string_view entries) {
                replayed_.emplace_back(consumer, entries);
                return Result<>();
            });
        ASSERT_THAT(opened, Succeeds());
        journal_ = std::move(*opened);
    }
    Result<> sync() {
        return sim::wait_for<>(executor_, [&](auto done) { journal_->sync(std::move(done)); });
    }
    Result<> rewrite(const DeliveryJournal::Snapshots& snapshots) {
        return sim::wait_for<>(executor_,
                               [&](auto done) { journal_->rewrite(snapshots, std::move(done)); });
    }
    void crash() {
        journal_.reset();
        executor_.drop_all();
        disk_.crash();
        open();
    }

    sim::SimClock clock_;
    sim::SimExecutor executor_{clock_, 1};
    sim::SimDisk disk_{executor_, {.sync_latency_min = 1ms}};
    io::Strand strand_{executor_};
    std::vector<std::pair<ConsumerNumber, std::string>> replayed_;
    std::unique_ptr<DeliveryJournal> journal_;
};

TEST_F(DeliveryJournalTest, ReplaysSyncedEntriesOfEachConsumerInOrder) {
    EXPECT_THAT(replayed_, IsEmpty());
    journal_->append(one, "first");
    journal_->append(large, std::string("\0\xff", 2));
    journal_->append(one, "");
    ASSERT_THAT(sync(), Succeeds());
    crash();
    EXPECT_THAT(replayed_, ElementsAre(Pair(one, "first"), Pair(large, std::string("\0\xff", 2)),
                                       Pair(one, "")));
}

TEST_F(DeliveryJournalTest, IsDirtyUntilASyncWasAskedFor) {
    EXPECT_FALSE(journal_->dirty());
    journal_->append(one, "entry");
    EXPECT_TRUE(journal_->dirty());
    journal_->sync([](const Result<>&) {});
    EXPECT_FALSE(journal_->dirty());
    journal_->append(one, "later");
    EXPECT_TRUE(journal_->dirty());
    executor_.run_until_idle();
    EXPECT_TRUE(journal_->dirty()) << "the sync was asked for before";
}

TEST_F(DeliveryJournalTest, RewriteLeavesOneSnapshotForEachConsumer) {
    journal_->append(one, "old");
    ASSERT_THAT(sync(), Succeeds());
    journal_->append(large, "buffered, in the snapshot too");
    ASSERT_THAT(rewrite({{one, {"state ", "one"}}, {large, {"state large"}}}), Succeeds());
    journal_->append(one, "new");
    ASSERT_THAT(sync(), Succeeds());
    crash();
    EXPECT_THAT(replayed_, ElementsAre(Pair(one, "state "), Pair(one, "one"),
                                       Pair(large, "state large"), Pair(one, "new")));
}

TEST_F(DeliveryJournalTest, FailedRewriteKeepsWhatWasBuffered) {
    journal_->append(one, "synced");
    ASSERT_THAT(sync(), Succeeds());
    journal_->append(one, "buffered");
    disk_.set_capacity((*disk_.open(path, io::OpenMode::read))->size().value_or(0));
    EXPECT_THAT(rewrite({{one, {std::string(1 << 20, 's')}}}), FailsWith(ErrorKind::exhausted));
    disk_.set_capacity(1 << 30);
    ASSERT_THAT(sync(), Succeeds());
    crash();
    EXPECT_THAT(replayed_, ElementsAre(Pair(one, "synced"), Pair(one, "buffered")));
}

TEST_F(DeliveryJournalTest, WantsRewriteOnceHistoryOutweighsTheSnapshot) {
    ASSERT_THAT(rewrite({{one, {"small"}}}), Succeeds());
    EXPECT_FALSE(journal_->wants_rewrite());
    const std::string entry(1 << 20, 'e');
    for (int i = 0; i < 5; ++i) {
        journal_->append(one, entry);
    }
    EXPECT_TRUE(journal_->wants_rewrite());
    ASSERT_THAT(rewrite({{one, {"small"}}}), Succeeds());
    EXPECT_FALSE(journal_->wants_rewrite());
}

/// A consumer with so many keys in trouble that its state is larger than a frame may be.
TEST_F(DeliveryJournalTest, AStateOfAnySizeIsKept) {
    delivery::ConsumerState state(Offset(0));
    const std::string error(delivery::error_bytes_max, 'e');
    for (std::uint64_t i = 0; i < 70'000; ++i) {
        state.units.push_back({.key_hash = i + 1,
                               .members = {Offset(i)},
                               .attempts = 1,
                               .history = {{from_unix_ms(1), error}}});
        state.letters[Offset(1'000'000 + i)] = {.offset = Offset(1'000'000 + i), .key_hash = i + 1};
    }
    const auto parts = state.encode_parts();
    EXPECT_FALSE(journal_->wants_rewrite());
    journal_->append_state(one, parts);
    EXPECT_TRUE(journal_->wants_rewrite()) << "appended, a crash could leave a part of it";
    ASSERT_THAT(rewrite({{one, parts}, {large, {"other"}}}), Succeeds());
    EXPECT_FALSE(journal_->wants_rewrite());
    crash();
    delivery::ConsumerState copy(Offset(0));
    std::size_t bytes = 0;
    for (const auto& [consumer, entries] : replayed_) {
        if (consumer == one) {
            bytes += entries.size();
            ASSERT_THAT(copy.apply(entries), Succeeds());
        }
    }
    EXPECT_GT(bytes, std::size_t{64} << 20);
    EXPECT_EQ(copy.units.size(), 70'000u);
    EXPECT_EQ(copy.letters.size(), 70'000u);
}

TEST_F(DeliveryJournalTest, EntriesOfAnySizeAreKept) {
    std::string entries;
    const std::string reason(delivery::error_bytes_max, 'r');
    for (int i = 0; i < 40'000; ++i) {
        delivery::journal::append(entries, delivery::journal::Paused{{.reason = reason}});
    }
    ASSERT_GT(entries.size(), std::size_t{32} << 20);
    journal_->append(one, entries);
    ASSERT_THAT(sync(), Succeeds());
    crash();
    std::string joined;
    for (const auto& [consumer, piece] : replayed_) {
        joined += piece;
    }
    EXPECT_TRUE(joined == entries);
}

TEST_F(DeliveryJournalTest, ReplayThatRefusesAnEntryIsTheErrorOfOpen) {
    journal_->append(one, "entry");
    ASSERT_THAT(sync(), Succeeds());
    journal_.reset();
    executor_.run_until_idle();
    const auto opened =
        DeliveryJournal::open(disk_, strand_, path, [](ConsumerNumber, std::string_view) {
            return Result<>(fail(ErrorKind::corrupt, "no entry of ours"));
        });
    EXPECT_THAT(opened, FailsWith(ErrorKind::corrupt, testing::HasSubstr("no entry of ours")));
}

TEST_F(DeliveryJournalTest, DamagedFileAsksForARewriteThatHealsIt) {
    journal_->append(one, "is damaged");
    ASSERT_THAT(sync(), Succeeds());
    journal_->append(one, "stays");
    ASSERT_THAT(sync(), Succeeds());
    journal_->append(one, "stays too");
    ASSERT_THAT(sync(), Succeeds());
    journal_.reset();
    executor_.run_until_idle();
    const auto file = disk_.open(path, io::OpenMode::read);
    ASSERT_THAT(file, Succeeds());
    std::string content((*file)->size().value_or(0), '\0');
    ASSERT_THAT((*file)->read(0, std::as_writable_bytes(std::span(content))), Succeeds());
    const std::size_t at = content.find("is damaged");
    ASSERT_NE(at, std::string::npos);
    disk_.flip_bit(path, at, 0);

    open();
    EXPECT_THAT(replayed_, ElementsAre(Pair(one, "stays"), Pair(one, "stays too")));
    EXPECT_TRUE(journal_->wants_rewrite());
    journal_->append(one, "entry");
    EXPECT_THAT(sync(), FailsWith(ErrorKind::corrupt));
    ASSERT_THAT(rewrite({{one, {"whole"}}}), Succeeds());
    EXPECT_FALSE(journal_->wants_rewrite());
    crash();
    EXPECT_THAT(replayed_, ElementsAre(Pair(one, "whole")));
}

}  // namespace
}  // namespace bascule::broker
