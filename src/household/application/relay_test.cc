#include "household/application/relay.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <set>

#include "foundation/base/testing.h"
#include "foundation/base/uuid.h"
#include "foundation/sql/outbox.h"
#include "household/application/household_test_kit.h"

namespace bascule::application {
namespace {

/// A bus that remembers what it took, as the log does. Outlives relays and databases.
class FakeBus {
  public:
    RelayTarget target() {
        return {
            .publish = [this](auto events, const auto& options,
                              auto done) { publish(std::move(events), options, std::move(done)); },
            .highest_sequence =
                [this](std::uint64_t producer) {
                    return state_.with([&](State& state) -> std::optional<std::uint64_t> {
                        const auto found = state.highest.find(producer);
                        return found == state.highest.end() ? std::nullopt
                                                            : std::optional(found->second);
                    });
                },
            .contains =
                [this](const event::Event& event) {
                    return state_.with(
                        [&](State& state) { return state.ids.contains(event.event_id); });
                }};
    }

    std::vector<event::Event> taken() {
        return state_.with([](State& state) { return state.events; });
    }
    std::size_t count() {
        return state_.with([](State& state) { return state.events.size(); });
    }
    /// The next publishes take the events and then fail, as if the answer were lost.
    void lose_answers(int count) {
        state_.with([&](State& state) { state.answers_lost = count; });
    }
    /// An event with this data will never be taken.
    void refuse_for_good(const std::string& data) {
        state_.with([&](State& state) { state.refused_data = data; });
    }
    void refuse(int count) {
        state_.with([&](State& state) { state.refusals = count; });
    }

  private:
    struct State {
        std::vector<event::Event> events;
        std::map<std::uint64_t, std::uint64_t> highest;
        std::set<std::string> ids;
        int answers_lost = 0;
        int refusals = 0;
        std::string refused_data;
    };

    void publish(std::vector<event::Event> events, const broker::PublishOptions& options,
                 io::Completion<std::vector<broker::PublishResult>> done) {
        auto answer = state_.with([&](State& state) -> Result<std::vector<broker::PublishResult>> {
            if (state.refusals > 0) {
                --state.refusals;
                return fail(ErrorKind::exhausted, "the publish queue is full");
            }
            std::vector<broker::PublishResult> results;
            if (std::ranges::find(events, state.refused_data, &event::Event::data) !=
                events.end()) {
                for (const event::Event& event : events) {
                    results.emplace_back(
                        broker::Rejected{.code = event.data == state.refused_data
                                                     ? broker::Rejected::Code::too_large
                                                     : broker::Rejected::Code::atomic_batch_failed,
                                         .event_id = event.event_id,
                                         .message = "too much"});
                }
                return results;
            }
            auto& highest = state.highest[options.producer];
            auto sequence = options.sequence;
            for (event::Event& event : events) {
                EXPECT_GT(sequence, highest);
                EXPECT_TRUE(state.ids.insert(event.event_id).second) << "published twice";
                highest = sequence++;
                results.emplace_back(broker::Accepted{.event_id = event.event_id});
                state.events.push_back(std::move(event));
            }
            if (state.answers_lost > 0) {
                --state.answers_lost;
                return fail(ErrorKind::io, "the answer was lost");
            }
            return results;
        });
        done(std::move(answer));
    }

    Guarded<State> state_;
};

class RelayTest : public testing::Test {
  protected:
    RelayTest() { open(); }
    ~RelayTest() override { close(); }

    void open() {
        database = sql::Database::open({.path = folder.path("bascule.db")}, migrations()).value();
        writer = std::make_unique<sql::Writer>(*database, sql_pool);
        relay = std::make_unique<Relay>(*database, *writer, bus.target(), pool);
        writer->on_commit([relay = relay.get()] { relay->wake(); });
    }
    void start() {
        ASSERT_THAT(io::wait_for<>([&](auto done) { relay->start(std::move(done)); }), Succeeds());
    }
    void stop_relay() {
        ASSERT_THAT(io::wait_for<>([&](auto done) { relay->stop(std::move(done)); }), Succeeds());
    }
    void close() {
        if (relay) {
            stop_relay();
            EXPECT_THAT(io::wait_for<>([&](auto done) { writer->stop(std::move(done)); }),
                        Succeeds());
            writer.reset();
            relay.reset();
            database.reset();
        }
    }

    /// Of the closed database, as it is now.
    void keep_backup() {
        std::filesystem::copy_file(folder.path("bascule.db"), folder.path("backup.db"));
    }
    void restore_backup() {
        std::filesystem::remove(folder.path("bascule.db-wal"));
        std::filesystem::remove(folder.path("bascule.db-shm"));
        std::filesystem::rename(folder.path("backup.db"), folder.path("bascule.db"));
    }

    static auto unit(const std::string& user_id, const std::string& name) {
        return [user_id, name](sql::Session& session) -> Result<> {
            UnitOfWork unit(session, Actor{.user_id = user_id, .name = "t"}, from_unix_ms(1000));
            unit.publish(event::account_deleted(unit.occasion(), {name, 0}));
            return unit.finish();
        };
    }
    void commit(const std::string& user_id, const std::string& name) {
        EXPECT_THAT(io::wait_for<>(
                        [&](auto done) { writer->submit(unit(user_id, name), std::move(done)); }),
                    Succeeds());
    }

    /// Waits, on a timer of the pool, until it holds; real threads have no other end.
    void eventually(const std::function<bool()>& holds) {
        const auto deadline = pool.clock().steady() + 20s;
        while (!holds()) {
            ASSERT_LT(pool.clock().steady(), deadline) << relay->trouble();
            ASSERT_THAT(io::wait_for<>([&](io::Completion<> done) {
                            pool.post_at(pool.clock().steady() + 2ms,
                                         [done = std::move(done)]() mutable { done({}); });
                        }),
                        Succeeds());
        }
    }
    void drain() {
        eventually([&] { return relay->backlog().value() == 0; });
    }

    std::vector<std::string> names_of(const std::string& user_id) {
        std::vector<std::string> names;
        const auto events = bus.taken();
        for (const event::Event& event : events) {
            if (event.user_id == user_id) {
                names.push_back(event.data);
            }
        }
        return names;
    }
    static std::string data(const std::string& name) {
        return R"({"accountId":")" + name + R"(","transactionCount":0})";
    }

    FakeBus bus;
    sql::TestFolder folder;
    io::ThreadPool sql_pool{{.name = "sql", .threads = 1}};
    io::ThreadPool pool{{.name = "relay", .threads = 2}};
    std::unique_ptr<sql::Database> database;
    std::unique_ptr<sql::Writer> writer;
    std::unique_ptr<Relay> relay;
};

TEST_F(RelayTest, PublishesWhatWasCommittedBeforeAndAfterItsStart) {
    commit("ada", "one");
    start();
    commit("ada", "two");
    drain();
    EXPECT_THAT(names_of("ada"), testing::ElementsAre(data("one"), data("two")));
}

TEST_F(RelayTest, WhatTheBusWillNeverTakeIsSetAsideAndTheRestGoesOn) {
    bus.refuse_for_good(data("two"));
    for (const char* name : {"one", "two", "three"}) {
        commit("ada", name);
    }
    commit("bob", "four");
    std::vector<std::string> troubles;
    std::vector<std::string> reasons;
    relay->on_trouble([&](const std::string& trouble) { troubles.push_back(trouble); });
    relay->on_refused([&](const std::string& reason) { reasons.push_back(reason); });
    start();
    drain();
    // It waits nowhere and nothing will be over: no trouble, and no word that all is well again.
    EXPECT_THAT(troubles, testing::IsEmpty());
    EXPECT_THAT(reasons, testing::ElementsAre(testing::HasSubstr("too_large: too much")));
    EXPECT_THAT(names_of("ada"), testing::ElementsAre(data("one"), data("three")));
    EXPECT_THAT(names_of("bob"), testing::ElementsAre(data("four")));
    EXPECT_EQ(relay->refused_count(), 1);
    const auto refused = relay->refused(PageRequest{}).value().items;
    ASSERT_EQ(refused.size(), 1);
    EXPECT_EQ(refused[0].user_id, "ada");
    EXPECT_EQ(refused[0].code, "too_large");
    EXPECT_THAT(refused[0].reason, testing::HasSubstr("too_large: too much"));
    EXPECT_EQ(refused[0].event.data, data("two"));
    EXPECT_EQ(relay->refused(refused[0].id)->event.event_id, refused[0].id);
    EXPECT_THAT(relay->refused("other"), FailsWith(ErrorKind::not_found));
    // The hole in the numbers hurts neither what comes nor the next start.
    commit("ada", "five");
    drain();
    close();
    open();
    start();
    EXPECT_EQ(relay->refused_count(), 1);
    commit("ada", "six");
    drain();
    EXPECT_THAT(names_of("ada"),
                testing::ElementsAre(data("one"), data("three"), data("five"), data("six")));
}

TEST_F(RelayTest, WhatWasSetAsideIsListedInPages) {
    bus.refuse_for_good(data("bad"));
    start();
    for (int i = 0; i < 5; ++i) {
        commit(i % 2 == 0 ? "ada" : "bob", "bad");
        drain();
    }
    std::vector<std::string> ids;
    PageRequest request{.limit = 2};
    do {
        const auto page = relay->refused(request).value();
        EXPECT_EQ(page.total, 5);
        EXPECT_LE(page.items.size(), 2);
        for (const RefusedEvent& event : page.items) {
            ids.push_back(event.id);
        }
        request.cursor = page.next_cursor;
    } while (!request.cursor.empty());
    EXPECT_EQ(ids.size(), 5);
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 5);
    EXPECT_THAT(relay->refused(PageRequest{.cursor = "x"}), FailsWith(ErrorKind::invalid));
    EXPECT_THAT(relay->refused(PageRequest{.limit = 0}), FailsWith(ErrorKind::invalid));
}

TEST_F(RelayTest, KeepsEachKeysOrderUnderConcurrency) {
    start();
    io::ThreadPool clients{{.name = "clients", .threads = 4}};
    constexpr int users = 4;
    constexpr int each = 100;
    // A user's units are submitted in order by one strand, different users' at the same time.
    std::vector<std::unique_ptr<io::Strand>> strands;
    std::atomic<int> left = users * each;
    std::promise<void> all;
    for (int user = 0; user < users; ++user) {
        strands.push_back(std::make_unique<io::Strand>(clients));
        for (int i = 0; i < each; ++i) {
            strands.back()->post([&, user, i] {
                writer->submit(unit("u" + std::to_string(user), std::to_string(i)),
                               [&](Result<> result) {
                                   EXPECT_THAT(result, Succeeds());
                                   if (--left == 0) {
                                       all.set_value();
                                   }
                               });
            });
        }
    }
    all.get_future().wait();
    drain();
    for (int user = 0; user < users; ++user) {
        const auto names = names_of("u" + std::to_string(user));
        ASSERT_EQ(names.size(), each);
        for (int i = 0; i < each; ++i) {
            EXPECT_EQ(names[i], data(std::to_string(i)));
        }
    }
}

TEST_F(RelayTest, ACrashBetweenPublishAndMarkRepeatsNothing) {
    commit("ada", "one");
    commit("ada", "two");
    ASSERT_THAT(io::wait_for<>([&](auto done) {
                    writer->submit(
                        [&](sql::Session& session) -> Result<> {
                            TRY(sql::outbox::begin_incarnation(session, "i1"));
                            TRY(sql::outbox::assign(session, 10));
                            return {};
                        },
                        std::move(done));
                }),
                Succeeds());
    // Exactly the state after such a crash: numbered and in the log, and of marks nothing is known.
    close();
    keep_backup();
    open();
    start();
    drain();
    EXPECT_EQ(names_of("ada").size(), 2);
    close();
    restore_backup();
    open();
    EXPECT_EQ(relay->backlog().value(), 2);
    commit("ada", "three");
    start();
    drain();
    EXPECT_THAT(names_of("ada"), testing::ElementsAre(data("one"), data("two"), data("three")));
}

/// Row by row, so that each is a round of its own: what goes wrong once in a hundred shows.
TEST_F(RelayTest, EachRowIsPublishedOnceAndUnderItsOwnId) {
    start();
    std::vector<std::string> names;
    for (std::size_t i = 0; i < 250; ++i) {
        names.push_back(data(std::to_string(i)));
        commit("ada", std::to_string(i));
        eventually([&] { return bus.count() > i; });
    }
    drain();
    EXPECT_EQ(names_of("ada"), names);
}

TEST_F(RelayTest, ALostAnswerRepeatsNothing) {
    bus.lose_answers(2);
    start();
    commit("ada", "one");
    commit("ada", "two");
    drain();
    EXPECT_THAT(names_of("ada"), testing::ElementsAre(data("one"), data("two")));
}

TEST_F(RelayTest, TroubleIsToldAndRetried) {
    Guarded<std::vector<std::string>> listened;
    const auto told = [&] { return listened.with([](const auto& all) { return all; }); };
    relay->on_trouble([&](const std::string& trouble) {
        listened.with([&](auto& all) { all.push_back(trouble); });
    });
    bus.refuse(1'000'000);
    start();
    commit("ada", "one");
    eventually([&] { return !relay->trouble().empty(); });
    EXPECT_THAT(relay->trouble(), testing::HasSubstr("queue is full"));
    EXPECT_EQ(relay->backlog().value(), 1);
    bus.refuse(0);
    drain();
    EXPECT_THAT(names_of("ada"), testing::ElementsAre(data("one")));
    eventually([&] { return relay->trouble().empty(); });
    stop_relay();
    EXPECT_THAT(told(), testing::ElementsAre(testing::HasSubstr("queue is full"), ""))
        << "once, however often it was tried";
}

TEST_F(RelayTest, ARestoredDatabaseBeginsAnewAndRepeatsNothing) {
    start();
    commit("ada", "one");
    drain();
    close();
    // A backup of this moment, with two events that are committed and not yet published.
    open();
    commit("ada", "two");
    commit("ada", "three");
    close();
    keep_backup();
    open();
    start();
    commit("ada", "four");
    drain();
    close();
    // The backup knows neither that two and three were published nor that four ever was.
    restore_backup();
    open();
    start();
    commit("ada", "five");
    drain();
    EXPECT_THAT(names_of("ada"), testing::ElementsAre(data("one"), data("two"), data("three"),
                                                      data("four"), data("five")));
}

TEST_F(RelayTest, PublishedRowsDoNotPileUp) {
    start();
    for (int i = 0; i < 50; ++i) {
        commit("ada", std::to_string(i));
    }
    eventually([&] {
        return database->read().value()->query_integer("select count(*) from outbox").value() == 0;
    });
}

}  // namespace
}  // namespace bascule::application
