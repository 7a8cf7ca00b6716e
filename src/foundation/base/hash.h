#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bascule {

/// 128 bits of XXH3: equal texts give equal hashes, unequal ones differ for all practical purposes
/// as long as nobody attacks it. Not a signature: use Sha256 where someone might.
struct Hash128 {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend auto operator<=>(const Hash128&, const Hash128&) = default;
};

/// XXH3-64 (xxHash). Stable across machines and versions: stored in files.
std::uint64_t hash64(std::string_view bytes);
Hash128 hash128(std::string_view bytes);

/// XXH3-128 of two texts with their lengths, so that ("ab","c") and ("a","bc") differ.
Hash128 hash128(std::string_view first, std::string_view second);

/// SHA-256 (OpenSSL).
using Sha256Digest = std::array<std::byte, 32>;
Sha256Digest sha256(std::string_view bytes);
Sha256Digest hmac_sha256(std::string_view key, std::string_view message);

/// Lower-case hexadecimal.
std::string to_hex(std::span<const std::byte> bytes);

/// The digest that to_hex wrote so; nothing for any other text, upper-case digits included.
std::optional<Sha256Digest> parse_sha256(std::string_view hex);

inline std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::span<const std::byte> as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace bascule

template <>
struct std::hash<bascule::Hash128> {
    std::size_t operator()(const bascule::Hash128& hash) const { return hash.low; }
};
