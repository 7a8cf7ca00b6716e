#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace bascule {

/// What hashes of this process begin with. Nobody outside knows it, so nobody can write rules or
/// events whose texts meet in one place of a table. Hashes are thus never stored, and no verdict
/// and no step of a budget may depend on them.
struct HashSecret {
    std::uint64_t head;
    std::uint64_t tail;

    static HashSecret from_entropy();
};
/// Inline, so that it is there before whatever includes this file needs it.
inline const HashSecret hash_secret = HashSecret::from_entropy();

/// Two words as one that depends on all their bits: multiplied and folded (as wyhash does).
inline std::uint64_t hash_of_words(std::uint64_t head, std::uint64_t tail) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(head ^ hash_secret.head) * (tail ^ hash_secret.tail);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// The first and the last eight bytes of a text as words, which are all of a text of up to 16.
struct EndWords {
    static constexpr std::size_t word_bytes = 8;
    static constexpr std::size_t text_bytes_max = 2 * word_bytes;  ///< of a text that they hold

    std::uint64_t head = 0;
    std::uint64_t tail = 0;  ///< 0 of a text that `head` holds

    explicit EndWords(std::string_view text) {
        if (text.size() < word_bytes) {
            head = short_word(text);
        } else {
            read_long(text);
        }
    }

    /// The same at once: memory may be read up to `readable_end`, at or behind the text's end.
    EndWords(std::string_view text, const char* readable_end) {
        if (text.size() >= word_bytes) {
            read_long(text);
        } else if (std::endian::native == std::endian::little &&
                   readable_end - text.data() >= static_cast<std::ptrdiff_t>(word_bytes)) {
            head = word(text.data()) & ((std::uint64_t{1} << (8 * text.size())) - 1);
        } else {
            head = short_word(text);
        }
    }

    /// Of the whole text, if they hold it. Texts of several sizes may have the same ends.
    std::uint64_t hash(std::size_t text_bytes) const {
        return hash_of_words(head, tail) + text_bytes * 0x9E3779B97F4A7C15U;
    }

  private:
    static std::uint64_t word(const char* at) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, word_bytes);
        return word;
    }
    static std::uint64_t short_word(std::string_view text) {
        std::uint64_t word = 0;
        if (!text.empty()) {
            std::memcpy(&word, text.data(), text.size());
        }
        return word;
    }
    void read_long(std::string_view text) {
        head = word(text.data());
        if (text.size() > word_bytes) {
            tail = word(text.data() + text.size() - word_bytes);
        }
    }
};

/// Of a text that is longer than EndWords hold.
std::uint64_t hash_of_long_text(std::string_view text);

/// A hash for tables in memory, of few instructions for short texts, as most are.
inline std::uint64_t hash_of_text(std::string_view text) {
    return text.size() <= EndWords::text_bytes_max ? EndWords(text).hash(text.size())
                                                   : hash_of_long_text(text);
}

}  // namespace bascule
