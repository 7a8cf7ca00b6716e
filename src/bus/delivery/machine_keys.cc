#include <algorithm>
#include <limits>

#include "bus/delivery/machine.h"

namespace bascule::delivery {

// ── Chains ───────────────────────────────────────────────────────────────────────────────────────

void Consumer::Machine::push_back(Chain& chain, std::uint32_t node) {
    nodes_[node].next = none;
    (chain.tail == none ? chain.head : nodes_[chain.tail].next) = node;
    chain.tail = node;
    ++chain.count;
}

void Consumer::Machine::push_front(Chain& chain, const Chain& front) {
    if (front.count == 0) {
        return;
    }
    nodes_[front.tail].next = chain.head;
    chain = {front.head, chain.tail == none ? front.tail : chain.tail, front.count + chain.count};
}

std::uint32_t Consumer::Machine::pop_front(Chain& chain) {
    const std::uint32_t node = chain.head;
    chain.head = nodes_[node].next;
    if (chain.head == none) {
        chain.tail = none;
    }
    --chain.count;
    nodes_[node].next = none;
    return node;
}

void Consumer::Machine::splice(Chain& chain, Chain& taken) {
    Chain joined = taken;
    push_front(joined, chain);
    chain = joined;
    taken = {};
}

bool Consumer::Machine::take_out(Chain& chain, Offset offset, std::uint32_t& node) {
    std::uint32_t before = none;
    for (std::uint32_t at = chain.head; at != none; before = at, at = nodes_[at].next) {
        if (nodes_[at].offset != offset) {
            continue;
        }
        (before == none ? chain.head : nodes_[before].next) = nodes_[at].next;
        if (chain.tail == at) {
            chain.tail = before;
        }
        --chain.count;
        node = at;
        return true;
    }
    return false;
}

bool Consumer::Machine::has(const Chain& chain, Offset offset) const {
    for (std::uint32_t at = chain.head; at != none; at = nodes_[at].next) {
        if (nodes_[at].offset == offset) {
            return true;
        }
    }
    return false;
}

std::uint32_t Consumer::Machine::new_node(const Item& item, SteadyTime arrived) {
    const std::uint32_t index = nodes_.acquire();
    nodes_[index] = {.offset = item.offset,
                     .arrived = arrived,
                     .key_hash = item.key_hash,
                     .bytes = item.bytes,
                     .lane = std::clamp<std::uint8_t>(item.lane, 1, lane_count_)};
    return index;
}

void Consumer::Machine::free_node(std::uint32_t node) { nodes_.release(node); }

// ── Keys ─────────────────────────────────────────────────────────────────────────────────────────

bool Consumer::Machine::is_loose(std::uint64_t key_hash) const {
    return policy.ordering == Ordering::none ||
           (policy.ordering == Ordering::key && key_hash == no_key);
}

std::uint64_t Consumer::Machine::identity(std::uint64_t key_hash) const {
    constexpr std::uint64_t whole_log = 1;
    return policy.ordering == Ordering::log ? whole_log : key_hash;
}

std::uint32_t Consumer::Machine::find_key(std::uint64_t key_hash, std::uint8_t lane) const {
    return is_loose(key_hash) ? loose_[lane - 1] : index_.find(identity(key_hash));
}

std::uint32_t Consumer::Machine::key_for(std::uint64_t key_hash, std::uint8_t lane) {
    if (const std::uint32_t found = find_key(key_hash, lane); found != none) {
        return found;
    }
    const std::uint32_t index = keys_.acquire();
    Key& key = keys_[index];
    // Both go on, so that entries and seats of whoever had the place before stay void.
    const std::uint32_t ticket = key.ticket;
    const std::uint32_t seat = key.seat;
    key = Key{};
    key.ticket = ticket;
    key.seat = seat;
    if (is_loose(key_hash)) {
        key.loose = lane;
        loose_[lane - 1] = index;
    } else {
        key.hash = identity(key_hash);
        index_.insert(key.hash, index);
    }
    return index;
}

/// Whose event the member of a unit is.
std::uint32_t Consumer::Machine::key_of(const Unit& unit, const Node& node) const {
    return unit.key != none ? unit.key : find_key(node.key_hash, node.lane);
}

void Consumer::Machine::count_lane(Key& key, std::uint8_t lane, int change) {
    key.lanes[lane - 1] += static_cast<std::uint32_t>(change);
    in_lane_[lane - 1] += static_cast<std::uint64_t>(change);
}

std::uint8_t Consumer::Machine::best_lane(const Key& key) const {
    if (lane_count_ == 1) {
        return 1;
    }
    for (std::uint8_t lane = 1; lane < lane_count_; ++lane) {
        if (key.lanes[lane - 1] > 0) {
            return lane;
        }
    }
    return lane_count_;
}

std::uint32_t Consumer::Machine::ticket_of(const Ready& entry) const {
    switch (entry.kind) {
        case Ready::Kind::key:
            return keys_[entry.index].ticket;
        case Ready::Kind::unit:
            return units_[entry.index].ticket;
        case Ready::Kind::pool:
            break;
    }
    return pools_[entry.index].ticket;
}

/// Whether somebody waits in the lane; throws away void entries in front of it.
bool Consumer::Machine::has_ready(std::uint8_t lane) {
    auto& ready = ready_[lane - 1];
    while (!ready.empty()) {
        if (ticket_of(ready.front()) == ready.front().ticket) {
            return true;
        }
        ready.pop_front();
    }
    return false;
}

/// By how many lanes the wait since then lifts.
std::int64_t Consumer::Machine::boosts(SteadyTime since, std::uint8_t lane) const {
    return std::min<std::int64_t>((now_.steady - since) / age_boost_, lane - 1);
}

/// Lifts those who have waited for age_boost. Called before a choice between lanes: until then the
/// lift would make no difference, so it needs no timer.
void Consumer::Machine::age() {
    for (const std::uint32_t loose : loose_) {
        if (loose != none && keys_[loose].ready_lane != 0) {
            refresh(loose);
        }
    }
    // From the worst: who has waited long enough passes several lanes at once. The queues are in
    // the order of `since`, so that those in front tell of all.
    for (std::uint8_t lane = lane_count_; lane > 1; --lane) {
        while (has_ready(lane)) {
            Ready entry = ready_[lane - 1].front();
            const std::int64_t lifted = boosts(entry.since, lane);
            if (lifted == 0) {
                break;
            }
            ready_[lane - 1].pop_front();
            const auto to = static_cast<std::uint8_t>(lane - lifted);
            entry.since += lifted * age_boost_;
            if (entry.kind == Ready::Kind::key) {
                keys_[entry.index].ready_lane = to;
            } else if (entry.kind == Ready::Kind::unit) {
                units_[entry.index].ready_lane = to;
            }
            ready_[to - 1].push_back(entry);
        }
    }
}

void Consumer::Machine::enqueue(Key& key, std::uint32_t node) {
    push_back(key.queue, node);
    key.queue_bytes += nodes_[node].bytes;
    count_lane(key, nodes_[node].lane, +1);
    deferred_ += key.parked();
}

bool Consumer::Machine::batch_full(const Key& key) const {
    return key.queue.count >= batch_.max_size || key.queue_bytes >= batch_.max_bytes;
}

bool Consumer::Machine::batch_ready(const Key& key) const {
    // Under debounce the windows are the batches: what is in the queue has waited already.
    if (!policy.batch || policy.debounce) {
        return true;
    }
    return batch_full(key) || runs_alone(key) || has_waited(key);
}

/// Whether the first event of its queue has waited for company as long as it has to.
bool Consumer::Machine::has_waited(const Key& key) const {
    return key.hurried || nodes_[key.queue.head].arrived + batch_.max_wait <= now_.steady;
}

bool Consumer::Machine::may_redrive(const Key& key) const {
    // A unit that a restart interrupted may still be on its way back: it holds the key, as it did
    // before.
    return key.redrives.count > 0 && (!catching_up_ || key.loose != 0);
}

bool Consumer::Machine::has_token(const Key& key) const {
    return !rate_by_key_ || key.loose != 0 || rate_->has_token(key.full_at, now_.steady);
}

bool Consumer::Machine::runnable(const Key& key) const {
    if (key.unit != none) {
        // A unit of several keys waits for itself.
        return units_[key.unit].key != none && units_[key.unit].state == UnitState::ready;
    }
    return may_redrive(key) || (!key.parked() && key.queue.count > 0 &&
                                (pooling_ ? runs_alone(key) : batch_ready(key)));
}

/// Brings everything that follows from a key's content up to date: its place among the ready ones,
/// its timer, and whether it is worth remembering. Called after every change; nobody keeps a
/// reference to a key across it.
void Consumer::Machine::refresh(std::uint32_t index) {
    Key& key = keys_[index];
    const bool may_run = runnable(key);
    std::uint8_t lane = may_run && has_token(key) ? best_lane(key) : 0;
    SteadyTime since = now_.steady;
    if (lane > 1 && age_boost_ > milliseconds(0)) {
        if (key.loose != 0 && key.queue.count > 0) {
            // Each free event waits for itself, not for its turn in a queue that it shares.
            since = nodes_[key.queue.head].arrived;
            const std::int64_t lifted = boosts(since, lane);
            lane -= static_cast<std::uint8_t>(lifted);
            since += lifted * age_boost_;
        }
        if (key.ready_lane != 0) {
            lane = std::min(lane, key.ready_lane);  // what age has lifted never falls back
        }
    }
    if (lane != key.ready_lane) {
        ++key.ticket;
        key.ready_lane = lane;
        if (lane != 0) {
            ready_[lane - 1].push_back({index, key.ticket, Ready::Kind::key, since});
        }
    }
    const bool may_join = may_join_pool(key);
    const bool joins = may_join && has_token(key);
    if (pooling_) {
        seat(index, joins ? best_lane(key) : std::uint8_t{0});
        if (key.unit != none) {
            lend_lane(key.unit, best_lane(key));
        }
    }
    if (policy.batch || policy.debounce) {
        if (key.cooling) {
            key_timers_.set(index, key.cooling_until);
        } else if (pooling_
                       ? joins && !key.pool_due
                       : !may_run && key.unit == none && !key.parked() && key.queue.count > 0) {
            key_timers_.set(index, nodes_[key.queue.head].arrived + batch_.max_wait);
        } else {
            key_timers_.drop(index);
        }
    }
    const bool idle = key.loose == 0 && key.queue.count == 0 && key.redrives.count == 0 &&
                      key.window == none && key.unit == none && !key.parked() && !key.cooling;
    if (rate_by_key_) {
        keep_bucket(index, (may_run && lane == 0) || (may_join && !joins), idle);
    } else if (idle) {
        forget(index);
    }
}

/// Wakes a key when there is a token for it, and remembers the bucket of an idle one until it is
/// full.
void Consumer::Machine::keep_bucket(std::uint32_t index, bool starved, bool idle) {
    const Key& key = keys_[index];
    if (starved) {
        token_timers_.set(index, rate_->next_token(key.full_at));
    } else {
        token_timers_.drop(index);
    }
    if (!idle) {
        full_timers_.drop(index);
        return;
    }
    if (key.full_at <= now_.steady) {
        full_timers_.drop(index);
        forget(index);
        return;
    }
    full_timers_.set(index, key.full_at);
    if (full_timers_.size() > policy.rate->keys_max) {
        forget(full_timers_.take_earliest());
    }
}

/// The key has nothing left to remember.
void Consumer::Machine::forget(std::uint32_t index) {
    index_.erase(keys_[index].hash);
    keys_.release(index);
}

void Consumer::Machine::park(Key& key) {
    if (++key.letters > 1) {
        return;
    }
    deferred_ += key.queue.count;
    if (key.window != none) {
        fire(key.window);
    }
}

void Consumer::Machine::unpark(Key& key) {
    if (--key.letters > 0) {
        return;
    }
    deferred_ -= key.queue.count;
    // What was deferred is one window, and it has waited long enough.
    if (collects(key) && key.queue.count > 0) {
        nodes_[key.queue.tail].ends_window = true;
    }
}

}  // namespace bascule::delivery
