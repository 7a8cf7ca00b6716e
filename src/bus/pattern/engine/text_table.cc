#include "bus/pattern/engine/text_table.h"

#include <bit>
#include <cstring>

#include "foundation/base/hash.h"

namespace bascule::pattern {

/// Texts are mostly short, and then a call to a hash for texts of any length is most of the work.
std::uint64_t TextTable::hash_of(std::string_view text) {
    std::uint64_t front = 0;
    std::uint64_t back = 0;
    if (text.size() > 16) {
        return hash64(text);
    }
    if (text.size() >= 8) {
        std::memcpy(&front, text.data(), 8);
        std::memcpy(&back, text.data() + text.size() - 8, 8);
    } else if (text.size() >= 4) {
        std::memcpy(&front, text.data(), 4);
        std::memcpy(&back, text.data() + text.size() - 4, 4);
    } else if (!text.empty()) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
        front = byte(0);
        back = byte(text.size() / 2) << 8 | byte(text.size() - 1);
    }
    __extension__ using Wide = unsigned __int128;
    const Wide product =
        static_cast<Wide>(front ^ 0x9E3779B97F4A7C15U ^ text.size()) * (back ^ 0xD6E8FEB86659FD93U);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

TextTable::TextTable(Keyed keyed) {
    for_each_text(keyed, [&](const std::string& text, std::span<const Entry> entries) {
        keys_.push_back({hash_of(text), static_cast<std::uint32_t>(texts_.size()),
                         static_cast<std::uint32_t>(text.size()), lists_.add(entries)});
        texts_ += text;
        bytes_max_ = std::max(bytes_max_, text.size());
    });
    if (keys_.empty()) {
        return;
    }
    slots_.resize(std::bit_ceil(keys_.size() * 2));
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        std::size_t slot = keys_[i].hash & (slots_.size() - 1);
        while (slots_[slot] != 0) {
            slot = (slot + 1) & (slots_.size() - 1);
        }
        slots_[slot] = static_cast<std::uint32_t>(i + 1);
    }
}

std::span<const Entry> TextTable::find(std::string_view text) const {
    if (keys_.empty() || text.size() > bytes_max_) {
        return {};
    }
    const std::uint64_t hash = hash_of(text);
    for (std::size_t slot = hash & (slots_.size() - 1); slots_[slot] != 0;
         slot = (slot + 1) & (slots_.size() - 1)) {
        const Key& key = keys_[slots_[slot] - 1];
        if (key.hash == hash && text == std::string_view(texts_).substr(key.begin, key.size)) {
            return lists_.get(key.list);
        }
    }
    return {};
}

std::size_t TextTable::memory_bytes() const {
    return texts_.capacity() + keys_.capacity() * sizeof(Key) +
           slots_.capacity() * sizeof(std::uint32_t) + lists_.memory_bytes();
}

}  // namespace bascule::pattern
