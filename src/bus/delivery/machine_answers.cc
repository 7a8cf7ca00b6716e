#include <algorithm>
#include <unordered_map>
#include <utility>

#include "bus/delivery/journal.h"
#include "bus/delivery/machine.h"

namespace bascule::delivery {

namespace {

/// Whether the handler's answer costs somebody an attempt.
bool is_failure(const Outcome& outcome) {
    return outcome.kind == Outcome::Kind::permanent || !outcome.failures.empty() ||
           (outcome.kind == Outcome::Kind::transient && outcome.counted);
}

}  // namespace

void Consumer::Machine::answer(RunId run, const Outcome& outcome, Now now) {
    now_ = now;
    const auto slot = static_cast<std::uint32_t>(run.value() & 0xffff);
    if (slot >= runs_.end() || run.value() == 0 || runs_[slot].id != run) {
        ++tally_.late_answers;
        return;
    }
    const std::uint32_t unit = runs_[slot].unit;
    judge(runs_[slot], outcome);
    end_run(slot);
    tally_.failures += is_failure(outcome);
    if (outcome.kind == Outcome::Kind::suspended) {
        suspend(outcome.text);
        write_failed(units_[unit], {});
        make_ready(unit);
        refresh_unit(unit);
        return;
    }
    suspensions_ = suspended_ ? suspensions_ : 0;
    if (outcome.kind != Outcome::Kind::done) {
        fail_unit(unit, outcome);
    } else if (!outcome.failures.empty()) {
        fail_items(unit, outcome, run);
    } else {
        finish(unit, run);
    }
}

// ── Done ─────────────────────────────────────────────────────────────────────────────────────────

/// Settles events that were taken out of a unit which is `ready`: one journal entry, or two for a
/// window, whose last member is the one that is done while the others are coalesced into it.
void Consumer::Machine::settle_items(Unit& unit, Chain& items, RunId run, bool has_last) {
    const bool window = unit.shape == RunShape::window;
    while (items.count > 0) {
        const std::uint32_t index = pop_front(items);
        const Node& node = nodes_[index];
        count_lane(keys_[key_of(unit, node)], node.lane, -1);
        if (node.letter) {
            close_letter(letters_.at(node.offset), LetterClosing::redriven, {});
        } else {
            const bool coalesced = window && (items.count > 0 || !has_last);
            settled.insert(Offset(node.offset.value() - node.gap), next(node.offset));
            ++(coalesced ? settlements_.coalesced : settlements_.done);
            settlements_.reopened += node.reopened;
            reopened_live_ -= node.reopened;
            if (coalesced) {
                coalesced_.insert(next(node.offset));
            }
            --live_;
            (coalesced ? done_coalesced_ : done_).push_back(node.offset);
        }
        free_node(index);
    }
    if (!done_coalesced_.empty()) {
        journal::append(out_.journal, journal::Settled{run, true, done_coalesced_});
        done_coalesced_.clear();
        // For explain only: what lies millions of events back may be forgotten.
        constexpr std::uint64_t remembered = 4'000'000;
        if (settled.low().value() > coalesced_.low().value() + 2 * remembered) {
            coalesced_.insert(coalesced_.low(), Offset(settled.low().value() - remembered));
        }
    }
    if (!done_.empty()) {
        journal::append(out_.journal, journal::Settled{run, false, done_});
        done_.clear();
    }
}

void Consumer::Machine::finish(std::uint32_t index, RunId run) {
    Unit& unit = units_[index];
    const std::uint32_t key = unit.key;
    if (key == none) {
        const std::vector<std::uint32_t> keys = unlock(index);
        settle_items(unit, unit.items, run, true);
        release_unit(index);
        for (const std::uint32_t unlocked : keys) {
            refresh(unlocked);
        }
        return;
    }
    settle_items(unit, unit.items, run, true);
    if (collects(keys_[key]) && !unit.letter) {
        cool(keys_[key]);
    }
    release_unit(index);
    refresh(key);
}

// ── Failed ───────────────────────────────────────────────────────────────────────────────────────

void Consumer::Machine::fail_unit(std::uint32_t index, const Outcome& outcome) {
    Unit& unit = units_[index];
    const bool permanent = outcome.kind == Outcome::Kind::permanent;
    if (!permanent && !outcome.counted) {
        fail_uncounted(index, outcome);
        return;
    }
    if (comes_apart(unit) && unit.items.count > 1) {
        dissolve(index);
        return;
    }
    charge(unit, outcome.text);
    if (permanent && (!forever_ || outcome.hopeless)) {
        exhaust(index, LetterReason::permanent, unit.run, outcome.text);
        return;
    }
    const RetryHistory history{
        .attempts = unit.trouble->attempts, .age = age_of(unit), .asked_wait = outcome.retry_after};
    if (const auto wait = next_wait(retry_policy(), history, random_.chance())) {
        retry_after(index, *wait, outcome.text);
        return;
    }
    const bool attempts =
        policy.retry.max_attempts != 0 && history.attempts >= policy.retry.max_attempts;
    exhaust(index, attempts ? LetterReason::attempts : LetterReason::age, unit.run, outcome.text);
}

/// Nobody is charged: the target asked us to come later, or our own side did not get to it. A
/// target that asks for ever keeps the event no longer than max_age; what is our own fault ends
/// nothing.
void Consumer::Machine::fail_uncounted(std::uint32_t index, const Outcome& outcome) {
    Unit& unit = units_[index];
    RetryPolicy retry = retry_policy();
    retry.max_attempts = 0;
    if (!outcome.retry_after) {
        retry.max_age = milliseconds(0);
    }
    const RetryHistory history{
        .attempts = 1, .age = age_of(unit), .asked_wait = outcome.retry_after};
    if (const auto wait = next_wait(retry, history, random_.chance())) {
        retry_after(index, *wait, {});
        return;
    }
    if (comes_apart(unit) && unit.items.count > 1) {
        const Isolated apart = isolate(index, [](const Node&) { return true; });
        release_unit(index);
        for (const std::uint32_t part : apart.units) {
            fail_uncounted(part, outcome);
        }
        return;
    }
    remember(trouble_of(unit).history, {now_.wall, outcome.text});
    exhaust(index, LetterReason::age, unit.run, outcome.text);
}

/// The handler named the members that failed; the others are done and are never sent again.
void Consumer::Machine::fail_items(std::uint32_t index, const Outcome& outcome, RunId run) {
    Unit& unit = units_[index];
    Failures failures;
    for (const ItemFailure& failure : outcome.failures) {
        if (!has(unit.items, failure.offset)) {
            fail_unit(index, Outcome::transient("the answer names offset " +
                                                std::to_string(failure.offset.value()) +
                                                ", which is not in the run"));
            return;
        }
        failures[failure.offset.value()] = &failure;
    }
    if (comes_apart(unit)) {
        fail_named(index, failures, outcome, run);
        return;
    }
    Chain done, transient, permanent;
    const bool ordered = keys_[unit.key].loose == 0;
    const ItemFailure* first = nullptr;
    bool last_is_done = false;
    while (unit.items.count > 0) {
        const std::uint32_t node = pop_front(unit.items);
        const auto failure = failures.find(nodes_[node].offset.value());
        if (failure == failures.end()) {
            push_back(done, node);
            last_is_done = true;
            continue;
        }
        last_is_done = false;
        first = first ? first : failure->second;
        // A key stops at its first failure: what the handler says about later ones is not the last
        // word.
        const bool refused = failure->second->kind == ItemFailure::Kind::permanent && !forever_;
        const bool now = refused && (!ordered || failure->second == first);
        push_back(now ? permanent : transient, node);
    }
    settle_items(unit, done, run, last_is_done);
    unit.items = transient;
    if (permanent.count > 0) {
        give_up_items(index, permanent, first->text);
        return;
    }
    fail_unit(index, Outcome::transient(first->text, outcome.retry_after));
}

/// Only who is named is charged and waits; everybody else is done.
void Consumer::Machine::fail_named(std::uint32_t index, const Failures& failures,
                                   const Outcome& outcome, RunId run) {
    Unit& unit = units_[index];
    unit.voter = voter_of(unit);
    const Isolated apart =
        isolate(index, [&](const Node& node) { return failures.contains(node.offset.value()); });
    settle_items(unit, unit.items, run, true);
    release_unit(index);
    for (const std::uint32_t part : apart.units) {
        const ItemFailure& failure = *failures.at(nodes_[units_[part].items.head].offset.value());
        fail_unit(part, failure.kind == ItemFailure::Kind::permanent
                            ? Outcome::permanent(failure.text)
                            : Outcome::transient(failure.text, outcome.retry_after));
    }
    for (const Group& group : apart.groups) {
        refresh(group.key);
    }
}

/// Members that were refused for good become letters. In an ordered unit the rest returns to the
/// queue and waits behind the letter; in a free one it is retried.
void Consumer::Machine::give_up_items(std::uint32_t index, Chain permanent,
                                      const std::string& text) {
    Unit& unit = units_[index];
    Key& key = keys_[unit.key];
    if (key.loose == 0) {
        return_items(unit.key, unit.items, unit.shape == RunShape::window);
        unit.items = permanent;
        charge(unit, text);
        exhaust(index, LetterReason::permanent, unit.run, text);
        return;
    }
    const std::uint32_t refused_index = part_of(index);
    Unit& refused = units_[refused_index];
    refused.key = unit.key;
    refused.items = permanent;
    if (unit.trouble) {
        refused.trouble = std::make_unique<Trouble>(*unit.trouble);
    }
    if (unit.items.count > 0) {
        fail_unit(index, Outcome::transient(text));
    } else {
        release_unit(index);
    }
    charge(units_[refused_index], text);
    exhaust(refused_index, LetterReason::permanent, refused.run, text);
}

Trouble& Consumer::Machine::trouble_of(Unit& unit) {
    if (!unit.trouble) {
        unit.trouble = std::make_unique<Trouble>();
    }
    return *unit.trouble;
}

void Consumer::Machine::charge(Unit& unit, const std::string& text) {
    Trouble& trouble = trouble_of(unit);
    ++trouble.attempts;
    remember(trouble.history, {now_.wall, text});
}

std::chrono::milliseconds Consumer::Machine::age_of(const Unit& unit) const {
    return std::chrono::duration_cast<milliseconds>(
        unit.attempted ? active_time() - unit.first_active : nanoseconds(0));
}

RetryPolicy Consumer::Machine::retry_policy() const {
    RetryPolicy retry = policy.retry;
    if (forever_) {
        retry.max_attempts = 0;
        retry.max_age = milliseconds(0);
    }
    return retry;
}

void Consumer::Machine::retry_after(std::uint32_t index, milliseconds wait,
                                    const std::string& text) {
    Unit& unit = units_[index];
    Trouble& trouble = trouble_of(unit);
    trouble.wait = wait;
    trouble.at = now_.wall;
    set_state(unit, UnitState::retry_wait);
    unit_timers_.set(index, now_.steady + wait);
    write_failed(unit, text);
    refresh_unit(index);
}

/// The end of the cycle. The events stay here until their letters are durable; only then may the
/// key go on.
void Consumer::Machine::exhaust(std::uint32_t index, LetterReason reason, RunId run,
                                const std::string& text) {
    Unit& unit = units_[index];
    if (unit.shape == RunShape::window && policy.debounce && debounce_.mode == DebounceMode::last &&
        unit.items.count > 1) {
        // The last member stood for all of them, so it alone becomes a letter.
        Chain others;
        while (unit.items.count > 1) {
            push_back(others, pop_front(unit.items));
        }
        settle_items(unit, others, run, false);
    }
    Trouble& trouble = trouble_of(unit);
    trouble.exhausted = reason;
    trouble.at = now_.wall;
    trouble.wait = milliseconds(0);
    set_state(unit, UnitState::letter_pending);
    write_failed(unit, text);
    each(unit.items, [&](const Node& node) {
        pending_letters_[node.offset.value()] = index;
        out_.letters.push_back({make_letter(trouble, node)});
    });
    refresh_unit(index);
}

void Consumer::Machine::write_failed(const Unit& unit, std::string_view text) {
    std::vector<Offset> members;
    each(unit.items, [&](const Node& node) { members.push_back(node.offset); });
    const Trouble nothing{.at = now_.wall};
    const Trouble& trouble = unit.trouble ? *unit.trouble : nothing;
    journal::append(out_.journal,
                    journal::Failed{.attempts = trouble.attempts,
                                    .age = age_of(unit),
                                    .wait = trouble.wait,
                                    .at = trouble.at,
                                    .exhausted = trouble.exhausted
                                                     ? static_cast<std::uint8_t>(*trouble.exhausted)
                                                     : std::uint8_t{0},
                                    .error = text.substr(0, error_bytes_max),
                                    .members = members});
}

}  // namespace bascule::delivery
