#include "bus/delivery/consumer.h"

#include <utility>

#include "bus/delivery/machine.h"

namespace bascule::delivery {

Consumer::Consumer(std::unique_ptr<Machine> machine) : machine_(std::move(machine)) {}
Consumer::Consumer(Consumer&&) noexcept = default;
Consumer& Consumer::operator=(Consumer&&) noexcept = default;
Consumer::~Consumer() = default;

Result<Consumer> Consumer::create(std::string name, Policy policy, ConsumerState state,
                                  Random random, Now now) {
    if (auto valid = policy.validate(); !valid) {
        return std::unexpected(std::move(valid).error().in("consumer " + name));
    }
    return Consumer(std::make_unique<Machine>(std::move(name), std::move(policy), std::move(state),
                                              random, now));
}

const std::string& Consumer::name() const { return machine_->name; }
const Policy& Consumer::policy() const { return machine_->policy; }

Offset Consumer::position() const { return machine_->settled.low(); }
Offset Consumer::cursor() const { return machine_->cursor; }
Offset Consumer::next_wanted() const { return machine_->settled.next_missing(machine_->cursor); }
bool Consumer::wants_more() const { return machine_->wants_more(); }
void Consumer::offer(const Item& item, Now now) { machine_->offer(item, now); }
void Consumer::advance_cursor(Offset next, Now now) { machine_->advance_cursor(next, now); }

void Consumer::answer(RunId run, const Outcome& outcome, Now now) {
    machine_->answer(run, outcome, now);
}
void Consumer::letter_durable(Offset offset, Now now) { machine_->letter_durable(offset, now); }
void Consumer::take_commands(Now now, Commands& commands) {
    machine_->take_commands(now, commands);
}
std::optional<SteadyTime> Consumer::next_deadline() const { return machine_->next_deadline(); }

void Consumer::pause(const PauseOptions& options, Now now) { machine_->pause(options, now); }

Result<> Consumer::resume(std::optional<Offset> from, Now now) {
    TRY(machine_->may_resume(from));
    if (from) {
        machine_ = machine_->moved(*from, now);
    }
    machine_->resume(now);
    return {};
}

Result<> Consumer::may_resume(std::optional<Offset> from) const {
    return machine_->may_resume(from);
}

const std::vector<ConsumerState::Gap>& Consumer::gaps() const { return machine_->gaps(); }

void Consumer::halt(bool halted) { machine_->halted = halted; }

std::uint64_t Consumer::flush(std::optional<std::uint64_t> key_hash, Now now) {
    return machine_->flush(key_hash, now);
}
std::vector<LetterRef> Consumer::letters(const LetterFilter& filter) const {
    return machine_->letters(filter);
}
void Consumer::take_over(const Consumer& before) { machine_->take_over(*before.machine_); }

Result<LetterSelection> Consumer::redrive(const LetterFilter& filter, const RedrivePace& pace,
                                          Now now) {
    return machine_->redrive(filter, pace, now);
}

Result<LetterSelection> Consumer::stop_redrive(const LetterFilter& filter, Now now) {
    return machine_->stop_redrive(filter, now);
}

Result<> Consumer::may_stop_redrive(const LetterFilter& filter) const {
    return machine_->may_stop_redrive(filter);
}

Result<> Consumer::may_redrive(const LetterFilter& filter, const RedrivePace& pace) const {
    return machine_->may_redrive(filter, pace);
}

const LetterRef* Consumer::letter(Offset offset) const { return machine_->letter(offset); }

Result<> Consumer::may_close_letters(const LetterFilter& filter, LetterClosing how,
                                     const std::string& reason) const {
    return machine_->may_close_letters(filter, how, reason);
}

Result<LetterSelection> Consumer::close_letters(const LetterFilter& filter, LetterClosing how,
                                                const std::string& reason, Now now) {
    return machine_->close_letters(filter, how, reason, now);
}

Counts Consumer::counts() const { return machine_->counts(); }

ConsumerStatus Consumer::status(Now now) const {
    machine_->move_time(now);
    return machine_->status();
}

Explanation Consumer::explain(Offset offset, std::uint64_t key_hash, Now now) const {
    machine_->move_time(now);
    return machine_->explain(offset, key_hash);
}

ConsumerState Consumer::snapshot(Now now) const {
    machine_->move_time(now);
    return machine_->snapshot();
}

std::uint64_t Counts::accounted() const {
    const Settlements& s = settled;
    return s.done + s.coalesced + s.superseded + s.discarded + s.skipped + s.gap + s.expired +
           letters + deferred + queued + waiting + running;
}

std::string_view name(EventState state) {
    switch (state) {
        case EventState::before_start:
            return "before_start";
        case EventState::unread:
            return "unread";
        case EventState::queued:
            return "queued";
        case EventState::paused:
            return "paused";
        case EventState::suspended:
            return "suspended";
        case EventState::breaker_open:
            return "breaker_open";
        case EventState::rate_limited:
            return "rate_limited";
        case EventState::behind_key:
            return "behind_key";
        case EventState::batch_filling:
            return "batch_filling";
        case EventState::window_open:
            return "window_open";
        case EventState::retry_wait:
            return "retry_wait";
        case EventState::running:
            return "running";
        case EventState::letter_pending:
            return "letter_pending";
        case EventState::letter_open:
            return "letter_open";
        case EventState::redriving:
            return "redriving";
        case EventState::deferred:
            return "deferred";
        case EventState::done:
            return "done";
        case EventState::coalesced:
            return "coalesced";
        case EventState::discarded:
            return "discarded";
        case EventState::gap:
            return "gap";
    }
    return "unknown";
}

std::string_view name(ConsumerMode mode) {
    switch (mode) {
        case ConsumerMode::running:
            return "running";
        case ConsumerMode::draining:
            return "draining";
        case ConsumerMode::paused:
            return "paused";
        case ConsumerMode::suspended:
            return "suspended";
        case ConsumerMode::breaker_open:
            return "breaker_open";
    }
    return "unknown";
}

}  // namespace bascule::delivery
