#include "bus/delivery/consumer_state.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "bus/delivery/journal.h"

namespace bascule::delivery {

namespace {

void insert_ascending(std::vector<Offset>& offsets, Offset offset) {
    const auto at = std::lower_bound(offsets.begin(), offsets.end(), offset);
    if (at == offsets.end() || *at != offset) {
        offsets.insert(at, offset);
    }
}

std::uint64_t& count_of(Settlements& settlements, LetterClosing how) {
    switch (how) {
        case LetterClosing::redriven:
            break;
        case LetterClosing::discarded:
            return settlements.discarded;
        case LetterClosing::skipped:
            return settlements.skipped;
        case LetterClosing::superseded:
            return settlements.superseded;
    }
    return settlements.done;
}

}  // namespace

/// What each entry does to the state. Entries may contradict each other (a journal can be damaged
/// in ways that its checksums do not see); then the later one wins and nothing is lost, at worst
/// something is delivered again.
struct ConsumerState::Replay {
    ConsumerState& state;

    void operator()(const journal::Begin& entry) {
        state = ConsumerState(entry.start);
        state.settled = OffsetSet(entry.low);
        state.coalesced = OffsetSet(entry.coalesced_low);
        state.reopened_until = entry.reopened_until;
        state.seen_end = entry.seen_end;
        state.run_next = std::max<std::uint64_t>(entry.run_next, 1);
        state.settlements = entry.settlements;
    }

    void operator()(const journal::Interval& entry) {
        (entry.set == journal::SetKind::settled ? state.settled : state.coalesced)
            .insert(entry.first, entry.end);
    }

    void operator()(const journal::OffsetList& entry) {
        auto& list = entry.list == journal::ListKind::decided ? state.decided : state.reopened;
        std::vector<Offset> merged;
        merged.reserve(list.size() + entry.offsets.size());
        std::ranges::set_union(list, entry.offsets, std::back_inserter(merged));
        list = std::move(merged);
    }

    void operator()(const journal::Started& entry) {
        if (entry.members.empty()) {
            return;
        }
        // RunId = sequence << 16 | slot, see Machine.
        state.run_next = std::max(state.run_next, (entry.run.value() >> 16) + 1);
        Unit& unit = unit_for(entry.members);
        unit.key_hash = entry.key_hash;
        unit.shape = static_cast<std::uint8_t>(entry.shape);
        unit.letter = entry.letter;
        unit.running = true;
        unit.attempts = entry.attempt;
        unit.wait = {};
        unit.exhausted.reset();
        if (entry.shape == RunShape::window) {
            forget_windows(entry.key_hash, entry.members.back());
        }
    }

    void operator()(const journal::Settled& entry) {
        for (const Offset offset : entry.members) {
            see(offset);
            if (state.settled.contains(offset)) {
                continue;
            }
            state.settled.insert(offset);
            ++(entry.coalesced ? state.settlements.coalesced : state.settlements.done);
            state.settlements.reopened += state.was_settled(offset);
            if (entry.coalesced) {
                state.coalesced.insert(next(offset));
            }
        }
        leave_units(entry.members);
    }

    void operator()(const journal::Failed& entry) {
        if (entry.members.empty()) {
            return;
        }
        Unit& unit = unit_for(entry.members);
        unit.running = false;
        unit.attempts = entry.attempts;
        unit.age = entry.age;
        unit.wait = entry.wait;
        unit.at = entry.at;
        unit.exhausted.reset();
        if (entry.exhausted != 0) {
            unit.exhausted = static_cast<LetterReason>(entry.exhausted);
        }
        if (!entry.error.empty()) {
            remember(unit.history, {entry.at, std::string(entry.error)});
        }
    }

    void operator()(const journal::Tallied& entry) { state.tally = entry.tally; }

    void operator()(const journal::Returned& entry) { leave_units(entry.members); }

    void operator()(const journal::Low& entry) {
        state.settled.insert(state.settled.low(), entry.offset);
        state.seen_end = std::max(state.seen_end, entry.offset);
    }

    void operator()(const journal::LetterOpened& entry) {
        const Offset offset = entry.letter.offset;
        see(offset);
        if (!state.settled.contains(offset)) {
            state.settlements.reopened += state.was_settled(offset);
            state.settled.insert(offset);
        }
        state.letters[offset] = entry.letter;
        leave_units({&offset, 1});
    }

    void operator()(const journal::LetterMoved& entry) {
        if (const auto found = state.letters.find(entry.offset); found != state.letters.end()) {
            found->second.redriving = entry.redriving;
            found->second.paced = entry.paced;
        }
    }

    void operator()(const journal::RedrivePaced& entry) { state.pace = entry.pace; }

    void operator()(const journal::LetterClosed& entry) {
        if (state.letters.erase(entry.offset) == 0) {
            return;
        }
        ++count_of(state.settlements, entry.how);
        if (entry.how != LetterClosing::redriven) {
            insert_ascending(state.decided, entry.offset);
        }
        leave_units({&entry.offset, 1});
    }

    void operator()(const journal::WindowChanged& entry) {
        see(entry.window.last);
        auto& windows = state.windows[entry.key_hash];
        const auto at = std::ranges::lower_bound(windows, entry.window.first, {}, &Window::first);
        if (at != windows.end() && at->first == entry.window.first) {
            *at = entry.window;
        } else {
            windows.insert(at, entry.window);
        }
    }

    void operator()(const journal::WindowRan& entry) { state.last_runs[entry.key_hash] = entry.at; }
    void operator()(const journal::Paused& entry) { state.pause = entry.pause; }
    void operator()(const journal::Resumed&) { state.pause.reset(); }
    void operator()(const journal::BreakerChanged& entry) { state.breaker = entry.breaker; }
    void operator()(const journal::Moved& entry) { state.move_to(entry.to); }
    void operator()(const journal::GapKept& entry) { state.add_gaps({entry.gap}); }

    void operator()(const journal::PassedOver& entry) {
        for (const Offset offset : entry.members) {
            see(offset);
            if (!state.settled.contains(offset)) {
                state.settled.insert(offset);
                ++state.settlements.gap;
                state.settlements.reopened += state.was_settled(offset);
            }
        }
        leave_units(entry.members);
    }

    void operator()(const journal::UnitKept& entry) {
        if (!entry.unit.members.empty()) {
            unit_for(entry.unit.members) = entry.unit;
        }
    }

  private:
    void see(Offset offset) { state.seen_end = std::max(state.seen_end, next(offset)); }

    /// The unit that has any of the members, else a new one; its members are exactly these
    /// afterwards.
    Unit& unit_for(std::span<const Offset> members) {
        std::uint32_t index = take_unit(members);
        Unit& unit = state.units[index];
        for (const Offset old : unit.members) {
            state.unit_of_.erase(old.value());
        }
        leave_units(members);
        unit.members.assign(members.begin(), members.end());
        for (const Offset member : members) {
            see(member);
            state.unit_of_[member.value()] = index;
        }
        return unit;
    }

    std::uint32_t take_unit(std::span<const Offset> members) {
        for (const Offset member : members) {
            if (const auto found = state.unit_of_.find(member.value());
                found != state.unit_of_.end()) {
                return found->second;
            }
        }
        if (state.units_free_.empty()) {
            state.units.emplace_back();
            return static_cast<std::uint32_t>(state.units.size() - 1);
        }
        const std::uint32_t index = state.units_free_.back();
        state.units_free_.pop_back();
        return index;
    }

    /// Takes the offsets out of whatever unit they are in; a unit without members is free.
    void leave_units(std::span<const Offset> offsets) {
        std::uint32_t touched = nobody;
        for (const Offset offset : offsets) {
            const auto found = state.unit_of_.find(offset.value());
            if (found == state.unit_of_.end()) {
                continue;
            }
            if (touched != nobody && touched != found->second) {
                sweep(touched);
            }
            touched = found->second;
            state.unit_of_.erase(found);
        }
        if (touched != nobody) {
            sweep(touched);
        }
    }

    void sweep(std::uint32_t index) {
        Unit& unit = state.units[index];
        std::erase_if(unit.members, [&](Offset member) {
            const auto found = state.unit_of_.find(member.value());
            return found == state.unit_of_.end() || found->second != index;
        });
        if (unit.members.empty()) {
            unit = Unit{};
            state.units_free_.push_back(index);
        }
    }

    void forget_windows(std::uint64_t key_hash, Offset last) {
        const auto found = state.windows.find(key_hash);
        if (found == state.windows.end()) {
            return;
        }
        std::erase_if(found->second, [&](const Window& window) { return window.last <= last; });
        if (found->second.empty()) {
            state.windows.erase(found);
        }
    }

    static constexpr std::uint32_t nobody = 0xffff'ffff;
};

Result<> ConsumerState::apply(std::string_view bytes) {
    journal::Reader reader(bytes);
    Replay replay{*this};
    while (!reader.at_end()) {
        const journal::Entry entry = TRY(reader.next());
        std::visit(replay, entry);
    }
    return {};
}

bool ConsumerState::was_settled(Offset offset) const {
    return offset < reopened_until || std::binary_search(reopened.begin(), reopened.end(), offset);
}

void ConsumerState::reconcile(Offset inbox_low, const std::function<bool(Offset)>& is_in_inbox) {
    const Offset low = settled.low();
    const Offset from = std::max(inbox_low, start);
    std::vector<Offset> taken_out;
    settled.filter(from, [&](Offset offset) {
        const bool stands = letters.contains(offset) ||
                            std::binary_search(decided.begin(), decided.end(), offset) ||
                            in_gap(offset) || is_in_inbox(offset);
        if (!stands && offset >= low) {
            taken_out.push_back(offset);
        }
        return stands;
    });
    if (from < low) {
        reopened_until = std::max(reopened_until, low);
    }
    std::vector<Offset> merged;
    std::set_union(reopened.begin(), reopened.end(), taken_out.begin(), taken_out.end(),
                   std::back_inserter(merged));
    reopened = std::move(merged);
    seen_end = std::max(seen_end, low);
}

bool ConsumerState::in_gap(Offset offset) const {
    const auto after = std::ranges::upper_bound(gaps, offset, {}, &Gap::first);
    return after != gaps.begin() && offset < std::prev(after)->end;
}

void ConsumerState::add_gaps(const std::vector<Gap>& more) {
    std::vector<Gap> all;
    std::ranges::merge(gaps, more, std::back_inserter(all), {}, &Gap::first, &Gap::first);
    gaps.clear();
    for (const Gap& gap : all) {
        if (gap.first >= gap.end) {
            continue;
        }
        if (!gaps.empty() && gap.first <= gaps.back().end) {
            gaps.back().end = std::max(gaps.back().end, gap.end);
        } else {
            gaps.push_back(gap);
        }
    }
}

void ConsumerState::move_to(Offset to) {
    const bool back = to <= settled.low();
    if (back) {
        std::erase_if(gaps, [&](Gap& gap) {
            gap.end = std::min(gap.end, to);
            return gap.first >= gap.end;
        });
        reconcile(to, [](Offset) { return false; });
    } else {
        std::vector<Gap> holes;
        Offset first = settled.low();
        for (const auto& [begin, end] : settled.intervals()) {
            if (Offset(begin) >= to) {
                break;
            }
            holes.push_back({first, Offset(begin)});
            first = Offset(end);
        }
        holes.push_back({first, to});
        add_gaps(holes);
    }
    const auto is_passed = [&](Offset offset) { return back || offset < to; };
    for (std::uint32_t index = 0; index < units.size(); ++index) {
        Unit& unit = units[index];
        if (unit.letter || unit.members.empty()) {
            continue;
        }
        std::erase_if(unit.members, [&](Offset member) {
            return is_passed(member) && (unit_of_.erase(member.value()), true);
        });
        if (unit.members.empty()) {
            unit = Unit{};
            units_free_.push_back(index);
        }
    }
    for (auto& [key_hash, of_key] : windows) {
        std::erase_if(of_key, [&](Window& window) {
            window.first = back ? window.first : std::max(window.first, to);
            return is_passed(window.last);
        });
    }
    std::erase_if(windows, [](const auto& entry) { return entry.second.empty(); });
}

std::vector<std::string> ConsumerState::encode_parts(std::size_t part_bytes) const {
    std::vector<std::string> parts(1);
    const auto add = [&](const auto& entry) {
        if (parts.back().size() >= part_bytes) {
            parts.emplace_back();
        }
        journal::append(parts.back(), entry);
    };
    const auto add_list = [&](journal::ListKind kind, std::span<const Offset> offsets) {
        constexpr std::size_t offset_bytes_max = 10;
        const std::size_t most = std::max<std::size_t>(1, part_bytes / offset_bytes_max);
        for (; !offsets.empty(); offsets = offsets.subspan(std::min(most, offsets.size()))) {
            add(journal::OffsetList{kind, offsets.first(std::min(most, offsets.size()))});
        }
    };
    add(journal::Begin{start, settled.low(), coalesced.low(), reopened_until, seen_end, run_next,
                       settlements});
    add(journal::Tallied{tally});
    for (const auto& [first, end] : settled.intervals()) {
        add(journal::Interval{journal::SetKind::settled, Offset(first), Offset(end)});
    }
    for (const auto& [first, end] : coalesced.intervals()) {
        add(journal::Interval{journal::SetKind::coalesced, Offset(first), Offset(end)});
    }
    add_list(journal::ListKind::decided, decided);
    add_list(journal::ListKind::reopened, reopened);
    for (const auto& [offset, letter] : letters) {
        add(journal::LetterOpened{letter});
    }
    if (pace) {
        add(journal::RedrivePaced{*pace});
    }
    // LetterOpened takes its event out of a unit, so the units come after the letters, as they did
    // when it happened.
    for (const Unit& unit : units) {
        if (!unit.members.empty()) {
            add(journal::UnitKept{unit});
        }
    }
    for (const auto& [key_hash, of_key] : windows) {
        for (const Window& window : of_key) {
            add(journal::WindowChanged{key_hash, window});
        }
    }
    for (const auto& [key_hash, at] : last_runs) {
        add(journal::WindowRan{key_hash, at});
    }
    for (const Gap& gap : gaps) {
        add(journal::GapKept{gap});
    }
    if (pause) {
        add(journal::Paused{*pause});
    }
    if (breaker.state != BreakerState::closed) {
        add(journal::BreakerChanged{breaker});
    }
    return parts;
}

std::string ConsumerState::encode() const {
    std::string out;
    for (const std::string& part : encode_parts()) {
        out += part;
    }
    return out;
}

}  // namespace bascule::delivery
