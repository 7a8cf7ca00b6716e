#include "bus/broker/facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/broker/bus_testing.h"
#include "bus/event/body.h"

namespace bascule::broker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> ids_of(const std::vector<event::Event>& events) {
    std::vector<std::string> ids;
    for (const event::Event& event : events) {
        ids.push_back(event.event_id);
    }
    return ids;
}

/// Facts as they come out of a journal with these entries, beside a log.
Facts restored(const std::vector<std::string>& entries, std::uint64_t highest_in_log = 0) {
    Facts facts;
    for (const std::string& entry : entries) {
        EXPECT_THAT(facts.apply(entry), Succeeds());
    }
    facts.begin(highest_in_log);
    return facts;
}

TEST(FactsTest, AreNotPublishedBeforeTheyAreDurable) {
    Facts facts;
    facts.begin(0);
    facts.add({event_of("a"), event_of("b")});
    EXPECT_THAT(facts.take_entries(), SizeIs(2));
    EXPECT_THAT(facts.batch().events, IsEmpty());
    facts.durable(1);
    EXPECT_THAT(ids_of(facts.batch().events), ElementsAre("a"));
    facts.durable(2);
    EXPECT_THAT(ids_of(facts.batch().events), ElementsAre("a", "b"));
    EXPECT_EQ(facts.batch().first, 1U);
    facts.told(2);
    EXPECT_TRUE(facts.empty());
}

TEST(FactsTest, TheJournalGivesBackWhatTheLogLacks) {
    Facts facts;
    facts.begin(0);
    facts.add({event_of("a"), event_of("b"), event_of("c")});
    const auto entries = facts.take_entries();
    EXPECT_THAT(ids_of(restored(entries).batch().events), ElementsAre("a", "b", "c"));
    EXPECT_THAT(ids_of(restored(entries, 2).batch().events), ElementsAre("c"));
    EXPECT_EQ(restored(entries, 2).batch().first, 3U);
    EXPECT_TRUE(restored(entries, 3).empty());
}

TEST(FactsTest, WhatWasToldIsToldNoMore) {
    Facts facts;
    facts.begin(0);
    facts.add({event_of("a"), event_of("b")});
    auto entries = facts.take_entries();
    facts.told(1);
    for (std::string& entry : facts.take_entries()) {
        entries.push_back(std::move(entry));
    }
    EXPECT_THAT(ids_of(restored(entries).batch().events), ElementsAre("b"));
    EXPECT_THAT(ids_of(restored(facts.snapshot()).batch().events), ElementsAre("b"));
}

/// Numbers of one call to the log follow each other; a damaged journal may have lost one.
TEST(FactsTest, ABatchEndsAtAGapInTheNumbers) {
    Facts facts;
    facts.begin(0);
    facts.add({event_of("a"), event_of("b"), event_of("c")});
    auto entries = facts.take_entries();
    entries.erase(entries.begin() + 1);
    Facts left = restored(entries);
    EXPECT_THAT(ids_of(left.batch().events), ElementsAre("a"));
    left.told(1);
    EXPECT_THAT(ids_of(left.batch().events), ElementsAre("c"));
    EXPECT_EQ(left.batch().first, 3U);
}

TEST(FactsTest, NumbersGoOnAboveThoseOfTheLog) {
    Facts facts;
    facts.begin(7);
    facts.add({event_of("a")});
    EXPECT_THAT(facts.take_entries(), SizeIs(1));
    facts.durable(facts.last_written());
    EXPECT_EQ(facts.batch().first, 8U);
}

TEST(FactsTest, ABatchHasABound) {
    Facts facts;
    facts.begin(0);
    facts.add(std::vector<event::Event>(Facts::batch_events_max + 1, event_of("a")));
    EXPECT_THAT(facts.take_entries(), SizeIs(Facts::batch_events_max + 1));
    facts.durable(facts.last_written());
    EXPECT_THAT(facts.batch().events, SizeIs(Facts::batch_events_max));
}

TEST(FactsTest, RubbishIsCorrupt) {
    Facts facts;
    facts.begin(0);
    facts.add({event_of("a")});
    const std::string entry = facts.take_entries().front();
    for (std::size_t length = 0; length < entry.size(); ++length) {
        Facts read;
        EXPECT_THAT(read.apply(entry.substr(0, length)), FailsWith(ErrorKind::corrupt)) << length;
    }
    Facts read;
    EXPECT_THAT(read.apply("\x05" + entry.substr(1)), FailsWith(ErrorKind::corrupt));
}

/// What a person does to a bus, and what the bus tells of it.
class BusFactsTest : public BusTest {
  protected:
    struct Told {
        std::string type;
        std::string data;
        std::string metadata;
    };
    std::vector<Told> told() {
        std::vector<Told> facts;
        for (Offset at = bus_->log().begin(); at < bus_->log().end();) {
            const auto batch = bus_->log().read(at, {});
            if (!batch) {
                ADD_FAILURE() << batch.error().message();
                break;
            }
            for (const log::RecordView& record : batch->records()) {
                const auto event = event::decode_body(record.body);
                if (record.kind == log::RecordKind::event && event && event->source == "bascule") {
                    facts.push_back({std::string(event->event_type), std::string(event->data),
                                     std::string(event->metadata)});
                }
            }
            at = batch->next();
        }
        return facts;
    }
    std::size_t times_told(const std::string& event_id) {
        return static_cast<std::size_t>(std::ranges::count_if(told(), [&](const Told& fact) {
            return fact.data.find('"' + event_id + '"') != std::string::npos;
        }));
    }

    Result<> pause(const Deed& deed, std::optional<WallTime> until = std::nullopt) {
        return sim::wait_for<>(*executor_,
                               [&](auto done) { bus_->pause("c", until, deed, std::move(done)); });
    }
    Result<> resume(const Deed& deed) {
        return sim::wait_for<>(*executor_,
                               [&](auto done) { bus_->resume("c", deed, std::move(done)); });
    }
    Result<std::vector<LetterSummary>> discard(LetterFilter filter, const Deed& deed) {
        return sim::wait_for<std::vector<LetterSummary>>(*executor_, [&](auto done) {
            bus_->discard(std::move(filter), deed, std::move(done));
        });
    }
    Result<std::vector<LetterSummary>> redrive(LetterFilter filter, const Deed& deed) {
        return sim::wait_for<std::vector<LetterSummary>>(*executor_, [&](auto done) {
            bus_->redrive(std::move(filter), {}, deed, std::move(done));
        });
    }
    /// Publishes an event that becomes a letter.
    std::string letter_of(const std::string& event_id) {
        recorder_->scripts[event_id] = {delivery::Outcome::permanent("broken")};
        const auto published = publish(event_of(event_id, "user-of-" + event_id));
        settle(1s);
        return "c:" + std::to_string(std::get<Accepted>(published).offset.value());
    }
};

TEST_F(BusFactsTest, EveryDeedIsToldWithWhoAndWhy) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    ASSERT_THAT(pause({.actor = "ada", .reason = "upgrade"}, from_unix_ms(1'900'000'000'000)),
                Succeeds());
    EXPECT_EQ(status().state_reason, "upgrade");
    ASSERT_THAT(resume({.actor = "ada"}), Succeeds());
    const std::string letter = letter_of("1");
    ASSERT_THAT(redrive({}, {.actor = "ada"}), Succeeds());
    settle(1s);
    ASSERT_THAT(discard({}, {.actor = "bob", .reason = "test data"}), Succeeds());
    settle(1s);

    const auto facts = told();
    ASSERT_THAT(facts, SizeIs(4));
    EXPECT_EQ(facts[0].type, "bus.consumer_paused");
    EXPECT_EQ(facts[0].data, R"({"consumer":"c","reason":"upgrade","until":1900000000000})");
    EXPECT_EQ(facts[0].metadata, R"({"actor":"ada"})");
    EXPECT_EQ(facts[1].type, "bus.consumer_resumed");
    EXPECT_EQ(facts[2].type, "bus.letter_redriven");
    EXPECT_EQ(facts[2].data,
              R"({"consumer":"c","letterId":")" + letter + R"(","letterEventId":"1"})");
    EXPECT_EQ(facts[3].type, "bus.letter_discarded");
    EXPECT_EQ(facts[3].data, R"({"consumer":"c","letterId":")" + letter +
                                 R"(","letterEventId":"1","reason":"test data"})");
    EXPECT_EQ(facts[3].metadata, R"({"actor":"bob"})");
}

TEST_F(BusFactsTest, WhatIsSoAlreadyIsNotToldAgain) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    ASSERT_THAT(resume({}), Succeeds());
    EXPECT_THAT(told(), IsEmpty());
    for (int i = 0; i < 3; ++i) {
        ASSERT_THAT(pause({.reason = "upgrade"}), Succeeds());
    }
    settle(1s);
    EXPECT_THAT(told(), SizeIs(1));
    ASSERT_THAT(pause({.reason = "another"}), Succeeds());
    settle(1s);
    EXPECT_THAT(told(), SizeIs(2));
    for (int i = 0; i < 3; ++i) {
        ASSERT_THAT(resume({}), Succeeds());
    }
    settle(1s);
    EXPECT_THAT(told(), SizeIs(3));
}

/// The answer was lost, and the client asks again.
TEST_F(BusFactsTest, ARepeatedVerbOnNamedLettersIsDoneAndToldOnce) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    const std::string given_up = letter_of("1");
    const std::string redriven = letter_of("2");
    recorder_->scripts.clear();
    recorder_->seen.clear();
    ASSERT_THAT(pause({}), Succeeds());  // so that the redrive is under way meanwhile
    for (int i = 0; i < 3; ++i) {
        const auto done = discard({.ids = {given_up}}, {.reason = "test data"});
        ASSERT_THAT(done, Succeeds());
        EXPECT_THAT(*done, SizeIs(i == 0 ? 1 : 0));
        const auto again = redrive({.ids = {redriven}}, {});
        ASSERT_THAT(again, Succeeds());
        EXPECT_THAT(*again, SizeIs(i == 0 ? 1 : 0));
    }
    ASSERT_THAT(resume({}), Succeeds());
    settle(1s);
    ASSERT_THAT(redrive({.ids = {redriven}}, {}), Succeeds());
    settle(1s);
    EXPECT_THAT(recorder_->seen, ElementsAre("2"));
    EXPECT_EQ(times_told("1"), 1U);
    EXPECT_EQ(times_told("2"), 1U);
}

TEST_F(BusFactsTest, WhatCannotBeToldIsNotDone) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    letter_of("1");
    const std::string long_reason(Deed::reason_bytes_max + 1, 'x');
    EXPECT_THAT(discard({}, {.reason = long_reason}),
                FailsWith(ErrorKind::invalid, HasSubstr("at most 1024")));
    EXPECT_THAT(pause({.reason = long_reason}), FailsWith(ErrorKind::invalid));
    settle(1s);
    EXPECT_THAT(letters({.open = true}), SizeIs(1));
    EXPECT_EQ(status().state, "running");
    EXPECT_THAT(told(), IsEmpty());
}

/// The power goes at any moment of a discard, and stays away for longer than the log remembers ids.
/// Afterwards the letter is closed and that is told, once; or it is open, and nothing is.
TEST_F(BusFactsTest, ADeedAndItsFactSurviveACrashTogetherAndTheFactIsToldOnce) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    std::size_t open = 0;
    std::size_t caught_up = 0;
    std::size_t told_before = 0;
    for (int steps = 0; steps < 120; ++steps) {
        const std::string event_id = "event-" + std::to_string(steps);
        const std::string id = letter_of(event_id);
        bool confirmed = false;
        bus_->discard({.ids = {id}}, {.actor = "ada", .reason = "test data"},
                      [&](const auto& done) { confirmed = done.has_value(); });
        for (int step = 0; step < steps / 2; ++step) {
            ASSERT_TRUE(executor_->run_one());
        }
        const bool was_told = times_told(event_id) == 1;
        crash_and_reopen();
        clock_.advance(steps % 2 == 0 ? 0h : 72h);
        ASSERT_THAT(configure(config_of()), Succeeds());
        settle(1min);

        const auto letter = letters({.ids = {id}});
        ASSERT_THAT(letter, SizeIs(1)) << steps;
        const bool closed = letter.front().state == "closed";
        EXPECT_EQ(times_told(event_id), closed ? 1U : 0U) << steps;
        EXPECT_TRUE(closed || !confirmed) << steps;
        open += closed ? 0 : 1;
        caught_up += closed && !was_told ? 1 : 0;
        told_before += was_told ? 1 : 0;
        if (!closed) {
            ASSERT_THAT(discard({.ids = {id}}, {.reason = "test data"}), Succeeds());
        }
    }
    EXPECT_GT(open, 0U) << "no crash came before the deed was durable";
    EXPECT_GT(caught_up, 0U) << "no crash came between the deed and its fact";
    EXPECT_GT(told_before, 0U) << "no crash came between the fact and its mark";
}

TEST_F(BusFactsTest, AFactThatTheLogCannotTakeNowIsToldLater) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle(1s);
    ASSERT_THAT(pause({.reason = "upgrade"}), Succeeds());
    disk_.fail_operation(1, ErrorKind::exhausted);
    executor_->run_ready();
    EXPECT_EQ(bus_->log().state(), log::State::full);
    EXPECT_THAT(told(), IsEmpty());
    settle(1min);
    EXPECT_THAT(told(), SizeIs(1));
}

}  // namespace
}  // namespace bascule::broker
