#include <algorithm>
#include <utility>

#include "bus/delivery/journal.h"
#include "bus/delivery/machine.h"
#include "foundation/base/check.h"

namespace bascule::delivery {

// ── Batches of several keys ──────────────────────────────────────────────────────────────────────

/// What has failed together, or cannot be read, goes without company and at once.
bool Consumer::Machine::runs_alone(const Key& key) const {
    return nodes_[key.queue.head].lost ||
           (!pieces_.empty() && key.loose == 0 && pieces_.contains(index_.find(key.hash)));
}

bool Consumer::Machine::may_join_pool(const Key& key) const {
    return pooling_ && key.unit == none && !key.parked() && key.queue.count > 0 &&
           !may_redrive(key) && !runs_alone(key);
}

/// Gives the key's queue its seat in the pool of the lane, or (lane 0) in none.
void Consumer::Machine::seat(std::uint32_t index, std::uint8_t lane) {
    Key& key = keys_[index];
    const std::uint8_t before = std::exchange(key.pool_lane, lane);
    if (before != 0) {
        Pool& pool = pools_[before - 1];
        pool.events -= key.pool_events;
        pool.bytes -= key.pool_bytes;
        pool.due -= key.pool_due;
    }
    if (before != lane) {
        ++key.seat;
    }
    key.pool_due = false;
    if (lane != 0) {
        Pool& pool = pools_[lane - 1];
        if (before != lane) {
            pool.seats.push_back({index, key.seat});
        }
        key.pool_events = key.queue.count;
        key.pool_bytes = key.queue_bytes;
        key.pool_due = has_waited(key);
        pool.events += key.pool_events;
        pool.bytes += key.pool_bytes;
        pool.due += key.pool_due;
        weigh(lane);
    }
    if (before != 0 && before != lane) {
        weigh(before);
    }
}

/// Whether there is a batch in the pool: by size, by bytes, or by the wait of one of its events.
void Consumer::Machine::weigh(std::uint8_t lane) {
    Pool& pool = pools_[lane - 1];
    const bool ready =
        pool.due > 0 || pool.events >= batch_.max_size || pool.bytes >= batch_.max_bytes;
    if (ready == std::exchange(pool.ready, ready)) {
        return;
    }
    ++pool.ticket;
    if (ready) {
        ready_[lane - 1].push_back({lane - 1u, pool.ticket, Ready::Kind::pool, now_.steady});
    }
}

/// Takes from a pool what one run is to do: of each key its first events, the keys in the order in
/// which they came.
void Consumer::Machine::start_batch(Pool& pool, std::uint8_t lane) {
    pool.ready = false;
    const std::uint32_t index = units_.acquire();
    Unit& unit = units_[index];
    unit.state = UnitState::ready;
    unit.shape = RunShape::batch;
    std::vector<Group> groups;
    std::uint64_t bytes = 0;
    std::uint32_t count = 0;
    const auto fits = [&](const Key& key) {
        return key.queue.count > 0 && !nodes_[key.queue.head].lost &&
               (count == 0 || (count < batch_.max_size &&
                               bytes + nodes_[key.queue.head].bytes <= batch_.max_bytes));
    };
    while (!pool.seats.empty()) {
        const Pool::Seat seat = pool.seats.front();
        Key& key = keys_[seat.key];
        if (key.seat != seat.ticket) {
            pool.seats.pop_front();
            continue;
        }
        if (!fits(key)) {
            break;
        }
        groups.push_back({.key = seat.key});
        key.hurried = false;
        while (fits(key)) {
            const std::uint32_t node = pop_front(key.queue);
            key.queue_bytes -= nodes_[node].bytes;
            bytes += nodes_[node].bytes;
            ++count;
            groups.back().nodes.push_back(node);
        }
        if (key.queue.count > 0) {
            break;
        }
        pool.seats.pop_front();
        ++key.seat;
    }
    CHECK(count > 0);
    fill(index, groups);
    start(index, lane);
    for (const Group& group : groups) {
        refresh(group.key);
    }
}

/// Gives a unit its members, in log order, and each of their keys the unit that it waits for.
void Consumer::Machine::fill(std::uint32_t index, std::span<const Group> groups) {
    Unit& unit = units_[index];
    std::vector<std::uint32_t> nodes;
    unit.key = groups.front().key;
    for (const Group& group : groups) {
        unit.key = unit.key == group.key ? unit.key : none;
        nodes.insert(nodes.end(), group.nodes.begin(), group.nodes.end());
        if (keys_[group.key].loose == 0) {
            keys_[group.key].unit = index;
        }
    }
    if (groups.size() > 1) {
        std::ranges::sort(nodes, {}, [this](std::uint32_t node) { return nodes_[node].offset; });
    }
    unit.items = {};
    for (const std::uint32_t node : nodes) {
        push_back(unit.items, node);
    }
}

/// A unit that is ready waits in the lane of the best event that waits for it.
void Consumer::Machine::lend_lane(std::uint32_t index, std::uint8_t lane) {
    Unit& unit = units_[index];
    if (unit.key == none && unit.state == UnitState::ready && lane < unit.ready_lane) {
        unit.ready_lane = lane;
        ready_[lane - 1].push_back({index, ++unit.ticket, Ready::Kind::unit, now_.steady});
    }
}

/// The unit lets go of its keys. Returns them, to be refreshed when they are what they shall be.
std::vector<std::uint32_t> Consumer::Machine::unlock(std::uint32_t index) {
    std::vector<std::uint32_t> keys;
    const Unit& unit = units_[index];
    each(unit.items, [&](const Node& node) {
        const std::uint32_t key = key_of(unit, node);
        if (keys_[key].loose != 0 ? std::ranges::find(keys, key) == keys.end()
                                  : keys_[key].unit == index) {
            keys.push_back(key);
        }
        if (keys_[key].loose == 0 && keys_[key].unit == index) {
            keys_[key].unit = none;
        }
    });
    return keys;
}

// ── A batch that has failed ──────────────────────────────────────────────────────────────────────

/// Whether a failure of the unit is nobody's yet.
bool Consumer::Machine::comes_apart(const Unit& unit) const {
    return unit.key == none || (bisects_ && unit.shape == RunShape::batch);
}

/// Empties a unit and unlocks its keys. Groups come in the order of their first members.
std::vector<Consumer::Machine::Group> Consumer::Machine::take_groups(std::uint32_t index) {
    Unit& unit = units_[index];
    std::vector<Group> groups;
    std::unordered_map<std::uint32_t, std::size_t> of_key;
    unlock(index);
    while (unit.items.count > 0) {
        const std::uint32_t node = pop_front(unit.items);
        const std::uint32_t key = key_of(unit, nodes_[node]);
        const auto [found, is_new] = of_key.try_emplace(key, groups.size());
        if (is_new || keys_[key].loose != 0) {
            found->second = groups.size();
            groups.push_back({.key = key});
        }
        groups[found->second].nodes.push_back(node);
    }
    return groups;
}

/// A new unit with the history of another and none of its members.
std::uint32_t Consumer::Machine::part_of(std::uint32_t index) {
    const std::uint32_t part_index = units_.acquire();
    Unit& part = units_[part_index];
    const Unit& whole = units_[index];
    part.state = UnitState::ready;
    part.shape = whole.shape;
    part.letter = whole.letter;
    part.attempted = whole.attempted;
    part.first_active = whole.first_active;
    part.run = whole.run;
    part.voter = whole.voter;
    return part_index;
}

/// The batch failed, and nobody knows by whose fault: halves of it run at once, and nobody is
/// charged. Keys are shared out whole, since only within a key there is an order to be kept; the
/// batch of one key goes back to its queue, to be run there half after half. After a restart the
/// halves that had not been started are events like all others.
void Consumer::Machine::dissolve(std::uint32_t index) {
    Unit& unit = units_[index];
    const std::uint32_t count = unit.items.count;
    unit.voter = voter_of(unit);
    unit.trouble.reset();
    std::vector<Offset> members;
    each(unit.items, [&](const Node& node) { members.push_back(node.offset); });
    const std::vector<Group> groups = take_groups(index);
    if (groups.size() == 1) {
        Chain items;
        for (const std::uint32_t node : groups.front().nodes) {
            push_back(items, node);
        }
        const std::uint32_t key = groups.front().key;
        return_items(key, items, false);
        auto& pieces = pieces_[key];
        pieces.back() = count / 2;
        pieces.push_back(count - count / 2);
        release_unit(index);
        refresh(key);
        return;
    }
    std::size_t first = 0;
    for (std::size_t members = 0; first + 1 < groups.size() && members < count / 2; ++first) {
        members += groups[first].nodes.size();
    }
    const std::uint32_t other = part_of(index);
    const std::span all(groups);
    fill(index, all.first(first));
    fill(other, all.subspan(first));
    journal::append(out_.journal, journal::Returned{members});
    for (const std::uint32_t half : {index, other}) {
        make_ready(half);
        refresh_unit(half);
    }
    for (const Group& group : groups) {
        refresh(group.key);
    }
}

/// Takes a batch apart: of each key the first event that `failed` names, and every such free event,
/// gets a unit of its own. What failed behind it returns to its queue, since a key stops at its
/// first failure; what did not fail stays in the unit. The caller refreshes the keys.
Consumer::Machine::Isolated Consumer::Machine::isolate(
    std::uint32_t index, const std::function<bool(const Node&)>& failed) {
    Isolated isolated{.groups = take_groups(index)};
    std::vector<std::uint32_t> others;
    for (const Group& group : isolated.groups) {
        Chain behind;
        std::uint32_t alone = none;
        for (const std::uint32_t node : group.nodes) {
            if (!failed(nodes_[node])) {
                others.push_back(node);
            } else if (alone == none) {
                alone = part_of(index);
                const Group self{.key = group.key, .nodes = {node}};
                fill(alone, std::span(&self, 1));
                isolated.units.push_back(alone);
            } else {
                push_back(behind, node);
            }
        }
        return_items(group.key, behind, false);
    }
    std::ranges::sort(others, {}, [this](std::uint32_t node) { return nodes_[node].offset; });
    for (const std::uint32_t node : others) {
        push_back(units_[index].items, node);
    }
    return isolated;
}

/// Members of a unit are the first of their key's queue again, as if they had never been started.
void Consumer::Machine::return_items(std::uint32_t index, const Chain& items, bool ends_window) {
    if (items.count == 0) {
        return;
    }
    Key& key = keys_[index];
    std::vector<Offset> returned;
    each(items, [&](const Node& node) {
        returned.push_back(node.offset);
        key.queue_bytes += node.bytes;
    });
    nodes_[items.tail].ends_window = ends_window;
    push_front(key.queue, items);
    if (bisects_ && key.loose == 0) {
        pieces_[index].push_back(items.count);
    }
    journal::append(out_.journal, journal::Returned{returned});
}

}  // namespace bascule::delivery
