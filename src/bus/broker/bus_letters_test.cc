#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "bus/broker/bus_testing.h"
#include "bus/event/body.h"
#include "foundation/base/testing.h"

namespace bascule::broker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class BusLettersTest : public BusTest {
  protected:
    /// A letter of each event; each of a key of its own.
    void make_letters(std::initializer_list<std::string> ids) {
        ASSERT_THAT(configure(config_of()), Succeeds());
        for (const std::string& id : ids) {
            recorder_->scripts[id] = {
                delivery::Outcome::permanent("row 7 of " + id + " is broken")};
            publish(event_of(id, "user-" + id));
        }
        settle();
        ASSERT_THAT(letters({.open = true}), SizeIs(ids.size()));
        recorder_->seen.clear();
        recorder_->scripts.clear();
    }

    using Letters = Result<std::vector<LetterSummary>>;
    Letters redrive(delivery::RedrivePace pace, LetterFilter filter = {}) {
        return sim::wait_for<std::vector<LetterSummary>>(*executor_, [&](auto done) {
            bus_->redrive(std::move(filter), pace, {.actor = "ada"}, std::move(done));
        });
    }
    Letters stop(LetterFilter filter = {}) {
        return sim::wait_for<std::vector<LetterSummary>>(*executor_, [&](auto done) {
            bus_->stop_redrive(std::move(filter), {.actor = "ada"}, std::move(done));
        });
    }
    Letters skip(std::string reason) {
        return sim::wait_for<std::vector<LetterSummary>>(*executor_, [&](auto done) {
            bus_->skip({}, {.actor = "ada", .reason = std::move(reason)}, std::move(done));
        });
    }

    std::vector<std::string> types() const {
        std::vector<std::string> found;
        const auto batch = bus_->log().read(Offset(0), {});
        for (const log::RecordView& record : batch->records()) {
            if (const auto event = event::decode_body(record.body)) {
                found.emplace_back(event->event_type);
            }
        }
        return found;
    }
};

TEST_F(BusLettersTest, TheOthersWaitForTheCanary) {
    make_letters({"1", "2", "3"});
    recorder_->scripts["1"] = {delivery::Outcome::transient("busy"), delivery::Outcome::done()};
    ASSERT_THAT(redrive({.canary = true}), Succeeds());
    settle(500ms);
    EXPECT_THAT(recorder_->seen, ElementsAre("1"));
    EXPECT_EQ(letters()[2].state, "waiting");
    settle(1min);
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "1", "2", "3"));
}

TEST_F(BusLettersTest, AFailedCanaryLeavesTheOthersOpen) {
    make_letters({"1", "2", "3"});
    recorder_->scripts["1"] = {delivery::Outcome::permanent("still broken")};
    ASSERT_THAT(redrive({.per_second = 5, .canary = true}), Succeeds());
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1"));
    for (const LetterSummary& letter : letters()) {
        EXPECT_EQ(letter.state, "open");
    }
    ASSERT_THAT(redrive({}), Succeeds());
    settle();
    EXPECT_THAT(recorder_->seen, SizeIs(4));
}

TEST_F(BusLettersTest, APaceHoldsOverAPowerCut) {
    make_letters({"1", "2", "3", "4"});
    ASSERT_THAT(redrive({.per_second = 1}), Succeeds());
    settle(1500ms);
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "2"));
    EXPECT_EQ(letters({.open = true}).back().state, "waiting");
    crash_and_reopen();
    ASSERT_THAT(configure(config_of()), Succeeds());
    recorder_->seen.clear();
    settle(1min);
    EXPECT_THAT(recorder_->seen, testing::IsSupersetOf({"3", "4"}));
    EXPECT_THAT(letters({.open = true}), IsEmpty());
}

TEST_F(BusLettersTest, WhatIsTakenBackIsOpenAndTold) {
    make_letters({"1", "2", "3"});
    ASSERT_THAT(redrive({.per_second = 1}), Succeeds());
    settle(100ms);
    const auto stopped = stop();
    ASSERT_THAT(stopped, Succeeds());
    EXPECT_THAT(*stopped, SizeIs(2));
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("1"));
    const auto again = stop();
    ASSERT_THAT(again, Succeeds());
    EXPECT_THAT(*again, IsEmpty()) << "may be repeated";
    EXPECT_EQ(std::ranges::count(types(), "bus.letter_stopped"), 2);
}

TEST_F(BusLettersTest, ARedriveWithoutPaceTakesThoseThatWait) {
    make_letters({"1", "2", "3"});
    ASSERT_THAT(redrive({.per_second = 1}), Succeeds());
    settle(100ms);
    const auto now = redrive({});
    ASSERT_THAT(now, Succeeds());
    EXPECT_THAT(*now, SizeIs(2));
    settle(100ms);
    EXPECT_THAT(recorder_->seen, ElementsAre("1", "2", "3"));
}

TEST_F(BusLettersTest, ASkipNeedsAReasonAndIsNoDiscard) {
    make_letters({"1"});
    publish(event_of("2", "user-1"));
    settle();
    EXPECT_THAT(recorder_->seen, IsEmpty()) << "behind the letter";
    EXPECT_THAT(skip(""), FailsWith(ErrorKind::invalid, HasSubstr("a skip needs a reason")));
    ASSERT_THAT(skip("of last year"), Succeeds());
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("2"));
    EXPECT_EQ(letters()[0].reason, "skipped: of last year");
    EXPECT_EQ(status().counts.settled.skipped, 1u);
    EXPECT_EQ(status().counts.settled.discarded, 0u);
    EXPECT_EQ(std::ranges::count(types(), "bus.letter_skipped"), 1);
}

TEST_F(BusLettersTest, FiltersMeanWhatTheySay) {
    make_letters({"1"});
    const WallTime first = letters()[0].created;
    settle(1min);
    recorder_->scripts["2"] = {delivery::Outcome::permanent("late")};
    publish(event_of("2", "user-2"));
    settle();
    const auto ids = [&](LetterFilter filter) {
        std::vector<std::string> found;
        for (const LetterSummary& letter : letters(std::move(filter))) {
            found.push_back(letter.event_id);
        }
        return found;
    };
    EXPECT_THAT(ids({.key = "user-2"}), ElementsAre("2"));
    EXPECT_THAT(ids({.key = "user"}), IsEmpty());
    EXPECT_THAT(ids({.opened_to = first}), ElementsAre("1"));
    EXPECT_THAT(ids({.opened_to = first - 1ms}), IsEmpty());
    EXPECT_THAT(ids({.opened_from = first}), ElementsAre("1", "2"));
    EXPECT_THAT(ids({.opened_from = first + 1ms}), ElementsAre("2"));
}

TEST_F(BusLettersTest, APreviewSaysWhatTheVerbWouldDoAndDoesNothing) {
    make_letters({"1", "2", "3"});
    const auto ask = [&](auto verb) {
        const auto letters = sim::wait_for<std::vector<LetterSummary>>(*executor_, verb);
        EXPECT_THAT(letters, Succeeds());
        return letters ? letters->size() : 0;
    };
    const Deed only{.reason = "x", .preview = true};
    const auto stops = [&](auto done) { bus_->stop_redrive({}, only, std::move(done)); };
    const auto skips = [&](auto done) { bus_->skip({}, only, std::move(done)); };
    const auto redrives = [&](auto done) { bus_->redrive({}, {}, only, std::move(done)); };
    EXPECT_EQ(ask(stops), 0u);
    EXPECT_EQ(ask(skips), 3u);
    EXPECT_EQ(ask(redrives), 3u);
    settle();
    EXPECT_THAT(recorder_->seen, IsEmpty());
    EXPECT_THAT(letters({.open = true}), SizeIs(3));
    ASSERT_THAT(redrive({.per_second = 1}), Succeeds());
    settle(100ms);
    EXPECT_EQ(ask(stops), 2u);
    EXPECT_EQ(ask(skips), 0u);
}

TEST_F(BusLettersTest, PagesGoByNameWhateverTheConsumersNumbers) {
    BusConfig config = config_of();
    config.consumers.push_back(
        {.name = "a", .handler = {.in_process = "recorder"}, .start = Start::earliest});
    config.rules[0].targets = {"c", "a"};
    ASSERT_THAT(configure(config), Succeeds());
    recorder_->scripts["1"] = {delivery::Outcome::permanent("no")};
    publish(event_of("1", "u"));
    settle();
    std::vector<std::string> ids;
    std::string after;
    for (int i = 0; i < 3; ++i) {
        const auto page = sim::wait_for<std::vector<LetterDetail>>(
            *executor_, [&](auto done) { bus_->letter_details({}, 1, after, std::move(done)); });
        ASSERT_THAT(page, Succeeds());
        for (const LetterDetail& letter : *page) {
            ids.push_back(after = letter.summary.id);
        }
    }
    EXPECT_THAT(ids, ElementsAre(testing::StartsWith("a:"), testing::StartsWith("c:")));
}

TEST_F(BusLettersTest, DetailsComePageByPage) {
    make_letters({"1", "2", "3"});
    std::vector<std::string> events;
    std::string after;
    for (std::size_t size = 2; size == 2;) {
        const auto page = sim::wait_for<std::vector<LetterDetail>>(
            *executor_, [&](auto done) { bus_->letter_details({}, 2, after, std::move(done)); });
        ASSERT_THAT(page, Succeeds());
        size = page->size();
        for (const LetterDetail& letter : *page) {
            after = letter.summary.id;
            events.push_back(letter.event.event_id);
            EXPECT_THAT(letter.attempts, SizeIs(1));
        }
    }
    EXPECT_THAT(events, ElementsAre("1", "2", "3"));
}

TEST(LetterGroupsTest, LettersOfOneConsumerAndCauseAreOne) {
    const auto letter = [](const char* id, const char* consumer, const char* print,
                           const char* user, int at) {
        return LetterSummary{.id = id,
                             .consumer = consumer,
                             .user_id = user,
                             .last_error = std::string("error of ") + id,
                             .fingerprint = print,
                             .created = from_unix_ms(at)};
    };
    const auto groups =
        groups_of({letter("a:1", "a", "row #", "u", 30), letter("a:2", "a", "gone", "u", 5),
                   letter("a:3", "a", "row #", "u", 20), letter("a:4", "a", "row #", "v", 40),
                   letter("b:1", "b", "row #", "u", 1)});
    ASSERT_THAT(groups, SizeIs(3));
    EXPECT_EQ(groups[0].consumer, "a");
    EXPECT_EQ(groups[0].fingerprint, "row #");
    EXPECT_EQ(groups[0].letters, 3u);
    EXPECT_EQ(groups[0].users, 2u);
    EXPECT_EQ(groups[0].oldest, from_unix_ms(20));
    EXPECT_EQ(groups[0].newest, from_unix_ms(40));
    EXPECT_EQ(groups[0].example_id, "a:3");
    EXPECT_EQ(groups[0].example_error, "error of a:3");
    EXPECT_EQ(groups[1].fingerprint, "gone");
    EXPECT_EQ(groups[2].consumer, "b");
}

}  // namespace
}  // namespace bascule::broker
