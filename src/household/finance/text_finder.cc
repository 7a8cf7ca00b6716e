#include "household/finance/text_finder.h"

#include <algorithm>

namespace bascule::finance {

TextFinder::TextFinder(const std::vector<std::string>& patterns) {
    choose_letters(patterns);
    build_trie(patterns);
    complete();
}

/// At most 255 bytes get a letter of their own: 0xFF is in no UTF-8, so that the count fits a byte.
void TextFinder::choose_letters(const std::vector<std::string>& patterns) {
    std::array<bool, 256> used{};
    for (const std::string& pattern : patterns) {
        for (const char c : pattern) {
            used[static_cast<unsigned char>(c)] = true;
        }
    }
    for (std::size_t byte = 0; byte < 255; ++byte) {
        if (used[byte]) {
            letter_of_[byte] = static_cast<std::uint8_t>(letters_++);
        }
    }
}

void TextFinder::build_trie(const std::vector<std::string>& patterns) {
    const auto add_state = [&] {
        next_.resize(next_.size() + letters_, none);
        first_hit_.push_back(none);
        return static_cast<std::uint32_t>(first_hit_.size() - 1);
    };
    add_state();
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        std::uint32_t state = 0;
        for (const char c : patterns[i]) {
            const std::size_t letter = letter_of_[static_cast<unsigned char>(c)];
            if (next(state, letter) == none) {
                const std::uint32_t added = add_state();
                next(state, letter) = added;
            }
            state = next(state, letter);
        }
        first_hit_[state] = static_cast<std::uint32_t>(hits_.size());
        hits_.push_back({static_cast<std::uint32_t>(i), none});
    }
}

/// Breadth first, so that a state's longest proper suffix is complete before the state is.
void TextFinder::complete() {
    std::vector<std::uint32_t> suffix(first_hit_.size(), 0);
    std::vector<std::uint32_t> queue;
    for (std::size_t letter = 0; letter < letters_; ++letter) {
        std::uint32_t& child = next(0, letter);
        if (child == none) {
            child = 0;
        } else {
            queue.push_back(child);
        }
    }
    for (std::size_t at = 0; at < queue.size(); ++at) {
        const std::uint32_t state = queue[at];
        const std::uint32_t shorter = suffix[state];
        if (first_hit_[state] == none) {
            first_hit_[state] = first_hit_[shorter];
        } else {
            hits_[first_hit_[state]].next = first_hit_[shorter];
        }
        for (std::size_t letter = 0; letter < letters_; ++letter) {
            std::uint32_t& child = next(state, letter);
            const std::uint32_t fallback = next(shorter, letter);
            if (child == none) {
                child = fallback;
            } else {
                suffix[child] = fallback;
                queue.push_back(child);
            }
        }
    }
}

}  // namespace bascule::finance
