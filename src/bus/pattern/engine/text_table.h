#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bus/pattern/engine/entry.h"

namespace bascule::pattern {

/// Entries by whole text. Immutable once built.
class TextTable {
  public:
    TextTable() = default;
    explicit TextTable(Keyed keyed);

    bool empty() const { return keys_.empty(); }
    /// Longer texts need not be asked for.
    std::size_t bytes_max() const { return bytes_max_; }

    std::span<const Entry> find(std::string_view text) const;

    std::size_t memory_bytes() const;

  private:
    static std::uint64_t hash_of(std::string_view text);

    struct Key {
        std::uint64_t hash = 0;
        std::uint32_t begin = 0;  ///< in texts_
        std::uint32_t size = 0;
        EntryLists::List list;
    };

    std::string texts_;
    std::vector<Key> keys_;
    std::vector<std::uint32_t>
        slots_;  ///< 1 + the key's number by hash, probed one after the other
    EntryLists lists_;
    std::size_t bytes_max_ = 0;
};

}  // namespace bascule::pattern
