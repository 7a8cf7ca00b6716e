#pragma once

#include <string>
#include <string_view>

/// Text made comparable. Source: Unicode 15 (UAX #15 and NFKC_Casefold), by utf8proc.
///
/// All functions accept any bytes: what is not UTF-8 becomes U+FFFD. Threads: any. O(length); texts
/// that are all ASCII, the common case, take a short way.
namespace bascule::finance {

/// NFC: how texts are stored and shown. Blanks and case stay.
std::string normalised(std::string_view text);

enum class LetterCase { folded, kept };

/// What two spellings of one text have in common: NFKC, case folded unless kept, invisible
/// characters dropped, every run of blanks one space, none at the ends. `Straße  12` and
/// `STRASSE 12` are equal here.
std::string match_text(std::string_view text, LetterCase letters = LetterCase::folded);

/// The same for a text that is looked for inside another: a blank at an end counts, so that
/// `kino ` does not find `kinobar`.
std::string match_pattern(std::string_view text, LetterCase letters = LetterCase::folded);

}  // namespace bascule::finance
