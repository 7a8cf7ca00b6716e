#include "bus/delivery/breaker.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace bascule::delivery {

using std::chrono::milliseconds;

void Breaker::restore(const KeptBreaker& kept, Now now) {
    state_ = kept.state;
    trips_ = kept.trips;
    since_ = kept.since;
    text_ = kept.text;
    if (state_ == BreakerState::open) {
        const milliseconds period =
            std::clamp(kept.until - kept.since, milliseconds(0), policy_.open_max);
        until_ = now.steady + std::clamp(kept.until - now.wall, milliseconds(0), period);
        open_for_ = period;
    }
}

KeptBreaker Breaker::keep(Now now) const {
    KeptBreaker kept{.state = state_, .trips = trips_, .since = since_, .text = text_};
    if (state_ == BreakerState::open) {
        kept.until = now.wall + std::chrono::ceil<milliseconds>(until_ - now.steady);
        kept.since = kept.until - open_for_;
    }
    return kept;
}

std::uint32_t Breaker::trials_left() const {
    if (state_ != BreakerState::half_open) {
        return state_ == BreakerState::open ? 0 : std::numeric_limits<std::uint32_t>::max();
    }
    // Never below 0: whoever answers moves from the first to the second or leaves both.
    return policy_.half_open_calls - trials_running_ - trials_answered();
}

bool Breaker::begin() {
    const bool trial = state_ == BreakerState::half_open;
    trials_running_ += trial;
    return trial;
}

bool Breaker::end(const Call& call, Now now) {
    trials_running_ -= call.trial;
    const bool slow = policy_.slow_call > milliseconds(0) && call.took >= policy_.slow_call;
    if (call.trial) {
        if (call.failed || slow) {
            vote(call.voter, call.failed, slow, now.steady);
        } else {
            ++trials_good_;
        }
        if (trials_answered() < policy_.half_open_calls) {
            return false;
        }
        if (auto why = verdict(trials_answered(), "trial calls")) {
            open(*std::move(why), now);
            return true;
        }
        state_ = BreakerState::closed;
        trips_ = 0;
        since_ = now.wall;
        text_.clear();
        clear_votes();
        return true;
    }
    if (state_ != BreakerState::closed) {
        return false;  // it began before
    }
    while (first_ != none && votes_[first_].at + policy_.window <= now.steady) {
        take_out(first_);
    }
    vote(call.voter, call.failed, slow, now.steady);
    if (votes_.used() < policy_.min_calls) {
        return false;
    }
    if (auto why = verdict(votes_.used(), "keys' last calls")) {
        open(*std::move(why), now);
        return true;
    }
    return false;
}

bool Breaker::pass_time(Now now) {
    if (state_ != BreakerState::open || now.steady < until_) {
        return false;
    }
    state_ = BreakerState::half_open;
    since_ = now.wall;
    return true;
}

void Breaker::vote(std::uint64_t voter, bool failed, bool slow, SteadyTime now) {
    if (const std::uint32_t old = index_.find(voter); old != none) {
        take_out(old);
    } else if (votes_.used() == voters_max) {
        take_out(first_);
    }
    const std::uint32_t index = votes_.acquire();
    votes_[index] = {.voter = voter, .at = now, .before = last_, .failed = failed, .slow = slow};
    (last_ == none ? first_ : votes_[last_].after) = index;
    last_ = index;
    index_.insert(voter, index);
    failed_ += failed;
    slow_ += slow;
}

void Breaker::take_out(std::uint32_t index) {
    const Vote& vote = votes_[index];
    (vote.before == none ? first_ : votes_[vote.before].after) = vote.after;
    (vote.after == none ? last_ : votes_[vote.after].before) = vote.before;
    failed_ -= vote.failed;
    slow_ -= vote.slow;
    index_.erase(vote.voter);
    votes_.release(index);
}

void Breaker::clear_votes() {
    while (first_ != none) {
        take_out(first_);
    }
    trials_good_ = 0;
}

std::optional<std::string> Breaker::verdict(std::uint32_t calls, const char* of_what) const {
    const auto share = [&](std::uint32_t bad, std::uint32_t rate) {
        return std::uint64_t{bad} * 100 >= std::uint64_t{rate} * calls;
    };
    const std::string of = " of " + std::to_string(calls) + " " + of_what;
    if (share(failed_, policy_.failure_rate)) {
        return std::to_string(failed_) + of + " failed";
    }
    if (share(slow_, policy_.slow_rate)) {
        return std::to_string(slow_) + of + " took " + std::to_string(policy_.slow_call.count()) +
               "ms or longer";
    }
    return std::nullopt;
}

void Breaker::open(std::string text, Now now) {
    milliseconds time = policy_.open_for;
    for (std::uint32_t trip = 0; trip < trips_ && time < policy_.open_max; ++trip) {
        time *= 2;
    }
    time = std::min(time, policy_.open_max);
    ++trips_;
    state_ = BreakerState::open;
    since_ = now.wall;
    until_ = now.steady + time;
    open_for_ = time;
    text_ = std::move(text);
    clear_votes();
}

std::string_view name(BreakerState state) {
    switch (state) {
        case BreakerState::closed:
            return "closed";
        case BreakerState::open:
            return "open";
        case BreakerState::half_open:
            return "half_open";
    }
    return "unknown";
}

}  // namespace bascule::delivery
