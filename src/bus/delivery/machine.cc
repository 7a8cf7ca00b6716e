#include "bus/delivery/machine.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "bus/delivery/journal.h"
#include "foundation/base/check.h"

namespace bascule::delivery {

Consumer::Machine::Machine(std::string name, Policy policy, ConsumerState state, Random random,
                           Now now)
    : name(std::move(name)),
      policy(std::move(policy)),
      cursor(state.settled.low()),
      settled(std::move(state.settled)),
      random_(random),
      now_(now),
      batch_(this->policy.batch.value_or(Batch())),
      debounce_(this->policy.debounce.value_or(Debounce())),
      bisects_(this->policy.batch && !this->policy.debounce &&
               batch_.on_error == BatchOnError::bisect),
      pooling_(bisects_ && this->policy.ordering == Ordering::key),
      parks_(this->policy.exhausted() == OnExhausted::park_key),
      forever_(this->policy.exhausted() == OnExhausted::retry_forever),
      lane_count_(this->policy.lane_count()),
      age_boost_(this->policy.lanes && lane_count_ > 1 ? this->policy.lanes->age_boost
                                                       : milliseconds(0)),
      rate_(this->policy.rate ? std::optional<TokenRate>(*this->policy.rate) : std::nullopt),
      rate_by_key_(this->policy.rate && this->policy.rate->key == RateKey::key),
      turns_(this->policy.lanes ? this->policy.lanes->weights : std::vector<std::uint32_t>()),
      run_next_(state.run_next),
      letters_(std::move(state.letters)),
      coalesced_(std::move(state.coalesced)),
      decided_(std::move(state.decided)),
      restored_(std::move(state)),
      active_since_(now.steady),
      settlements_(restored_.settlements),
      tally_(restored_.tally),
      tally_written_(tally_),
      low_written_(cursor) {
    loose_.fill(none);
    const Settlements& s = settlements_;
    matched_ = s.done + s.coalesced + s.superseded + s.discarded + s.skipped + s.gap + s.expired -
               s.reopened + letters_.size();
    if (this->policy.breaker) {
        breaker_.emplace(*this->policy.breaker);
        breaker_->restore(restored_.breaker, now);
    }
    restore_pause();
    restore_letters();
    restore_keys();
    look_for_the_end_of_catching_up();
}

// ── Reading ──────────────────────────────────────────────────────────────────────────────────────

void Consumer::Machine::offer(const Item& item, Now now) {
    now_ = now;
    CHECK(item.offset >= cursor);
    const Offset read_to = std::exchange(cursor, next(item.offset));
    if (settled.contains(item.offset)) {
        settled.insert(read_to, item.offset);
    } else if (restored_.in_gap(item.offset)) {
        pass_over(item.offset);
        settled.insert(read_to, cursor);
    } else {
        const std::uint32_t index = new_node(item, now.steady);
        Node& node = nodes_[index];
        const std::uint64_t gap = item.offset.value() - read_to.value();
        if (gap <= std::numeric_limits<std::uint32_t>::max()) {
            node.gap = static_cast<std::uint32_t>(gap);
        } else {
            settled.insert(read_to, item.offset);
        }
        node.reopened = restored_.was_settled(item.offset);
        matched_ += !node.reopened;
        reopened_live_ += node.reopened;
        ++live_;

        const std::uint32_t found = find_key(node.key_hash, node.lane);
        const bool fresh =
            found == none || (rate_by_key_ && full_timers_.time_of(found).has_value());
        const std::uint32_t key = found != none ? found : key_for(node.key_hash, node.lane);
        if (!catching_up_ || !adopt(index, key)) {
            if (item.lost) {
                if (const std::uint32_t window = keys_[key].window; window != none) {
                    fire(window);  // it runs alone, and overtakes nobody
                }
                node.lost = true;
                node.ends_window = collects(keys_[key]);
                enqueue(keys_[key], index);
            } else if (collects(keys_[key]) && !keys_[key].parked()) {
                join_window(key, index, fresh);
            } else {
                enqueue(keys_[key], index);
            }
        }
        refresh(key);
    }
    look_for_the_end_of_catching_up();
}

/// What a person left out is settled as soon as it is known to have matched.
void Consumer::Machine::pass_over(Offset offset) {
    const bool reopened = restored_.was_settled(offset);
    matched_ += !reopened;
    ++settlements_.gap;
    settlements_.reopened += reopened;
    passed_over_.push_back(offset);
}

void Consumer::Machine::advance_cursor(Offset next, Now now) {
    now_ = now;
    if (next <= cursor) {
        return;
    }
    settled.insert(std::exchange(cursor, next), next);
    look_for_the_end_of_catching_up();
}

// ── Units and runs ───────────────────────────────────────────────────────────────────────────────

std::uint64_t* Consumer::Machine::bucket(UnitState state) {
    switch (state) {
        case UnitState::running:
            return &running_;
        case UnitState::assembling:
        case UnitState::retry_wait:
        case UnitState::letter_pending:
            return &waiting_;
        case UnitState::ready:
        case UnitState::spent:
            break;
    }
    return nullptr;  // counted as queued, which is what remains
}

void Consumer::Machine::set_state(Unit& unit, UnitState state) {
    const std::uint64_t count = unit.letter ? 0 : unit.items.count;
    if (std::uint64_t* before = bucket(unit.state)) {
        *before -= count;
    }
    unit.state = state;
    if (std::uint64_t* after = bucket(state)) {
        *after += count;
    }
}

std::uint32_t Consumer::Machine::new_unit(std::uint32_t key) {
    const std::uint32_t index = units_.acquire();
    units_[index].key = key;
    units_[index].state = UnitState::ready;
    if (keys_[key].loose == 0) {
        keys_[key].unit = index;
    }
    return index;
}

/// Takes from the key's queue what the next run is to do.
std::uint32_t Consumer::Machine::form_unit(std::uint32_t key_index) {
    Key& key = keys_[key_index];
    const std::uint32_t index = new_unit(key_index);
    Unit& unit = units_[index];
    if (may_redrive(key)) {
        push_back(unit.items, pop_front(key.redrives));
        unit.letter = true;
        return index;
    }
    // What cannot be read fails alone: it must not take others with it into a letter.
    const auto joins = [&] {
        return key.queue.count > 0 && !nodes_[key.queue.head].lost && !nodes_[unit.items.tail].lost;
    };
    key.hurried = false;
    const auto take = [&] {
        const std::uint32_t node = pop_front(key.queue);
        key.queue_bytes -= nodes_[node].bytes;
        push_back(unit.items, node);
        return nodes_[node];
    };
    if (collects(key)) {
        unit.shape = RunShape::window;
        while (!take().ends_window && joins() && unit.items.count < debounce_.max_events) {
        }
    } else if (policy.batch) {
        unit.shape = RunShape::batch;
        std::uint32_t most = batch_.max_size;
        if (const auto pieces = pieces_.find(key_index); pieces != pieces_.end()) {
            most = pieces->second.back();
            pieces->second.pop_back();
            if (pieces->second.empty()) {
                pieces_.erase(pieces);
            }
        }
        std::uint64_t bytes = take().bytes;
        while (joins() && unit.items.count < most &&
               bytes + nodes_[key.queue.head].bytes <= batch_.max_bytes) {
            bytes += take().bytes;
        }
    } else {
        take();
    }
    return index;
}

void Consumer::Machine::release_unit(std::uint32_t index) {
    Unit& unit = units_[index];
    if (unit.key != none && keys_[unit.key].unit == index) {
        keys_[unit.key].unit = none;
    }
    unit_timers_.drop(index);
    const std::uint32_t ticket = unit.ticket + 1;
    unit = Unit{};
    unit.ticket = ticket;
    units_.release(index);
}

void Consumer::Machine::make_ready(std::uint32_t index) {
    Unit& unit = units_[index];
    set_state(unit, UnitState::ready);
    if (unit.key != none && keys_[unit.key].loose == 0) {
        return;  // its key waits for it
    }
    if (const SteadyTime at = tokens_at(unit); at > now_.steady) {
        unit.ready_lane = 0;
        unit_timers_.set(index, at);
        return;
    }
    std::uint8_t lane = lane_count_;
    each(unit.items,
         [&](const Node& node) { lane = std::min(lane, best_lane(keys_[key_of(unit, node)])); });
    unit.ready_lane = lane;
    ready_[lane - 1].push_back({index, ++unit.ticket, Ready::Kind::unit, now_.steady});
}

void Consumer::Machine::refresh_unit(std::uint32_t index) {
    if (units_[index].key != none) {
        refresh(units_[index].key);
    }
}

/// When each key of a unit that waits for itself has a token.
SteadyTime Consumer::Machine::tokens_at(const Unit& unit) {
    SteadyTime at = SteadyTime::min();
    if (rate_by_key_) {
        each(unit.items, [&](const Node& node) {
            const Key& key = keys_[key_of(unit, node)];
            if (key.loose == 0) {
                at = std::max(at, rate_->next_token(key.full_at));
            }
        });
    }
    return at;
}

void Consumer::Machine::take_tokens(const Unit& unit) {
    if (!rate_by_key_) {
        full_at_ = rate_->take(full_at_, now_.steady, unit.items.count);
        return;
    }
    each(unit.items, [&](const Node& node) {
        Key& key = keys_[key_of(unit, node)];
        if (key.loose == 0) {
            key.full_at = rate_->take(key.full_at, now_.steady, 1);
        }
    });
}

void Consumer::Machine::start(std::uint32_t index, std::uint8_t lane) {
    Unit& unit = units_[index];
    const std::uint32_t slot = runs_.acquire();
    Run& run = runs_[slot];
    unit.run = run.id = RunId(run_next_++ << 16 | slot);
    run.unit = index;
    run.deadline = now_.steady + policy.timeout;
    run.timed = true;
    run.before = runs_last_;
    run.after = none;
    (runs_last_ == none ? runs_first_ : runs_[runs_last_].after) = slot;
    runs_last_ = slot;
    run.trial = breaker_ && breaker_->begin();

    if (rate_) {
        take_tokens(unit);
    }
    set_state(unit, UnitState::running);
    unit.ready_lane = 0;
    if (!unit.attempted) {
        unit.attempted = true;
        unit.first_active = active_time();
    }
    ++tally_.attempts;
    const auto first = static_cast<std::uint32_t>(out_.offsets.size());
    each(unit.items, [&](const Node& node) { out_.offsets.push_back(node.offset); });
    const bool of_a_key = unit.key != none && keys_[unit.key].loose == 0;
    const StartRun command{
        .run = run.id,
        .key_hash = nodes_[unit.items.head].key_hash,
        .attempt = unit.trouble ? unit.trouble->attempts + 1 : 1,
        .shape = unit.shape,
        .lane = lane,
        .letter = unit.letter,
        .last_only = unit.shape == RunShape::window && debounce_.mode == DebounceMode::last,
        .members_first = first,
        .members_count = unit.items.count};
    out_.starts.push_back(command);
    journal::append(
        out_.journal,
        journal::Started{run.id, of_a_key ? keys_[unit.key].hash : command.key_hash, unit.shape,
                         unit.letter, command.attempt, out_.members(command)});
}

/// Takes the run off the books; its unit is ready, for whoever decides what becomes of it.
void Consumer::Machine::end_run(std::uint32_t slot) {
    Run& run = runs_[slot];
    untime(slot);
    set_state(units_[run.unit], UnitState::ready);
    run.id = RunId(0);
    runs_.release(slot);
}

void Consumer::Machine::untime(std::uint32_t slot) {
    Run& run = runs_[slot];
    if (!std::exchange(run.timed, false)) {
        return;
    }
    (run.before == none ? runs_first_ : runs_[run.before].after) = run.after;
    (run.after == none ? runs_last_ : runs_[run.after].before) = run.before;
}

// ── Time ─────────────────────────────────────────────────────────────────────────────────────────

void Consumer::Machine::take_commands(Now now, Commands& commands) {
    now_ = now;
    commands.clear();
    pass_time();
    for (const std::uint32_t window : dirty_windows_) {
        if (windows_[window].dirty) {
            write_window(keys_[windows_[window].key], false);
        }
    }
    dirty_windows_.clear();
    dispatch();
    if (!passed_over_.empty()) {
        journal::append(out_.journal, journal::PassedOver{passed_over_});
        passed_over_.clear();
    }
    if (settled.low() > low_written_) {
        low_written_ = settled.low();
        journal::append(out_.journal, journal::Low{low_written_});
    }
    if (tally_ != tally_written_ && !out_.journal.empty()) {
        tally_written_ = tally_;
        journal::append(out_.journal, journal::Tallied{tally_});
    }
    std::swap(out_, commands);
}

void Consumer::Machine::pass_time() {
    if (pause_ends_ && *pause_ends_ <= now_.steady) {
        resume(now_);
    }
    if (suspended_ && *suspended_ <= now_.steady) {
        const bool was_active = active();
        suspended_.reset();
        become(was_active);
    }
    if (breaker_) {
        const bool was_active = active();
        if (breaker_->pass_time(now_)) {
            breaker_changed(was_active);
        }
    }
    while (runs_first_ != none && runs_[runs_first_].deadline <= now_.steady) {
        time_out(runs_first_);
    }
    for (std::uint32_t unit; (unit = unit_timers_.take_due(now_.steady)) != none;) {
        make_ready(unit);
        refresh_unit(unit);
    }
    // A window whose members are still being read again would fire without the rest of them.
    for (std::uint32_t window;
         !catching_up_ && (window = window_timers_.take_due(now_.steady)) != none;) {
        const std::uint32_t key = windows_[window].key;
        fire(window);
        refresh(key);
    }
    for (std::uint32_t key; (key = key_timers_.take_due(now_.steady)) != none;) {
        keys_[key].cooling = false;
        refresh(key);
    }
    for (std::uint32_t key; (key = token_timers_.take_due(now_.steady)) != none;) {
        refresh(key);
    }
    for (std::uint32_t key; (key = full_timers_.take_due(now_.steady)) != none;) {
        refresh(key);
    }
    if (draining() && !catching_up_) {
        drain();
    }
    keep_pace();
}

void Consumer::Machine::time_out(std::uint32_t slot) {
    const Run run = runs_[slot];
    if (policy.on_timeout == OnTimeout::wait) {
        untime(slot);
        out_.cancels.push_back({run.id, true});
        return;
    }
    out_.cancels.push_back({run.id, false});
    const Outcome outcome =
        Outcome::transient("no answer within " + std::to_string(policy.timeout.count()) + "ms");
    judge(run, outcome);
    end_run(slot);
    ++tally_.failures;
    fail_unit(run.unit, outcome);
}

std::uint32_t Consumer::Machine::limit() const {
    if (!active() || halted) {
        return 0;
    }
    // After resource trouble one run goes ahead.
    const std::uint32_t most = suspensions_ > 0 ? 1 : policy.concurrency;
    if (!breaker_ || breaker_->state() == BreakerState::closed) {
        return most;
    }
    return std::min(most, runs_.used() + breaker_->trials_left());
}

void Consumer::Machine::dispatch() {
    const std::uint32_t most = limit();
    if (runs_.used() < most && age_boost_ > milliseconds(0)) {
        age();
    }
    starved_ = false;
    while (runs_.used() < most) {
        if (rate_ && !rate_by_key_ && !rate_->has_token(full_at_, now_.steady)) {
            for (std::uint8_t lane = 1; lane <= lane_count_ && !starved_; ++lane) {
                starved_ = has_ready(lane);
            }
            break;
        }
        const std::uint8_t lane = turns_.take(
            lane_count_, [this](std::uint8_t candidate) { return has_ready(candidate); });
        if (lane == 0) {
            break;
        }
        const Ready entry = ready_[lane - 1].front();
        ready_[lane - 1].pop_front();
        if (entry.kind == Ready::Kind::unit) {
            start(entry.index, lane);
            continue;
        }
        if (entry.kind == Ready::Kind::pool) {
            start_batch(pools_[entry.index], lane);
            continue;
        }
        Key& key = keys_[entry.index];
        key.ready_lane = 0;
        start(key.unit != none ? key.unit : form_unit(entry.index), lane);
        refresh(entry.index);
    }
}

std::optional<SteadyTime> Consumer::Machine::next_deadline() const {
    std::optional<SteadyTime> next;
    const auto consider = [&](std::optional<SteadyTime> time) {
        if (time && (!next || *time < *next)) {
            next = time;
        }
    };
    consider(pause_ends_);
    consider(suspended_);
    consider(breaker_ ? breaker_->until() : std::nullopt);
    consider(unit_timers_.earliest());
    consider(catching_up_ ? std::nullopt : window_timers_.earliest());
    consider(key_timers_.earliest());
    consider(token_timers_.earliest());
    consider(full_timers_.earliest());
    consider(pace_due());
    consider(starved_ ? std::optional(rate_->next_token(full_at_)) : std::nullopt);
    consider(runs_first_ == none ? std::nullopt : std::optional(runs_[runs_first_].deadline));
    return next;
}

}  // namespace bascule::delivery
