#include "bus/pattern/engine/memory_estimate.h"

#include <algorithm>
#include <set>
#include <string>

#include "bus/pattern/term.h"

namespace bascule::pattern {

namespace {

// Every term is kept three times: in its pattern, in its predicate, and with its key and slot in an
// index.
constexpr std::size_t term_bytes = 256;
// What is neither a text nor a number is kept in its pattern alone.
constexpr std::size_t word_bytes = 160;
constexpr std::size_t predicate_bytes = 320;
constexpr std::size_t pattern_bytes = 352;  // and what the set knows of it
constexpr std::size_t alternative_bytes = 80;
// Alternatives share terms, but each has a map of its fields of its own.
constexpr std::size_t repeated_demand_bytes = 144;
constexpr std::size_t path_step_bytes = 512;
constexpr std::size_t field_bytes = 2048;  // its indexes, empty

struct Estimate {
    static std::size_t text(std::size_t size) { return term_bytes + 4 * size; }

    std::size_t operator()(const ExactText& term) const {
        return text(term.text.size()) + (term.address ? term_bytes : 0);
    }
    std::size_t operator()(const ExactNumber& term) const {
        return term_bytes + text(term.number.size());  // with a key, wherever it is
    }
    std::size_t operator()(const Literal&) const { return word_bytes; }
    std::size_t operator()(const Prefix& term) const { return text(term.text.size()); }
    std::size_t operator()(const Suffix& term) const { return text(term.text.size()); }
    std::size_t operator()(const EqualsIgnoreCase& term) const { return text(term.text.size()); }
    std::size_t operator()(const Wildcard& term) const {
        std::size_t bytes = 2 * term_bytes;
        for (const std::string& piece : term.pieces) {
            bytes += 2 * sizeof piece + 64 * piece.size();  // 64: a state of the automaton
        }
        return bytes;
    }
    std::size_t operator()(const Numeric& term) const {
        return 3 * term_bytes + 4 * (term.bottom.size() + term.top.size());
    }
    std::size_t operator()(const Cidr&) const { return 2 * term_bytes; }
    std::size_t operator()(const Exists&) const { return word_bytes; }
    std::size_t operator()(const Absent&) const { return word_bytes; }
    std::size_t operator()(const AnythingBut& term) const {
        std::size_t bytes = term_bytes;
        for (const Excluded& excluded : term.excluded) {
            bytes += std::visit(*this, excluded);
        }
        return bytes;
    }
};

}  // namespace

std::size_t bytes_estimated(const Pattern& pattern) {
    std::size_t bytes = pattern_bytes + pattern.text().size();
    std::set<const Terms*> counted;
    for (const Alternative& alternative : pattern.compiled().alternatives) {
        bytes += alternative_bytes;
        for (const auto& [path, terms] : alternative) {
            if (!counted.insert(terms.get()).second) {
                bytes += repeated_demand_bytes + path.size();
                continue;
            }
            bytes += predicate_bytes;
            for (const Term& term : *terms) {
                bytes += std::visit(Estimate(), term);
            }
        }
    }
    return bytes;
}

std::size_t path_bytes_estimated(std::string_view path) {
    const auto points = static_cast<std::size_t>(std::count(path.begin(), path.end(), '.'));
    return field_bytes + (points + 1) * path_step_bytes + path.size();
}

}  // namespace bascule::pattern
