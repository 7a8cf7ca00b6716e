#include "household/application/stores/audit_trail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "foundation/base/testing.h"
#include "household/application/consumers/audit.h"
#include "household/application/consumers/test_kit.h"
#include "household/application/stores/audit_chain.h"

namespace bascule::application {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

event::Event event(const std::string& id, const std::string& type = "file.uploaded",
                   const std::string& user = "u1") {
    return {.event_id = id,
            .event_type = type,
            .timestamp = WallTime(5ms),
            .source = "transaction_service",
            .user_id = user,
            .data = R"({"fileName":"Konto 50%.csv","id":")" + id + R"("})"};
}

class AuditTrailTest : public testing::Test {
  protected:
    void keep(const std::vector<event::Event>& events, std::uint64_t offset = 0) {
        EXPECT_EQ(outcome_of_run(consumer, delivery_of("audit", events, offset)).kind,
                  delivery::Outcome::Kind::done);
    }
    std::vector<std::string> found(const AuditQuery& query) {
        std::vector<std::string> ids;
        const auto page = trail.search(query, {}).value();
        for (const AuditEntry& entry : page.items) {
            ids.push_back(entry.event.event_id);
        }
        return ids;
    }
    void tamper(const std::string& statement) {
        EXPECT_THAT(store.write([&](sql::Session& session) -> Result<std::int64_t> {
            return session.execute(statement);
        }),
                    Succeeds());
    }

    sql::TestFolder folder;
    TestDatabase store{folder.path("audit.db"), AuditTrail::migrations()};
    AuditTrail trail{store.database(), store.writer()};
    AuditConsumer consumer{trail};
};

TEST_F(AuditTrailTest, KeepsEveryEventWhole) {
    event::Event whole = event("e1");
    whole.correlation_id = "c";
    whole.causation_id = "cause";
    whole.metadata = R"({"actor":"x"})";
    whole.hops = 2;
    keep({whole}, 7);
    const AuditEntry entry = trail.get("e1", "u1").value();
    EXPECT_EQ(entry.offset, Offset(7));
    EXPECT_EQ(entry.recorded, WallTime(1'000'000ms));
    EXPECT_EQ(entry.event.data, whole.data);
    EXPECT_EQ(entry.event.metadata, whole.metadata);
    EXPECT_EQ(entry.event.hops, 2U);
    EXPECT_THAT(trail.get("e1", "u2"), FailsWith(ErrorKind::not_found));
}

/// As many as a run has, twice: what is left out once in a thousand shows.
TEST_F(AuditTrailTest, KeepsEveryEventOfEveryBatch) {
    constexpr std::size_t batch = 1000;
    std::vector<std::string> expected;
    for (std::size_t first = 0; first < 2 * batch; first += batch) {
        std::vector<event::Event> events;
        for (std::size_t i = first; i < first + batch; ++i) {
            events.push_back(event("e" + std::to_string(i)));
            expected.push_back(std::to_string(i + 1) + "|" + std::to_string(i) + "|e" +
                               std::to_string(i));
        }
        keep(events, first);
    }
    EXPECT_EQ(
        store.rows("select number, event_offset, event_id from audit_entries order by number"),
        expected);
    EXPECT_TRUE(trail.verify()->ok);
}

TEST_F(AuditTrailTest, KeepsAnEventOnce) {
    keep({event("e1"), event("e2")}, 0);
    keep({event("e2"), event("e3")}, 1);
    EXPECT_THAT(store.rows("select number, event_id from audit_entries order by number"),
                ElementsAre("1|e1", "2|e2", "3|e3"));
    event::Event replayed = event("e1");
    replayed.replay_id = "r";
    keep({replayed}, 0);
    EXPECT_EQ(trail.verify()->entries, 3U);
    EXPECT_TRUE(trail.verify()->ok);
}

TEST_F(AuditTrailTest, KeepsEventsWhoseNamesRunTogether) {
    event::Event first = event("orders/1");
    first.source = "https://shop";
    event::Event second = event("1");
    second.source = "https://shop/orders";
    keep({first}, 0);
    keep({second}, 1);
    EXPECT_THAT(store.rows("select source, event_id from audit_entries order by number"),
                ElementsAre("https://shop|orders/1", "https://shop/orders|1"));
}

// The log forgets an id after its window of duplicates and takes it again for another event.
TEST_F(AuditTrailTest, KeepsAnIdThatIsUsedAgain) {
    keep({event("e1", "file.uploaded")}, 0);
    keep({event("e1", "file.processed")}, 9);
    EXPECT_THAT(store.rows("select event_offset, event_type from audit_entries order by number"),
                ElementsAre("0|file.uploaded", "9|file.processed"));
}

// A log that was restored from a backup gives offsets again that the trail has seen.
TEST_F(AuditTrailTest, KeepsAnotherEventAtAPlaceThatWasTaken) {
    keep({event("e1")}, 4);
    keep({event("e2")}, 4);
    EXPECT_THAT(found({}), ElementsAre("e2", "e1"));
}

TEST_F(AuditTrailTest, AnswersQueriesNewestFirst) {
    event::Event second = event("e2", "file.processed");
    second.correlation_id = "e1";
    second.causation_id = "e1";
    keep({event("e1"), second, event("e3", "file.uploaded", "u2")});
    EXPECT_THAT(found({}), ElementsAre("e3", "e2", "e1"));
    EXPECT_THAT(found({.user_id = "u1"}), ElementsAre("e2", "e1"));
    EXPECT_THAT(found({.type = "file.uploaded"}), ElementsAre("e3", "e1"));
    EXPECT_THAT(found({.correlation_id = "e1"}), ElementsAre("e2", "e1"));
    EXPECT_THAT(found({.causation_id = "e1"}), ElementsAre("e2"));
    EXPECT_THAT(found({.user_id = "u2", .text = "KONTO 50%"}), ElementsAre("e3"));
    EXPECT_TRUE(found({.text = "50_"}).empty());
    EXPECT_TRUE(found({.from = WallTime(1'000'001ms)}).empty());
    EXPECT_EQ(found({.before = WallTime(1'000'001ms)}).size(), 3U);
    EXPECT_EQ(trail.chain("e1", "u1").value().at(1).event.event_id, "e2");
    EXPECT_TRUE(trail.chain("e1", "u2").value().empty());
}

TEST_F(AuditTrailTest, PagesWithoutLossOrRepeat) {
    std::vector<event::Event> events;
    for (int i = 0; i < 25; ++i) {
        events.push_back(event("e" + std::to_string(i)));
    }
    keep(events);
    std::vector<std::string> ids;
    PageRequest page{.limit = 10};
    do {
        const auto answer = trail.search({}, page).value();
        EXPECT_EQ(answer.total, 25U);
        for (const AuditEntry& entry : answer.items) {
            ids.push_back(entry.event.event_id);
        }
        page.cursor = answer.next_cursor;
    } while (!page.cursor.empty());
    ASSERT_EQ(ids.size(), 25U);
    EXPECT_EQ(ids.front(), "e24");
    EXPECT_EQ(ids.back(), "e0");
    EXPECT_THAT(trail.search({}, {.cursor = "x"}), FailsWith(ErrorKind::invalid));
}

TEST_F(AuditTrailTest, AnErasedBodyLeavesTheChainWhole) {
    keep({event("e1"), event("e2")});
    tamper("update audit_entries set body = null, payload = null where number = 1");
    EXPECT_TRUE(trail.verify()->ok);
    EXPECT_EQ(trail.get("e1", "")->event.data, "{}");
}

TEST_F(AuditTrailTest, LinkIsTheFormulaOfTheFormat) {
    keep({event("e1"), event("e2")});
    const auto rows = store.rows("select body_hash, link from audit_entries order by number");
    const std::string first = audit_link("", rows.at(0).substr(0, 64));
    EXPECT_EQ(rows.at(0).substr(65), first);
    EXPECT_EQ(rows.at(1).substr(65), audit_link(first, rows.at(1).substr(0, 64)));
    EXPECT_EQ(trail.verify()->head, rows.at(1).substr(65));
    // SHA-256 of 64 zero bytes, from any other implementation.
    EXPECT_EQ(audit_link("", std::string(64, '0')),
              "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
}

struct TamperCase {
    const char* claim;
    const char* statement;
    std::uint64_t position;
};

class AuditTamperTest : public AuditTrailTest, public testing::WithParamInterface<TamperCase> {};

TEST_P(AuditTamperTest, IsFoundAtItsPosition) {
    keep({event("e1"), event("e2"), event("e3")});
    ASSERT_TRUE(trail.verify()->ok);
    tamper(GetParam().statement);
    const AuditVerdict verdict = trail.verify().value();
    EXPECT_FALSE(verdict.ok);
    EXPECT_EQ(verdict.first_broken, GetParam().position);
    EXPECT_THAT(verdict.message, HasSubstr("entry " + std::to_string(GetParam().position)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, AuditTamperTest,
    testing::Values(
        TamperCase{"ChangedBody", "update audit_entries set body = x'00' where number = 2", 2},
        TamperCase{"ChangedColumn", "update audit_entries set user_id = 'x' where number = 2", 2},
        TamperCase{"ChangedPayload", "update audit_entries set payload = '{}' where number = 2", 2},
        TamperCase{"ChangedTime", "update audit_entries set recorded_ms = 1 where number = 2", 2},
        TamperCase{"ChangedHash",
                   "update audit_entries set body_hash = link, body = null where number = 2", 2},
        TamperCase{"ChangedLink", "update audit_entries set link = body_hash where number = 3", 3},
        TamperCase{"DeletedEntry", "delete from audit_entries where number = 1", 1},
        TamperCase{"DeletedInTheMiddle", "delete from audit_entries where number = 2", 2}),
    [](const auto& info) { return info.param.claim; });

/// A disk that lost pages is a finding with its place, not a failure of looking.
TEST(AuditDamageTest, APageThatCannotBeReadIsAVerdict) {
    const sql::TestFolder folder;
    const std::string path = folder.path("audit.db");
    {
        TestDatabase store(path, AuditTrail::migrations());
        AuditTrail trail(store.database(), store.writer());
        AuditConsumer consumer(trail);
        std::vector<event::Event> events;
        for (int i = 0; i < 300; ++i) {
            events.push_back(event("e" + std::to_string(i)));
        }
        outcome_of_run(consumer, delivery_of("audit", events, 0));
        ASSERT_THAT(store.database().writer().checkpoint_all(), Succeeds());
    }
    const auto bytes = std::filesystem::file_size(path);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(bytes / 2));
    file << std::string(bytes - bytes / 2, '\xFF');
    file.close();

    TestDatabase store(path, AuditTrail::migrations());
    const AuditTrail trail(store.database(), store.writer());
    const auto verdict = trail.verify();
    ASSERT_THAT(verdict, Succeeds());
    EXPECT_FALSE(verdict->ok);
    EXPECT_LT(verdict->entries, 300U);
    EXPECT_EQ(verdict->first_broken, verdict->entries + 1);
    EXPECT_THAT(verdict->message,
                HasSubstr("damaged at entry " + std::to_string(verdict->entries + 1)));
}

TEST_F(AuditTrailTest, AWriterThatStoppedSuspends) {
    (void)io::wait_for<>([&](auto done) { store.writer().stop(std::move(done)); });
    const auto outcome = outcome_of_run(consumer, delivery_of("audit", {event("e1")}, 0));
    EXPECT_EQ(outcome.kind, delivery::Outcome::Kind::suspended);
    EXPECT_EQ(store.count("select count(*) from audit_entries"), 0);
}

}  // namespace
}  // namespace bascule::application
