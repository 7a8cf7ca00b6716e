#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "bus/log/options.h"
#include "foundation/base/clock.h"
#include "foundation/base/hash.h"
#include "foundation/base/offset.h"

namespace bascule::log {

/// What is remembered of a record to recognise its repetition.
struct IdEntry {
    Hash128 id;  ///< zero = the record has none
    std::uint64_t content = 0;
};

/// The ids of the last records, within the dedup window.
///
/// Entries lie in a ring by offset, 24 bytes each; a hash table of 4-byte slots points into it. The
/// table is split in many small ones, so that growing one never stops the writer for long.
///
/// Threads:  one owner.
/// Memory:   24 bytes a record in the window, control records and those without an id included,
///           and 6 to 12 a slot: about 32 at the full window.
/// Cost:     O(1); at worst one small table is rebuilt (some 16 000 entries).
class DedupIndex {
  public:
    DedupIndex(const DedupWindow& window, Offset begin);

    struct Hit {
        Offset offset;
        std::uint64_t content = 0;
    };
    std::optional<Hit> find(const Hash128& id) const;

    /// Tells the processor that `find` and `push` of this id come soon: nearly every one of them
    /// waits for memory, and several can wait at once.
    void prefetch(const Hash128& id) const;

    /// Appends the entry of offset `end()` and forgets what leaves the window. `recorded` does not
    /// decrease.
    void push(const IdEntry& entry, WallTime recorded);

    /// Takes back everything from `end` on: a commit that did not happen.
    void truncate(Offset end);

    Offset begin() const { return Offset(begin_); }
    Offset end() const { return Offset(end_); }
    std::uint64_t size() const { return end_ - begin_; }
    /// From the oldest entry to the newest, or nothing when there is none.
    std::chrono::milliseconds span() const;

  private:
    static constexpr std::uint64_t chunk_entries = 4096;
    static constexpr std::size_t table_count = 256;
    /// A slot is 8 bits of the id, to avoid most looks into the ring, and the offset modulo
    /// 2^24 - 1, so that no slot has all bits set.
    static constexpr unsigned offset_bits = 24;
    static constexpr std::uint32_t offset_modulus = (1U << offset_bits) - 1;
    static constexpr std::uint32_t empty_slot = 0xFFFF'FFFF;

    struct Table {
        std::vector<std::uint32_t> slots;
        std::uint32_t used = 0;  ///< stale ones included
    };
    /// Records at `first` and later were recorded at `time` or later.
    struct TimeMark {
        std::uint64_t first;
        WallTime time;
    };
    using Chunk = std::array<IdEntry, chunk_entries>;

    static std::size_t table_of(const Hash128& id) { return id.high >> 56; }
    static std::uint32_t tag_of(const Hash128& id) {
        return static_cast<std::uint32_t>(id.high >> 48 & 0xFF) << offset_bits;
    }
    static std::uint32_t tag_of(std::uint32_t slot) { return slot >> offset_bits << offset_bits; }
    static std::uint32_t slot_of(const Hash128& id, std::uint64_t offset) {
        return tag_of(id) | static_cast<std::uint32_t>(offset % offset_modulus);
    }
    const IdEntry& entry(std::uint64_t offset) const {
        return (*chunks_[offset / chunk_entries - chunk_first_])[offset % chunk_entries];
    }
    std::optional<std::uint64_t> live_offset(std::uint32_t slot) const;
    static void insert(Table& table, std::uint32_t home, std::uint32_t slot);
    void rebuild(std::size_t index);
    void expire(WallTime now);
    void drop_front(std::uint64_t begin);

    DedupWindow window_;
    std::uint64_t begin_;
    std::uint64_t end_;
    std::deque<std::unique_ptr<Chunk>> chunks_;
    std::uint64_t chunk_first_;  ///< number of the front chunk
    std::array<Table, table_count> tables_;
    std::deque<TimeMark> times_;
    WallTime newest_{};
};

}  // namespace bascule::log
