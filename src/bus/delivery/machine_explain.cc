#include <algorithm>

#include "bus/delivery/machine.h"

namespace bascule::delivery {

namespace {

std::string at_offset(Offset offset) { return "offset " + std::to_string(offset.value()); }

}  // namespace

WallTime Consumer::Machine::wall_of(SteadyTime time) const {
    return now_.wall + std::chrono::duration_cast<milliseconds>(time - now_.steady);
}

Counts Consumer::Machine::counts() const {
    Counts counts{.matched = matched_,
                  .settled = settlements_,
                  .letters = letters_.size(),
                  .deferred = deferred_,
                  .queued = live_ - deferred_ - waiting_ - running_ - in_windows_,
                  .waiting = waiting_ + in_windows_,
                  .running = running_,
                  .windows = windows_.used(),
                  .runs = runs_.used(),
                  .keys = index_.size(),
                  .attempts = tally_.attempts,
                  .failures = tally_.failures,
                  .late_answers = tally_.late_answers,
                  .in_lane = in_lane_};
    counts.settled.reopened += reopened_live_;
    return counts;
}

ConsumerStatus Consumer::Machine::status() const {
    if (pause_ && !pause_->drain) {
        return {ConsumerMode::paused, pause_->reason, pause_->since, pause_->until,
                breaker_ ? breaker_->state() : BreakerState::closed};
    }
    if (suspended_) {
        return {ConsumerMode::suspended, suspended_text_, wall_of(suspended_since_),
                wall_of(*suspended_), breaker_ ? breaker_->state() : BreakerState::closed};
    }
    if (breaker_ && breaker_->state() == BreakerState::open) {
        return {ConsumerMode::breaker_open, breaker_->text(), breaker_->since(),
                wall_of(*breaker_->until()), BreakerState::open};
    }
    if (pause_) {
        return {ConsumerMode::draining, pause_->reason, pause_->since, pause_->until,
                breaker_ ? breaker_->state() : BreakerState::closed};
    }
    if (breaker_ && breaker_->state() == BreakerState::half_open) {
        return {.text = "the breaker is half open: " + std::to_string(breaker_->trials_answered()) +
                        " of " + std::to_string(policy.breaker->half_open_calls) +
                        " trial calls were answered",
                .since = breaker_->since(),
                .breaker = BreakerState::half_open};
    }
    return {};
}

/// Why nothing starts, or nothing.
std::optional<Explanation> Consumer::Machine::standstill() const {
    if (pause_ && !pause_->drain) {
        return Explanation{.state = EventState::paused,
                           .text = "the consumer is paused" +
                                   (pause_->reason.empty() ? "" : ": " + pause_->reason),
                           .since = pause_->since,
                           .next = pause_->until};
    }
    if (suspended_) {
        return Explanation{.state = EventState::suspended,
                           .text = "the consumer is suspended: " + suspended_text_,
                           .since = wall_of(suspended_since_),
                           .next = wall_of(*suspended_)};
    }
    if (breaker_ && breaker_->state() == BreakerState::open) {
        return Explanation{.state = EventState::breaker_open,
                           .text = "the breaker is open: " + breaker_->text(),
                           .since = breaker_->since(),
                           .next = wall_of(*breaker_->until())};
    }
    if (breaker_ && breaker_->trials_left() == 0) {
        return Explanation{.state = EventState::breaker_open,
                           .text = "the breaker is half open and waits for its trial calls",
                           .since = breaker_->since()};
    }
    return std::nullopt;
}

/// Why what is ready does not start.
Explanation Consumer::Machine::explain_ready(const Key& key) const {
    if (auto why = standstill()) {
        return *std::move(why);
    }
    const bool by_key = rate_by_key_ && key.loose == 0;
    if (rate_ && (by_key || !rate_by_key_)) {
        const SteadyTime bucket = by_key ? key.full_at : full_at_;
        if (!rate_->has_token(bucket, now_.steady)) {
            return {.state = EventState::rate_limited,
                    .text = std::string("the rate limit of ") +
                            (by_key ? "its key" : "the consumer") +
                            " is reached: " + std::to_string(policy.rate->limit) + " events per " +
                            std::to_string(policy.rate->per.count()) + "ms",
                    .next = wall_of(rate_->next_token(bucket))};
        }
    }
    const std::uint8_t lane = key.ready_lane != 0 ? key.ready_lane : best_lane(key);
    return {.state = EventState::queued,
            .text = "it waits for a free run in lane " + std::to_string(lane)};
}

/// Why a letter that is to be redriven has not begun.
Explanation Consumer::Machine::explain_paced(const LetterRef& letter) const {
    Explanation why{.state = EventState::redriving, .since = letter.opened};
    why.text = "its letter waits for its turn";
    if (pace_.canary && *pace_.canary != letter.offset) {
        why.text += ": first the one at " + at_offset(*pace_.canary) + " must be done";
    } else if (pace_.per_second != 0) {
        const auto before = static_cast<std::uint64_t>(
            std::distance(paced_.begin(), paced_.lower_bound(letter.offset)));
        why.text += ": " + std::to_string(before) + " are before it, " +
                    std::to_string(pace_.per_second) + " a second begin";
    }
    if (const auto still = standstill()) {
        why.text += "; " + still->text;
    }
    return why;
}

Explanation Consumer::Machine::explain(Offset offset, std::uint64_t key_hash) const {
    if (offset < restored_.start) {
        return {EventState::before_start, "the consumer starts at " + at_offset(restored_.start)};
    }
    if (const auto letter = letters_.find(offset); letter != letters_.end()) {
        const auto since = letter->second.opened;
        if (letter->second.redriving) {
            if (letter->second.paced) {
                return explain_paced(letter->second);
            }
            return {EventState::redriving, "its letter is being redriven", since};
        }
        return {EventState::letter_open,
                "it is a letter (" + std::string(delivery::name(letter->second.reason)) + ")",
                since};
    }
    if (std::binary_search(decided_.begin(), decided_.end(), offset)) {
        return {EventState::discarded, "a person closed its letter"};
    }
    if (restored_.in_gap(offset)) {
        return {EventState::gap, "it was left out: a person made the consumer go on behind it"};
    }
    if (settled.contains(offset)) {
        if (policy.debounce && offset >= coalesced_.low() && coalesced_.contains(next(offset))) {
            return {EventState::coalesced,
                    "it was handled in the run of a later event of its window"};
        }
        return {EventState::done, "it was handled"};
    }
    if (offset >= cursor) {
        return {EventState::unread, "the consumer has read up to " + at_offset(cursor)};
    }
    if (is_loose(key_hash)) {
        for (std::uint32_t index = 0; index < units_.end(); ++index) {
            const Node* found = nullptr;
            each(units_[index].items,
                 [&](const Node& node) { found = node.offset == offset ? &node : found; });
            if (found != nullptr) {
                return explain_unit(index, keys_[key_of(units_[index], *found)]);
            }
        }
        for (const std::uint32_t index : loose_) {
            if (index != none && has(keys_[index].queue, offset)) {
                return explain_queued(keys_[index], offset);
            }
        }
        return {EventState::done, "it did not match"};
    }
    const std::uint32_t index = index_.find(identity(key_hash));
    if (index == none) {
        return {EventState::done, "it did not match"};
    }
    const Key& key = keys_[index];
    if (key.unit != none && has(units_[key.unit].items, offset)) {
        return explain_unit(key.unit, key);
    }
    if (has(key.window_items, offset)) {
        return {EventState::window_open,
                "its window is open: " + std::to_string(key.window_items.count) + " events so far",
                windows_[key.window].first_at, wall_of(windows_[key.window].fire_at)};
    }
    if (has(key.queue, offset)) {
        return explain_queued(key, offset);
    }
    return {EventState::done, "it did not match"};
}

Explanation Consumer::Machine::explain_unit(std::uint32_t index, const Key& key) const {
    const Unit& unit = units_[index];
    const std::string attempts = std::to_string(unit.trouble ? unit.trouble->attempts : 0);
    switch (unit.state) {
        case UnitState::running:
            return {EventState::running, "run " + std::to_string(unit.run.value()) +
                                             " is under way, " + attempts + " failed before"};
        case UnitState::letter_pending:
            return {EventState::letter_pending,
                    "its retries are exhausted and its letter is being written", unit.trouble->at};
        case UnitState::retry_wait: {
            const auto due = unit_timers_.time_of(index);
            const auto& history = unit.trouble->history;
            return {EventState::retry_wait,
                    attempts == "0"   ? "its handler put it off, which is charged as no attempt"
                    : attempts == "1" ? "1 attempt failed"
                                      : attempts + " attempts failed",
                    unit.trouble->at, due ? std::optional(wall_of(*due)) : std::nullopt,
                    history.empty() ? "" : history.back().error};
        }
        case UnitState::assembling:
            return {EventState::retry_wait,
                    "the rest of its run is being read again after a restart"};
        case UnitState::ready:
        case UnitState::spent:
            break;
    }
    return explain_ready(key);
}

Explanation Consumer::Machine::explain_queued(const Key& key, Offset offset) const {
    const Node& head = nodes_[key.queue.head];
    WallTime since{};
    each(key.queue,
         [&](const Node& node) { since = node.offset == offset ? wall_of(node.arrived) : since; });
    if (key.parked()) {
        const auto first = std::ranges::find_if(letters_, [&](const auto& entry) {
            return !is_loose(entry.second.key_hash) && identity(entry.second.key_hash) == key.hash;
        });
        const std::string which =
            first == letters_.end() ? "a letter" : "the letter at " + at_offset(first->first);
        return {EventState::deferred, "its key is parked behind " + which, since};
    }
    if (key.unit != none) {
        const Unit& unit = units_[key.unit];
        Offset first = nodes_[unit.items.tail].offset;
        each(unit.items, [&](const Node& node) {
            if (identity(node.key_hash) == key.hash) {
                first = std::min(first, node.offset);
            }
        });
        return {EventState::behind_key, "behind " + at_offset(first) + " of its key", since};
    }
    if (key.loose == 0 && key.redrives.count > 0) {
        return {EventState::behind_key, "behind a redriven letter of its key", since};
    }
    const bool pooled = key.pool_lane != 0;
    if (pooled ? !pools_[key.pool_lane - 1].ready : !pooling_ && !batch_ready(key)) {
        const std::uint64_t events = pooled ? pools_[key.pool_lane - 1].events : key.queue.count;
        return {EventState::batch_filling,
                std::to_string(events) + " of " + std::to_string(batch_.max_size) + " events",
                since, wall_of(head.arrived + batch_.max_wait)};
    }
    if (key.loose == 0 && head.offset != offset && !policy.batch && !policy.debounce) {
        return {EventState::behind_key, "behind " + at_offset(head.offset) + " of its key", since};
    }
    Explanation why = explain_ready(key);
    why.since = since;
    return why;
}

}  // namespace bascule::delivery
