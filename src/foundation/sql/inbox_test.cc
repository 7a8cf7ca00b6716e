#include "foundation/sql/inbox.h"

#include <gtest/gtest.h>

#include "foundation/base/testing.h"
#include "foundation/sql/database.h"
#include "foundation/sql/test_folder.h"

namespace bascule::sql {
namespace {

using inbox::Claim;
using testing::ElementsAre;

class InboxTest : public testing::Test {
  protected:
    InboxTest() {
        database = Database::open({.path = folder.path("t.db")}, inbox::migrations()).value();
    }

    Session& session() { return database->writer(); }
    Claim claim(const inbox::Key& key) { return inbox::claim(session(), key).value(); }

    TestFolder folder;
    std::unique_ptr<Database> database;
};

TEST_F(InboxTest, AMessageIsFreshOncePerConsumerPartAndReplay) {
    const inbox::Key key{.consumer = "c", .message_id = "m", .offset = 4};
    EXPECT_EQ(claim(key), Claim::fresh);
    EXPECT_EQ(claim(key), Claim::seen);
    EXPECT_EQ(claim({.consumer = "d", .message_id = "m", .offset = 4}), Claim::fresh);
    EXPECT_EQ(claim({.consumer = "c", .message_id = "m", .offset = 4, .part = 1}), Claim::fresh);
    EXPECT_EQ(claim({.consumer = "c", .message_id = "m", .offset = 4, .replay = "r"}),
              Claim::fresh);
}

TEST_F(InboxTest, ClaimsManyAtOnceAndSaysWhichAreFresh) {
    claim({.consumer = "c", .message_id = "b", .offset = 2});
    const std::vector<inbox::Key> keys = {{.consumer = "c", .message_id = "a", .offset = 1},
                                          {.consumer = "c", .message_id = "b", .offset = 2},
                                          {.consumer = "c", .message_id = "a", .offset = 3}};
    EXPECT_THAT(inbox::claim_all(session(), keys).value(),
                ElementsAre(Claim::fresh, Claim::seen, Claim::seen));
    EXPECT_THAT(inbox::offsets_done(session(), "c", 0).value(), ElementsAre(1, 2));
}

TEST_F(InboxTest, ARolledBackClaimIsFreshAgain) {
    const inbox::Key key{.consumer = "c", .message_id = "m", .offset = 4};
    {
        const auto transaction = Transaction::begin_write(session()).value();
        EXPECT_EQ(claim(key), Claim::fresh);
    }
    EXPECT_EQ(claim(key), Claim::fresh);
}

TEST_F(InboxTest, PositionNeverGoesBack) {
    EXPECT_EQ(inbox::position(session(), "c").value(), std::nullopt);
    ASSERT_THAT(inbox::set_position(session(), "c", 7), Succeeds());
    ASSERT_THAT(inbox::set_position(session(), "c", 3), Succeeds());
    EXPECT_EQ(inbox::position(session(), "c").value(), 7);
}

TEST_F(InboxTest, OnlyCompleteLiveMessagesCountAsDone) {
    claim({.consumer = "c", .message_id = "whole", .offset = 5});
    claim({.consumer = "c", .message_id = "half", .offset = 6, .part = 0, .last_part = false});
    claim({.consumer = "c", .message_id = "replayed", .offset = 7, .replay = "r"});
    claim({.consumer = "c", .message_id = "parts", .offset = 8, .part = 0, .last_part = false});
    claim({.consumer = "c", .message_id = "parts", .offset = 8, .part = 1, .last_part = true});
    claim({.consumer = "c", .message_id = "below", .offset = 1});
    EXPECT_THAT(inbox::offsets_done(session(), "c", 5).value(), ElementsAre(5, 8));
}

TEST_F(InboxTest, PrunesCompleteMessagesBelowThePosition) {
    claim({.consumer = "c", .message_id = "a", .offset = 1});
    claim({.consumer = "c", .message_id = "half", .offset = 2, .part = 0, .last_part = false});
    claim({.consumer = "c", .message_id = "b", .offset = 3});
    claim({.consumer = "c", .message_id = "c", .offset = 4});
    claim({.consumer = "d", .message_id = "a", .offset = 1});
    EXPECT_EQ(inbox::prune(session(), "c", 10).value(), 0);
    ASSERT_THAT(inbox::set_position(session(), "c", 4), Succeeds());
    EXPECT_EQ(inbox::prune(session(), "c", 1).value(), 1);
    EXPECT_EQ(inbox::prune(session(), "c", 10).value(), 1);
    // A redrive of the message that was given up between its parts must not repeat the first.
    EXPECT_EQ(claim({.consumer = "c", .message_id = "half", .offset = 2, .part = 0}), Claim::seen);
    EXPECT_EQ(session().query_integer("select count(*) from inbox").value(), 3);
}

/// Goal: the run of a letter that was redriven late does not forget itself: a process that dies
/// before the answer is journalled does it again.
TEST_F(InboxTest, AMessageThatComesLateIsRememberedFromThenOn) {
    const inbox::Key late{.consumer = "c", .message_id = "late", .offset = 9, .position = 90'000};
    ASSERT_THAT(inbox::set_position(session(), "c", 40'000), Succeeds());
    EXPECT_EQ(claim(late), Claim::fresh);
    EXPECT_EQ(inbox::prune(session(), "c", 10).value(), 0);
    EXPECT_EQ(claim(late), Claim::seen);
    EXPECT_THAT(inbox::offsets_done(session(), "c", 40'000).value(), testing::IsEmpty());
    ASSERT_THAT(inbox::set_position(session(), "c", 90'001), Succeeds());
    EXPECT_EQ(inbox::prune(session(), "c", 10).value(), 1);
}

TEST(InboxMigrationTest, RowsOfBeforeAreRememberedByTheirOffset) {
    const TestFolder folder;
    const auto steps = inbox::migrations();
    {
        const auto before =
            Database::open({.path = folder.path("t.db")}, std::span(steps).first(1)).value();
        ASSERT_THAT(before->writer().execute(
                        "insert into inbox (consumer, message_id, part, replay, message_offset,"
                        " complete) values ('c', 'm', 0, '', 7, 1)"),
                    Succeeds());
    }
    const auto after = Database::open({.path = folder.path("t.db")}, steps).value();
    EXPECT_THAT(inbox::offsets_done(after->writer(), "c", 7).value(), ElementsAre(7));
    ASSERT_THAT(inbox::set_position(after->writer(), "c", 7), Succeeds());
    EXPECT_EQ(inbox::prune(after->writer(), "c", 10).value(), 0);
    ASSERT_THAT(inbox::set_position(after->writer(), "c", 8), Succeeds());
    EXPECT_EQ(inbox::prune(after->writer(), "c", 10).value(), 1);
}

TEST_F(InboxTest, ForgetsAReplayOnly) {
    claim({.consumer = "c", .message_id = "m", .offset = 1});
    claim({.consumer = "c", .message_id = "m", .offset = 1, .replay = "r"});
    EXPECT_EQ(inbox::forget_replay(session(), "r").value(), 1);
    EXPECT_THAT(inbox::forget_replay(session(), ""), FailsWith(ErrorKind::invalid));
    EXPECT_EQ(claim({.consumer = "c", .message_id = "m", .offset = 1}), Claim::seen);
}

}  // namespace
}  // namespace bascule::sql
