#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bascule::finance {

/// Finds every occurrence of many texts in one pass over another.
///
/// Threads: immutable once built. Cost: one table step a byte, whatever the number of patterns;
/// memory 4 bytes × states × distinct pattern bytes.
/// Source: Aho and Corasick, "Efficient string matching" (1975), as a complete automaton whose
/// alphabet is only the bytes that occur in patterns.
class TextFinder {
  public:
    /// Patterns are not empty and differ from each other.
    explicit TextFinder(const std::vector<std::string>& patterns);

    /// Calls `found(pattern, end)` for each occurrence, by end, longest first.
    template <class F>
    void find(std::string_view text, F&& found) const {
        std::uint32_t state = 0;
        for (std::size_t at = 0; at < text.size(); ++at) {
            const std::uint8_t letter = letter_of_[static_cast<unsigned char>(text[at])];
            state = next_[state * letters_ + letter];
            for (std::uint32_t hit = first_hit_[state]; hit != none; hit = hits_[hit].next) {
                found(hits_[hit].pattern, at + 1);
            }
        }
    }

    bool is_empty() const { return hits_.empty(); }

  private:
    static constexpr std::uint32_t none = UINT32_MAX;

    /// The patterns that end in a state: its own, then those of its longest proper suffix.
    struct Hit {
        std::uint32_t pattern;
        std::uint32_t next;
    };

    void choose_letters(const std::vector<std::string>& patterns);
    void build_trie(const std::vector<std::string>& patterns);
    void complete();
    std::uint32_t& next(std::uint32_t state, std::size_t letter) {
        return next_[state * letters_ + letter];
    }

    std::array<std::uint8_t, 256> letter_of_{};  ///< 0: a byte of no pattern
    std::size_t letters_ = 1;
    std::vector<std::uint32_t> next_;
    std::vector<std::uint32_t> first_hit_;
    std::vector<Hit> hits_;
};

}  // namespace bascule::finance
