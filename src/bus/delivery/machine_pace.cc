#include <map>
#include <set>
#include <utility>

#include "bus/delivery/machine.h"

// The pace of a redrive: letters that wait for their turn stand in their key's chain of redrives
// like others, and hold it until they are released.
namespace bascule::delivery {

void Consumer::Machine::set_pace(const KeptPace& pace) {
    pace_ = pace;
    pace_rate_.reset();
    if (pace.per_second != 0) {
        pace_rate_.emplace(Rate{.limit = pace.per_second, .per = 1s, .burst = 1});
    }
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
            pace_.canary.reset();  // it is done
        } else if (!letter->second.redriving) {
            return_paced({paced_.begin(), paced_.end()});
            pace_.canary.reset();
        }
    }
    for (auto due = pace_due(); due && *due <= now_.steady; due = pace_due()) {
        if (pace_rate_) {
            pace_full_at_ = pace_rate_->take(pace_full_at_, now_.steady, 1);
        }
        release_paced(letters_.at(*paced_.begin()));
    }
}

/// Its turn has come.
void Consumer::Machine::release_paced(LetterRef& letter) {
    move_letter(letter, true, false);
    const std::uint32_t index = find_key(letter.key_hash, letter.lane);
    Key& key = keys_[index];
    std::uint32_t node = none;
    if (nodes_[key.redrives.head].offset == letter.offset) {
        nodes_[key.redrives.head].paced = false;
    } else if (take_out(key.redrives, letter.offset, node)) {
        nodes_[node].paced = false;
        take_place(key.redrives, node);
    }
    refresh(index);
}

/// Those of `offsets` that wait for their turn are open letters again; ascending.
void Consumer::Machine::return_paced(const std::vector<Offset>& offsets) {
    std::set<std::uint32_t> touched;
    for (const Offset offset : offsets) {
        LetterRef& letter = letters_.at(offset);
        move_letter(letter, false, false);
        touched.insert(find_key(letter.key_hash, letter.lane));
        out_.sync_journal = true;
    }
    for (const std::uint32_t index : touched) {
        Key& key = keys_[index];
        Chain left;
        while (key.redrives.count > 0) {
            const std::uint32_t node = pop_front(key.redrives);
            if (letters_.at(nodes_[node].offset).redriving) {
                push_back(left, node);
            } else {
                count_lane(key, nodes_[node].lane, -1);
                free_node(node);
            }
        }
        key.redrives = left;
        refresh(index);
    }
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
    return_paced(waiting);
    return LetterSelection{.letters = waiting.size(), .keys = keys.size()};
}

}  // namespace bascule::delivery
