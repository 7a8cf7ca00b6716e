#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bus/pattern/engine/entry.h"
#include "bus/pattern/engine/event_values.h"
#include "bus/pattern/engine/word_bytes.h"
#include "foundation/base/text_hash.h"

namespace bascule::pattern {

/// Entries by whole text. Immutable once built.
class TextTable {
  public:
    TextTable() = default;
    explicit TextTable(Keyed keyed);

    bool empty() const { return slots_.empty(); }

    std::span<const Entry> find(const Value& value) const {
        // Most fields have texts of one length, and longer values need no hash.
        return value.text.size() <= bytes_max_ ? find(value.text, value.hash())
                                               : std::span<const Entry>();
    }
    std::span<const Entry> find(std::string_view text) const {
        return text.size() <= bytes_max_ ? find(text, hash_of_text(text))
                                         : std::span<const Entry>();
    }

    std::size_t memory_bytes() const;

  private:
    std::span<const Entry> find(std::string_view text, std::uint64_t hash) const {
        if (slots_.empty()) {
            return {};
        }
        for (std::size_t slot = hash & (slots_.size() - 1); slots_[slot].list.count != 0;
             slot = (slot + 1) & (slots_.size() - 1)) {
            const Slot& it = slots_[slot];
            if (it.hash == hash && it.size == text.size() &&
                are_equal(texts_.data() + it.begin, text.data(), text.size())) {
                return lists_.get(it.list);
            }
        }
        return {};
    }

    struct Slot {
        std::uint64_t hash = 0;
        std::uint32_t begin = 0;  ///< in texts_
        std::uint32_t size = 0;
        EntryLists::List list;  ///< empty = the slot is free
    };

    std::string texts_;
    std::vector<Slot> slots_;  ///< by hash, probed one after the other; at most half of them taken
    EntryLists lists_;
    std::size_t bytes_max_ = 0;
};

}  // namespace bascule::pattern
