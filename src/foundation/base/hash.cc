#include "foundation/base/hash.h"

#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <xxhash.h>

#include "foundation/base/check.h"

namespace bascule {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

}  // namespace

std::uint64_t hash64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

Hash128 hash128(std::string_view bytes) {
    const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
    return {.high = hash.high64, .low = hash.low64};
}

Hash128 hash128(std::string_view first, std::string_view second) {
    constexpr std::size_t head = sizeof(std::uint64_t);
    std::array<char, 512> here;  // ids and names fit
    std::string elsewhere;
    const std::size_t bytes = head + first.size() + second.size();
    if (bytes > here.size()) {
        elsewhere.resize(bytes);
    }
    char* const joined = elsewhere.empty() ? here.data() : elsewhere.data();
    const std::uint64_t length = first.size();
    for (std::size_t i = 0; i < head; ++i) {  // little-endian, whatever the machine
        joined[i] = static_cast<char>(length >> (8 * i));
    }
    first.copy(joined + head, first.size());
    second.copy(joined + head + first.size(), second.size());
    return hash128({joined, bytes});
}

Sha256Digest sha256(std::string_view bytes) {
    Sha256Digest digest;
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
           reinterpret_cast<unsigned char*>(digest.data()));
    return digest;
}

Sha256Digest hmac_sha256(std::string_view key, std::string_view message) {
    Sha256Digest digest;
    unsigned int length = 0;
    CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
               reinterpret_cast<const unsigned char*>(message.data()), message.size(),
               reinterpret_cast<unsigned char*>(digest.data()), &length) != nullptr);
    CHECK(length == digest.size());
    return digest;
}

std::string to_hex(std::span<const std::byte> bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte byte : bytes) {
        text.push_back(hex_digits[std::to_integer<unsigned>(byte) >> 4]);
        text.push_back(hex_digits[std::to_integer<unsigned>(byte) & 15]);
    }
    return text;
}

std::optional<Sha256Digest> parse_sha256(std::string_view hex) {
    Sha256Digest digest;
    if (hex.size() != 2 * digest.size()) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const std::size_t high = hex_digits.find(hex[2 * i]);
        const std::size_t low = hex_digits.find(hex[2 * i + 1]);
        if (high == hex_digits.npos || low == hex_digits.npos) {
            return std::nullopt;
        }
        digest[i] = static_cast<std::byte>(high * 16 + low);
    }
    return digest;
}

}  // namespace bascule
