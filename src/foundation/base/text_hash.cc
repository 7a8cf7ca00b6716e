#include "foundation/base/text_hash.h"

#include "foundation/base/random.h"

namespace bascule {

HashSecret HashSecret::from_entropy() {
    Random random = Random::from_entropy();
    const std::uint64_t head = random.next();
    return {head, random.next()};
}

std::uint64_t hash_of_long_text(std::string_view text) {
    constexpr std::size_t block = EndWords::text_bytes_max;
    std::uint64_t hash = text.size();
    const auto take_in = [&](std::string_view bytes) {
        const EndWords words(bytes);
        hash = hash_of_words(words.head ^ hash, hash_of_words(words.tail, hash));
    };
    const std::string_view last = text.substr(text.size() - block);
    for (; text.size() > block; text.remove_prefix(block)) {
        take_in(text.substr(0, block));
    }
    take_in(last);  // which overlaps the one before: no block is read bytewise
    return hash;
}

}  // namespace bascule
