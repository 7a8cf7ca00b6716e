#include "bus/pattern/engine/piece_automaton.h"

#include <cstring>

namespace bascule::pattern {

namespace {

struct Text {
    std::string_view text;
    EntryLists::List list;
};

/// Sorted texts [begin, end) begin with the bytes that lead to a state.
struct Range {
    std::size_t begin;
    std::size_t end;
    std::size_t size;
};

}  // namespace

PieceAutomaton::PieceAutomaton(Keyed keyed) {
    if (!keyed.empty()) {
        build_states(keyed);
        link_states();
    }
}

/// States in the order of their texts' sizes, so that a fallback always lies before.
void PieceAutomaton::build_states(Keyed& keyed) {
    std::vector<Text> texts;
    for_each_text(keyed, [&](const std::string& text, std::span<const Entry> entries) {
        texts.push_back({text, lists_.add(entries)});
    });
    std::vector<Range> ranges = {{0, texts.size(), 0}};
    states_.emplace_back();
    bytes_ += '\0';
    for (std::size_t state = 0; state < states_.size(); ++state) {
        Range range = ranges[state];
        if (range.begin < range.end && texts[range.begin].text.size() == range.size) {
            states_[state].list = texts[range.begin].list;
            ++range.begin;
        }
        states_[state].child = static_cast<std::uint32_t>(states_.size());
        for (std::size_t i = range.begin; i < range.end;) {
            const char byte = texts[i].text[range.size];
            std::size_t end = i;
            while (end < range.end && texts[end].text[range.size] == byte) {
                ++end;
            }
            ranges.push_back({i, end, range.size + 1});
            states_.emplace_back();
            bytes_ += byte;
            ++states_[state].children;
            i = end;
        }
    }
}

void PieceAutomaton::link_states() {
    from_start_.resize(256);
    for (std::uint32_t i = 0; i < states_[0].children; ++i) {
        const std::uint32_t state = states_[0].child + i;
        from_start_[static_cast<unsigned char>(bytes_[state])] = state;
    }
    for (std::uint32_t state = 0; state < states_.size(); ++state) {
        const State& from = states_[state];
        for (std::uint32_t to = from.child; to < from.child + from.children; ++to) {
            const std::uint32_t fallback = state == 0 ? 0 : next(from.fallback, bytes_[to]);
            states_[to].fallback = fallback;
            states_[to].shorter =
                states_[fallback].list.count != 0 ? fallback : states_[fallback].shorter;
        }
    }
}

std::uint32_t PieceAutomaton::child(std::uint32_t state, char byte) const {
    constexpr std::uint32_t call_pays = 8;
    const State& from = states_[state];
    const char* const first = bytes_.data() + from.child;
    if (from.children > call_pays) {
        const void* const found = std::memchr(first, byte, from.children);
        return found == nullptr
                   ? 0
                   : from.child +
                         static_cast<std::uint32_t>(static_cast<const char*>(found) - first);
    }
    for (std::uint32_t i = 0; i < from.children; ++i) {
        if (first[i] == byte) {
            return from.child + i;
        }
    }
    return 0;
}

std::size_t PieceAutomaton::memory_bytes() const {
    return states_.capacity() * sizeof(State) + bytes_.capacity() +
           from_start_.capacity() * sizeof(std::uint32_t) + lists_.memory_bytes();
}

}  // namespace bascule::pattern
