#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bascule::pattern {

/// Eight bytes of memory, the first of them lowest.
inline std::uint64_t word_at(const char* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof(word));
    return std::endian::native == std::endian::little ? word : std::byteswap(word);
}

/// Not 0 if one of a word's bytes is `byte`; the lowest bit that is set lies in the lowest such
/// byte. Source: the well-known SWAR trick.
constexpr std::uint64_t find_byte(std::uint64_t word, char byte) {
    constexpr std::uint64_t ones = 0x0101010101010101;
    const std::uint64_t zero_if_found = word ^ (ones * static_cast<unsigned char>(byte));
    return (zero_if_found - ones) & ~zero_if_found & (ones << 7);
}

/// Which byte that was, counted from the lowest; 8 if there was none.
constexpr std::size_t byte_found(std::uint64_t found) {
    return static_cast<std::size_t>(std::countr_zero(found)) / 8;
}

/// As std::memcmp finds them equal, without a call for texts of eight bytes and more.
inline bool are_equal(const char* left, const char* right, std::size_t size) {
    constexpr std::size_t word = sizeof(std::uint64_t);
    if (size < word) {
        return std::memcmp(left, right, size) == 0;
    }
    for (std::size_t at = 0; at < size - word; at += word) {
        if (word_at(left + at) != word_at(right + at)) {
            return false;
        }
    }
    return word_at(left + size - word) == word_at(right + size - word);
}

}  // namespace bascule::pattern
