#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "bus/delivery/journal.h"
#include "bus/delivery/machine.h"

// The pace of a redrive. Letters that wait for their turn are in no chain: they begin in order of
// their offsets, so those of a key begin in its order.
namespace bascule::delivery {

void Consumer::Machine::wait_for_turn(const LetterRef& letter) {
    paced_.insert(letter.offset);
    if (!is_loose(letter.key_hash)) {
        paced_by_key_.emplace(identity(letter.key_hash), letter.offset);
    }
}

void Consumer::Machine::set_pace(const KeptPace& pace) {
    pace_ = pace;
    pace_rate_.reset();
    if (pace.per_second != 0) {
        pace_rate_.emplace(Rate{.limit = pace.per_second, .per = 1s, .burst = 1});
    }
}

void Consumer::Machine::set_canary(std::optional<Offset> canary) {
    pace_.canary = canary;
    journal::append(out_.journal, journal::RedrivePaced{pace_});
}

/// When the next of those that wait may begin, as far as time decides it.
std::optional<SteadyTime> Consumer::Machine::pace_due() const {
    if (paced_.empty() || !active() || halted || catching_up_) {
        return std::nullopt;
    }
    if (pace_.canary && *pace_.canary != *paced_.begin()) {
        return std::nullopt;  // what became of it decides
    }
    return pace_rate_ ? pace_rate_->next_token(pace_full_at_) : now_.steady;
}

/// Lets those begin whose turn it is, or none ever if the canary failed.
void Consumer::Machine::keep_pace() {
    if (pace_.canary) {
        const auto letter = letters_.find(*pace_.canary);
        if (letter == letters_.end()) {
            set_canary({});  // it is done
        } else if (!letter->second.redriving) {
            return_paced({paced_.begin(), paced_.end()});
            set_canary({});
        }
    }
    for (auto due = pace_due(); due && *due <= now_.steady; due = pace_due()) {
        if (pace_rate_) {
            pace_full_at_ = pace_rate_->take(pace_full_at_, now_.steady, 1);
        }
        release_paced(letters_.at(*paced_.begin()));
    }
}

/// It is on its way, whether or not it waited for its turn.
void Consumer::Machine::release_paced(LetterRef& letter) {
    move_letter(letter, true, false);
    start_redrive(letter);
}

/// Those of `offsets` are open letters again.
void Consumer::Machine::return_paced(const std::vector<Offset>& offsets) {
    for (const Offset offset : offsets) {
        move_letter(letters_.at(offset), false, false);
        out_.sync_journal = true;
    }
}

/// A letter of an ordered key is open once more: nobody overtakes it.
void Consumer::Machine::return_paced_behind(const LetterRef& letter) {
    std::vector<Offset> behind;
    const std::uint64_t key = identity(letter.key_hash);
    for (auto at = paced_by_key_.lower_bound({key, letter.offset});
         at != paced_by_key_.end() && at->first == key; ++at) {
        behind.push_back(at->second);
    }
    return_paced(behind);
}

Result<> Consumer::Machine::may_stop_redrive(const LetterFilter& filter) const {
    // Order: under park_key nobody may overtake one that is taken back.
    std::map<std::uint64_t, Offset> taken;  ///< by key: the first
    for (const Offset offset : paced_) {
        const LetterRef& letter = letters_.at(offset);
        if (!parks_ || is_loose(letter.key_hash)) {
            continue;
        }
        const std::uint64_t key = identity(letter.key_hash);
        if (filter.matches(letter)) {
            taken.emplace(key, offset);
        } else if (const auto before = taken.find(key); before != taken.end()) {
            return fail(ErrorKind::conflict,
                        "the letter at offset " + std::to_string(before->second.value()) +
                            " cannot be taken back alone: select that at offset " +
                            std::to_string(offset.value()) + " too, which waits behind it");
        }
    }
    return {};
}

Result<LetterSelection> Consumer::Machine::stop_redrive(const LetterFilter& filter, Now now) {
    now_ = now;
    TRY(may_stop_redrive(filter));
    std::vector<Offset> waiting;
    std::set<std::uint64_t> keys;
    for (const Offset offset : paced_) {
        if (const LetterRef& letter = letters_.at(offset); filter.matches(letter)) {
            waiting.push_back(offset);
            keys.insert(identity(letter.key_hash));
        }
    }
    const bool with_canary = pace_.canary && std::ranges::binary_search(waiting, *pace_.canary);
    return_paced(waiting);
    if (with_canary) {
        set_canary(paced_.empty() ? std::nullopt : std::optional(*paced_.begin()));
    }
    return LetterSelection{.letters = waiting.size(), .keys = keys.size()};
}

}  // namespace bascule::delivery
