#include "foundation/sql/outbox.h"

#include <gtest/gtest.h>

#include <map>

#include "foundation/base/testing.h"
#include "foundation/sql/database.h"
#include "foundation/sql/test_folder.h"

namespace bascule::sql {
namespace {

using testing::ElementsAre;

class OutboxTest : public testing::Test {
  protected:
    OutboxTest() {
        const auto steps = outbox::migrations();
        database = Database::open({.path = folder.path("t.db")}, steps).value();
        EXPECT_THAT(outbox::begin_incarnation(session(), "one"), Succeeds());
    }

    Session& session() { return database->writer(); }

    Result<> add(std::string_view key, std::vector<std::string> ids, std::int64_t at = 1000) {
        std::vector<outbox::Message> messages;
        for (const auto& id : ids) {
            messages.push_back({id, id});
        }
        return outbox::add(session(), key, messages, from_unix_ms(at));
    }

    /// Ids in publish order, with their numbers.
    std::vector<std::string> numbered(std::uint64_t after = 0) {
        std::vector<std::string> found;
        const auto messages = outbox::numbered(session(), after, 1000, 1 << 20).value();
        for (const auto& message : messages) {
            found.push_back(std::to_string(message.publish_seq) + message.id);
        }
        return found;
    }

    TestFolder folder;
    std::unique_ptr<Database> database;
};

TEST_F(OutboxTest, NumbersAreDenseAndGivenOnce) {
    ASSERT_THAT(add("k", {"a", "b"}), Succeeds());
    EXPECT_EQ(outbox::assign(session(), 10).value(), 2);
    ASSERT_THAT(add("k", {"c"}), Succeeds());
    EXPECT_EQ(outbox::assign(session(), 10).value(), 1);
    EXPECT_EQ(outbox::assign(session(), 10).value(), 0);
    EXPECT_THAT(numbered(), ElementsAre("1a", "2b", "3c"));
    EXPECT_EQ(outbox::relay_state(session()).value().assigned, 3);
}

TEST_F(OutboxTest, AKeysOrderSurvivesAClockThatStepsBack) {
    ASSERT_THAT(add("k", {"first"}, 9000), Succeeds());
    ASSERT_THAT(add("k", {"second"}, 10), Succeeds());
    ASSERT_THAT(add("other", {"between"}, 20), Succeeds());
    ASSERT_THAT(outbox::assign(session(), 10), Succeeds());
    EXPECT_THAT(numbered(), ElementsAre("1between", "2first", "3second"));
}

TEST_F(OutboxTest, NumbersALimitedCountInOrder) {
    ASSERT_THAT(add("k", {"a", "b", "c"}), Succeeds());
    EXPECT_EQ(outbox::assign(session(), 2).value(), 2);
    EXPECT_THAT(numbered(), ElementsAre("1a", "2b"));
    EXPECT_EQ(outbox::backlog(session()).value(), 3);
}

TEST_F(OutboxTest, ReadsUpToASizeButAtLeastOne) {
    ASSERT_THAT(add("k", {"aaaa", "bbbb", "cccc"}), Succeeds());
    ASSERT_THAT(outbox::assign(session(), 10), Succeeds());
    EXPECT_EQ(outbox::numbered(session(), 0, 10, 8).value().size(), 2);
    EXPECT_EQ(outbox::numbered(session(), 0, 10, 1).value().size(), 1);
    EXPECT_EQ(outbox::numbered(session(), 0, 1, 100).value().size(), 1);
}

TEST_F(OutboxTest, AMarkNeverGoesBackNorAhead) {
    ASSERT_THAT(add("k", {"a", "b", "c"}), Succeeds());
    ASSERT_THAT(outbox::assign(session(), 10), Succeeds());
    ASSERT_THAT(outbox::mark_published(session(), 2), Succeeds());
    ASSERT_THAT(outbox::mark_published(session(), 1), Succeeds());
    ASSERT_THAT(outbox::mark_published(session(), 99), Succeeds());
    EXPECT_EQ(outbox::relay_state(session()).value().published, 2);
    EXPECT_EQ(outbox::backlog(session()).value(), 1);
}

TEST_F(OutboxTest, PrunesOnlyWhatIsPublished) {
    ASSERT_THAT(add("k", {"a", "b", "c", "d"}), Succeeds());
    ASSERT_THAT(outbox::assign(session(), 3), Succeeds());
    EXPECT_EQ(outbox::prune(session(), 10).value(), 0);
    ASSERT_THAT(outbox::mark_published(session(), 2), Succeeds());
    EXPECT_EQ(outbox::prune(session(), 1).value(), 1);
    EXPECT_EQ(outbox::prune(session(), 10).value(), 1);
    EXPECT_THAT(numbered(), ElementsAre("3c"));
    EXPECT_EQ(outbox::backlog(session()).value(), 2);
}

TEST_F(OutboxTest, AMessageIdIsTakenOnce) {
    ASSERT_THAT(add("k", {"a"}), Succeeds());
    EXPECT_THAT(add("other", {"a"}), FailsWith(ErrorKind::conflict));
}

TEST_F(OutboxTest, WhatIsRolledBackLeavesNoGap) {
    {
        const auto transaction = Transaction::begin_write(session()).value();
        ASSERT_THAT(add("k", {"lost"}), Succeeds());
    }
    ASSERT_THAT(add("k", {"kept"}), Succeeds());
    ASSERT_THAT(outbox::assign(session(), 10), Succeeds());
    EXPECT_THAT(numbered(), ElementsAre("1kept"));
    EXPECT_EQ(session().query_integer("select seq from stream_head").value(), 1);
}

TEST_F(OutboxTest, ANewIncarnationKeepsTheOrderOfWhatIsLeft) {
    ASSERT_THAT(add("k", {"gone", "z", "b"}, 5000), Succeeds());
    ASSERT_THAT(outbox::assign(session(), 10), Succeeds());
    ASSERT_THAT(outbox::mark_published(session(), 1), Succeeds());
    ASSERT_THAT(add("a", {"unnumbered"}, 1), Succeeds());
    const auto state = outbox::begin_incarnation(session(), "two").value();
    EXPECT_EQ(state.incarnation, "two");
    EXPECT_EQ(state.published, 0);
    EXPECT_THAT(numbered(), ElementsAre("1z", "2b"));
    ASSERT_THAT(outbox::assign(session(), 10), Succeeds());
    EXPECT_THAT(numbered(), ElementsAre("1z", "2b", "3unnumbered"));
}

TEST_F(OutboxTest, NumbersNothingBeforeTheFirstIncarnation) {
    TestFolder fresh;
    const auto steps = outbox::migrations();
    auto other = Database::open({.path = fresh.path("t.db")}, steps).value();
    EXPECT_THAT(outbox::assign(other->writer(), 1), FailsWith(ErrorKind::conflict));
}

TEST_F(OutboxTest, WhatTheReceiverWouldRefuseDoesNotEnter) {
    const std::string large((1 << 20) + 1, 'x');
    const std::vector<outbox::Message> messages = {{"a", "1"}, {"b", large}};
    EXPECT_THAT(outbox::add(session(), "k", messages, WallTime{}),
                FailsWith(ErrorKind::invalid, testing::HasSubstr("message b has 1048577 bytes")));
    EXPECT_EQ(outbox::backlog(session()).value(), 0);
}

TEST_F(OutboxTest, ARefusedMessageMakesWayAndIsKept) {
    ASSERT_THAT(outbox::begin_incarnation(session(), "i"), Succeeds());
    const std::vector<outbox::Message> messages = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
    ASSERT_THAT(outbox::add(session(), "k", messages, WallTime{}), Succeeds());
    ASSERT_THAT(outbox::assign(session(), 10), Succeeds());
    ASSERT_THAT(outbox::refuse(session(), {2, "odd", "too odd"}, from_unix_ms(7)), Succeeds());
    std::vector<std::uint64_t> numbers;
    const auto left = outbox::numbered(session(), 0, 10, 1 << 20).value();
    for (const outbox::Numbered& message : left) {
        numbers.push_back(message.publish_seq);
    }
    EXPECT_EQ(numbers, (std::vector<std::uint64_t>{1, 3}));
    const auto refused = outbox::refused(session(), std::nullopt, 10, 1 << 20).value();
    ASSERT_EQ(refused.size(), 1);
    EXPECT_EQ(refused[0].id, "b");
    EXPECT_EQ(refused[0].key, "k");
    EXPECT_EQ(refused[0].bytes, "2");
    EXPECT_EQ(refused[0].code, "odd");
    EXPECT_EQ(refused[0].reason, "too odd");
    EXPECT_EQ(refused[0].at, from_unix_ms(7));
    EXPECT_EQ(outbox::refused_count(session()).value(), 1);
    EXPECT_EQ(outbox::find_refused(session(), "b").value()->reason, "too odd");
    EXPECT_FALSE(outbox::find_refused(session(), "a").value().has_value());
}

TEST_F(OutboxTest, RefusedMessagesAreReadInPartsOfBoundedSize) {
    ASSERT_THAT(outbox::begin_incarnation(session(), "i"), Succeeds());
    for (const char* key : {"k", "l"}) {
        const std::string own(key);
        const std::string bytes(1000, 'x');
        const std::string ids[] = {own + "1", own + "2", own + "3"};
        const std::vector<outbox::Message> messages = {
            {ids[0], bytes}, {ids[1], bytes}, {ids[2], bytes}};
        ASSERT_THAT(outbox::add(session(), key, messages, WallTime{}), Succeeds());
    }
    ASSERT_THAT(outbox::assign(session(), 10), Succeeds());
    for (std::uint64_t number = 1; number <= 6; ++number) {
        ASSERT_THAT(outbox::refuse(session(), {number, "odd", ""}, from_unix_ms(7)), Succeeds());
    }
    std::vector<std::string> ids;
    std::optional<outbox::Refused> last;
    while (true) {
        const auto part = outbox::refused(session(), last, 10, 2000).value();
        if (part.empty()) {
            break;
        }
        EXPECT_LE(part.size(), 2);
        for (const outbox::Refused& refused : part) {
            ids.push_back(refused.id);
        }
        last = part.back();
    }
    EXPECT_THAT(ids, testing::ElementsAre("k1", "k2", "k3", "l1", "l2", "l3"));
    EXPECT_EQ(outbox::refused(session(), std::nullopt, 10, 1).value().size(), 1) << "never none";
}

}  // namespace
}  // namespace bascule::sql
