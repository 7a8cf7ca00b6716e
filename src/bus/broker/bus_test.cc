#include "bus/broker/bus.h"

#include <gtest/gtest.h>

#include "bus/broker/bus_testing.h"

namespace bascule::broker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(BusTest, DeliversWhatMatchesInOrderAndNothingElse) {
    ASSERT_THAT(configure(config_of(R"({"detail-type":["thing.done"]})")), Succeeds());
    for (const char* id : {"1", "2", "3"}) {
        EXPECT_TRUE(std::holds_alternative<Accepted>(publish(event_of(id))));
    }
    publish(event_of("x", "u", "other.thing"));
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "2", "3"));
    EXPECT_EQ(bus_->publish_counts().unrouted, 1u);
    EXPECT_EQ(status().lag_events, 0u);
}

TEST_F(BusTest, AnswersARepeatAndAReusedIdWithoutAppending) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    const auto first =
        std::get<Accepted>(publish(event_of("1", "u", "t.done", R"({"a":1,"b":2})")));
    const auto repeat = publish(event_of("1", "u", "t.done", R"({ "b":2, "a":1 })"));
    ASSERT_TRUE(std::holds_alternative<Duplicate>(repeat));
    EXPECT_EQ(std::get<Duplicate>(repeat).first, first.offset);
    const auto reused = publish(event_of("1", "u", "t.done", R"({"a":1,"b":3})"));
    ASSERT_TRUE(std::holds_alternative<Rejected>(reused));
    EXPECT_EQ(std::get<Rejected>(reused).code, Rejected::Code::id_reused);
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1"));
}

TEST_F(BusTest, NamesTheFieldOfAnEventItRefuses) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    event::Event bad = event_of("1", "u", "account.deleted", R"({"accountId":"a"})");
    bad.source = "account_service";
    const auto result = publish(std::move(bad));
    ASSERT_TRUE(std::holds_alternative<Rejected>(result));
    EXPECT_EQ(std::get<Rejected>(result).code, Rejected::Code::invalid_event);
    EXPECT_THAT(std::get<Rejected>(result).message, HasSubstr("/data/transactionCount"));

    event::Event deep = event_of("2");
    deep.hops = 17;
    EXPECT_EQ(std::get<Rejected>(publish(std::move(deep))).code, Rejected::Code::hop_limit);
}

TEST_F(BusTest, AnAtomicBatchWithOneBadEventAppendsNone) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    std::vector<event::Event> events{event_of("1"), event_of("2")};
    events[1].source.clear();
    const auto results = sim::wait_for<std::vector<PublishResult>>(*executor_, [&](auto done) {
        bus_->publish(std::move(events), {.atomicity = Atomicity::all}, std::move(done));
    });
    ASSERT_THAT(results, Succeeds());
    EXPECT_EQ(std::get<Rejected>((*results)[0]).code, Rejected::Code::atomic_batch_failed);
    EXPECT_EQ(std::get<Rejected>((*results)[1]).code, Rejected::Code::invalid_event);
    settle();
    EXPECT_THAT(recorder_->seen, IsEmpty());
}

TEST_F(BusTest, ARefusedBatchLeavesNoSetUndefined) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    BusConfig other = config_of(R"({"source":["nobody"]})");
    ASSERT_THAT(configure(other), Succeeds());
    publish(event_of("1"));  // the empty set: nothing is defined yet
    ASSERT_THAT(configure(config_of()), Succeeds());
    // The set occurs first in an atomic batch that is refused for a reused id.
    std::vector<event::Event> events{event_of("2"), event_of("1", "u", "thing.done", R"({"a":1})")};
    const auto refused = sim::wait_for<std::vector<PublishResult>>(*executor_, [&](auto done) {
        bus_->publish(std::move(events), {.atomicity = Atomicity::all}, std::move(done));
    });
    ASSERT_THAT(refused, Succeeds());
    ASSERT_TRUE(std::holds_alternative<Rejected>(refused->front()));
    publish(event_of("3"));
    crash_and_reopen();
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle();
    EXPECT_THAT(recorder_->seen, testing::Contains("3"));
}

TEST_F(BusTest, RulesInForceAtAppendDecide) {
    ASSERT_THAT(configure(config_of(R"({"detail-type":["a.done"]})")), Succeeds());
    recorder_->scripts["1"] = {delivery::Outcome::transient("busy")};
    publish(event_of("1", "u", "a.done"));
    publish(event_of("2", "u", "a.done"));
    executor_->run_for(100ms);
    ASSERT_THAT(configure(config_of(R"({"detail-type":["b.done"]})")), Succeeds());
    publish(event_of("3", "u", "a.done"));
    publish(event_of("4", "u", "b.done"));
    recorder_->scripts.clear();
    settle();
    EXPECT_THAT(recorder_->seen, testing::IsSupersetOf({"1", "2", "4"}));
    EXPECT_THAT(recorder_->seen, testing::Not(testing::Contains("3")));
}

TEST_F(BusTest, ANewConsumerWithEarliestGetsWhatIsOlderThanItself) {
    publish(event_of("1"));
    publish(event_of("2", "u", "t.done"));
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish(event_of("3"));
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "2", "3"));
}

TEST_F(BusTest, AConsumerThatStartsNowGetsNothingOlder) {
    publish(event_of("1"));
    BusConfig config = config_of();
    config.consumers[0].start = Start::now;
    ASSERT_THAT(configure(std::move(config)), Succeeds());
    publish(event_of("2"));
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("2"));
}

TEST_F(BusTest, RetriesKeepTheOrderOfAKeyAndHoldUpNoOther) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    recorder_->scripts["1"] = {delivery::Outcome::transient("busy"),
                               delivery::Outcome::transient("busy"), delivery::Outcome::done()};
    publish(event_of("1", "slow"));
    publish(event_of("2", "slow"));
    publish(event_of("3", "fast"));
    executor_->run_for(10ms);
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "3"));
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "3", "1", "1", "2"));
    EXPECT_THAT(recorder_->ids["1"], testing::Each(recorder_->ids["1"].front()))
        << "a receiver can drop repeats by the delivery id";
}

TEST_F(BusTest, AParkedKeyWaitsForItsLetterAndIsRedrivenInOrder) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    recorder_->scripts["1"] = {delivery::Outcome::permanent("no such account 17")};
    const auto first = std::get<Accepted>(publish(event_of("1", "p")));
    const auto second = std::get<Accepted>(publish(event_of("2", "p")));
    publish(event_of("3", "q"));
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "3"));
    EXPECT_EQ(state_of(first.offset), "letter_open");
    EXPECT_EQ(state_of(second.offset), "deferred");

    const auto open = letters();
    ASSERT_THAT(open, SizeIs(1));
    EXPECT_EQ(open[0].event_id, "1");
    EXPECT_EQ(open[0].user_id, "p");
    EXPECT_EQ(open[0].state, "open");
    EXPECT_EQ(open[0].last_error, "no such account 17");
    EXPECT_THAT(open[0].fingerprint, testing::Not(HasSubstr("17")));

    crash_and_reopen();
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle();
    ASSERT_THAT(letters(), SizeIs(1)) << "a letter is durable before its event leaves the cycle";

    recorder_->scripts.clear();
    recorder_->seen.clear();
    const auto redriven = sim::wait_for<std::vector<LetterSummary>>(*executor_, [&](auto done) {
        bus_->redrive({.ids = {open[0].id}}, {}, {}, std::move(done));
    });
    ASSERT_THAT(redriven, Succeeds());
    ASSERT_THAT(*redriven, SizeIs(1));
    EXPECT_EQ(redriven->front().id, open[0].id);
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "2"));
    EXPECT_EQ(state_of(second.offset), "done");
    EXPECT_THAT(letters({.open = true}), IsEmpty());
    EXPECT_THAT(letters({.open = false}), SizeIs(1)) << "a closed letter remains";
}

TEST_F(BusTest, ADiscardNeedsAReasonAndFreesTheKey) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    recorder_->scripts["1"] = {delivery::Outcome::permanent("broken")};
    publish(event_of("1", "p"));
    publish(event_of("2", "p"));
    settle();
    const auto discard = [&](std::string reason) {
        return sim::wait_for<std::vector<LetterSummary>>(*executor_, [&](auto done) {
            bus_->discard({.consumer = "c"}, {.reason = std::move(reason)}, std::move(done));
        });
    };
    EXPECT_THAT(discard(""), FailsWith(ErrorKind::invalid, HasSubstr("reason")));
    EXPECT_THAT(discard("test data"), Succeeds());
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "2"));
    ASSERT_THAT(letters(), SizeIs(1));
    EXPECT_THAT(letters()[0].reason, HasSubstr("test data"));
}

TEST_F(BusTest, AVerbIsDoneToAllSelectedLettersOrToNone) {
    // Two letters of one parked key: the second was made before the policy was to park.
    BusConfig config = config_of();
    config.consumers[0].policy.on_exhausted = delivery::OnExhausted::skip_key;
    ASSERT_THAT(configure(config), Succeeds());
    for (const char* id : {"1", "2", "3"}) {
        recorder_->scripts[id] = {delivery::Outcome::permanent("broken")};
    }
    publish(event_of("1", "other"));
    publish(event_of("2", "p"));
    publish(event_of("3", "p"));
    settle();
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle();
    const auto open = letters({.open = true});
    ASSERT_THAT(open, SizeIs(3));

    const auto redrive = [&](std::vector<std::string> ids) {
        return sim::wait_for<std::vector<LetterSummary>>(*executor_, [&](auto done) {
            bus_->redrive({.ids = std::move(ids)}, {}, {}, std::move(done));
        });
    };
    recorder_->seen.clear();
    recorder_->scripts.clear();
    EXPECT_THAT(
        redrive({open[0].id, open[2].id}),
        FailsWith(ErrorKind::conflict,
                  testing::AllOf(
                      HasSubstr("nothing was done"),
                      HasSubstr("at offset " + std::to_string(open[1].offset.value()) + " too"))));
    EXPECT_THAT(redrive({open[0].id, "c:4711"}), FailsWith(ErrorKind::not_found));
    settle();
    EXPECT_THAT(recorder_->seen, IsEmpty());
    EXPECT_THAT(letters({.open = true}), SizeIs(3));

    const auto done = redrive({open[2].id, open[1].id, open[0].id});
    ASSERT_THAT(done, Succeeds());
    EXPECT_THAT(*done, SizeIs(3));
    settle();
    EXPECT_THAT(recorder_->seen, testing::UnorderedElementsAre("1", "2", "3"));
    EXPECT_THAT(letters({.open = true}), IsEmpty());
}

TEST_F(BusTest, AnUnknownLetterOrConsumerIsNotFound) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    const auto redriven = sim::wait_for<std::vector<LetterSummary>>(
        *executor_, [&](auto done) { bus_->redrive({.ids = {"c:99"}}, {}, {}, std::move(done)); });
    EXPECT_THAT(redriven, FailsWith(ErrorKind::not_found, HasSubstr("c:99")));
    const auto paused = sim::wait_for<>(
        *executor_, [&](auto done) { bus_->pause("nobody", std::nullopt, {}, std::move(done)); });
    EXPECT_THAT(paused, FailsWith(ErrorKind::not_found, HasSubstr("nobody")));
}

TEST_F(BusTest, APauseSurvivesACrashAndLosesNothing) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    ASSERT_THAT(
        sim::wait_for<>(*executor_,
                        [&](auto done) { bus_->pause("c", std::nullopt, {}, std::move(done)); }),
        Succeeds());
    publish(event_of("1"));
    settle();
    crash_and_reopen();
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish(event_of("2"));
    settle();
    EXPECT_THAT(recorder_->seen, IsEmpty());
    EXPECT_EQ(status().state, "paused");
    ASSERT_THAT(
        sim::wait_for<>(*executor_, [&](auto done) { bus_->resume("c", {}, std::move(done)); }),
        Succeeds());
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "2"));
}

TEST_F(BusTest, WhatWasSettledLongAgoIsNotDeliveredAgainAfterACrash) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish(event_of("1"));
    settle();
    crash_and_reopen();
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish(event_of("2"));
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "2"));
}

TEST_F(BusTest, WhatWasAnsweredIsNotDeliveredAgainAfterAKill) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish(event_of("a"));
    executor_->run_ready();  // no time passes, so nothing of the journal is synced
    ASSERT_THAT(recorder_->seen, ElementsAre("a"));
    kill_and_reopen();
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("a"));
}

TEST_F(BusTest, ARestoredDatabaseIsCaughtUp) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    const auto first = std::get<Accepted>(publish(event_of("1")));
    publish(event_of("2"));
    settle();
    crash_and_reopen();
    // The database was put back to a time when only the first event was done.
    bus_->attach("recorder", recorder_, InboxState{.low = next(first.offset), .done = {}});
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "2", "2"));
}

TEST_F(BusTest, AHandlerThatDropsItsAnswerIsAskedAgain) {
    class Dropper final : public Handler {
      public:
        void handle(Delivery, Done done) override {
            if (++calls > 1) {
                done(delivery::Outcome::done());
            }
        }
        int calls = 0;
    };
    const auto dropper = std::make_shared<Dropper>();
    bus_->attach("recorder", dropper);
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish(event_of("1"));
    settle();
    EXPECT_EQ(dropper->calls, 2);
}

TEST_F(BusTest, RefusesAConfigurationWholeAndKeepsTheOldOne) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    BusConfig unknown = config_of();
    unknown.consumers[0].handler.in_process = "nowhere";
    EXPECT_THAT(configure(std::move(unknown)),
                FailsWith(ErrorKind::invalid, HasSubstr("no function called 'nowhere'")));
    EXPECT_THAT(configure(config_of(R"({"source":"x"})")), FailsWith(ErrorKind::invalid));
    publish(event_of("1"));
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1"));
}

TEST_F(BusTest, StopsWithoutLosingWhatWaits) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    recorder_->scripts["1"] = {delivery::Outcome::transient("busy"), delivery::Outcome::done()};
    publish(event_of("1"));
    publish(event_of("2"));
    executor_->run_for(50ms);
    ASSERT_THAT(sim::wait_for<>(*executor_, [&](auto done) { bus_->stop(5s, std::move(done)); }),
                Succeeds());
    bus_.reset();
    executor_->run_ready();
    open();
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "1", "2"));
}

TEST_F(BusTest, SurvivesAnAnswerThatComesAfterTheStop) {
    const auto holder = std::make_shared<PatientHandler>();
    bus_->attach("recorder", holder);
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish(event_of("1"));
    executor_->run_for(1s);
    ASSERT_THAT(holder->last, SizeIs(1));
    ASSERT_THAT(sim::wait_for<>(*executor_, [&](auto done) { bus_->stop(1s, std::move(done)); }),
                Succeeds());
    holder->last.front().second(delivery::Outcome::done());
    executor_->run_for(1s);
    const auto asked = sim::wait_for<std::vector<ConsumerStatus>>(
        *executor_, [&](auto done) { bus_->consumers(std::move(done)); });
    EXPECT_THAT(asked, Succeeds());
    executor_->run_for(1s);
}

TEST_F(BusTest, StartsNothingOfARemovedConsumerUntilItComesBack) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    recorder_->scripts["1"] = {delivery::Outcome::transient("busy"), delivery::Outcome::done()};
    publish(event_of("1"));
    executor_->run_for(10ms);
    ASSERT_THAT(configure(BusConfig{}), Succeeds());
    settle(1min);
    EXPECT_THAT(recorder_->seen, ElementsAre("1"));
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle(1min);
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "1"));
}

TEST_F(BusTest, WaitsForASlowSyncOfTheJournalWithoutSpinning) {
    sim::SimDisk slow(*executor_, {.sync_latency_min = 500ms, .sync_latency_max = 500ms});
    auto bus = Bus::open({.disk = slow, .executor = *executor_, .workers = *executor_},
                         {.directory = "bus", .log = {.reserve_bytes = 0, .seed = 1}});
    ASSERT_THAT(bus, Succeeds());
    (*bus)->attach("recorder", recorder_);
    ASSERT_THAT(
        sim::wait_for<>(*executor_,
                        [&](auto done) { (*bus)->configure(config_of(), std::move(done)); }),
        Succeeds());
    for (const char* id : {"1", "2", "3", "4", "5", "6"}) {
        recorder_->scripts[id] = {delivery::Outcome::transient("busy")};
        std::vector<event::Event> events;
        events.push_back(event_of(id, /*user=*/id));
        (*bus)->publish(std::move(events), {}, [](const auto&) {});
    }
    const SteadyTime end = executor_->clock().steady() + 10s;
    int steps = 0;
    while (executor_->clock().steady() < end && executor_->run_one()) {
        ASSERT_LT(++steps, 10'000) << "time stands still";
    }
    bus->reset();
    executor_->run_ready();
}

TEST_F(BusTest, TellsWhenTheDiskIsFullAndWhenItHasRoomAgain) {
    std::vector<std::string> told;
    bus_->on_health([&](const BusHealth& health) {
        EXPECT_EQ(health.well(), health.log.state == log::State::running);
        told.emplace_back(log::name(health.log.state));
    });
    settle(1s);
    EXPECT_THAT(told, ElementsAre("running"));
    disk_.set_capacity(~0ULL - *disk_.free_bytes("bus"));
    auto refused = sim::wait_for<std::vector<PublishResult>>(*executor_, [&](auto done) {
        bus_->publish(
            {event_of("e", "u", "thing.done", R"({"x":")" + std::string(300'000, 'x') + R"("})")},
            {}, std::move(done));
    });
    EXPECT_THAT(refused, FailsWith(ErrorKind::exhausted, testing::Not(HasSubstr("bus/"))));
    settle(1s);
    EXPECT_THAT(told, ElementsAre("running", "full"));
    EXPECT_THAT(bus_->health().log.reason, testing::Not(HasSubstr("bus/")));
    EXPECT_THAT(bus_->health().log.detail, HasSubstr("bus/log/"));
    disk_.set_capacity(~0ULL);
    settle(10s);
    EXPECT_THAT(told, ElementsAre("running", "full", "running"));
}

/// Goal: G1, G2 and G3 through power loss at any moment. Method: publishes to a few keys, a handler
/// that fails now and then, crashes after a random number of steps; the ledger of acknowledged
/// events is kept outside. At the end every acknowledged event was handled, and the first handling
/// of each key's events is in the order of their publication.
TEST_F(BusTest, LosesNoAcknowledgedEventAndKeepsOrderThroughCrashes) {
    class Flaky final : public Handler {
      public:
        explicit Flaky(std::uint64_t seed) : random(seed) {}
        void handle(Delivery delivery, Done done) override {
            if (random.below(4) == 0) {
                done(delivery::Outcome::transient("flaky"));
                return;
            }
            for (const DeliveredEvent& delivered : delivery.events) {
                const std::string id(delivered.event.event_id);
                if (handled.insert(id).second) {
                    order[std::string(delivered.event.user_id)].push_back(id);
                }
            }
            done(delivery::Outcome::done());
        }
        Random random;
        std::set<std::string> handled;
        std::map<std::string, std::vector<std::string>> order;
    };
    Random random(42);
    const auto flaky = std::make_shared<Flaky>(43);
    std::map<std::string, std::vector<std::string>> acknowledged;
    int number = 0;
    for (int life = 0; life < 30; ++life) {
        bus_->attach("recorder", flaky);
        BusConfig config = config_of();
        config.consumers[0].policy.retry.max_attempts = 0;
        ASSERT_THAT(configure(config), Succeeds());
        for (int i = 0; i < 12; ++i) {
            const std::string user = "user" + std::to_string(random.below(3));
            const std::string id = "e" + std::to_string(number++);
            std::vector<event::Event> events;
            events.push_back(event_of(id, user));
            bus_->publish(std::move(events), {},
                          [&acknowledged, user, id](Result<std::vector<PublishResult>> results) {
                              if (results && std::holds_alternative<Accepted>(results->front())) {
                                  acknowledged[user].push_back(id);
                              }
                          });
            for (std::uint64_t steps = random.below(12); steps > 0; --steps) {
                executor_->run_one();
            }
        }
        crash_and_reopen();
        if (HasFatalFailure()) {
            return;
        }
    }
    bus_->attach("recorder", flaky);
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle(100h);
    std::size_t count = 0;
    for (const auto& [user, ids] : acknowledged) {
        for (const std::string& id : ids) {
            EXPECT_TRUE(flaky->handled.contains(id)) << id << " was acknowledged and lost";
            ++count;
        }
        // Unacknowledged events may have survived too: compare what both know.
        std::vector<std::string> common;
        for (const std::string& id : flaky->order[user]) {
            if (std::ranges::find(ids, id) != ids.end()) {
                common.push_back(id);
            }
        }
        EXPECT_EQ(common, ids);
    }
    EXPECT_GT(count, 50u);
    EXPECT_EQ(status().lag_events, 0u);
}

}  // namespace
}  // namespace bascule::broker
