#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "foundation/base/hash.h"

namespace bascule::pattern {

/// A hash for tables in memory. Most texts are short, and for these a call to a hash for texts of
/// any length would be most of the work: two words that hold all their bytes are multiplied and
/// folded (as wyhash does).
inline std::uint64_t hash_of_text(std::string_view text) {
    if (text.size() > 16) {
        return hash64(text);
    }
    std::uint64_t front = 0;
    std::uint64_t back = 0;
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

}  // namespace bascule::pattern
