#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

namespace bascule::log {

// Files are little-endian; so is every machine this runs on, so that columns need no conversion.
static_assert(std::endian::native == std::endian::little);

/// Reads a fixed-size value from unaligned bytes.
template <class T>
T load(const std::byte* from) {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <class T>
void store(std::byte* to, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(to, &value, sizeof value);
}

/// Appends a fixed-size value.
template <class T>
void put(std::string& to, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Frames begin at multiples of this, so that a search for the next one need not try every byte.
constexpr std::size_t frame_alignment = 8;

template <class T>
constexpr T aligned(T bytes) {
    return (bytes + (frame_alignment - 1)) & ~T{frame_alignment - 1};
}

}  // namespace bascule::log
