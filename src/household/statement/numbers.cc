#include "household/statement/numbers.h"

#include <algorithm>

#include "household/statement/text.h"

namespace bascule::statement {

namespace {

/// Takes a sign from the front. Banks write the minus in four ways.
bool take_sign(std::string_view& cell, bool& negative) {
    for (const std::string_view minus : {"-", "\u2212", "\u2013", "\u2010"}) {
        if (cell.starts_with(minus)) {
            cell.remove_prefix(minus.size());
            negative = true;
            return true;
        }
    }
    if (cell.starts_with('+')) {
        cell.remove_prefix(1);
        return true;
    }
    return false;
}

bool take_trailing_sign(std::string_view& cell, bool& negative) {
    for (const std::string_view minus : {"-", "\u2212", "\u2013"}) {
        if (cell.ends_with(minus)) {
            cell.remove_suffix(minus.size());
            negative = true;
            return true;
        }
    }
    if (cell.ends_with('+')) {
        cell.remove_suffix(1);
        return true;
    }
    return false;
}

bool is_number_byte(char c) { return is_digit(c) || c == '.' || c == ','; }

/// Debit and credit as letters beside a number. S and H are Soll and Haben.
char side_of(std::string_view word) {
    const std::string upper = upper_ascii(word);
    if (upper == "CR" || upper == "C" || upper == "H") {
        return 'C';
    }
    if (upper == "DR" || upper == "D" || upper == "S" || upper == "DB") {
        return 'D';
    }
    return '\0';
}

/// Takes what is not number from one end: a currency, a sign or a side. Returns false for any other
/// word.
bool explain_word(std::string_view word, BareNumber& out) {
    word = trimmed(word);
    if (word.empty()) {
        return true;
    }
    if (const char side = side_of(word); side != '\0') {
        out.side = side;
        return true;
    }
    if (const auto currency = money::currency_of_symbol(word)) {
        out.currency = *currency;
        return true;
    }
    if (word == "$" || word == "¥" || word == "kr" || word == "kr." || word == "Kr") {
        return true;  // money, but of which country?
    }
    const auto currency = money::Currency::parse(word);
    if (currency && currency->is_known()) {
        out.currency = *currency;
        return true;
    }
    return false;
}

/// Copies digits and marks, dropping blanks and apostrophes that stand between digits.
bool copy_body(std::string_view cell, BareNumber& out) {
    std::size_t i = 0;
    bool digits = false;
    while (i < cell.size()) {
        const char c = cell[i];
        if (is_number_byte(c)) {
            if (out.size == BareNumber::body_max) {
                return false;
            }
            digits = digits || is_digit(c);
            out.body[out.size++] = c;
            ++i;
            continue;
        }
        std::size_t width = c == '\'' ? 1 : blank_width(cell.substr(i));
        if (width == 0 && cell.substr(i).starts_with("’")) {
            width = 3;
        }
        const bool between_digits = out.size > 0 && is_digit(out.body[out.size - 1]) &&
                                    i + width + 3 <= cell.size() && is_digit(cell[i + width]) &&
                                    is_digit(cell[i + width + 1]) && is_digit(cell[i + width + 2]);
        if (width == 0 || !between_digits) {
            return false;
        }
        out.grouped_by_blank = true;
        i += width;
    }
    return digits;
}

/// The common case, digits and marks after at most a minus, in one pass.
bool copy_plain(std::string_view cell, BareNumber& out) {
    const bool negative = cell.starts_with('-');
    cell.remove_prefix(negative ? 1 : 0);
    if (cell.empty() || cell.size() > BareNumber::body_max ||
        !std::ranges::all_of(cell, is_number_byte) || !std::ranges::any_of(cell, is_digit)) {
        return false;
    }
    std::ranges::copy(cell, out.body);
    out.size = static_cast<std::uint8_t>(cell.size());
    out.negative = negative;
    return true;
}

/// Groups of three from the right, one to three digits first and no zero in front (or the Indian
/// twos).
bool grouped(std::string_view whole, char mark) {
    if (whole.empty() || whole.front() == '0' || !is_digit(whole.front())) {
        return false;
    }
    std::size_t last = whole.rfind(mark);
    if (last == std::string_view::npos) {
        return true;
    }
    if (whole.size() - last - 1 != 3) {
        return false;
    }
    bool threes = true;
    bool twos = true;
    while (last != std::string_view::npos && last > 0) {
        const std::size_t before = whole.rfind(mark, last - 1);
        const std::size_t size = before == std::string_view::npos ? last : last - before - 1;
        const bool first = before == std::string_view::npos;
        threes = threes && (first ? size >= 1 && size <= 3 : size == 3);
        twos = twos && (first ? size >= 1 && size <= 2 : size == 2);
        last = before;
    }
    return last != 0 && (threes || twos);
}

}  // namespace

bool strip_number(std::string_view cell, NumberDress dress, BareNumber& out) {
    out.size = 0;
    out.negative = false;
    out.grouped_by_blank = false;
    out.side = '\0';
    out.currency = {};
    if (copy_plain(cell, out)) {
        return true;
    }
    cell = trimmed(cell);
    bool negative = false;
    bool has_sign = take_sign(cell, negative);
    cell = trimmed(cell);
    if (dress == NumberDress::free) {
        if (cell.size() > 2 && cell.front() == '(' && cell.back() == ')' && !has_sign) {
            cell = trimmed(cell.substr(1, cell.size() - 2));
            negative = true;
            has_sign = true;
        }
        // A word in front, then perhaps a second chance for the sign: `€ -5`, `$-5`, `EUR 5`.
        const auto first = std::ranges::find_if(
            cell, [](char c) { return is_number_byte(c) || c == '-' || c == '+'; });
        auto front = static_cast<std::size_t>(first - cell.begin());
        front = std::min(front, std::min(cell.find("\u2212"), cell.find("\u2013")));
        // `Fr.` and `kr.` end in a full stop that is no decimal mark.
        if (front > 0 && front < cell.size() && cell[front] == '.' &&
            !(front + 1 < cell.size() && is_digit(cell[front + 1]))) {
            ++front;
        }
        if (front > 0 && front < cell.size()) {
            if (!explain_word(cell.substr(0, front), out)) {
                return false;
            }
            cell = trimmed(cell.substr(front));
            if (!has_sign) {
                has_sign = take_sign(cell, negative);
                cell = trimmed(cell);
            }
        }
        const auto last_digit = cell.find_last_of("0123456789");
        if (last_digit == std::string_view::npos) {
            return false;
        }
        std::size_t end = last_digit + 1;
        if (end < cell.size() && (cell[end] == '.' || cell[end] == ',')) {
            ++end;
        }
        std::string_view tail = trimmed(cell.substr(end));
        if (tail == "-" && end > 0 && cell[end - 1] == ',') {
            tail = {};  // `5,-` is a whole number of kroner
        }
        cell = cell.substr(0, end);
        if (!tail.empty()) {
            if (!has_sign) {
                has_sign = take_trailing_sign(tail, negative);
                if (!has_sign) {
                    has_sign = take_sign(tail, negative);
                }
            }
            if (!explain_word(tail, out)) {
                return false;
            }
        }
    }
    out.negative = negative;
    if (dress == NumberDress::plain) {
        const bool plain = !cell.empty() && cell.size() <= BareNumber::body_max &&
                           std::ranges::all_of(cell, is_number_byte) &&
                           std::ranges::any_of(cell, is_digit);
        if (plain) {
            std::ranges::copy(cell, out.body);
            out.size = static_cast<std::uint8_t>(cell.size());
        }
        return plain;
    }
    return copy_body(cell, out);
}

NumberFit fit_of(const BareNumber& number) {
    const std::string_view text = number.text();
    const auto dots = std::ranges::count(text, '.');
    const auto commas = std::ranges::count(text, ',');
    if (dots == 0 && commas == 0) {
        return {.dot = true, .comma = true};
    }
    if (dots > 0 && commas > 0) {
        const char mark = text.rfind('.') > text.rfind(',') ? '.' : ',';
        const char grouping = mark == '.' ? ',' : '.';
        const bool fits = (mark == '.' ? dots : commas) == 1 &&
                          grouped(text.substr(0, text.find(mark)), grouping) &&
                          !number.grouped_by_blank;
        return {.dot = fits && mark == '.', .comma = fits && mark == ','};
    }
    const char only = dots > 0 ? '.' : ',';
    if (dots + commas > 1) {
        const bool fits = grouped(text, only) && !number.grouped_by_blank;
        return {.dot = fits && only == ',', .comma = fits && only == '.'};
    }
    const bool may_group = grouped(text, only) && !number.grouped_by_blank;
    return {
        .dot = only == '.' || may_group, .comma = only == ',' || may_group, .differs = may_group};
}

std::optional<money::Decimal> read_number(const BareNumber& number, char decimal_mark) {
    const char grouping = decimal_mark == '.' ? ',' : '.';
    const auto decimal =
        money::Decimal::parse(number.text(), {.decimal_mark = decimal_mark, .grouping = grouping});
    if (!decimal) {
        return std::nullopt;
    }
    return number.negative ? decimal->negated() : *decimal;
}

void DecimalMarkVote::remember(Witness& witness, const BareNumber& number, std::uint64_t line) {
    if (witness.line == 0) {
        witness = {line, std::string(number.text())};
    }
}

void DecimalMarkVote::add(const BareNumber& number, std::uint64_t line) {
    const NumberFit fit = fit_of(number);
    if (!fit.dot && !fit.comma) {
        return;  // no number by any reading: that row is at fault, not the column
    }
    ++count_;
    if (!fit.comma) {
        remember(needs_dot_, number, line);
        comma_ = false;
    }
    if (!fit.dot) {
        remember(needs_comma_, number, line);
        dot_ = false;
    }
    if (fit.differs) {
        differs_ = true;
        remember(open_, number, line);
    }
}

std::string DecimalMarkVote::evidence() const {
    if (contradicts()) {
        return needs_dot_.quote() + " needs a decimal point, " + needs_comma_.quote() +
               " a decimal comma";
    }
    if (!comma_) {
        return needs_dot_.quote();
    }
    if (!dot_) {
        return needs_comma_.quote();
    }
    return differs_ ? open_.quote() +
                          " is one number with a decimal point and another with a decimal comma"
                    : "no number has a decimal mark";
}

}  // namespace bascule::statement
