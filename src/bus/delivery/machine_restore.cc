#include <algorithm>
#include <set>
#include <utility>

#include "bus/delivery/journal.h"
#include "bus/delivery/machine.h"

namespace bascule::delivery {

void Consumer::Machine::restore_pause() {
    pause_ = restored_.pause;
    set_pause_end();
}

void Consumer::Machine::restore_letters() {
    for (auto& [offset, letter] : letters_) {
        letter.lane =
            std::clamp<std::uint8_t>(letter.lane, 1, lane_count_);  // there may be fewer now
        if (parks_ && !is_loose(letter.key_hash)) {
            ++keys_[key_for(letter.key_hash, letter.lane)].letters;
        }
    }
    if (restored_.pace) {
        set_pace(*restored_.pace);
    }
    std::set<Offset> interrupted;
    // Redrives that had been attempted go on with what they were charged …
    for (auto& kept : restored_.units) {
        if (!kept.letter) {
            continue;
        }
        const auto letter =
            kept.members.size() == 1 ? letters_.find(kept.members.front()) : letters_.end();
        const std::uint32_t key =
            letter == letters_.end() ? none : key_for(letter->second.key_hash, letter->second.lane);
        if (key != none && keys_[key].unit == none) {
            LetterRef& ref = letter->second;
            interrupted.insert(ref.offset);
            ref.redriving = false;  // so that it is not queued below
            ref.paced = false;
            const std::uint32_t node =
                new_node({ref.offset, ref.key_hash, ref.lane, ref.bytes}, now_.steady);
            nodes_[node].letter = true;
            count_lane(keys_[key], nodes_[node].lane, +1);
            const std::uint32_t index = new_unit(key);
            Unit& unit = units_[index];
            unit.letter = true;
            unit.kept = static_cast<std::uint32_t>(&kept - restored_.units.data());
            unit.state = UnitState::assembling;
            push_back(unit.items, node);
            continue;
        }
        kept.members.clear();
    }
    // … the others wait for their first attempt.
    std::set<std::uint64_t> blocked;  // keys with an open letter
    for (auto& [offset, letter] : letters_) {
        const std::uint64_t key = identity(letter.key_hash);
        const bool ordered = parks_ && !is_loose(letter.key_hash);
        if (letter.paced && ordered && blocked.contains(key)) {
            move_letter(letter, false, false);  // what took it back was lost in a power cut
        } else if (letter.paced) {
            wait_for_turn(letter);
        } else if (letter.redriving) {
            start_redrive(letter);
        } else if (ordered && !interrupted.contains(offset)) {
            blocked.insert(key);
        }
    }
    for (std::uint32_t index = 0; index < units_.end(); ++index) {
        letters_.at(nodes_[units_[index].items.head].offset).redriving = true;
        complete(index);
    }
}

void Consumer::Machine::restore_keys() {
    kept_as_.assign(restored_.units.size(), none);
    for (std::uint32_t index = 0; index < restored_.units.size(); ++index) {
        auto& kept = restored_.units[index];
        if (kept.letter) {
            kept.members.clear();
            continue;
        }
        std::erase_if(kept.members, [&](Offset member) { return settled.contains(member); });
        for (const Offset member : kept.members) {
            kept_units_[member.value()] = index;
        }
    }
    for (const auto& [hash, ran_at] : restored_.last_runs) {
        const auto left = policy.debounce ? ran_at + debounce_.period - now_.wall : milliseconds(0);
        if (left <= milliseconds(0) || policy.ordering == Ordering::none) {
            continue;
        }
        const std::uint32_t index = key_for(policy.ordering == Ordering::log ? no_key : hash, 1);
        if (keys_[index].loose != 0) {
            continue;
        }
        keys_[index].cooling = true;
        keys_[index].cooling_until = now_.steady + std::min(left, debounce_.period);
        keys_[index].ran_at = ran_at;
        refresh(index);
    }
}

/// Whether the event is a member of a unit that was interrupted; it then takes its place there.
bool Consumer::Machine::adopt(std::uint32_t node_index, std::uint32_t key_index) {
    Node& node = nodes_[node_index];
    const auto found = kept_units_.find(node.offset.value());
    if (found == kept_units_.end()) {
        return false;
    }
    const std::uint32_t which = found->second;
    const auto& kept = restored_.units[which];
    Key& key = keys_[key_index];
    std::uint32_t& index = kept_as_[which];
    if (index == none) {
        if (key.loose == 0 && (key.unit != none || key.queue.count > 0 || key.window != none)) {
            // What a restored database lacks comes first, for order is what matters. (Two
            // interrupted units of one key are not what we write.)
            return false;
        }
        index = new_unit(key_index);
        units_[index].shape = static_cast<RunShape>(kept.shape);
        units_[index].kept = which;
        units_[index].state = UnitState::assembling;
    }
    Unit& unit = units_[index];
    if (unit.kept != which) {
        return false;
    }
    if (key.loose == 0 && key.unit != index) {
        // The batch holds this key, too; unless an earlier event of the key came between.
        if (unit.shape != RunShape::batch || key.unit != none || key.queue.count > 0) {
            return false;
        }
        key.unit = index;
    }
    unit.key = unit.key == key_index ? key_index : none;
    push_back(unit.items, node_index);
    count_lane(key, node.lane, +1);
    ++waiting_;
    if (unit.items.count == kept.members.size()) {
        complete(index);
    }
    return true;
}

/// All members are back: the unit goes on where its attempts were.
void Consumer::Machine::complete(std::uint32_t index) {
    Unit& unit = units_[index];
    ConsumerState::Unit& kept = restored_.units[std::exchange(unit.kept, none)];
    set_state(unit, UnitState::ready);
    Trouble& trouble = trouble_of(unit);
    trouble.attempts = kept.attempts;
    trouble.history = std::move(kept.history);
    trouble.wait = kept.wait;
    trouble.at = kept.at;
    unit.attempted = true;
    unit.first_active = active_time() - kept.age;
    const bool interrupted = kept.running;
    const auto exhausted = kept.exhausted;
    kept.members.clear();
    if (comes_apart(unit) && unit.items.count > 1 && !exhausted) {
        // Whatever happened to a batch, its members are not to blame.
        trouble.attempts = 0;
        trouble.history.clear();
        if (interrupted) {
            dissolve(index);
            return;
        }
    }
    if (interrupted) {
        remember(trouble.history, {now_.wall, "the process ended during the run"});
    }
    const bool spent = interrupted && !forever_ && policy.retry.max_attempts != 0 &&
                       trouble.attempts >= policy.retry.max_attempts;
    if (exhausted || spent) {
        exhaust(index, exhausted.value_or(LetterReason::attempts), RunId(0), {});
        return;
    }
    const auto left = interrupted ? milliseconds(0) : trouble.at + trouble.wait - now_.wall;
    if (left <= milliseconds(0)) {
        make_ready(index);
    } else {
        set_state(unit, UnitState::retry_wait);
        unit_timers_.set(index, now_.steady + std::min<milliseconds>(left, trouble.wait));
    }
    refresh_unit(index);
}

/// Reading is where it was before the restart, or only settled offsets are between.
void Consumer::Machine::look_for_the_end_of_catching_up() {
    // What nothing of the time before waits for is read as if for the first time.
    const bool awaited = !kept_units_.empty() || !restored_.windows.empty();
    if (!catching_up_ || (awaited && settled.next_missing(cursor) < restored_.seen_end)) {
        return;
    }
    catching_up_ = false;
    for (std::uint32_t index = 0; index < units_.end(); ++index) {
        if (units_[index].state == UnitState::assembling) {
            complete(index);
        }
    }
    for (std::uint32_t index = 0; index < keys_.end(); ++index) {
        if (keys_[index].redrives.count > 0) {
            refresh(index);
        }
    }
    kept_units_.clear();
    restored_.units.clear();
    restored_.windows.clear();
    restored_.last_runs.clear();
}

// ── Snapshot ─────────────────────────────────────────────────────────────────────────────────────

ConsumerState::Unit Consumer::Machine::keep(const Unit& unit) const {
    ConsumerState::Unit kept;
    const bool of_a_key = unit.key != none && keys_[unit.key].loose == 0;
    kept.key_hash = of_a_key ? keys_[unit.key].hash : nodes_[unit.items.head].key_hash;
    each(unit.items, [&](const Node& node) { kept.members.push_back(node.offset); });
    kept.shape = static_cast<std::uint8_t>(unit.shape);
    kept.letter = unit.letter;
    kept.running = unit.state == UnitState::running;
    kept.age = age_of(unit);
    kept.at = now_.wall;
    if (unit.trouble) {
        kept.attempts = unit.trouble->attempts;
        kept.wait = unit.trouble->wait;
        kept.at = unit.trouble->at;
        kept.exhausted = unit.trouble->exhausted;
        kept.history = unit.trouble->history;
    }
    kept.attempts += kept.running;
    return kept;
}

/// The windows of a key that have fired and wait in its queue, and the open one.
void Consumer::Machine::keep_windows(const Key& key, ConsumerState& state) const {
    const auto add = [&](ConsumerState::Window window) {
        auto& windows = state.windows[key.hash];
        if (windows.empty() || windows.back().last < window.first) {
            windows.push_back(window);
        }
    };
    const Node* first = nullptr;
    each(key.queue, [&](const Node& node) {
        first = first != nullptr ? first : &node;
        if (node.ends_window) {
            add({.first = first->offset,
                 .last = node.offset,
                 .first_at = now_.wall,
                 .last_at = now_.wall,
                 .fired = true});
            first = nullptr;
        }
    });
    if (key.window == none) {
        return;
    }
    const OpenWindow& window = windows_[key.window];
    Offset last = nodes_[key.window_items.tail].offset;
    if (window.kept) {
        last = std::max(last, window.kept->last);
    }
    add({.first = nodes_[key.window_items.head].offset,
         .last = last,
         .first_at = window.first_at,
         .last_at = window.last_at,
         .quiet = window.quiet,
         .fired = window.kept && window.kept->fired});
}

ConsumerState Consumer::Machine::snapshot() const {
    ConsumerState state(restored_.start);
    state.settled = settled;
    state.coalesced = coalesced_;
    state.decided = decided_;
    state.reopened = restored_.reopened;
    state.reopened_until = restored_.reopened_until;
    state.settlements = settlements_;
    state.tally = tally_;
    state.run_next = run_next_;
    state.seen_end = std::max(restored_.seen_end, cursor);
    state.letters = letters_;
    if (!paced_.empty()) {
        state.pace = pace_;
    }
    state.pause = pause_;
    state.gaps = restored_.gaps;
    state.breaker = breaker_ ? breaker_->keep(now_) : KeptBreaker{};
    for (std::uint32_t index = 0; index < units_.end(); ++index) {
        const Unit& unit = units_[index];
        if (unit.state != UnitState::spent && unit.state != UnitState::assembling &&
            unit.items.count > 0 && unit.attempted) {
            state.units.push_back(keep(unit));
        }
    }
    for (std::uint32_t index = 0; index < keys_.end(); ++index) {
        const Key& key = keys_[index];
        if (key.loose != 0 || index_.find(key.hash) != index) {
            continue;
        }
        keep_windows(key, state);
        if (key.cooling) {
            state.last_runs[key.hash] = key.ran_at;
        }
    }
    // What has not been offered again since the last restart.
    for (const auto& kept : restored_.units) {
        if (!kept.members.empty()) {
            state.units.push_back(kept);
        }
    }
    for (const auto& [hash, windows] : restored_.windows) {
        for (const auto& window : windows) {
            if (window.last >= cursor &&
                (state.windows[hash].empty() || state.windows[hash].back().last < window.first)) {
                state.windows[hash].push_back(window);
            }
        }
    }
    return state;
}

}  // namespace bascule::delivery
