#include <algorithm>
#include <set>
#include <utility>

#include "bus/delivery/journal.h"
#include "bus/delivery/machine.h"
#include "foundation/base/check.h"
#include "foundation/base/hash.h"

namespace bascule::delivery {

// ── From exhausted to open ───────────────────────────────────────────────────────────────────────

Letter Consumer::Machine::make_letter(const Trouble& trouble, const Node& node) const {
    CHECK(trouble.exhausted.has_value());
    Letter letter{.consumer = name,
                  .offset = node.offset,
                  .key_hash = node.key_hash,
                  .reason = *trouble.exhausted,
                  .opened = trouble.at,
                  .attempts = trouble.attempts,
                  .history = trouble.history};
    if (const auto open = letters_.find(node.offset); open != letters_.end()) {
        letter.redrives = open->second.redrives + 1;
        letter.opened = open->second.opened;
    }
    if (!letter.history.empty()) {
        letter.first_error = letter.history.front().error;
        letter.last_error = letter.history.back().error;
    }
    letter.fingerprint = delivery::fingerprint(letter.last_error);
    return letter;
}

void Consumer::Machine::letter_durable(Offset offset, Now now) {
    now_ = now;
    const auto pending = pending_letters_.find(offset.value());
    if (pending == pending_letters_.end()) {
        return;
    }
    const std::uint32_t index = pending->second;
    pending_letters_.erase(pending);
    Unit& unit = units_[index];
    std::uint32_t node = none;
    take_out(unit.items, offset, node);
    const std::uint32_t key = key_of(unit, nodes_[node]);
    open_letter(unit, keys_[key], node);
    if (unit.items.count == 0) {
        const bool stop = unit.letter && parks(keys_[key]);
        release_unit(index);
        if (stop) {
            send_back(keys_[key]);
        }
    }
    refresh(key);
}

/// The event leaves the retry cycle.
void Consumer::Machine::open_letter(Unit& unit, Key& key, std::uint32_t index) {
    const Node& node = nodes_[index];
    const Letter written = make_letter(*unit.trouble, node);
    LetterRef& letter = letters_[node.offset];
    letter = {.offset = node.offset,
              .key_hash = node.key_hash,
              .fingerprint = hash64(written.fingerprint),
              .opened = written.opened,
              .bytes = node.bytes,
              .redrives = written.redrives,
              .lane = node.lane,
              .reason = written.reason};
    journal::append(out_.journal, journal::LetterOpened{letter});
    out_.sync_journal = true;
    count_lane(key, node.lane, -1);
    if (!node.letter) {
        settled.insert(Offset(node.offset.value() - node.gap), next(node.offset));
        settlements_.reopened += node.reopened;
        reopened_live_ -= node.reopened;
        --waiting_;
        --live_;
        if (parks(key)) {
            park(key);
        }
    } else if (parks(key)) {
        return_paced_behind(letter);
    }
    free_node(index);
}

/// Under park_key a letter that fails again stops its key: the redrives behind it are open letters
/// again.
void Consumer::Machine::send_back(Key& key) {
    while (key.redrives.count > 0) {
        const std::uint32_t index = pop_front(key.redrives);
        const Node& node = nodes_[index];
        move_letter(letters_.at(node.offset), false, false);
        count_lane(key, node.lane, -1);
        free_node(index);
    }
}

void Consumer::Machine::close_letter(LetterRef letter, LetterClosing how,
                                     const std::string& reason) {
    letters_.erase(letter.offset);
    switch (how) {
        case LetterClosing::redriven:
            ++settlements_.done;
            break;
        case LetterClosing::discarded:
            ++settlements_.discarded;
            break;
        case LetterClosing::skipped:
            ++settlements_.skipped;
            break;
        case LetterClosing::superseded:
            ++settlements_.superseded;
            break;
    }
    if (how != LetterClosing::redriven) {
        decided_.insert(std::lower_bound(decided_.begin(), decided_.end(), letter.offset),
                        letter.offset);
    }
    journal::append(out_.journal, journal::LetterClosed{letter.offset, how});
    out_.closings.push_back({letter.offset, how, reason, now_.wall});
    if (const std::uint32_t key = find_key(letter.key_hash, letter.lane);
        key != none && keys_[key].parked()) {
        unpark(keys_[key]);
    }
}

// ── What a person does ───────────────────────────────────────────────────────────────────────────

std::vector<LetterRef> Consumer::Machine::letters(const LetterFilter& filter) const {
    std::vector<LetterRef> found;
    for (const auto& [offset, letter] : letters_) {
        if (filter.matches(letter)) {
            found.push_back(letter);
        }
    }
    return found;
}

Result<std::vector<Offset>> Consumer::Machine::select(const LetterFilter& filter) const {
    std::vector<Offset> named = filter.offsets;
    if (filter.offset) {
        named.push_back(*filter.offset);
    }
    for (const Offset offset : named) {
        if (!letters_.contains(offset)) {
            return fail(ErrorKind::not_found, "consumer " + name +
                                                  " has no open letter at offset " +
                                                  std::to_string(offset.value()));
        }
    }
    std::vector<Offset> offsets;
    for (const LetterRef& letter : letters(filter)) {
        offsets.push_back(letter.offset);
    }
    return offsets;
}

LetterSelection Consumer::Machine::describe(const std::vector<Offset>& offsets) const {
    LetterSelection selection;
    std::set<std::uint64_t> seen;
    for (const Offset offset : offsets) {
        const LetterRef& letter = letters_.at(offset);
        if (letter.redriving) {
            continue;
        }
        ++selection.letters;
        if (is_loose(letter.key_hash) || !seen.insert(identity(letter.key_hash)).second) {
            continue;
        }
        const std::uint32_t key = find_key(letter.key_hash, letter.lane);
        if (key != none && keys_[key].parked()) {
            selection.deferred += keys_[key].queue.count;
        }
    }
    selection.keys = seen.size();
    return selection;
}

Result<> Consumer::Machine::may_redrive(const LetterFilter& filter, const RedrivePace& pace) const {
    const std::vector<Offset> offsets = TRY(select(filter));
    if (!parks_) {
        return {};
    }
    // Order: nobody may overtake a letter of its key that is open, or still waits for its turn.
    const std::set<Offset> chosen(offsets.begin(), offsets.end());
    std::map<std::uint64_t, Offset> staying;  // by key: the first that is not chosen
    for (const auto& [offset, letter] : letters_) {
        if (is_loose(letter.key_hash) || (letter.redriving && (!letter.paced || pace.any()))) {
            continue;
        }
        const std::uint64_t key = identity(letter.key_hash);
        if (!chosen.contains(offset)) {
            staying.emplace(key, offset);
        } else if (const auto first = staying.find(key); first != staying.end()) {
            return fail(
                ErrorKind::conflict,
                "the letter at offset " + std::to_string(offset.value()) +
                    " cannot be redriven before the earlier ones of its key: select that at "
                    "offset " +
                    std::to_string(first->second.value()) + " too");
        }
    }
    return {};
}

Result<LetterSelection> Consumer::Machine::redrive(const LetterFilter& filter,
                                                   const RedrivePace& pace, Now now) {
    now_ = now;
    TRY(pace.validate());
    TRY(may_redrive(filter, pace));
    const std::vector<Offset> offsets = TRY(select(filter));
    const LetterSelection selection = describe(offsets);
    bool some_wait = false;
    for (const Offset offset : offsets) {
        LetterRef& letter = letters_.at(offset);
        if (letter.redriving && (!letter.paced || pace.any())) {
            continue;
        }
        out_.sync_journal = true;
        if (pace.any()) {
            move_letter(letter, true, true);
            some_wait = true;
        } else {
            release_paced(letter);
        }
    }
    if (some_wait) {
        set_pace({.per_second = pace.per_second,
                  .canary = pace.canary ? std::optional(*paced_.begin()) : std::nullopt});
        journal::append(out_.journal, journal::RedrivePaced{pace_});
    }
    return selection;
}

void Consumer::Machine::move_letter(LetterRef& letter, bool redriving, bool paced) {
    if (letter.paced && !paced) {
        paced_.erase(letter.offset);
        paced_by_key_.erase({identity(letter.key_hash), letter.offset});
    }
    letter.redriving = redriving;
    letter.paced = paced;
    if (paced) {
        wait_for_turn(letter);
    }
    journal::append(out_.journal, journal::LetterMoved{letter.offset, redriving, paced});
}

void Consumer::Machine::start_redrive(LetterRef& letter) {
    const std::uint32_t index = key_for(letter.key_hash, letter.lane);
    const std::uint32_t node =
        new_node({letter.offset, letter.key_hash, letter.lane, letter.bytes}, now_.steady);
    nodes_[node].letter = true;
    Key& key = keys_[index];
    count_lane(key, letter.lane, +1);
    // By offset, whatever was asked for first; free events need no order.
    Chain after;
    if (key.loose == 0 && key.redrives.count > 0 &&
        nodes_[key.redrives.tail].offset > letter.offset) {
        Chain before;
        while (key.redrives.count > 0) {
            const std::uint32_t other = pop_front(key.redrives);
            push_back(nodes_[other].offset < letter.offset ? before : after, other);
        }
        key.redrives = before;
    }
    push_back(key.redrives, node);
    splice(key.redrives, after);
    refresh(index);
}

Result<> Consumer::Machine::may_close_letters(const LetterFilter& filter, LetterClosing how,
                                              const std::string& reason) const {
    if (reason.empty()) {
        return fail(ErrorKind::invalid,
                    "the reason is empty; closing a letter without delivery needs one");
    }
    if (how == LetterClosing::redriven) {
        return fail(ErrorKind::invalid,
                    "how is redriven; discarded, skipped or superseded is allowed");
    }
    for (const Offset offset : TRY(select(filter))) {
        if (letters_.at(offset).redriving) {
            return fail(ErrorKind::conflict,
                        "the letter at offset " + std::to_string(offset.value()) +
                            " is being redriven; wait until it is done or open again");
        }
    }
    return {};
}

Result<LetterSelection> Consumer::Machine::close_letters(const LetterFilter& filter,
                                                         LetterClosing how,
                                                         const std::string& reason, Now now) {
    now_ = now;
    TRY(may_close_letters(filter, how, reason));
    const std::vector<Offset> offsets = TRY(select(filter));
    const LetterSelection selection = describe(offsets);
    for (const Offset offset : offsets) {
        const LetterRef letter = letters_.at(offset);
        close_letter(letter, how, reason);
        if (const std::uint32_t key = find_key(letter.key_hash, letter.lane); key != none) {
            refresh(key);
        }
    }
    out_.sync_journal = out_.sync_journal || !offsets.empty();
    out_.hold_starts = out_.hold_starts || !offsets.empty();
    return selection;
}

}  // namespace bascule::delivery
