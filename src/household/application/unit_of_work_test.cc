#include "household/application/unit_of_work.h"

#include <gtest/gtest.h>

#include "foundation/base/testing.h"
#include "household/application/household_test_kit.h"

namespace bascule::application {
namespace {

using testing::HasSubstr;

class UnitOfWorkTest : public testing::Test {
  protected:
    UnitOfWorkTest() {
        cause = event::account_deleted({.event_id = "e1",
                                        .timestamp = world.clock.wall(),
                                        .user_id = "ada",
                                        .correlation_id = "c1",
                                        .hops = 2},
                                       {"a1", 3});
    }

    sql::Session& session() { return world.database().writer(); }
    UnitOfWork following(const event::Event& of) {
        return UnitOfWork::following(session(), "analytics", event::view_of(of), world.clock.wall())
            .value();
    }
    event::Event some_event(UnitOfWork& unit) {
        return event::account_deleted(unit.occasion(), {"a2", 1});
    }

    TestHousehold world;
    event::Event cause;
};

TEST_F(UnitOfWorkTest, AConsumersEventsFollowTheirCause) {
    UnitOfWork unit = following(cause);
    unit.publish(some_event(unit));
    ASSERT_THAT(unit.finish(), Succeeds());
    const auto events = world.new_events();
    ASSERT_EQ(events.size(), 1);
    EXPECT_EQ(events[0].user_id, "ada");
    EXPECT_EQ(events[0].causation_id, "e1");
    EXPECT_EQ(events[0].correlation_id, "c1");
    EXPECT_EQ(events[0].hops, 3);
    EXPECT_EQ(events[0].metadata, R"({"actor":"analytics"})");
}

TEST_F(UnitOfWorkTest, AConsumersIdsAreDerived) {
    const auto ids = [&](std::string consumer, const event::Event& of, std::uint32_t part) {
        auto unit =
            UnitOfWork::following(session(), consumer, event::view_of(of), world.clock.wall(), part)
                .value();
        return std::vector{unit.new_id(), unit.occasion().event_id};
    };
    const auto first = ids("analytics", cause, 0);
    EXPECT_NE(first[0], first[1]);
    EXPECT_EQ(ids("analytics", cause, 0), first);
    EXPECT_NE(ids("other", cause, 0), first);
    EXPECT_NE(ids("analytics", cause, 1), first);
    event::Event replayed = cause;
    replayed.replay_id = "r";
    EXPECT_NE(ids("analytics", replayed, 0), first);
}

/// Goal: a publisher who knows an event cannot know the ids of what follows from it, and so cannot
/// publish under them first; yet what is restored from a backup makes them again.
TEST_F(UnitOfWorkTest, DerivedIdsDependOnASecretThatTheDatabaseKeeps) {
    const std::string id = following(cause).new_id();
    const auto id_in = [&](sql::Session& database) {
        return UnitOfWork::following(database, "analytics", event::view_of(cause),
                                     world.clock.wall())
            .value()
            .new_id();
    };
    TestHousehold other;
    EXPECT_NE(id_in(other.database().writer()), id);

    const sql::TestFolder folder;
    ASSERT_THAT(session().execute("vacuum into ?1", {folder.path("backup.db")}), Succeeds());
    const auto restored =
        sql::Database::open({.path = folder.path("backup.db")}, migrations()).value();
    EXPECT_EQ(id_in(restored->writer()), id);
}

TEST_F(UnitOfWorkTest, WithoutItsSecretADatabaseMakesNoIds) {
    ASSERT_THAT(session().execute("delete from id_secret"), Succeeds());
    EXPECT_THAT(
        UnitOfWork::following(session(), "analytics", event::view_of(cause), world.clock.wall()),
        FailsWith(ErrorKind::corrupt, HasSubstr("id_secret")));
}

TEST_F(UnitOfWorkTest, AReplaysEventsBelongToTheReplay) {
    cause.replay_id = "r";
    UnitOfWork unit = following(cause);
    unit.publish(some_event(unit));
    ASSERT_THAT(unit.finish(), Succeeds());
    EXPECT_EQ(world.new_events().at(0).replay_id, "r");
}

TEST_F(UnitOfWorkTest, WhatTheLogWouldRefuseIsRefusedBeforeCommit) {
    const auto finish = [&](auto change) {
        UnitOfWork unit(session(), world.actor(), world.clock.wall());
        auto event = some_event(unit);
        change(event);
        unit.publish(std::move(event));
        return unit.finish();
    };
    EXPECT_THAT(finish([](event::Event& event) { event.data = R"({"accountId":"a"})"; }),
                FailsWith(ErrorKind::invalid, HasSubstr("account.deleted")));
    EXPECT_THAT(finish([](event::Event& event) { event.hops = event::hops_max + 1; }),
                FailsWith(ErrorKind::invalid, HasSubstr("chain of causes")));
    EXPECT_THAT(finish([](event::Event& event) {
                    event.metadata = R"({"x":")" + std::string(event::event_bytes_max, 'x') + "\"}";
                }),
                FailsWith(ErrorKind::invalid, HasSubstr("bytes")));
    EXPECT_THAT(finish([](event::Event&) {}), Succeeds());
    EXPECT_EQ(world.new_events().size(), 1);
}

}  // namespace
}  // namespace bascule::application
