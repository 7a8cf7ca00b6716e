#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bus/pattern/engine/event_values.h"
#include "bus/pattern/engine/path_trie.h"
#include "bus/pattern/engine/step_budget.h"
#include "bus/pattern/ip_address.h"
#include "bus/pattern/term.h"

namespace bascule::pattern {

/// A text compared without regard to case; one in ASCII has the simple rule.
struct Folded {
    std::string text;  ///< as in the pattern
    bool is_ascii = false;
};
struct FoldedEquals : Folded {};
struct FoldedPrefix : Folded {};
struct FoldedSuffix : Folded {};

struct PlainPrefix {
    std::string text;
};
struct PlainSuffix {
    std::string text;
};

/// A number of a pattern, which owns its text.
struct OwnNumber {
    explicit OwnNumber(const std::string& digits)
        : text(digits),
          key(number_of(text).key),
          is_comparable(pattern::is_comparable(number_of(text))) {}
    Number get() const { return {key, text}; }

    /// Whether patterns take a value for this number: equal and comparable, or written the same.
    bool is(const Value& value) const {
        return text == value.text ||
               (is_comparable && compare(get(), value.number()) == 0 && value.is_comparable());
    }

    std::string text;
    NumberKey key;
    bool is_comparable;
};

/// Numbers between two bounds; one that is not given holds nobody back.
class Range {
  public:
    explicit Range(const Numeric& term);

    bool contains(const Number& number) const {
        const NumberOrder order = order_of(number.key);
        if (order == bottom_order_ || order == top_order_) {
            return contains_bound(number);
        }
        return bottom_order_ < order && order < top_order_;
    }

    NumberOrder bottom() const { return bottom_order_; }
    NumberOrder top() const { return top_order_; }
    std::size_t memory_bytes() const;  ///< beside its own size

  private:
    /// Of a number that has the key of a bound.
    bool contains_bound(const Number& number) const;

    NumberOrder bottom_order_ = order_first;
    NumberOrder top_order_ = order_last;
    std::vector<OwnNumber> bottom_;  ///< none or one
    std::vector<OwnNumber> top_;
    bool includes_bottom_ = false;
    bool includes_top_ = false;
};

/// A term that is not just one value.
using Check = std::variant<FoldedEquals, FoldedPrefix, FoldedSuffix, PlainPrefix, PlainSuffix,
                           Wildcard, Range, Cidr>;

bool satisfies(const Value& value, const Check& check);

/// Values: those listed, and those that satisfy one of the checks.
struct ValueSet {
    enum Word : std::uint8_t { true_ = 1, false_ = 2, null_ = 4 };

    bool contains(const Value& value) const;
    bool has_text(const Value& value) const {
        constexpr std::size_t few = 8;
        if (text_hashes.size() > few) {
            return has_text_among_many(value);
        }
        const std::uint64_t hash = value.hash();
        for (std::size_t i = 0; i < text_hashes.size(); ++i) {
            if (text_hashes[i] == hash && texts[i] == value.text) {
                return true;
            }
        }
        return false;
    }
    bool empty() const {
        return texts.empty() && numbers.empty() && words == 0 && !everything && checks.empty();
    }

    /// Puts the lists in order, each value once.
    void finish();

    std::vector<std::string> texts;          ///< in the order of
    std::vector<std::uint64_t> text_hashes;  ///< their hashes, by which they are found
    std::vector<OwnNumber> numbers;
    std::uint8_t words = 0;
    bool everything = false;
    std::vector<Check> checks;

  private:
    bool has_text_among_many(const Value& value) const;
};

ValueSet::Word word_of(std::string_view text);

/// What a pattern demands of one field, ready to be asked many times.
///
/// A value satisfies it if it is wanted, or if some list of excluded values does not contain it.
struct Predicate {
    Predicate(Field field, const Terms& terms);

    bool is_satisfied(const Value& value) const {
        switch (shape_) {
            case Shape::texts:
                return value.kind == Leaf::Kind::string && wanted.has_text(value);
            case Shape::range:
                return value.kind == Leaf::Kind::number && range()->contains(value.number()) &&
                       value.is_comparable();
            default:
                return is_satisfied_somehow(value);
        }
    }

    /// What it costs to ask for the value, see StepBudget.
    std::size_t steps(const Value& value) const {
        return shape_ == Shape::any
                   ? 1 + terms_in_turn_ * StepBudget::steps_for(value.kind == Leaf::Kind::string
                                                                    ? value.text.size()
                                                                    : 0)
                   : 1;
    }

    /// A bit for each hash that a value must have which satisfies it, as `hash_bit` of a string
    /// says; all of them if other values may satisfy it.
    std::uint64_t hash_bits() const;
    static std::uint64_t hash_bit(const Value& value) {
        return std::uint64_t{1} << (value.hash() >> 58);
    }

    /// The range that is all it wants, if it is one.
    const Range* range() const {
        return shape_ == Shape::range ? &std::get<Range>(wanted.checks.front()) : nullptr;
    }

    Field field = no_field;
    bool allows_absence = false;
    ValueSet wanted;
    std::vector<ValueSet> excluded;  ///< one for each anything-but

  private:
    bool is_satisfied_somehow(const Value& value) const;

    /// What most want is asked at once.
    enum class Shape : std::uint8_t { any, texts, range };
    Shape shape() const;

    Shape shape_ = Shape::any;
    std::uint32_t terms_in_turn_ = 0;  ///< those that no table finds
};

/// `text` with ASCII letters in lower case.
std::string ascii_lower(std::string_view text);
constexpr char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
bool is_ascii(std::string_view text);

/// Terms as a text that is equal for equal terms.
std::string canonical(const Terms& terms);

}  // namespace bascule::pattern
