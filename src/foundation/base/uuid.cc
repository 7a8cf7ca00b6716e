#include "foundation/base/uuid.h"

#include <cstdint>

#include "foundation/base/hash.h"

namespace bascule {

namespace {

std::string formatted(std::uint64_t high, std::uint64_t low, unsigned version) {
    high = (high & ~std::uint64_t{0xf000}) | (std::uint64_t{version} << 12);
    low = (low & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62);  // the RFC's variant
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text(36, '-');
    char* at = text.data();
    for (int nibble = 0; nibble < 32; ++nibble) {
        if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) {
            ++at;
        }
        const std::uint64_t half = nibble < 16 ? high : low;
        *at++ = digits[(half >> (60 - 4 * (nibble % 16))) & 15];
    }
    return text;
}

}  // namespace

std::string new_uuid(WallTime now, Random& random) {
    const auto ms = static_cast<std::uint64_t>(to_unix_ms(now));
    return formatted((ms << 16) | (random.next() & 0xffff), random.next(), 7);
}

std::string new_uuid() {
    thread_local Random random = Random::from_entropy();
    return new_uuid(SystemClock().wall(), random);
}

std::string derived_uuid(std::string_view seed) {
    const Hash128 hash = hash128(seed);
    return formatted(hash.high, hash.low, 8);
}

}  // namespace bascule
