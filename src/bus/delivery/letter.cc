#include "bus/delivery/letter.h"

#include <algorithm>
#include <utility>

namespace bascule::delivery {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

/// A word with a digit in it counts as a number or an id: 17, 0x1f, user-42, 018f3b2e-….
bool varies(std::string_view word) { return std::ranges::any_of(word, is_digit); }

/// The end of the quotation that begins at `at`, or npos; an apostrophe inside a word ("can't")
/// begins none.
std::size_t quotation_end(std::string_view text, std::size_t at) {
    const char quote = text[at];
    if (quote != '"' && quote != '`' && quote != '\'') {
        return std::string_view::npos;
    }
    if (quote == '\'' && at > 0 && is_word(text[at - 1])) {
        return std::string_view::npos;
    }
    return text.find(quote, at + 1);
}

}  // namespace

Result<> RedrivePace::validate() const {
    if (per_second > per_second_max) {
        return fail(ErrorKind::invalid,
                    "rate is " + std::to_string(per_second) + " letters a second; 1 to " +
                        std::to_string(per_second_max) + " is allowed, or 0: as many as can");
    }
    return {};
}

std::string fingerprint(std::string_view error) {
    std::string print;
    for (std::size_t at = 0; at < error.size();) {
        if (const auto end = quotation_end(error, at); end != std::string_view::npos) {
            print += '?';
            at = end + 1;
        } else if (is_word(error[at])) {
            const auto end =
                std::find_if_not(error.begin() + at, error.end(), is_word) - error.begin();
            const auto word = error.substr(at, static_cast<std::size_t>(end) - at);
            print += varies(word) ? "#" : word;
            at = static_cast<std::size_t>(end);
        } else {
            print += error[at++];
        }
    }
    return print;
}

void remember(std::vector<Attempt>& history, Attempt attempt) {
    attempt.error.resize(std::min(attempt.error.size(), error_bytes_max));
    if (history.size() == letter_attempts_max) {
        history.erase(history.begin() + 1);
    }
    history.push_back(std::move(attempt));
}

bool LetterFilter::matches(const LetterRef& letter) const {
    return (!offset || *offset == letter.offset) &&
           (offsets.empty() || std::ranges::binary_search(offsets, letter.offset));
}

std::string_view name(LetterReason reason) {
    switch (reason) {
        case LetterReason::attempts:
            return "attempts";
        case LetterReason::age:
            return "age";
        case LetterReason::permanent:
            return "permanent";
    }
    return "unknown";
}

std::string_view name(LetterClosing closing) {
    switch (closing) {
        case LetterClosing::redriven:
            return "redriven";
        case LetterClosing::discarded:
            return "discarded";
        case LetterClosing::skipped:
            return "skipped";
        case LetterClosing::superseded:
            return "superseded";
    }
    return "unknown";
}

}  // namespace bascule::delivery
