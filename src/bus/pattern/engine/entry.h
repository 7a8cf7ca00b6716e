#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bascule::pattern {

/// What an index answers for a value: whom it found, and what must still be checked.
struct Entry {
    static constexpr std::uint32_t proven = UINT32_MAX;

    std::uint32_t owner = 0;
    std::uint32_t check = proven;  ///< the number of a check, or nothing is left to check

    friend auto operator<=>(const Entry&, const Entry&) = default;
};

/// Lists of entries, one behind the other in one array.
class EntryLists {
  public:
    struct List {
        std::uint32_t begin = 0;
        std::uint32_t count = 0;
    };

    List add(std::span<const Entry> entries) {
        const List list{static_cast<std::uint32_t>(entries_.size()),
                        static_cast<std::uint32_t>(entries.size())};
        entries_.insert(entries_.end(), entries.begin(), entries.end());
        return list;
    }

    std::span<const Entry> get(List list) const {
        return {entries_.data() + list.begin, list.count};
    }

    std::size_t memory_bytes() const { return entries_.capacity() * sizeof(Entry); }

  private:
    std::vector<Entry> entries_;
};

/// Texts with their entries, on the way into an index.
using Keyed = std::vector<std::pair<std::string, Entry>>;

/// Sorts by text and calls `each(text, entries)` once a text.
template <class Each>
void for_each_text(Keyed& keyed, const Each& each) {
    std::sort(keyed.begin(), keyed.end());
    std::vector<Entry> entries;
    for (std::size_t i = 0; i < keyed.size();) {
        entries.clear();
        std::size_t end = i;
        for (; end < keyed.size() && keyed[end].first == keyed[i].first; ++end) {
            entries.push_back(keyed[end].second);
        }
        each(keyed[i].first, std::span<const Entry>(entries));
        i = end;
    }
}

}  // namespace bascule::pattern
