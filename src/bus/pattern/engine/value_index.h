#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bus/pattern/engine/address_index.h"
#include "bus/pattern/engine/byte_trie.h"
#include "bus/pattern/engine/entry.h"
#include "bus/pattern/engine/event_values.h"
#include "bus/pattern/engine/number_table.h"
#include "bus/pattern/engine/piece_automaton.h"
#include "bus/pattern/engine/predicate.h"
#include "bus/pattern/engine/range_index.h"
#include "bus/pattern/engine/step_budget.h"
#include "bus/pattern/engine/text_table.h"

namespace bascule::pattern {

/// Says in which of many sets a value is, in a time that depends on the value and the sets found.
///
/// Each kind of term has its own index. What no index can decide alone (a wildcard with several
/// pieces, a text that ignores the case of letters beyond ASCII) hangs in one under the part that
/// it can, and is checked when that is found. Immutable once built.
class ValueIndex {
  public:
    /// Collects the sets.
    class Builder;

    bool empty() const { return whole_texts_.empty() && texts_ == nullptr && others_ == nullptr; }

    /// How many marks `find` needs.
    std::size_t marks() const { return texts_ != nullptr ? texts_->pieces.states() : 0; }

    /// Calls `each(owner)` for every set that contains the value, and then `each_range(owner)` for
    /// every set that contains it if it is comparable, which takes long to find out; for one set
    /// perhaps several times. `walk` is a number that no entry of `marks` holds yet. What sets
    /// cost that do not contain the value is spent of `budget`; some are not found if it does not
    /// suffice.
    template <class Each, class EachRange>
    void find(const Value& value, std::span<std::uint64_t> marks, std::uint64_t walk,
              StepBudget& budget, const Each& each, const EachRange& each_range) const;

    std::size_t memory_bytes() const;

  private:
    template <class Each>
    void find_text(const Value& value, std::span<std::uint64_t> marks, std::uint64_t walk,
                   StepBudget& budget, const Each& each) const;
    template <class Found>
    void find_folded(std::string_view text, const Found& found) const;

    /// Of strings, all but whole texts.
    struct Texts {
        TextTable folded;
        ByteTrie prefixes;
        ByteTrie suffixes;         ///< backwards
        ByteTrie folded_prefixes;  ///< in lower case
        ByteTrie folded_suffixes;  ///< backwards, in lower case
        PieceAutomaton pieces;
        AddressIndex addresses;
        std::vector<Check> checks;

        /// Which of them have anything, so that a value passes the others at once.
        enum Kind : std::uint8_t {
            has_folded = 1,
            has_prefixes = 2,
            has_suffixes = 4,
            has_folded_prefixes = 8,
            has_folded_suffixes = 16,
            has_pieces = 32,
            has_addresses = 64,
        };
        std::uint8_t kinds = 0;
        bool has(Kind kind) const { return (kinds & kind) != 0; }
    };
    /// Of everything else.
    struct Others {
        NumberTable numbers;
        RangeIndex ranges;
        std::array<std::vector<std::uint32_t>, 3> words;  ///< owners by true, false, null
        std::vector<std::uint32_t> everything;
    };

    // Most fields need only the first.
    TextTable whole_texts_;
    std::unique_ptr<const Texts> texts_;
    std::unique_ptr<const Others> others_;
};

class ValueIndex::Builder {
  public:
    void add(const ValueSet& set, std::uint32_t owner);
    ValueIndex build() &&;

  private:
    void add(const Check& check, std::uint32_t owner);
    void add_wildcard(const Wildcard& wildcard, std::uint32_t owner);
    Entry entry(std::uint32_t owner, const Check& check);

    Texts texts_;
    Others others_;
    Keyed whole_texts_;
    Keyed folded_texts_;
    Keyed prefixes_;
    Keyed suffixes_;
    Keyed folded_prefixes_;
    Keyed folded_suffixes_;
    Keyed pieces_;
    std::vector<AddressIndex::Item> addresses_;
    std::vector<NumberTable::Item> numbers_;
    std::vector<RangeIndex::Item> ranges_;
};

template <class Each, class EachRange>
void ValueIndex::find(const Value& value, std::span<std::uint64_t> marks, std::uint64_t walk,
                      StepBudget& budget, const Each& each, const EachRange& each_range) const {
    if (others_ != nullptr) {
        for (const std::uint32_t owner : others_->everything) {
            each(owner);
        }
    }
    switch (value.kind) {
        case Leaf::Kind::string:
            for (const Entry& entry : whole_texts_.find(value)) {
                each(entry.owner);
            }
            if (texts_ != nullptr) {
                find_text(value, marks, walk, budget, each);
            }
            return;
        case Leaf::Kind::number:
            if (others_ != nullptr) {
                others_->numbers.find(value, budget, each);
                others_->ranges.find(value, budget, each_range);
            }
            return;
        case Leaf::Kind::literal: {
            if (others_ == nullptr) {
                return;
            }
            const std::size_t word = word_of(value.text) >> 1;  // 1, 2, 4
            for (const std::uint32_t owner : others_->words[word]) {
                each(owner);
            }
            return;
        }
    }
}

template <class Each>
void ValueIndex::find_text(const Value& value, std::span<std::uint64_t> marks, std::uint64_t walk,
                           StepBudget& budget, const Each& each) const {
    const std::string_view text = value.text;
    const Texts& texts = *texts_;
    const auto found = [&](const Entry& entry) {
        if (entry.check == Entry::proven || (budget.spend(StepBudget::steps_for(text.size())) &&
                                             satisfies(value, texts.checks[entry.check]))) {
            each(entry.owner);
        }
    };
    if (texts.has(Texts::has_folded)) {
        find_folded(text, found);
    }
    const auto forwards = [&](std::size_t i) { return text[i]; };
    const auto backwards = [&](std::size_t i) { return text[text.size() - 1 - i]; };
    if (texts.has(Texts::has_prefixes)) {
        texts.prefixes.walk(text.size(), forwards, found);
    }
    if (texts.has(Texts::has_suffixes)) {
        texts.suffixes.walk(text.size(), backwards, found);
    }
    if (texts.has(Texts::has_folded_prefixes)) {
        texts.folded_prefixes.walk(
            text.size(), [&](std::size_t i) { return ascii_lower(forwards(i)); }, found);
    }
    if (texts.has(Texts::has_folded_suffixes)) {
        texts.folded_suffixes.walk(
            text.size(), [&](std::size_t i) { return ascii_lower(backwards(i)); }, found);
    }
    if (texts.has(Texts::has_pieces)) {
        texts.pieces.walk(text, marks, walk, found);
    }
    if (texts.has(Texts::has_addresses)) {
        texts.addresses.find(text, budget, each);
    }
}

template <class Found>
void ValueIndex::find_folded(std::string_view text, const Found& found) const {
    std::array<char, Pattern::pattern_bytes_max> lower;
    if (text.size() <= lower.size()) {
        std::transform(text.begin(), text.end(), lower.begin(),
                       [](char c) { return ascii_lower(c); });
        for (const Entry& entry : texts_->folded.find({lower.data(), text.size()})) {
            found(entry);
        }
    }
}

}  // namespace bascule::pattern
