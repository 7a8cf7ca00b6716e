#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/// Finding the end of what needs no look in a string, many bytes at a time; for this room's
/// sources.
namespace bascule::json {

static_assert(std::endian::native == std::endian::little,
              "the first byte is the lowest; swap here");

/// Which of eight bytes need a look: a quote, a backslash, a control character or anything beyond
/// ASCII. The top bit of the first that does is the lowest bit of the answer. The usual trick:
/// (x - 0x01…) & ~x & 0x80… has a bit wherever a byte of x is zero, and none below the first.
inline std::uint64_t needing_look(std::uint64_t word) {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t tops = 0x8080808080808080;
    const auto has_zero = [](std::uint64_t x) { return (x - ones) & ~x & tops; };
    const std::uint64_t control = (word - ones * 0x20) & ~word & tops;
    return has_zero(word ^ (ones * '"')) | has_zero(word ^ (ones * '\\')) | control | (word & tops);
}

/// Where, from `at` on, the first byte stands that needs a look.
inline const char* plain_end(const char* at, const char* end) {
#ifdef __SSE2__
    // Read as signed bytes, those beyond ASCII are below the control characters.
    for (; end - at >= 16; at += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        const __m128i odd = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
                                         _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                                      _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
        if (const auto found = static_cast<unsigned>(_mm_movemask_epi8(odd)); found != 0) {
            return at + std::countr_zero(found);
        }
    }
#endif
    for (std::uint64_t word = 0; end - at >= 8; at += 8) {
        std::memcpy(&word, at, 8);
        if (const std::uint64_t found = needing_look(word); found != 0) {
            return at + std::countr_zero(found) / 8;
        }
    }
    while (at != end && *at != '"' && *at != '\\' &&
           static_cast<unsigned char>(*at - 0x20) < 0x60) {
        ++at;
    }
    return at;
}

}  // namespace bascule::json
