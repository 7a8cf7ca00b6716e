#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "household/money/currency.h"
#include "household/money/decimal.h"
#include "household/statement/statement.h"

namespace bascule::statement {

/// A cell that holds a number, freed of everything around it: signs, parentheses, currency,
/// debit/credit letters, and grouping by blanks or apostrophes, which cannot be mistaken for a
/// decimal mark.
struct BareNumber {
    static constexpr std::size_t body_max = 64;

    char body[body_max];  ///< digits, `.` and `,` only
    std::uint8_t size = 0;
    bool negative = false;
    bool grouped_by_blank = false;
    char side = '\0';          ///< `D` or `C` when the cell itself says so (`12.00 CR`, `5,00 S`)
    money::Currency currency;  ///< when the cell names one

    std::string_view text() const { return {body, size}; }
};

/// How much a cell may be dressed up.
enum class NumberDress {
    plain,  ///< blanks around, one leading sign: what OFX allows
    free,   ///< currency, parentheses, trailing signs, letters: what people's spreadsheets hold
};

/// Returns whether the cell holds one number.
bool strip_number(std::string_view cell, NumberDress dress, BareNumber& out);

/// Which decimal marks a number fits.
struct NumberFit {
    bool dot = false;
    bool comma = false;
    bool differs = false;  ///< fits both, with different values: `1.000`
};
NumberFit fit_of(const BareNumber& number);

/// Reads the number by one decimal mark; the other mark groups. Nothing when it does not fit.
std::optional<money::Decimal> read_number(const BareNumber& number, char decimal_mark);

/// Decides the decimal mark of a whole column, one number after another.
class DecimalMarkVote {
  public:
    void add(const BareNumber& number, std::uint64_t line);

    bool any() const { return count_ > 0; }
    bool fits(char mark) const { return mark == '.' ? dot_ : comma_; }
    bool contradicts() const { return !dot_ && !comma_; }
    bool ambiguous() const { return dot_ && comma_ && differs_; }

    /// The mark that is left; `.` when no number has a mark.
    char mark() const { return dot_ ? '.' : ','; }

    /// With contradicts(): the later of the two numbers that cannot stand in one column.
    std::uint64_t contradicting_line() const {
        return std::max(needs_dot_.line, needs_comma_.line);
    }

    /// Where and what decided, or contradicts, or stays open: `line 7: "1.234,56"`.
    std::string evidence() const;

  private:
    struct Witness {
        std::uint64_t line = 0;
        std::string text;
        std::string quote() const { return "line " + std::to_string(line) + ": \"" + text + "\""; }
    };
    static void remember(Witness& witness, const BareNumber& number, std::uint64_t line);

    std::uint64_t count_ = 0;
    bool dot_ = true;
    bool comma_ = true;
    bool differs_ = false;
    Witness needs_dot_;
    Witness needs_comma_;
    Witness open_;
};

}  // namespace bascule::statement
