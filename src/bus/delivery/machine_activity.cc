#include <algorithm>
#include <iterator>
#include <utility>

#include "bus/delivery/journal.h"
#include "bus/delivery/machine.h"

namespace bascule::delivery {

std::chrono::nanoseconds Consumer::Machine::active_time() const {
    return active_before_ + (active() ? now_.steady - active_since_ : nanoseconds(0));
}

void Consumer::Machine::become(bool was_active) {
    if (was_active && !active()) {
        active_before_ += now_.steady - active_since_;
    }
    if (!was_active && active()) {
        active_since_ = now_.steady;
    }
}

void Consumer::Machine::pause(const PauseOptions& options, Now now) {
    now_ = now;
    const bool was_active = active();
    pause_ = {options.until, options.reason.substr(0, error_bytes_max), now.wall, options.drain};
    drain_begun_ = false;
    set_pause_end();
    become(was_active);
    journal::append(out_.journal, journal::Paused{*pause_});
    out_.sync_journal = true;
}

/// The way to a pause: nothing new is read, what was read is handled.
void Consumer::Machine::drain() {
    if (!std::exchange(drain_begun_, true)) {
        flush(std::nullopt, now_);
    }
    if (live_ > deferred_ || runs_.used() > 0) {
        return;
    }
    const bool was_active = active();
    pause_->drain = false;
    become(was_active);
    journal::append(out_.journal, journal::Paused{*pause_});
    out_.sync_journal = true;
}

Result<> Consumer::Machine::may_resume(std::optional<Offset> from) const {
    if (!from) {
        return {};
    }
    if (!pause_) {
        return fail(ErrorKind::conflict, "consumer " + name +
                                             " is not paused; pause it before it goes on from "
                                             "elsewhere");
    }
    if (runs_.used() > 0) {
        return fail(ErrorKind::conflict, "consumer " + name + " has " +
                                             std::to_string(runs_.used()) +
                                             " runs under way; they end by themselves, then it "
                                             "can go on from elsewhere");
    }
    if (*from < restored_.start) {
        return fail(ErrorKind::invalid, "consumer " + name + " starts at offset " +
                                            std::to_string(restored_.start.value()) +
                                            "; it cannot go on from before");
    }
    if (!parks_ || *from > settled.low()) {
        return {};
    }
    // What holds its key back would be overtaken by nobody, and overtake what is before it.
    for (auto letter = letters_.lower_bound(*from); letter != letters_.end(); ++letter) {
        if (!is_loose(letter->second.key_hash)) {
            return fail(ErrorKind::conflict,
                        "consumer " + name + " cannot go back over the letter at offset " +
                            std::to_string(letter->first.value()) +
                            ", which parks its key: redrive or discard it first");
        }
    }
    return {};
}

std::unique_ptr<Consumer::Machine> Consumer::Machine::moved(Offset to, Now now) {
    now_ = now;
    if (!passed_over_.empty()) {
        journal::append(out_.journal, journal::PassedOver{std::exchange(passed_over_, {})});
    }
    journal::append(out_.journal, journal::Moved{to});
    ConsumerState state = snapshot();
    state.move_to(to);
    auto next = std::make_unique<Machine>(name, policy, std::move(state), random_, now);
    Commands made = std::exchange(next->out_, std::move(out_));  // while it was restored
    next->out_.journal += made.journal;
    next->out_.sync_journal = true;
    next->out_.hold_starts = true;
    std::ranges::move(made.letters, std::back_inserter(next->out_.letters));
    next->halted = halted;
    next->tally_written_ = tally_written_;
    next->take_over(*this);
    return next;
}

void Consumer::Machine::take_over(const Machine& before) {
    suspended_ = before.suspended_;
    suspended_text_ = before.suspended_text_;
    suspended_since_ = before.suspended_since_;
    suspensions_ = before.suspensions_;
    pace_full_at_ = before.pace_full_at_;
    if (pause_ && before.pause_ && pause_->until == before.pause_->until) {
        pause_ends_ = before.pause_ends_;  // the clock may have been set meanwhile
    }
    if (!rate_ || !before.rate_ || rate_by_key_ != before.rate_by_key_ ||
        policy.ordering != before.policy.ordering) {
        return;
    }
    // What was taken was taken; a bucket that is smaller now is not emptier than empty.
    const bool same = policy.rate == before.policy.rate;
    const auto fitted = [&](SteadyTime full_at) {
        return same ? full_at : std::min(full_at, rate_->empty(now_.steady));
    };
    full_at_ = fitted(before.full_at_);
    for (std::uint32_t index = 0; rate_by_key_ && index < before.keys_.end(); ++index) {
        const Key& key = before.keys_[index];
        if (key.loose == 0 && key.full_at > now_.steady && before.index_.find(key.hash) == index) {
            const std::uint32_t taken = key_for(key.hash, 1);
            keys_[taken].full_at = fitted(key.full_at);
            refresh(taken);
        }
    }
}

void Consumer::Machine::set_pause_end() {
    pause_ends_.reset();
    if (pause_ && pause_->until) {
        // Until the year 9999 is for ever, and more nanoseconds than fit.
        constexpr std::chrono::hours longest{24 * 365 * 50};
        const auto left =
            std::clamp<milliseconds>(*pause_->until - now_.wall, milliseconds(0), longest);
        pause_ends_ = now_.steady + left;
    }
}

void Consumer::Machine::resume(Now now) {
    now_ = now;
    if (!pause_) {
        return;
    }
    const bool was_active = active();
    pause_.reset();
    pause_ends_.reset();
    become(was_active);
    journal::append(out_.journal, journal::Resumed{});
    out_.sync_journal = true;
}

/// Whose vote a run of the unit is: its key's, or, if it has none or several, that of the batch,
/// which its parts inherit: a failed batch is one failure.
std::uint64_t Consumer::Machine::voter_of(const Unit& unit) const {
    const std::uint64_t key_hash = nodes_[unit.items.head].key_hash;
    const bool of_a_key =
        unit.items.count == 1 ||
        (unit.key != none && keys_[unit.key].loose == 0 && policy.ordering == Ordering::key);
    if (of_a_key && key_hash != no_key) {
        return key_hash;
    }
    constexpr std::uint64_t spread = 0x9e37'79b9'7f4a'7c15;
    return unit.voter != 0 ? unit.voter : unit.run.value() * spread;
}

/// Tells the breaker what a run came to, before its unit changes.
void Consumer::Machine::judge(const Run& run, const Outcome& outcome) {
    if (!breaker_) {
        return;
    }
    const Unit& unit = units_[run.unit];
    const bool transient = outcome.kind == Outcome::Kind::transient;
    const bool all_failed = !outcome.failures.empty() &&
                            outcome.failures.size() == unit.items.count &&
                            std::ranges::all_of(outcome.failures, [](const ItemFailure& failure) {
                                return failure.kind == ItemFailure::Kind::transient;
                            });
    if (outcome.kind == Outcome::Kind::suspended || outcome.hopeless ||
        (transient && !outcome.counted)) {
        breaker_->drop(run.trial);
        return;
    }
    const bool was_active = active();
    if (breaker_->end({.voter = voter_of(unit),
                       .trial = run.trial,
                       .failed = transient || all_failed,
                       .took = now_.steady - (run.deadline - policy.timeout)},
                      now_)) {
        breaker_changed(was_active);
    }
}

void Consumer::Machine::breaker_changed(bool was_active) {
    become(was_active);
    journal::append(out_.journal, journal::BreakerChanged{breaker_->keep(now_)});
}

/// Resource trouble of our own: everything waits 1 s, then 2 s, … up to a minute, nobody is
/// charged.
void Consumer::Machine::suspend(const std::string& text) {
    if (suspended_) {
        return;
    }
    const bool was_active = active();
    const RetryPolicy waits{
        .initial = 1s, .factor = 2, .max_interval = 1min, .max_attempts = 0, .max_age = 0ms};
    const auto wait = next_wait(waits, {.attempts = ++suspensions_}, random_.chance());
    suspended_ = now_.steady + wait.value_or(1min);
    suspended_since_ = now_.steady;
    suspended_text_ = text.substr(0, error_bytes_max);
    become(was_active);
}

}  // namespace bascule::delivery
