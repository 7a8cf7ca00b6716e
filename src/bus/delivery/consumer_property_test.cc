#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bus/delivery/consumer.h"

// Goal: G2, G3, G4, G6 and the accounting identity hold whatever handlers, operators and crashes
// do. Method: a random consumer over a random log, driven by random inputs; the journal is cut at a
// random round at each crash (what was synced stands); a model that knows only offsets, keys and
// answers checks every command. In the end the handler recovers, a person redrives what is left,
// and every event must be accounted for.

namespace bascule::delivery {
namespace {

using std::chrono::milliseconds;

struct LogEvent {
    std::uint64_t key = no_key;
    bool matches = true;
    std::uint8_t lane = 1;
    std::uint32_t bytes = 0;
    bool poison = false;
};

struct Fixture {
    Policy policy;
    bool loses_tail = false;
};

Fixture random_policy(Random& random) {
    Fixture fixture;
    Policy& policy = fixture.policy;
    policy.ordering = random.below(5) == 0   ? Ordering::none
                      : random.below(6) == 0 ? Ordering::log
                                             : Ordering::key;
    policy.concurrency = 1 + static_cast<std::uint32_t>(random.below(5));
    policy.retry = {.initial = 10ms,
                    .max_interval = 80ms,
                    .max_attempts = static_cast<std::uint32_t>(1 + random.below(3)),
                    .max_age = random.below(3) == 0 ? 100ms : 1h};
    policy.timeout = 200ms;
    policy.on_timeout = random.below(2) == 0 ? OnTimeout::give_up : OnTimeout::wait;
    policy.max_unsettled = 5 + random.below(60);
    if (policy.ordering != Ordering::none && random.below(3) == 0) {
        policy.debounce =
            Debounce{.period = 50ms,
                     .leading = random.below(2) == 0 ? 0ms : 5ms,
                     .max_wait = 120ms,
                     .max_events = 5,
                     .mode = random.below(2) == 0 ? DebounceMode::last : DebounceMode::collect};
    } else if (random.below(3) == 0) {
        policy.batch = Batch{
            .max_size = static_cast<std::uint32_t>(1 + random.below(6)),
            .max_wait = 20ms,
            .max_bytes = 500,
            .on_error = random.below(2) == 0 ? BatchOnError::retry_all : BatchOnError::bisect};
    }
    if (random.below(2) == 0) {
        policy.lanes =
            Lanes{.map = {{"a", 1}, {"b", 2}}, .otherwise = 3, .age_boost = random.below(30) * 1ms};
        if (random.below(2) == 0) {
            policy.lanes->weights = {8, 3, 1};
        }
    }
    if (random.below(4) == 0) {
        policy.rate =
            Rate{.limit = 1 + static_cast<std::uint32_t>(random.below(5)),
                 .per = 20ms,
                 .burst = 1 + static_cast<std::uint32_t>(random.below(4)),
                 .key = policy.ordering == Ordering::key && random.below(2) == 0 ? RateKey::key
                                                                                 : RateKey::none};
    }
    if (random.below(4) == 0) {
        policy.breaker = BreakerPolicy{.window = 1s,
                                       .min_calls = 2,
                                       .failure_rate = 60,
                                       .slow_call = 50ms,
                                       .open_for = 100ms,
                                       .open_max = 300ms,
                                       .half_open_calls = 2};
    }
    switch (random.below(3)) {
        case 0:
            break;
        case 1:
            policy.on_exhausted = OnExhausted::skip_key;
            break;
        case 2:
            policy.on_exhausted =
                policy.ordering == Ordering::none ? OnExhausted::skip_key : OnExhausted::park_key;
            break;
    }
    fixture.loses_tail = random.below(2) == 0;
    return fixture;
}

class World {
  public:
    explicit World(std::uint64_t seed) : random_(seed), fixture_(random_policy(random_)) {
        const std::size_t events = 20 + random_.below(60);
        const std::uint64_t keys = 1 + random_.below(5);
        for (std::size_t i = 0; i < events; ++i) {
            log_.push_back({.key = random_.below(keys + 1) * 1000,
                            .matches = random_.below(4) != 0,
                            .lane = static_cast<std::uint8_t>(1 + random_.below(3)),
                            .bytes = static_cast<std::uint32_t>(random_.below(200)),
                            .poison = random_.below(8) == 0});
        }
        open(ConsumerState(Offset(0)));
    }

    void run() {
        for (int step = 0; step < 250 && !testing::Test::HasFailure(); ++step) {
            act();
            check_accounts();
        }
        recover();
    }

  private:
    // ── The machine and its journal ──
    void open(ConsumerState state) {
        auto made = Consumer::create("tested", fixture_.policy, std::move(state),
                                     Random(random_.next()), now());
        ASSERT_TRUE(made) << made.error().message();
        consumer_ = std::make_unique<Consumer>(std::move(*made));
        started_.clear();
        steady_begin_ = steady_;
    }

    Now now() const { return {SteadyTime(milliseconds(steady_)), from_unix_ms(wall_)}; }

    bool ordered(std::uint64_t key) const {
        return fixture_.policy.ordering == Ordering::log ||
               (fixture_.policy.ordering == Ordering::key && key != no_key);
    }
    std::uint64_t group(std::uint64_t key) const {
        return fixture_.policy.ordering == Ordering::log ? 1 : key;
    }
    bool parks() const { return fixture_.policy.exhausted() == OnExhausted::park_key; }

    void round() {
        Commands commands;
        consumer_->take_commands(now(), commands);
        const ConsumerMode mode = consumer_->status(now()).mode;
        if (mode != ConsumerMode::running && mode != ConsumerMode::draining) {
            EXPECT_TRUE(commands.starts.empty()) << "started while " << name(mode);
        }
        if (!commands.journal.empty()) {
            chunks_.push_back(commands.journal);
        }
        if (commands.sync_journal) {
            synced_ = chunks_.size();
        }
        for (const CancelRun& cancel : commands.cancels) {
            if (!cancel.stuck) {
                given_up_.insert(cancel.run);
                runs_.erase(cancel.run);
            }
        }
        for (const StartRun& start : commands.starts) {
            check_start(commands, start);
        }
        for (const WriteLetter& write : commands.letters) {
            writing_.push_back(write.letter.offset);
            take_word_for(last_run_[write.letter.offset]);
            EXPECT_FALSE(write.letter.fingerprint.empty() && !write.letter.last_error.empty());
        }
        for (const CloseLetter& close : commands.closings) {
            EXPECT_EQ(open_letters_.erase(close.offset), 1u)
                << "closed a letter that is not open: " << close.offset.value();
        }
    }

    // ── What the model knows of a run ──
    struct RunningRun {
        std::vector<Offset> members;
        bool letter = false;
    };

    void check_start(const Commands& commands, const StartRun& start) {
        const auto members = commands.members(start);
        ASSERT_FALSE(members.empty());
        RunningRun run{{members.begin(), members.end()}, start.letter};
        EXPECT_TRUE(std::ranges::is_sorted(run.members));
        for (const Offset member : run.members) {
            const LogEvent& event = log_.at(member.value());
            EXPECT_TRUE(event.matches);
            EXPECT_EQ(open_letters_.contains(member), start.letter) << member.value();
            EXPECT_FALSE(done_.contains(member)) << member.value() << " is done and sent again";
            EXPECT_FALSE(gapped_.contains(member)) << member.value() << " was left out";
            EXPECT_EQ(std::ranges::count(writing_, member), 0)
                << "started while its letter is being written";
            if (!ordered(event.key)) {
                continue;
            }
            // G3: no other run of the key, and nobody before it of the key that is not settled.
            for (const auto& [id, other] : runs_) {
                for (const Offset busy : other.members) {
                    EXPECT_FALSE(ordered(log_.at(busy.value()).key) &&
                                 group(log_.at(busy.value()).key) == group(event.key))
                        << "two runs of key " << event.key << ": " << busy.value() << " and "
                        << member.value();
                }
            }
            if (start.letter && !parks()) {
                continue;  // the stated exception: it was skipped, and comes when it is asked for
            }
            for (std::uint64_t before = 0; before < run.members.front().value(); ++before) {
                const LogEvent& earlier = log_.at(before);
                if (!earlier.matches || !ordered(earlier.key) ||
                    group(earlier.key) != group(event.key) || done_.contains(Offset(before)) ||
                    dismissed_.contains(Offset(before)) || gapped_.contains(Offset(before))) {
                    continue;
                }
                const bool letter = open_letters_.contains(Offset(before));
                EXPECT_TRUE(letter && !parks())
                    << member.value() << " overtook " << before << " of its key";
            }
        }
        EXPECT_LE(runs_.size() + 1, fixture_.policy.concurrency);
        if (fixture_.policy.batch) {
            EXPECT_LE(run.members.size(), fixture_.policy.batch->max_size);
        }
        if (bisects() && run.members.size() > 1) {
            EXPECT_EQ(start.attempt, 1u) << "somebody was charged for a batch";
        }
        check_rate(run);
        for (const Offset member : run.members) {
            last_run_[member] = run.members;
        }
        runs_[start.run] = std::move(run);
    }

    /// No more events since the process began than the bucket held and what flowed in, but for what
    /// the last run may owe.
    void check_rate(const RunningRun& run) {
        if (!fixture_.policy.rate) {
            return;
        }
        const Rate& rate = *fixture_.policy.rate;
        std::map<std::uint64_t, std::uint64_t> events;  // by bucket
        for (const Offset member : run.members) {
            const std::uint64_t key = log_.at(member.value()).key;
            if (rate.key != RateKey::key) {
                ++events[0];
            } else if (ordered(key)) {
                ++events[key];
            }
        }
        const double flown = static_cast<double>(steady_ - steady_begin_) * rate.limit /
                             static_cast<double>(rate.per.count());
        for (const auto& [bucket, count] : events) {
            std::uint64_t& started = started_[bucket];
            EXPECT_LE(static_cast<double>(started) + 1, rate.burst + flown + 0.001);
            started += count;
        }
    }

    bool bisects() const {
        return fixture_.policy.batch && !fixture_.policy.debounce &&
               fixture_.policy.batch->on_error == BatchOnError::bisect;
    }

    /// debounce.mode last: when the last member of a window becomes a letter, the others are
    /// coalesced into it.
    void take_word_for(const std::vector<Offset>& members) {
        for (const Offset member : members) {
            if (coalesces() &&
                consumer_->explain(member, log_.at(member.value()).key, now()).state ==
                    EventState::coalesced) {
                done_.insert(member);
            }
        }
    }

    // ── Inputs ──
    void act() {
        switch (random_.below(14)) {
            case 0:
            case 1:
            case 2:
            case 3:
                read();
                break;
            case 4:
            case 5:
            case 6:
            case 7:
                answer();
                break;
            case 8:
                pass_time();
                break;
            case 9:
                write_letters();
                break;
            case 10:
                operate();
                break;
            case 11:
                wall_ += static_cast<std::int64_t>(random_.below(200)) - 100;
                break;
            case 12:
                random_.below(3) == 0 ? crash() : read();
                break;
            case 13:
                random_.below(2) == 0 ? snapshot() : answer_late();
                break;
        }
        round();
    }

    void read() {
        for (std::uint64_t left = random_.below(8); left > 0 && consumer_->wants_more(); --left) {
            const std::uint64_t at = consumer_->next_wanted().value();
            if (at >= log_.size()) {
                return;
            }
            const LogEvent& event = log_[at];
            if (event.matches) {
                offered_.insert(Offset(at));
                consumer_->offer({Offset(at), event.key, event.lane, event.bytes, {}}, now());
            } else {
                consumer_->advance_cursor(Offset(at + 1), now());
            }
        }
    }

    Outcome outcome_for(const RunningRun& run) {
        const bool poisoned = std::ranges::any_of(
            run.members, [&](Offset member) { return log_.at(member.value()).poison; });
        if (healthy_) {
            return Outcome::done();
        }
        switch (random_.below(poisoned ? 8 : 20)) {
            case 0:
                return Outcome::uncounted("429", 5ms);
            case 1:
                return Outcome::suspended("disk full");
            case 2: {
                std::vector<ItemFailure> failures;
                for (const Offset member : run.members) {
                    if (random_.below(3) == 0) {
                        failures.push_back({member,
                                            random_.below(2) == 0 ? ItemFailure::Kind::permanent
                                                                  : ItemFailure::Kind::transient,
                                            "row 7"});
                    }
                }
                return Outcome::done_except(failures);
            }
            case 3:
                return Outcome::permanent("bad data 17");
            case 4:
            case 5:
                return Outcome::transient("connection 3 refused");
            case 6:
                return Outcome::transient("slow", 30ms);
            default:
                return poisoned ? Outcome::transient("poison") : Outcome::done();
        }
    }

    void answer() {
        if (runs_.empty()) {
            return;
        }
        auto chosen = runs_.begin();
        std::advance(chosen, static_cast<std::ptrdiff_t>(random_.below(runs_.size())));
        const RunningRun run = chosen->second;
        const RunId id = chosen->first;
        const Outcome outcome = outcome_for(run);
        consumer_->answer(id, outcome, now());
        if (outcome.kind == Outcome::Kind::done) {
            for (const Offset member : run.members) {
                if (std::ranges::none_of(outcome.failures, [&](const auto& failure) {
                        return failure.offset == member;
                    })) {
                    done_.insert(member);
                }
            }
        }
        runs_.erase(id);
    }

    void answer_late() {
        const auto before = consumer_->counts();
        consumer_->answer(given_up_.empty() ? RunId(0xfff0'0000) : *given_up_.begin(),
                          Outcome::done(), now());
        const auto after = consumer_->counts();
        EXPECT_EQ(after.late_answers, before.late_answers + 1);
        EXPECT_EQ(after.settled.done, before.settled.done);
    }

    void pass_time() {
        const auto deadline = consumer_->next_deadline();
        auto passed = static_cast<std::int64_t>(random_.below(60));
        if (deadline && random_.below(2) == 0) {
            passed = std::max<std::int64_t>(
                0, std::chrono::ceil<milliseconds>(*deadline - now().steady).count());
        }
        steady_ += passed;
        wall_ += passed;
    }

    void write_letters() {
        while (!writing_.empty()) {
            const Offset offset = writing_.front();
            writing_.pop_front();
            consumer_->letter_durable(offset, now());
            // What the letter of a window's last member stands for is coalesced; the model takes
            // the machine's word.
            open_letters_.insert(offset);
            if (random_.below(3) == 0) {
                break;
            }
        }
    }

    void operate() {
        LetterFilter filter;
        if (!open_letters_.empty() && random_.below(2) == 0) {
            filter.offset = *open_letters_.begin();
        } else if (random_.below(2) == 0) {
            for (const Offset offset : open_letters_) {
                if (random_.below(2) == 0) {
                    filter.offsets.push_back(offset);
                }
            }
        }
        switch (random_.below(5)) {
            case 0:
                consumer_->pause({.until = random_.below(2) == 0 ? std::optional(now().wall + 40ms)
                                                                 : std::nullopt,
                                  .reason = "test",
                                  .drain = random_.below(3) == 0},
                                 now());
                break;
            case 1:
                if (random_.below(2) == 0) {
                    move();
                } else {
                    ASSERT_TRUE(consumer_->resume({}, now()));
                }
                break;
            case 2:
                consumer_->flush({}, now());
                break;
            case 3:
                if (random_.below(4) == 0) {
                    (void)consumer_->stop_redrive(filter, now());
                    break;
                }
                // It may be refused: of letters that are named others must come first.
                (void)consumer_->redrive(
                    filter,
                    {.per_second =
                         random_.below(2) == 0 ? 0 : static_cast<std::uint32_t>(random_.below(100)),
                     .canary = random_.below(3) == 0},
                    now());
                break;
            case 4: {
                const auto letters = consumer_->letters(filter);
                if (consumer_->close_letters(filter, LetterClosing::discarded, "test", now())) {
                    for (const LetterRef& letter : letters) {
                        dismissed_.insert(letter.offset);
                    }
                }
                break;
            }
        }
    }

    /// A person makes the consumer go on from elsewhere.
    void move() {
        const Offset to(random_.below(log_.size()));
        const Offset low = consumer_->position();
        if (!consumer_->resume(to, now())) {
            EXPECT_TRUE(!runs_.empty() || !given_up_.empty() ||
                        consumer_->status(now()).mode != ConsumerMode::paused ||
                        (to <= low && parks() && !open_letters_.empty()));
            return;
        }
        EXPECT_EQ(consumer_->cursor(), consumer_->position());
        writing_.clear();  // they are asked for again, should they be needed
        if (to <= low) {   // back: what was done is delivered again
            std::erase_if(done_, [&](Offset offset) { return offset >= to; });
            std::erase_if(gapped_, [&](Offset offset) { return offset >= to; });
            return;
        }
        for (std::uint64_t at = 0; at < to.value(); ++at) {
            const Offset offset(at);
            if (log_[at].matches && !done_.contains(offset) && !dismissed_.contains(offset) &&
                !open_letters_.contains(offset)) {
                gapped_.insert(offset);
            }
        }
    }

    void snapshot() {
        round();
        const std::string bytes = consumer_->snapshot(now()).encode();
        chunks_ = {bytes};
        synced_ = 1;
    }

    /// The process ends: what was not synced may be gone, runs get no answer.
    void crash() {
        round();
        std::size_t left = chunks_.size();
        if (fixture_.loses_tail) {
            left = synced_ + random_.below(chunks_.size() - synced_ + 1);
        }
        chunks_.resize(left);
        ConsumerState state(Offset(0));
        for (const std::string& chunk : chunks_) {
            const auto applied = state.apply(chunk);
            ASSERT_TRUE(applied) << applied.error().message();
        }
        // Runs that ended may be repeated; what stands is what the journal says.
        std::set<Offset> letters;
        for (const auto& [offset, letter] : state.letters) {
            letters.insert(offset);
        }
        for (const Offset offset : open_letters_) {
            EXPECT_TRUE(letters.contains(offset) || done_.contains(offset))
                << "lost the letter of " << offset.value();
        }
        open_letters_ = letters;
        std::erase_if(done_, [&](Offset offset) {
            return !state.settled.contains(offset) || letters.contains(offset);
        });
        for (std::uint64_t at = 0; at < log_.size(); ++at) {
            const Offset offset(at);
            if (log_[at].matches && state.settled.contains(offset)) {
                EXPECT_TRUE(done_.contains(offset) || letters.contains(offset) ||
                            dismissed_.contains(offset) || gapped_.contains(offset) || coalesces())
                    << "settled without having been done: " << at;
                if (coalesces() && !letters.contains(offset) && !dismissed_.contains(offset) &&
                    !gapped_.contains(offset)) {
                    done_.insert(offset);
                }
            }
        }
        synced_ = left;
        runs_.clear();
        given_up_.clear();  // nobody is left to whom a late answer could come
        writing_.clear();
        steady_ = static_cast<std::int64_t>(random_.below(1000));
        wall_ += static_cast<std::int64_t>(random_.below(300));
        open(std::move(state));
    }

    bool coalesces() const {
        return fixture_.policy.debounce && fixture_.policy.debounce->mode == DebounceMode::last;
    }

    // ── Checks ──

    /// Every event that was read is in exactly one state, and the counters agree with what
    /// `explain` says of each.
    void check_accounts() {
        const Counts counts = consumer_->counts();
        read_to_ = std::max(read_to_, consumer_->cursor());
        ASSERT_EQ(counts.matched + counts.settled.reopened, counts.accounted());
        if (consumer_->cursor() < consumer_->next_wanted() || random_.below(8) != 0) {
            return;
        }
        std::map<EventState, std::uint64_t> states;
        const Offset cursor = consumer_->cursor();
        for (std::uint64_t at = 0; at < log_.size(); ++at) {
            if (log_[at].matches) {
                const Explanation why = consumer_->explain(Offset(at), log_[at].key, now());
                EXPECT_FALSE(why.text.empty());
                ++states[why.state];
                if (why.state == EventState::done && Offset(at) < cursor) {
                    EXPECT_TRUE(done_.contains(Offset(at)) || coalesces()) << at;
                }
                EXPECT_EQ(why.state == EventState::gap, gapped_.contains(Offset(at))) << at;
            }
        }
        EXPECT_EQ(states[EventState::running], counts.running);
        EXPECT_EQ(states[EventState::deferred], counts.deferred);
        EXPECT_EQ(states[EventState::letter_open] + states[EventState::redriving], counts.letters);
        EXPECT_EQ(states[EventState::retry_wait] + states[EventState::letter_pending] +
                      states[EventState::window_open],
                  counts.waiting);
        EXPECT_EQ(states[EventState::queued] + states[EventState::behind_key] +
                      states[EventState::batch_filling] + states[EventState::paused] +
                      states[EventState::suspended] + states[EventState::rate_limited] +
                      states[EventState::breaker_open],
                  counts.queued);
        EXPECT_EQ(states[EventState::discarded], counts.settled.discarded);
        if (cursor >= read_to_ &&
            counts.queued + counts.waiting + counts.running >= fixture_.policy.max_unsettled) {
            EXPECT_FALSE(consumer_->wants_more());
        }
    }

    /// The handler gets well, everything is redriven: nothing may be left (G2, G4).
    void recover() {
        healthy_ = true;
        for (int step = 0; step < 3000 && !testing::Test::HasFailure(); ++step) {
            ASSERT_TRUE(consumer_->resume({}, now()));
            if (step % 10 == 0) {
                ASSERT_TRUE(consumer_->redrive({}, {}, now()));
            }
            read();
            round();
            while (!runs_.empty()) {
                answer();
            }
            write_letters();
            round();
            pass_time();
            round();
            if (consumer_->next_wanted().value() >= log_.size() &&
                consumer_->position().value() >= log_.size() && consumer_->letters({}).empty()) {
                break;
            }
        }
        const Counts counts = consumer_->counts();
        EXPECT_EQ(consumer_->position(), Offset(log_.size()));
        EXPECT_EQ(
            counts.letters + counts.deferred + counts.queued + counts.waiting + counts.running, 0u);
        const auto matching =
            static_cast<std::uint64_t>(std::ranges::count_if(log_, &LogEvent::matches));
        EXPECT_EQ(counts.matched, matching);
        EXPECT_EQ(counts.settled.done + counts.settled.coalesced + counts.settled.discarded +
                      counts.settled.gap,
                  matching + counts.settled.reopened);
        // Idle keys cost nothing once their windows have cooled down.
        steady_ += 1000;
        wall_ += 1000;
        round();
        EXPECT_EQ(consumer_->counts().keys, 0u);
    }

    Random random_;
    Fixture fixture_;
    std::vector<LogEvent> log_;
    std::unique_ptr<Consumer> consumer_;
    std::vector<std::string> chunks_;
    std::size_t synced_ = 0;
    std::int64_t steady_ = 1000;
    std::int64_t wall_ = 1'700'000'000'000;
    std::int64_t steady_begin_ = 0;
    std::map<std::uint64_t, std::uint64_t> started_;  ///< events since the process began
    bool healthy_ = false;

    std::map<RunId, RunningRun> runs_;
    std::set<RunId> given_up_;
    std::set<Offset> offered_, done_, dismissed_, gapped_, open_letters_;
    std::deque<Offset> writing_;
    Offset read_to_;
    std::map<Offset, std::vector<Offset>> last_run_;
};

TEST(ConsumerPropertyTest, NothingIsLostDoubledOrOvertaken) {
    constexpr std::uint64_t seeds = 2000;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        World(seed).run();
        ASSERT_FALSE(HasFailure());
    }
}

}  // namespace
}  // namespace bascule::delivery
