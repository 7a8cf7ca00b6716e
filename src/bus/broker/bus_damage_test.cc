// A bus whose files were damaged: what is missing is said, and what is left is delivered.
#include <gtest/gtest.h>

#include "bus/broker/bus_testing.h"
#include "bus/log/segment.h"

namespace bascule::broker {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class BusDamageTest : public BusTest {
  protected:
    static constexpr const char* segment = "bus/log/00000000000000000000.seg";
    static constexpr const char* letters_file = "bus/delivery/letters/letters";

    void stop() {
        EXPECT_THAT(
            sim::wait_for<>(*executor_, [&](auto done) { bus_->stop(1s, std::move(done)); }),
            Succeeds());
        bus_.reset();
        executor_->run_for(1s);
    }

    std::string bytes_of(const std::string& path) {
        const auto file = disk_.open(path, io::OpenMode::read);
        EXPECT_THAT(file, Succeeds());
        std::string bytes(*(*file)->size(), '\0');
        EXPECT_THAT((*file)->read(0, std::as_writable_bytes(std::span(bytes))), Succeeds());
        return bytes;
    }

    /// Flips a bit `before` bytes ahead of where the text stands.
    void damage(const std::string& path, std::string_view text, std::size_t before = 0) {
        const std::size_t at = bytes_of(path).find(text);
        ASSERT_NE(at, std::string::npos);
        disk_.flip_bit(path, at - before, 0);
    }

    Offset publish_one(const std::string& id, const std::string& user = "u",
                       const std::string& type = "thing.done") {
        const auto result = publish(event_of(id, user, type, R"({"mark":"<)" + id + R"(>"})"));
        EXPECT_TRUE(std::holds_alternative<Accepted>(result));
        settle(1s);
        return std::get<Accepted>(result).offset;
    }

    /// A bus that was stopped with three events in its log and nothing delivered.
    std::vector<Offset> stored_and_stopped() {
        EXPECT_THAT(configure(config_of(R"({"detail-type":["thing.done"]})")), Succeeds());
        EXPECT_THAT(sim::wait_for<>(
                        *executor_,
                        [&](auto done) { bus_->pause("c", std::nullopt, {}, std::move(done)); }),
                    Succeeds());
        std::vector<Offset> offsets;
        for (const char* id : {"one", "two", "three"}) {
            offsets.push_back(publish_one(id, id));
        }
        stop();
        return offsets;
    }

    /// Loses the head of the event's frame, so that nobody can tell whose it is, and has its letter
    /// redriven once the frame is restored.
    void redrive_with_frame_back(const std::string& id) {
        const std::string whole = bytes_of(segment);
        const std::size_t head = whole.find("<" + id + ">") - 150;
        const auto write = [&](const std::string& bytes) {
            const auto file = disk_.open(segment, io::OpenMode::write);
            ASSERT_THAT(file, Succeeds());
            ASSERT_THAT((*file)->write(head, as_bytes(bytes)), Succeeds());
        };
        write(std::string(150, '\0'));
        start_and_resume();
        ASSERT_THAT(letters({.open = true}), SizeIs(1));
        stop();
        write(whole.substr(head, 150));
        start_and_resume();
        recorder_->seen.clear();
        ASSERT_THAT(sim::wait_for<std::vector<LetterSummary>>(
                        *executor_, [&](auto done) { bus_->redrive({}, {}, {}, std::move(done)); }),
                    Succeeds());
        settle();
    }

    void start_and_resume() {
        open(++seed_);
        ASSERT_THAT(configure(config_of(R"({"detail-type":["thing.done"]})")), Succeeds());
        ASSERT_THAT(
            sim::wait_for<>(*executor_, [&](auto done) { bus_->resume("c", {}, std::move(done)); }),
            Succeeds());
        settle();
    }
};

TEST_F(BusDamageTest, AnEventWhoseBodyIsDamagedBecomesALetterThatSaysSo) {
    const std::vector<Offset> stored = stored_and_stopped();
    damage(segment, "<two>");
    start_and_resume();
    EXPECT_THAT(recorder_->seen, ElementsAre("one", "three"));
    EXPECT_EQ(status().counts.matched, 3U);
    EXPECT_EQ(status().counts.letters, 1U);
    const auto found = letters();
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].offset, stored[1]);
    EXPECT_THAT(found[0].last_error, AllOf(HasSubstr("cannot be read"), HasSubstr("are lost")));
    EXPECT_EQ(state_of(stored[1]), "letter_open");
    EXPECT_THAT(bus_->health().lost_reason,
                HasSubstr("position " + std::to_string(stored[1].value())));
    EXPECT_TRUE(bus_->health().well()) << "events are taken and delivered";
    // Told once, also over a restart.
    stop();
    start_and_resume();
    EXPECT_THAT(letters(), SizeIs(1));
    EXPECT_EQ(status().counts.matched, 3U);
}

/// The disk fails once, just when the letter of an event is made and nothing of the event is in
/// memory any more: the letter waits until it can hold the event.
TEST_F(BusDamageTest, AnEventThatCannotBeReadForAMomentBecomesNoEmptyLetter) {
    auto forgetful = Bus::open({.disk = disk_, .executor = *executor_, .workers = *executor_},
                               {.directory = "forgetful",
                                .log = {.segment_bytes = 1 << 20,
                                        .tail_bytes_max = 1,
                                        .read_cache_bytes_max = 1,
                                        .reserve_bytes = 0,
                                        .seed = 1},
                                .random_seed = 1});
    ASSERT_THAT(forgetful, Succeeds());
    stop();
    bus_ = std::move(*forgetful);
    const auto handler = std::make_shared<PatientHandler>();
    bus_->attach("recorder", handler);
    BusConfig config = config_of();
    config.consumers.front().policy.on_timeout = delivery::OnTimeout::wait;
    config.consumers.front().policy.concurrency = 100;
    ASSERT_THAT(configure(std::move(config)), Succeeds());
    publish_one("one", "one");
    for (int i = 0; i < 20; ++i) {  // what a consumer keeps of the log is of these
        publish_one("other" + std::to_string(i), "other" + std::to_string(i));
    }
    ASSERT_EQ(handler->last.front().first, "one");
    disk_.fail_operation(1);
    handler->last.front().second(delivery::Outcome::permanent("no"));
    executor_->run_ready();
    EXPECT_THAT(letters(), IsEmpty());
    settle(10s);
    ASSERT_THAT(letters(), SizeIs(1));
    EXPECT_EQ(letters().front().event_id, "one");
    EXPECT_EQ(letters().front().last_error, "no");
    handler->last.clear();  // what was never answered holds the bus, and the bus its handler
}

TEST_F(BusDamageTest, ADamagedEventOfAnotherConsumerIsNoLetter) {
    stored_and_stopped();
    open(++seed_);
    ASSERT_THAT(configure(config_of(R"({"detail-type":["thing.done"]})")), Succeeds());
    publish_one("foreign", "u", "other.done");
    stop();
    damage(segment, "<foreign>");
    start_and_resume();
    EXPECT_THAT(recorder_->seen, ElementsAre("one", "two", "three"));
    EXPECT_THAT(letters(), IsEmpty());
}

TEST_F(BusDamageTest, AFrameThatIsGoneIsOneLetterOfEveryConsumerThatMayHaveMissedIt) {
    const std::vector<Offset> stored = stored_and_stopped();
    // The frame's head: nobody can tell any more whose its events were.
    const std::string bytes = bytes_of(segment);
    const auto file = disk_.open(segment, io::OpenMode::write);
    ASSERT_THAT(file, Succeeds());
    const std::size_t body = bytes.find("<two>");
    ASSERT_THAT((*file)->write(body - 150, as_bytes(std::string(150, '\0'))), Succeeds());
    start_and_resume();
    EXPECT_THAT(recorder_->seen, ElementsAre("one", "three"));
    const auto found = letters();
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].offset, stored[1]);
    EXPECT_THAT(bus_->health().lost_reason, HasSubstr("cannot be read"));
    // Redriven without the event it is a letter again.
    auto redriven = sim::wait_for<std::vector<LetterSummary>>(
        *executor_, [&](auto done) { bus_->redrive({}, {}, {}, std::move(done)); });
    ASSERT_THAT(redriven, Succeeds());
    settle();
    EXPECT_THAT(letters({.open = true}), SizeIs(1));
    EXPECT_EQ(status().lag_events, 0U);
}

TEST_F(BusDamageTest, RulesWhoseLastSnapshotIsDamagedAreReadFromTheOneBefore) {
    ASSERT_THAT(configure(config_of(R"({"detail-type":["thing.done"]})")), Succeeds());
    ASSERT_THAT(
        sim::wait_for<>(*executor_,
                        [&](auto done) { bus_->pause("c", std::nullopt, {}, std::move(done)); }),
        Succeeds());
    publish_one("one");
    publish_one("foreign", "u", "other.done");
    while (bus_->log().status().stats.segments < 2) {
        publish(event_of("fill" + std::to_string(bus_->log().end().value()), "u", "fill.done",
                         R"({"filler":")" + std::string(60'000, 'x') + R"("})"));
    }
    publish_one("two");
    const std::uint32_t version = bus_->routing()->version();
    const Offset snapshot = bus_->log().control_begin();
    ASSERT_GT(snapshot, Offset(0));
    stop();
    damage("bus/log/" + log::segment_name(snapshot), R"("control":"routing")");
    start_and_resume();
    EXPECT_EQ(bus_->routing()->version(), version) << "nothing was written anew";
    EXPECT_THAT(recorder_->seen, ElementsAre("one", "two"));
    EXPECT_THAT(letters(), IsEmpty());
}

TEST_F(BusDamageTest, WithoutItsRulesABusDoesNotBegin) {
    stored_and_stopped();
    damage(segment, R"("control":"routing")");
    const auto bus = Bus::open({.disk = disk_, .executor = *executor_, .workers = *executor_},
                               {.directory = "bus", .random_seed = 1});
    EXPECT_THAT(bus, FailsWith(ErrorKind::corrupt,
                               AllOf(HasSubstr("the rules cannot be read"),
                                     HasSubstr("restore the segment"), HasSubstr(segment))));
}

TEST_F(BusDamageTest, WhoseAnEventIsIsNeverGuessed) {
    stored_and_stopped();
    // The first event's frame brought along what the set of its consumers is.
    const std::size_t set = bytes_of(segment).find("target_sets");
    const auto file = disk_.open(segment, io::OpenMode::write);
    ASSERT_THAT(file, Succeeds());
    ASSERT_THAT((*file)->write(set - 150, as_bytes(std::string(150, '\0'))), Succeeds());
    start_and_resume();
    EXPECT_THAT(recorder_->seen, IsEmpty()) << "and nothing is passed over";
    EXPECT_THAT(status().state_reason, HasSubstr("nobody can tell whose"));
    EXPECT_GT(status().lag_events, 0U);
}

TEST_F(BusDamageTest, TheLetterOfAFrameThatComesBackDeliversItsEvent) {
    stored_and_stopped();
    redrive_with_frame_back("two");
    EXPECT_THAT(recorder_->seen, ElementsAre("two"));
    EXPECT_THAT(letters({.open = true}), IsEmpty());
}

TEST_F(BusDamageTest, TheLetterOfAFrameThatComesBackDeliversNothingOfOthers) {
    stored_and_stopped();
    open(++seed_);
    ASSERT_THAT(configure(config_of(R"({"detail-type":["thing.done"]})")), Succeeds());
    publish_one("foreign", "u", "other.done");
    stop();
    redrive_with_frame_back("foreign");
    EXPECT_THAT(recorder_->seen, IsEmpty());
    EXPECT_THAT(letters({.open = true}), IsEmpty());
}

TEST_F(BusDamageTest, AnOpenLetterThatIsDamagedIsMadeAnewFromTheLog) {
    recorder_->scripts["one"] = {delivery::Outcome::permanent("refused"),
                                 delivery::Outcome::done()};
    ASSERT_THAT(configure(config_of()), Succeeds());
    const Offset parked = publish_one("one");
    publish_one("two");
    ASSERT_THAT(letters(), SizeIs(1));
    stop();
    ASSERT_THAT(disk_.remove(letters_file), Succeeds());
    open(++seed_);
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle(1s);
    const auto found = letters({.open = true});
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].offset, parked);
    EXPECT_EQ(found[0].event_id, "one");
    EXPECT_THAT(found[0].last_error, HasSubstr("made anew"));
    EXPECT_THAT(bus_->health().lost_reason, HasSubstr("1 letters were damaged"));
    // It is kept, and its key has a way out.
    crash_and_reopen();
    ASSERT_THAT(configure(config_of()), Succeeds());
    EXPECT_THAT(bus_->health().lost_reason, IsEmpty());
    const auto redriven = sim::wait_for<std::vector<LetterSummary>>(
        *executor_, [&](auto done) { bus_->redrive({.user_id = "u"}, {}, {}, std::move(done)); });
    ASSERT_THAT(redriven, Succeeds());
    EXPECT_THAT(*redriven, SizeIs(1));
    settle();
    EXPECT_THAT(recorder_->seen, ElementsAre("one", "one", "two"));
    EXPECT_EQ(status().counts.letters, 0U);
}

TEST_F(BusDamageTest, ABitInTheLettersFileCostsNoLetterThatIsOpen) {
    recorder_->scripts["one"] = {delivery::Outcome::permanent("refused")};
    recorder_->scripts["two"] = {delivery::Outcome::permanent("refused")};
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish_one("one", "anna");
    publish_one("two", "bert");
    stop();
    damage(letters_file, "<one>");
    open(++seed_);
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle(1s);
    ASSERT_THAT(letters({.open = true}), SizeIs(2));
    EXPECT_THAT(bus_->health().lost_reason, HasSubstr("1 letters were damaged"));
    EXPECT_THAT(bus_->health().lost_detail, HasSubstr(letters_file));
    EXPECT_TRUE(bus_->health().well());
}

/// Opens what is on the disk as a server would, with what its database says.
class BusRestoredInPartTest : public BusDamageTest {
  protected:
    Result<std::unique_ptr<Bus>> try_open() {
        return Bus::open({.disk = disk_, .executor = *executor_, .workers = *executor_},
                         {.directory = "bus",
                          .log = {.segment_bytes = 1 << 20,
                                  .fill_bytes = 64 << 10,
                                  .reserve_bytes = 0,
                                  .seed = ++seed_}});
    }

    std::vector<std::string> files_of_the_log() { return *disk_.list("bus/log"); }

    std::map<std::string, std::string> copy_of_the_log() {
        std::map<std::string, std::string> copy;
        for (const std::string& name : files_of_the_log()) {
            copy[name] = bytes_of("bus/log/" + name);
        }
        return copy;
    }

    void put_back(const std::map<std::string, std::string>& copy) {
        for (const std::string& name : files_of_the_log()) {
            ASSERT_THAT(disk_.remove("bus/log/" + name), Succeeds());
        }
        for (const auto& [name, bytes] : copy) {
            const auto file = disk_.open("bus/log/" + name, io::OpenMode::create);
            ASSERT_THAT(file, Succeeds());
            ASSERT_THAT((*file)->write(0, as_bytes(bytes)), Succeeds());
        }
    }
};

TEST_F(BusRestoredInPartTest, ALogOlderThanTheJournalIsRefusedWithWhatToDo) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish_one("one");
    stop();
    const auto older = copy_of_the_log();
    open(++seed_);
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish_one("two");
    stop();
    const auto newer = copy_of_the_log();
    put_back(older);
    EXPECT_THAT(try_open(), FailsWith(ErrorKind::corrupt,
                                      AllOf(HasSubstr("the log ends at position"),
                                            HasSubstr("consumer 'c'"), HasSubstr("Restore"))));
    executor_->run_for(1s);
    put_back(newer);
    open(++seed_);
    ASSERT_THAT(configure(config_of()), Succeeds());
    EXPECT_EQ(status().counts.matched, 2U) << "the refusal changed nothing";
}

/// Goal: no consumer begins anew in silence.
TEST_F(BusRestoredInPartTest, ALostJournalIsRefusedWithWhatToDo) {
    constexpr const char* journal = "bus/delivery/journal";
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish_one("one");
    stop();
    const std::string kept = bytes_of(journal);
    const auto put_back = [&](std::string_view bytes) {
        const auto file = disk_.open(journal, io::OpenMode::create);
        ASSERT_THAT(file, Succeeds());
        ASSERT_THAT((*file)->write(0, as_bytes(bytes)), Succeeds());
    };
    ASSERT_THAT(disk_.remove(journal), Succeeds());
    for (int start = 0; start < 2; ++start) {
        EXPECT_THAT(try_open(), FailsWith(ErrorKind::corrupt,
                                          AllOf(HasSubstr("bus/delivery/journal is missing"),
                                                HasSubstr("Restore"))))
            << "start " << start;
        executor_->run_for(1s);
    }
    put_back("");
    EXPECT_THAT(try_open(), FailsWith(ErrorKind::corrupt, HasSubstr("journal is empty")));
    executor_->run_for(1s);
    for (const std::string& ruin : {std::string(kept.size(), '\0'), kept.substr(0, 8)}) {
        put_back(ruin);
        EXPECT_THAT(try_open(),
                    FailsWith(ErrorKind::corrupt, AllOf(HasSubstr("no frame in it is readable"),
                                                        HasSubstr("Restore"))));
        executor_->run_for(1s);
    }
    put_back(kept);
    open(++seed_);
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle(1s);
    EXPECT_THAT(recorder_->seen, ElementsAre("one")) << "the refusals changed nothing";
}

TEST_F(BusRestoredInPartTest, AJournalThatIsDamagedInPartIsTold) {
    constexpr const char* journal = "bus/delivery/journal";
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish_one("one");
    settle(1s);
    const std::size_t middle = bytes_of(journal).size();
    publish_one("two");
    settle(1s);
    publish_one("three");
    stop();
    std::string bytes = bytes_of(journal);
    const std::size_t at = bytes.find("\x05", 200);  // somewhere among the entries
    ASSERT_LT(at, middle);
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    const auto file = disk_.open(journal, io::OpenMode::create);
    ASSERT_THAT(file, Succeeds());
    ASSERT_THAT((*file)->write(0, as_bytes(bytes)), Succeeds());
    open(++seed_);
    EXPECT_THAT(bus_->health().lost_reason, HasSubstr("a part of the delivery journal is damaged"));
    ASSERT_THAT(configure(config_of()), Succeeds());
    settle(1s);
    kill_and_reopen();
    EXPECT_EQ(bus_->health().lost_reason, "") << "it was rewritten";
}

/// What a crash in the very first start leaves behind is no loss.
TEST_F(BusRestoredInPartTest, ABusWithoutARecordMakesItsJournal) {
    stop();
    ASSERT_THAT(disk_.remove("bus/delivery/journal"), Succeeds());
    open(++seed_);
    ASSERT_THAT(configure(config_of()), Succeeds());
    publish_one("one");
    EXPECT_THAT(recorder_->seen, ElementsAre("one"));
}

TEST_F(BusRestoredInPartTest, ALogOlderThanADatabaseIsRefusedWithWhatToDo) {
    ASSERT_THAT(configure(config_of()), Succeeds());
    const Offset last = publish_one("one");
    bus_->attach("recorder", recorder_,
                 InboxState{.low = last, .done = {Offset(last.value() + 7)}});
    EXPECT_THAT(configure(config_of()),
                FailsWith(ErrorKind::corrupt,
                          AllOf(HasSubstr("the database of consumer 'c'"), HasSubstr("Restore"))));
}

}  // namespace
}  // namespace bascule::broker
