// What is left after a crash, and what full and failing disks do.
#include <gmock/gmock.h>

#include "bus/log/log_testing.h"

namespace bascule::log {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class LogRecoveryTest : public LogOnDisk {};

TEST_F(LogRecoveryTest, AcknowledgedRecordsSurviveManyCrashes) {
    std::uint64_t events = 0;
    for (int crash = 0; crash < 50; ++crash) {
        open();
        EXPECT_EQ(log_->state(), State::running) << log_->status().reason;
        expect_events(0, events);
        fill(events, events + 3);
        events += 3;
        world_.crash(log_);
    }
}

TEST_F(LogRecoveryTest, UnsyncedTailIsMadeDurableBeforeItIsShown) {
    open();
    fill(0, 3);
    world_.crash(log_);
    open();
    expect_events(0, 3);
    world_.crash(log_);  // right after open: what was shown must not go
    open();
    expect_events(0, 3);
    EXPECT_EQ(log_->find(id_of("e2")), Offset(2));
}

TEST_F(LogRecoveryTest, SegmentsDoNotPileUpWithoutWork) {
    open();
    fill(0, 3);
    world_.crash(log_);
    open();
    const std::uint64_t segments = log_->status().stats.segments;
    for (int i = 0; i < 10; ++i) {
        world_.crash(log_);
        open();
    }
    EXPECT_EQ(log_->status().stats.segments, segments);
}

TEST_F(LogRecoveryTest, FailedSyncEndsAppendingButNotReading) {
    open();
    fill(0, 3);
    world_.disk.fail_sync(1);
    EXPECT_THAT(words(world_.append(*log_, batch(event("x")))), ElementsAre("io"));
    EXPECT_EQ(log_->state(), State::failed);
    EXPECT_THAT(log_->status().reason, HasSubstr("must be reopened"));
    EXPECT_THAT(words(world_.append(*log_, batch(event("y")))), ElementsAre("io"));
    expect_events(0, 3);
    EXPECT_EQ(log_->find(id_of("x")), std::nullopt);
    EXPECT_THAT(world_.close(*log_), FailsWith(ErrorKind::io));
}

TEST_F(LogRecoveryTest, FullDiskRefusesAndRecoversByItself) {
    open();
    fill(0, 3);
    world_.disk.set_capacity(0);
    LogWorld::Outcomes refused = LogWorld::Outcomes(std::vector<AppendOutcome>());
    for (int i = 0; refused && i < 40; ++i) {  // until what was filled ahead is used up
        refused =
            world_.append(*log_, batch(event("big" + std::to_string(i), std::string(2000, 'x'))));
    }
    EXPECT_THAT(refused, FailsWith(ErrorKind::exhausted, HasSubstr("no space")));
    EXPECT_EQ(log_->state(), State::full);
    const auto before = everything(*log_);
    EXPECT_THAT(before, Contains("2:" + body_of(2)));

    world_.disk.set_capacity(1 << 30);
    EXPECT_THAT(words(world_.append(*log_, batch(event("soon")))), ElementsAre("exhausted"))
        << "a full disk refuses unasked for a while";
    world_.clock.advance(2s);
    EXPECT_THAT(words(world_.append(*log_, batch(event("later")))),
                ElementsAre(HasSubstr("accepted")));
    EXPECT_EQ(log_->state(), State::running);
    EXPECT_EQ(everything(*log_).size(), before.size() + 1);
    world_.shut(log_);
    open();
    EXPECT_EQ(everything(*log_).size(), before.size() + 1);
}

TEST_F(LogRecoveryTest, FullDiskThatHasRoomAgainIsNoticedThoughNobodyPublishes) {
    std::vector<State> told;
    open(small_options(), {.health = [&](const Health& health) { told.push_back(health.state); }});
    fill(0, 3);
    world_.disk.set_capacity(0);
    EXPECT_THAT(words(world_.append(*log_, batch(event("big", std::string(4000, 'x'))))),
                ElementsAre("exhausted"));
    world_.executor.run_for(10s);
    EXPECT_THAT(told, ElementsAre(State::full));
    world_.disk.set_capacity(1 << 30);
    world_.executor.run_for(10s);
    EXPECT_THAT(told, ElementsAre(State::full, State::running));
    EXPECT_EQ(log_->health().reason, "");
}

TEST_F(LogRecoveryTest, LogOnAFullDiskSaysSoWhenItIsOpened) {
    open();
    fill(0, 3);
    world_.shut(log_);
    world_.disk.set_capacity(0);
    open();
    const Health health = log_->health();
    EXPECT_EQ(health.state, State::full);
    EXPECT_THAT(health.reason, AllOf(HasSubstr("no space"), Not(HasSubstr("log/"))));
    EXPECT_THAT(health.detail, HasSubstr("log/00000000000000000000.seg"));
    EXPECT_EQ(health.since, world_.clock.wall());
    world_.disk.set_capacity(1 << 30);
    EXPECT_THAT(words(world_.append(*log_, batch(event("x")))), ElementsAre("accepted 3"))
        << "the first publish asks the disk again";
    EXPECT_EQ(log_->state(), State::running);
}

TEST_F(LogRecoveryTest, ReasonOfAFailureNamesNoFileAndItsDetailDoes) {
    open();
    fill(0, 3);
    world_.disk.fail_sync(1);
    const auto refused = world_.append(*log_, batch(event("x")));
    EXPECT_THAT(refused, FailsWith(ErrorKind::io, Not(HasSubstr("log/"))));
    EXPECT_THAT(log_->health().reason, Not(HasSubstr("log/")));
    EXPECT_THAT(log_->health().detail, HasSubstr("log/00000000000000000000.seg"));
}

TEST_F(LogRecoveryTest, RefusedRecordsLeaveNoTrace) {
    open();
    ASSERT_THAT(words(world_.append(*log_, batch(numbered(1, 1)))), ElementsAre("accepted 0"));
    world_.disk.set_capacity(0);
    Given refused = numbered(1, 2);
    refused.body = std::string(4000, 'x');
    EXPECT_THAT(words(world_.append(*log_, batch(refused))), ElementsAre("exhausted"));
    EXPECT_EQ(log_->highest_sequence(1), 1U);
    EXPECT_EQ(log_->find(refused.id_hash), std::nullopt);
    world_.disk.set_capacity(1 << 30);
    world_.clock.advance(2s);
    EXPECT_THAT(words(world_.append(*log_, batch(refused))), ElementsAre("accepted 1"));
}

TEST_F(LogRecoveryTest, FullDiskDoesNotKeepALogFromOpening) {
    open();
    fill(0, 200);
    world_.shut(log_);
    for (const std::string& name : world_.names()) {
        if (name.ends_with(".idx")) {
            ASSERT_THAT(world_.disk.remove("log/" + name), Succeeds());
        }
    }
    world_.disk.set_capacity(0);
    open();
    expect_events(0, 200);
}

TEST_F(LogRecoveryTest, ReserveIsHeldGivenBackAndTakenAgain) {
    Options options = small_options();
    options.reserve_bytes = 100'000;
    open(options);
    EXPECT_TRUE(log_->status().reserve_held);
    const std::uint64_t free = *world_.disk.free_bytes("log");
    world_.disk.set_capacity(~0ULL - free);  // full, but for what the reserve holds
    ASSERT_THAT(log_->release_reserve(), Succeeds());
    EXPECT_FALSE(log_->status().reserve_held);
    EXPECT_EQ(*world_.disk.free_bytes("log"), 100'000U);
    ASSERT_THAT(log_->restore_reserve(), Succeeds());
    EXPECT_TRUE(log_->status().reserve_held);
    ASSERT_THAT(log_->release_reserve(), Succeeds());
    world_.disk.set_capacity(0);
    EXPECT_THAT(log_->restore_reserve(), FailsWith(ErrorKind::exhausted));
    EXPECT_FALSE(log_->status().reserve_held);
}

TEST_F(LogRecoveryTest, UnprovenTailIsRewrittenEvenOnAFullDisk) {
    Options options = small_options();
    options.reserve_bytes = 100'000;
    open(options);
    fill(0, 3);
    log_.reset();
    world_.executor.drop_all();
    world_.disk.set_capacity(~0ULL - *world_.disk.free_bytes("log"));  // full as it is now
    open(options);
    EXPECT_EQ(log_->state(), State::full) << "the reserve is for others than new records";
    expect_events(0, 3);
}

TEST_F(LogRecoveryTest, FileOfANewerVersionIsRefusedAndLeftAlone) {
    open();
    fill(0, 2);
    world_.shut(log_);
    const std::string path = "log/00000000000000000000.seg";
    auto file = *world_.disk.open(path, io::OpenMode::write);
    std::string head(80, '\0');
    ASSERT_THAT(file->read(0, std::as_writable_bytes(std::span(head))), Succeeds());
    head[12] = 2;
    const std::uint64_t hash = hash64(std::string_view(head).substr(8));
    std::copy_n(reinterpret_cast<const char*>(&hash), 8, head.begin());
    ASSERT_THAT(file->write(0, as_bytes(head)), Succeeds());
    EXPECT_THAT(world_.open(),
                FailsWith(ErrorKind::invalid, HasSubstr("newer version of Bascule")));
    std::string after(80, '\0');
    ASSERT_THAT(file->read(0, std::as_writable_bytes(std::span(after))), Succeeds());
    EXPECT_EQ(after, head);
}

}  // namespace
}  // namespace bascule::log
