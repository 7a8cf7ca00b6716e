#include "bus/log/dedup_index.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "foundation/base/check.h"

namespace bascule::log {

namespace {

constexpr Hash128 no_id{};
constexpr std::size_t slots_min = 8;

/// So many reads of memory are under way at once on any machine.
constexpr std::size_t ahead = 16;

/// Time marks need not be finer than this to keep a window of hours.
constexpr auto time_step = 1s;

}  // namespace

DedupIndex::DedupIndex(const DedupWindow& window, Offset begin)
    : window_(window),
      begin_(begin.value()),
      end_(begin.value()),
      chunk_first_(begin.value() / chunk_entries) {}

std::optional<DedupIndex::Hit> DedupIndex::find(const Hash128& id) const {
    const Table& table = tables_[table_of(id)];
    if (id == no_id || table.slots.empty()) {
        return std::nullopt;
    }
    const std::size_t mask = table.slots.size() - 1;
    for (std::size_t at = id.low & mask; table.slots[at] != empty_slot; at = (at + 1) & mask) {
        const std::uint32_t slot = table.slots[at];
        if (tag_of(slot) != tag_of(id)) {
            continue;
        }
        const auto offset = live_offset(slot);
        if (offset && entry(*offset).id == id) {
            return Hit{Offset(*offset), entry(*offset).content};
        }
    }
    return std::nullopt;
}

void DedupIndex::prefetch(const Hash128& id) const {
    const Table& table = tables_[table_of(id)];
    if (!table.slots.empty()) {
        __builtin_prefetch(&table.slots[id.low & (table.slots.size() - 1)]);
    }
}

void DedupIndex::push(const IdEntry& entry, WallTime recorded) {
    const std::uint64_t offset = end_++;
    const std::uint64_t chunk = offset / chunk_entries - chunk_first_;
    if (chunk == chunks_.size()) {
        chunks_.push_back(std::make_unique<Chunk>());
    }
    (*chunks_[chunk])[offset % chunk_entries] = entry;
    if (times_.empty() || recorded - times_.back().time >= time_step) {
        times_.push_back({offset, recorded});
    }
    newest_ = std::max(newest_, recorded);
    if (entry.id != no_id) {
        const std::size_t index = table_of(entry.id);
        Table& table = tables_[index];
        // Linear probing stays short up to 0.7.
        if (10 * (table.used + 1) > 7 * table.slots.size()) {
            rebuild(index);
        }
        insert(table, static_cast<std::uint32_t>(entry.id.low), slot_of(entry.id, offset));
    }
    expire(recorded);
}

void DedupIndex::truncate(Offset end) {
    CHECK(end.value() <= end_);
    end_ = end.value();   // slots that point behind it are stale from here on
    if (begin_ > end_) {  // the commit was larger than the window
        begin_ = end_;
        chunks_.clear();
        chunk_first_ = end_ / chunk_entries;
    }
    while (!times_.empty() && times_.back().first >= end_) {
        times_.pop_back();
    }
}

std::chrono::milliseconds DedupIndex::span() const {
    return times_.empty() ? std::chrono::milliseconds(0) : newest_ - times_.front().time;
}

/// The offset a slot means now, if an entry lives there. A slot whose entry expired may by then
/// mean a later entry that has one of its own; comparing ids makes that harmless.
std::optional<std::uint64_t> DedupIndex::live_offset(std::uint32_t slot) const {
    if (end_ == begin_) {
        return std::nullopt;
    }
    const std::uint64_t newest = end_ - 1;
    const std::uint64_t part = slot & offset_modulus;
    const std::uint64_t behind = (newest % offset_modulus + offset_modulus - part) % offset_modulus;
    return behind < end_ - begin_ ? std::optional(newest - behind) : std::nullopt;
}

/// A slot that is there already was left behind by a commit that was taken back.
void DedupIndex::insert(Table& table, std::uint32_t home, std::uint32_t slot) {
    const std::size_t mask = table.slots.size() - 1;
    std::size_t at = home & mask;
    for (; table.slots[at] != empty_slot; at = (at + 1) & mask) {
        if (table.slots[at] == slot) {
            return;
        }
    }
    table.slots[at] = slot;
    ++table.used;
}

/// Leaves stale slots behind, and doubles when the live ones fill more than a third.
///
/// The ids lie anywhere in the ring, each a wait for memory: they are asked for ahead.
void DedupIndex::rebuild(std::size_t index) {
    struct Live {
        std::uint64_t offset;
        std::uint32_t home;
        std::uint32_t slot;
    };
    Table& table = tables_[index];
    std::vector<Live> live;
    live.reserve(table.used);
    // From behind an empty slot on, so that of equal ids the older one stays the first.
    const std::size_t size = table.slots.size();
    const auto begin =
        static_cast<std::size_t>(std::ranges::find(table.slots, empty_slot) - table.slots.begin());
    for (std::size_t i = 0; i < size; ++i) {
        const std::uint32_t slot = table.slots[(begin + i) & (size - 1)];
        if (const auto offset = slot == empty_slot ? std::nullopt : live_offset(slot)) {
            live.push_back({.offset = *offset, .home = 0, .slot = slot});
        }
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < live.size(); ++i) {
        if (i + ahead < live.size()) {
            __builtin_prefetch(&entry(live[i + ahead].offset));
        }
        const Hash128& id = entry(live[i].offset).id;
        if (id != no_id && table_of(id) == index && tag_of(id) == tag_of(live[i].slot)) {
            live[kept] = live[i];
            live[kept++].home = static_cast<std::uint32_t>(id.low);
        }
    }
    live.resize(kept);

    table.slots.assign(std::max(slots_min, std::bit_ceil(2 * (live.size() + 1))), empty_slot);
    table.used = 0;
    for (const Live& one : live) {
        insert(table, one.home, one.slot);
    }
}

void DedupIndex::expire(WallTime now) {
    std::uint64_t begin = begin_;
    // Everything before the second mark was recorded before that mark's time.
    while (times_.size() > 1 && now - times_[1].time > window_.age) {
        begin = std::max(begin, times_[1].first);
        times_.pop_front();
    }
    if (end_ - begin > window_.entries_max) {
        begin = end_ - window_.entries_max;
    }
    drop_front(begin);
}

void DedupIndex::drop_front(std::uint64_t begin) {
    begin_ = begin;
    while (!chunks_.empty() && (chunk_first_ + 1) * chunk_entries <= begin_) {
        chunks_.pop_front();
        ++chunk_first_;
    }
    while (times_.size() > 1 && times_[1].first <= begin_) {
        times_.pop_front();
    }
}

}  // namespace bascule::log
