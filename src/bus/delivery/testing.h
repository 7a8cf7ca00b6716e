#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bus/delivery/consumer.h"

/// A consumer at a virtual time, for tests: offsets are written as they are offered, time moves
/// when told.
namespace bascule::delivery {

class Bench {
  public:
    explicit Bench(Policy policy, ConsumerState state = ConsumerState(Offset(0)))
        : policy_(std::move(policy)) {
        open(std::move(state));
    }

    void open(ConsumerState state) {
        auto made = Consumer::create("tested", policy_, std::move(state), Random(7), now());
        if (!made) {
            ADD_FAILURE() << made.error().message();
            return;
        }
        runs.clear();
        consumer = std::make_unique<Consumer>(std::move(*made));
    }

    Now now() const { return {SteadyTime(steady), from_unix_ms(wall)}; }

    /// The next offset, unless another is given.
    Bench& offer(std::uint64_t key, std::uint8_t lane = 1, std::optional<std::uint64_t> at = {},
                 std::uint32_t bytes = 10) {
        next_ = at.value_or(next_);
        consumer->offer({Offset(next_++), key, lane, bytes, now().wall}, now());
        return *this;
    }

    /// The next offset, of which the record is lost.
    Bench& offer_lost(std::uint64_t key) {
        consumer->offer({.offset = Offset(next_++), .key_hash = key, .lost = true}, now());
        return *this;
    }

    Bench& wait(std::chrono::milliseconds time) {
        steady += time;
        wall += time.count();
        return *this;
    }

    /// What is started now, as "0 1 | 2": members of runs.
    std::string started() {
        Commands commands;
        consumer->take_commands(now(), commands);
        journal += commands.journal;
        synced = commands.sync_journal;
        letters = commands.letters;
        closings = commands.closings;
        cancels = commands.cancels;
        std::string text;
        for (const StartRun& start : commands.starts) {
            text += text.empty() ? "" : " | ";
            std::string members;
            for (const Offset offset : commands.handed(start)) {
                members += (members.empty() ? "" : " ") + std::to_string(offset.value());
            }
            text += members;
            runs.push_back(start);
        }
        return text;
    }

    /// Answers the oldest run without an answer.
    Bench& answer(const Outcome& outcome = Outcome::done()) {
        const RunId run = runs.front().run;
        runs.erase(runs.begin());
        consumer->answer(run, outcome, now());
        return *this;
    }

    /// Fails the oldest run until its event is a letter, and makes that durable.
    Bench& make_letter(const std::string& text = "refused") {
        return make_letter_of(Outcome::permanent(text));
    }
    Bench& make_letter_of(const Outcome& outcome) {
        answer(outcome);
        started();
        for (const WriteLetter& write : std::exchange(letters, {})) {
            consumer->letter_durable(write.letter.offset, now());
        }
        return *this;
    }

    /// The process ends without another word and begins again; offers must be repeated from
    /// position().
    Bench& crash(std::chrono::milliseconds off = {}) {
        return reopen(off, [](ConsumerState&) {});
    }

    /// The same, and the consumer's database is an old copy that has seen nothing.
    Bench& crash_and_lose_database() {
        return reopen({}, [](ConsumerState& state) {
            state.reconcile(Offset(0), [](Offset) { return false; });
        });
    }

    EventState state_of(std::uint64_t offset, std::uint64_t key) {
        return consumer->explain(Offset(offset), key, now()).state;
    }

    std::unique_ptr<Consumer> consumer;
    std::chrono::nanoseconds steady = std::chrono::hours(1);
    std::int64_t wall = 1'700'000'000'000;
    std::string journal;
    bool synced = false;
    std::vector<StartRun> runs;
    std::vector<WriteLetter> letters;
    std::vector<CloseLetter> closings;
    std::vector<CancelRun> cancels;

  private:
    template <class Change>
    Bench& reopen(std::chrono::milliseconds off, const Change& change) {
        ConsumerState state(Offset(0));
        const auto applied = state.apply(journal);
        EXPECT_TRUE(applied) << applied.error().message();
        change(state);
        steady = std::chrono::nanoseconds(5);
        wall += off.count();
        open(std::move(state));
        next_ = consumer->position().value();
        return *this;
    }

    Policy policy_;
    std::uint64_t next_ = 0;
};

}  // namespace bascule::delivery
