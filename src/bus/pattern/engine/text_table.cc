#include "bus/pattern/engine/text_table.h"

#include <algorithm>
#include <bit>

namespace bascule::pattern {

TextTable::TextTable(Keyed keyed) {
    std::vector<Slot> texts;
    for_each_text(keyed, [&](const std::string& text, std::span<const Entry> entries) {
        texts.push_back({hash_of_text(text), static_cast<std::uint32_t>(texts_.size()),
                         static_cast<std::uint32_t>(text.size()), lists_.add(entries)});
        texts_ += text;
        bytes_max_ = std::max(bytes_max_, text.size());
    });
    if (texts.empty()) {
        return;
    }
    slots_.resize(std::bit_ceil(texts.size() * 2));
    for (const Slot& text : texts) {
        std::size_t slot = text.hash & (slots_.size() - 1);
        while (slots_[slot].list.count != 0) {
            slot = (slot + 1) & (slots_.size() - 1);
        }
        slots_[slot] = text;
    }
}

std::size_t TextTable::memory_bytes() const {
    return texts_.capacity() + slots_.capacity() * sizeof(Slot) + lists_.memory_bytes();
}

}  // namespace bascule::pattern
