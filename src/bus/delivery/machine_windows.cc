#include <algorithm>

#include "bus/delivery/journal.h"
#include "bus/delivery/machine.h"

namespace bascule::delivery {

void Consumer::Machine::join_window(std::uint32_t index, std::uint32_t node_index, bool fresh) {
    Key& key = keys_[index];
    const Node& node = nodes_[node_index];
    if (key.window != none) {
        // After a restart: an event of the next window closes one that had fired before.
        const auto& kept = windows_[key.window].kept;
        const bool beyond = kept && node.offset > kept->last;
        if (beyond && (kept->fired || kept_window(key.hash, node.offset) != nullptr)) {
            fire(key.window);
        }
    }
    if (key.window == none) {
        open_window(index, node.offset, fresh);
    }
    OpenWindow& window = windows_[key.window];
    push_back(key.window_items, node_index);
    ++in_windows_;
    window.bytes += node.bytes;
    if (!window.kept || node.offset > window.kept->last) {
        window.last_at = now_.wall;
        window.fire_at = std::min(now_.steady + window.quiet, window.first + debounce_.max_wait);
        window_timers_.set(key.window, window.fire_at);
        if (!window.dirty) {
            window.dirty = true;
            dirty_windows_.push_back(key.window);
        }
    }
    const bool urgent = lane_count_ > 1 && node.lane == 1;
    if (urgent || key.window_items.count >= debounce_.max_events ||
        window.bytes >= debounce_.max_bytes) {
        fire(key.window);
    }
}

void Consumer::Machine::open_window(std::uint32_t index, Offset first, bool fresh) {
    Key& key = keys_[index];
    key.window = windows_.acquire();
    OpenWindow& window = windows_[key.window];
    window = OpenWindow{};
    window.key = index;
    if (const auto* kept = kept_window(key.hash, first)) {
        window.kept = *kept;
        window.first_at = kept->first_at;
        window.last_at = kept->last_at;
        window.quiet = std::clamp(kept->quiet, milliseconds(0), debounce_.period);
        // The wall clock may have been set meanwhile: no timer may therefore be early or later than
        // a period.
        window.first = now_.steady -
                       std::clamp(now_.wall - kept->first_at, milliseconds(0), debounce_.max_wait);
        const WallTime due =
            std::min(kept->last_at + window.quiet, kept->first_at + debounce_.max_wait);
        const auto left = kept->fired ? milliseconds(0) : due - now_.wall;
        window.fire_at = now_.steady + std::clamp(left, milliseconds(0), debounce_.period);
        window_timers_.set(key.window, window.fire_at);
        return;
    }
    const bool from_idle = fresh && debounce_.leading > milliseconds(0);
    window.quiet = from_idle ? debounce_.leading : debounce_.period;
    window.first = now_.steady;
    window.first_at = now_.wall;
}

/// The window becomes an item of its key's queue, at the place of its last member.
void Consumer::Machine::fire(std::uint32_t index) {
    OpenWindow& window = windows_[index];
    Key& key = keys_[window.key];
    write_window(key, true);
    nodes_[key.window_items.tail].ends_window = true;
    each(key.window_items, [&](const Node& node) {
        count_lane(key, node.lane, +1);
        key.queue_bytes += node.bytes;
    });
    in_windows_ -= key.window_items.count;
    deferred_ += key.parked() ? key.window_items.count : 0;
    splice(key.queue, key.window_items);
    window_timers_.drop(index);
    window = OpenWindow{};
    windows_.release(index);
    key.window = none;
}

void Consumer::Machine::write_window(const Key& key, bool fired) {
    OpenWindow& window = windows_[key.window];
    window.dirty = false;
    Offset first = nodes_[key.window_items.head].offset;
    Offset last = nodes_[key.window_items.tail].offset;
    if (window.kept) {
        first = std::min(first, window.kept->first);
        last = std::max(last, window.kept->last);
    }
    journal::append(out_.journal, journal::WindowChanged{key.hash,
                                                         {.first = first,
                                                          .last = last,
                                                          .first_at = window.first_at,
                                                          .last_at = window.last_at,
                                                          .quiet = window.quiet,
                                                          .fired = fired}});
}

const ConsumerState::Window* Consumer::Machine::kept_window(std::uint64_t hash,
                                                            Offset offset) const {
    const auto found = restored_.windows.find(hash);
    if (found == restored_.windows.end()) {
        return nullptr;
    }
    for (const auto& window : found->second) {
        if (window.first <= offset && offset <= window.last) {
            return &window;
        }
    }
    return nullptr;
}

void Consumer::Machine::cool(Key& key) {
    key.cooling = true;
    key.cooling_until = now_.steady + debounce_.period;
    key.ran_at = now_.wall;
    journal::append(out_.journal, journal::WindowRan{key.hash, now_.wall});
}

std::uint64_t Consumer::Machine::flush(std::optional<std::uint64_t> key_hash, Now now) {
    now_ = now;
    std::uint64_t fired = 0;
    for (std::uint32_t window = 0; window < windows_.end(); ++window) {
        const std::uint32_t key = windows_[window].key;
        if (key == none || (key_hash && keys_[key].hash != identity(*key_hash))) {
            continue;
        }
        fire(window);
        refresh(key);
        ++fired;
    }
    const bool batches = policy.batch && !policy.debounce;
    for (std::uint32_t index = 0; batches && index < keys_.end(); ++index) {
        Key& key = keys_[index];
        const bool in_use = key.loose != 0 || index_.find(key.hash) == index;
        if (!in_use || (key_hash && (key.loose != 0 || key.hash != identity(*key_hash))) ||
            key.queue.count == 0 || key.unit != none || key.parked() || has_waited(key)) {
            continue;
        }
        key.hurried = true;
        refresh(index);
        ++fired;
    }
    return fired;
}

}  // namespace bascule::delivery
