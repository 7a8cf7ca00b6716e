#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bus/pattern/engine/event_values.h"
#include "bus/pattern/engine/path_trie.h"
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

/// A number that owns its text.
struct OwnNumber {
    explicit OwnNumber(const std::string& digits) : text(digits), key(number_of(text).key) {}
    Number get() const { return {key, text}; }

    std::string text;
    NumberKey key;
};

/// Numbers between two bounds; one that is not given holds nobody back.
struct Range {
    std::vector<OwnNumber> bottom;  ///< none or one
    std::vector<OwnNumber> top;
    bool includes_bottom = false;
    bool includes_top = false;

    bool contains(const Number& number) const;
};

/// A term that is not just one value.
using Check = std::variant<FoldedEquals, FoldedPrefix, FoldedSuffix, PlainPrefix, PlainSuffix,
                           Wildcard, Range, Cidr>;

bool satisfies(const Value& value, const Check& check);

/// Values: those listed, and those that satisfy one of the checks.
struct ValueSet {
    enum Word : std::uint8_t { true_ = 1, false_ = 2, null_ = 4 };

    bool contains(const Value& value) const;
    bool has_text(std::string_view text) const;
    bool empty() const {
        return texts.empty() && numbers.empty() && words == 0 && !everything && checks.empty();
    }

    /// Puts the lists in order, each value once.
    void finish();

    std::vector<std::string> texts;
    std::vector<OwnNumber> numbers;
    std::uint8_t words = 0;
    bool everything = false;
    std::vector<Check> checks;
};

ValueSet::Word word_of(std::string_view text);

/// What a pattern demands of one field, ready to be asked many times.
///
/// A value satisfies it if it is wanted, or if some list of excluded values does not contain it.
struct Predicate {
    Predicate(Field field, const Terms& terms);

    bool is_satisfied(const Value& value) const;

    Field field = no_field;
    bool allows_absence = false;
    ValueSet wanted;
    std::vector<ValueSet> excluded;  ///< one for each anything-but
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
