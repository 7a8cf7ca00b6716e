#include "foundation/base/text_hash.h"

#include "foundation/base/random.h"

namespace bascule {

HashSecret HashSecret::from_entropy() {
    Random random = Random::from_entropy();
    const std::uint64_t head = random.next();
    return {head, random.next()};
}

std::uint64_t hash_of_long_text(std::string_view text) {
    std::uint64_t hash = text.size();
    for (; text.size() > EndWords::text_bytes_max; text.remove_prefix(EndWords::text_bytes_max)) {
        const EndWords words(text.substr(0, EndWords::text_bytes_max));
        hash = hash_of_words(words.head ^ hash, hash_of_words(words.tail, hash));
    }
    return hash_of_words(EndWords(text).hash(text.size()), hash);
}

}  // namespace bascule
