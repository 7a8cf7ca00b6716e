#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "household/money/currency.h"
#include "household/statement/mapping.h"

namespace bascule::statement {

/// A header cell as we compare it: small letters, punctuation and brackets as single blanks; a
/// currency in it set aside.
struct HeaderName {
    std::string text;
    std::string words;         ///< the same with `bookingDate` as `booking date`
    money::Currency currency;  ///< of `Betrag (EUR)`, `Amount USD`
};
HeaderName normalised_header(std::string_view cell);

/// What a header means in English, German, French, Spanish, Dutch or Italian. A lower rank is a
/// better claim when two columns want the same field: `Buchungstag` 0, `Datum` 1, `Transaction
/// Date` 2, a name that merely contains `date` 4.
struct HeaderMeaning {
    Field field;
    int rank;
};
std::optional<HeaderMeaning> meaning_of(const HeaderName& header);

/// `Card Member`, `Kartennummer` …: signs of a card's file, where purchases may be positive.
bool speaks_of_cards(std::string_view normalised);

/// `Total`, `Summe`, `Kontostand`, `Opening balance` …: how lines begin that are about the list,
/// not of it.
bool begins_like_a_summary(std::string_view cell);

/// What the value of an indicator column says: `D`, `C`, or nothing.
char side_of_indicator(std::string_view cell);

}  // namespace bascule::statement
