#include "household/statement/csv_headers.h"

#include <algorithm>
#include <iterator>

#include "household/statement/text.h"

namespace bascule::statement {

namespace {

struct Synonym {
    std::string_view text;
    Field field;
    int rank;
};

/// Whole names, normalised. Grouped by field; within a field the better claims come first.
constexpr Synonym synonyms[] = {
    {"booking date", Field::date, 0},
    {"posting date", Field::date, 0},
    {"post date", Field::date, 0},
    {"posted date", Field::date, 0},
    {"date posted", Field::date, 0},
    {"posted", Field::date, 0},
    {"buchungstag", Field::date, 0},
    {"buchungsdatum", Field::date, 0},
    {"buchung", Field::date, 0},
    {"datum buchung", Field::date, 0},
    {"date de comptabilisation", Field::date, 0},
    {"date comptable", Field::date, 0},
    {"fecha contable", Field::date, 0},
    {"fecha de operación", Field::date, 0},
    {"fecha operación", Field::date, 0},
    {"boekdatum", Field::date, 0},
    {"boekingsdatum", Field::date, 0},
    {"data contabile", Field::date, 0},
    {"date", Field::date, 1},
    {"datum", Field::date, 1},
    {"fecha", Field::date, 1},
    {"data", Field::date, 1},
    {"day", Field::date, 1},
    {"tag", Field::date, 1},
    {"transaction date", Field::date, 2},
    {"trans date", Field::date, 2},
    {"trade date", Field::date, 2},
    {"date opération", Field::date, 1},
    {"date de l opération", Field::date, 1},
    {"date operation", Field::date, 1},
    {"data operazione", Field::date, 1},
    {"transactiedatum", Field::date, 2},
    {"umsatzdatum", Field::date, 2},
    {"belegdatum", Field::date, 2},
    {"kaufdatum", Field::date, 2},
    {"started date", Field::date, 3},
    {"completed date", Field::date, 1},

    {"value date", Field::value_date, 0},
    {"valuta", Field::value_date, 0},
    {"valutadatum", Field::value_date, 0},
    {"valuta datum", Field::value_date, 0},
    {"wertstellung", Field::value_date, 0},
    {"wertstellungsdatum", Field::value_date, 0},
    {"wert", Field::value_date, 0},
    {"date de valeur", Field::value_date, 0},
    {"date valeur", Field::value_date, 0},
    {"fecha valor", Field::value_date, 0},
    {"rentedatum", Field::value_date, 0},
    {"data valuta", Field::value_date, 0},
    {"effective date", Field::value_date, 1},

    {"payee", Field::payee, 0},
    {"payee name", Field::payee, 0},
    {"merchant", Field::payee, 0},
    {"merchant name", Field::payee, 0},
    {"counterparty", Field::payee, 0},
    {"counterparty name", Field::payee, 0},
    {"counter party", Field::payee, 0},
    {"beneficiary", Field::payee, 0},
    {"name", Field::payee, 1},
    {"payer payee", Field::payee, 0},
    {"partner name", Field::payee, 0},
    {"beguenstigter zahlungspflichtiger", Field::payee, 0},
    {"begünstigter zahlungspflichtiger", Field::payee, 0},
    {"auftraggeber empfänger", Field::payee, 0},
    {"empfänger auftraggeber", Field::payee, 0},
    {"auftraggeber begünstigter", Field::payee, 0},
    {"name zahlungsbeteiligter", Field::payee, 0},
    {"zahlungsempfänger", Field::payee, 0},
    {"zahlungsempfänger in", Field::payee, 1},
    {"zahlungspflichtige r", Field::payee, 2},
    {"empfänger", Field::payee, 0},
    {"auftraggeber", Field::payee, 1},
    {"gegenpartei", Field::payee, 0},
    {"händler", Field::payee, 0},
    {"partnername", Field::payee, 0},
    {"bénéficiaire", Field::payee, 0},
    {"tiers", Field::payee, 0},
    {"beneficiario", Field::payee, 0},
    {"begunstigde", Field::payee, 0},
    {"tegenpartij", Field::payee, 0},
    {"naam tegenpartij", Field::payee, 0},
    {"naam omschrijving", Field::payee, 0},
    {"controparte", Field::payee, 0},

    {"description", Field::description, 0},
    {"transaction description", Field::description, 0},
    {"original description", Field::description, 2},
    {"narrative", Field::description, 0},
    {"narration", Field::description, 0},
    {"details", Field::description, 1},
    {"transaction details", Field::description, 0},
    {"particulars", Field::description, 1},
    {"text", Field::description, 0},
    {"verwendungszweck", Field::description, 0},
    {"vwz", Field::description, 0},
    {"beschreibung", Field::description, 0},
    {"buchungsdetails", Field::description, 0},
    {"buchungstext", Field::description, 2},
    {"zahlungsgrund", Field::description, 0},
    {"libellé", Field::description, 0},
    {"libelle", Field::description, 0},
    {"concepto", Field::description, 0},
    {"descripción", Field::description, 0},
    {"omschrijving", Field::description, 0},
    {"descrizione", Field::description, 0},
    {"causale", Field::description, 1},
    {"descrizione operazione", Field::description, 0},

    {"memo", Field::memo, 0},
    {"note", Field::memo, 0},
    {"notes", Field::memo, 0},
    {"comment", Field::memo, 0},
    {"comments", Field::memo, 0},
    {"remarks", Field::memo, 0},
    {"payment reference", Field::memo, 1},
    {"remittance information", Field::memo, 0},
    {"notiz", Field::memo, 0},
    {"bemerkung", Field::memo, 0},
    {"kommentar", Field::memo, 0},
    {"commentaire", Field::memo, 0},
    {"mededelingen", Field::memo, 0},
    {"opmerking", Field::memo, 0},
    {"observaciones", Field::memo, 0},
    {"nota", Field::memo, 0},

    {"amount", Field::amount, 0},
    {"betrag", Field::amount, 0},
    {"montant", Field::amount, 0},
    {"importe", Field::amount, 0},
    {"bedrag", Field::amount, 0},
    {"importo", Field::amount, 0},
    {"umsatz", Field::amount, 1},
    {"transaction amount", Field::amount, 1},
    {"buchungsbetrag", Field::amount, 1},
    {"amount in account currency", Field::amount, 1},
    {"betrag in kontowährung", Field::amount, 1},
    {"billing amount", Field::amount, 1},
    {"value", Field::amount, 2},
    {"sum", Field::amount, 2},
    {"money", Field::amount, 2},

    {"debit", Field::debit, 0},
    {"debit amount", Field::debit, 0},
    {"debits", Field::debit, 0},
    {"withdrawal", Field::debit, 0},
    {"withdrawals", Field::debit, 0},
    {"withdrawal amount", Field::debit, 0},
    {"money out", Field::debit, 0},
    {"paid out", Field::debit, 0},
    {"amount out", Field::debit, 0},
    {"outflow", Field::debit, 0},
    {"out", Field::debit, 1},
    {"soll", Field::debit, 0},
    {"lastschrift", Field::debit, 0},
    {"belastung", Field::debit, 0},
    {"ausgang", Field::debit, 0},
    {"ausgaben", Field::debit, 0},
    {"débit", Field::debit, 0},
    {"cargo", Field::debit, 0},
    {"cargos", Field::debit, 0},
    {"debe", Field::debit, 0},
    {"uit", Field::debit, 1},
    {"addebito", Field::debit, 0},
    {"addebiti", Field::debit, 0},
    {"dare", Field::debit, 0},
    {"uscite", Field::debit, 0},

    {"credit", Field::credit, 0},
    {"credit amount", Field::credit, 0},
    {"credits", Field::credit, 0},
    {"deposit", Field::credit, 0},
    {"deposits", Field::credit, 0},
    {"deposit amount", Field::credit, 0},
    {"money in", Field::credit, 0},
    {"paid in", Field::credit, 0},
    {"amount in", Field::credit, 0},
    {"inflow", Field::credit, 0},
    {"in", Field::credit, 1},
    {"haben", Field::credit, 0},
    {"gutschrift", Field::credit, 0},
    {"eingang", Field::credit, 0},
    {"einnahmen", Field::credit, 0},
    {"crédit", Field::credit, 0},
    {"abono", Field::credit, 0},
    {"abonos", Field::credit, 0},
    {"haber", Field::credit, 0},
    {"accredito", Field::credit, 0},
    {"accrediti", Field::credit, 0},
    {"avere", Field::credit, 0},
    {"entrate", Field::credit, 0},

    {"balance", Field::balance, 0},
    {"running balance", Field::balance, 0},
    {"account balance", Field::balance, 0},
    {"balance after", Field::balance, 0},
    {"available balance", Field::balance, 1},
    {"saldo", Field::balance, 0},
    {"saldo nach buchung", Field::balance, 0},
    {"kontostand", Field::balance, 0},
    {"solde", Field::balance, 0},
    {"saldo na mutatie", Field::balance, 0},
    {"saldo na trn", Field::balance, 0},

    {"debit credit", Field::indicator, 0},
    {"credit debit", Field::indicator, 0},
    {"dr cr", Field::indicator, 0},
    {"cr dr", Field::indicator, 0},
    {"d c", Field::indicator, 0},
    {"dc", Field::indicator, 0},
    {"credit debit indicator", Field::indicator, 0},
    {"debit credit indicator", Field::indicator, 0},
    {"cdtdbtind", Field::indicator, 0},
    {"indicator", Field::indicator, 0},
    {"sign", Field::indicator, 0},
    {"soll haben", Field::indicator, 0},
    {"soll haben kennzeichen", Field::indicator, 0},
    {"s h", Field::indicator, 0},
    {"sh", Field::indicator, 0},
    {"vorzeichen", Field::indicator, 0},
    {"af bij", Field::indicator, 0},
    {"bij af", Field::indicator, 0},
    {"sens", Field::indicator, 0},
    {"segno", Field::indicator, 0},

    {"currency", Field::currency, 0},
    {"currency code", Field::currency, 0},
    {"account currency", Field::currency, 1},
    {"währung", Field::currency, 0},
    {"waehrung", Field::currency, 0},
    {"devise", Field::currency, 0},
    {"divisa", Field::currency, 0},
    {"moneda", Field::currency, 0},
    {"munt", Field::currency, 0},
    {"muntsoort", Field::currency, 0},
    {"valuta code", Field::currency, 0},
    {"ccy", Field::currency, 0},

    {"account", Field::account, 0},
    {"account number", Field::account, 0},
    {"account no", Field::account, 0},
    {"account id", Field::account, 0},
    {"account iban", Field::account, 0},
    {"account name", Field::account, 1},
    {"iban", Field::account, 2},
    {"konto", Field::account, 0},
    {"kontonummer", Field::account, 0},
    {"auftragskonto", Field::account, 0},
    {"iban auftragskonto", Field::account, 0},
    {"eigenes konto", Field::account, 0},
    {"compte", Field::account, 0},
    {"numéro de compte", Field::account, 0},
    {"cuenta", Field::account, 0},
    {"rekening", Field::account, 0},
    {"rekeningnummer", Field::account, 0},
    {"iban bban", Field::account, 0},
    {"conto", Field::account, 0},

    {"id", Field::id, 1},
    {"transaction id", Field::id, 0},
    {"transactionid", Field::id, 0},
    {"transaction code", Field::id, 3},
    {"fitid", Field::id, 0},
    {"unique id", Field::id, 0},
    {"reference", Field::id, 2},
    {"reference number", Field::id, 1},
    {"ref", Field::id, 2},
    {"transaction reference", Field::id, 1},
    {"bank reference", Field::id, 1},
    {"referenz", Field::id, 2},
    {"referenznummer", Field::id, 1},
    {"buchungsreferenz", Field::id, 1},
    {"umsatz id", Field::id, 0},
    {"transaktions id", Field::id, 0},
    {"référence", Field::id, 2},
    {"referencia", Field::id, 2},
    {"referentie", Field::id, 2},
    {"transactiereferentie", Field::id, 1},
    {"volgnr", Field::id, 1},
    {"riferimento", Field::id, 2},

    {"type", Field::type, 0},
    {"transaction type", Field::type, 0},
    {"trans type", Field::type, 0},
    {"typ", Field::type, 0},
    {"umsatzart", Field::type, 0},
    {"buchungsart", Field::type, 0},
    {"umsatztyp", Field::type, 0},
    {"vorgang", Field::type, 1},
    {"type d opération", Field::type, 0},
    {"tipo", Field::type, 0},
    {"mutatiesoort", Field::type, 0},
    {"soort", Field::type, 0},
    {"code", Field::type, 3},

    {"category", Field::category, 0},
    {"category name", Field::category, 0},
    {"kategorie", Field::category, 0},
    {"catégorie", Field::category, 0},
    {"categorie", Field::category, 0},
    {"categoría", Field::category, 0},
    {"categoria", Field::category, 0},

    {"check number", Field::check_number, 0},
    {"check no", Field::check_number, 0},
    {"check", Field::check_number, 1},
    {"cheque number", Field::check_number, 0},
    {"cheque", Field::check_number, 1},
    {"check or slip", Field::check_number, 0},
    {"schecknummer", Field::check_number, 0},
    {"numéro de chèque", Field::check_number, 0},

    {"status", Field::status, 0},
    {"state", Field::status, 0},
    {"transaction status", Field::status, 0},
    {"buchungsstatus", Field::status, 0},
    {"statut", Field::status, 0},
    {"estado", Field::status, 0},
};

/// Words that give an unknown header a weak claim, unless a word that takes it away stands beside
/// them.
constexpr Synonym weak_words[] = {
    {"valuta", Field::value_date, 4},
    {"date", Field::date, 4},
    {"datum", Field::date, 4},
    {"fecha", Field::date, 4},
    {"data", Field::date, 4},
    {"amount", Field::amount, 4},
    {"betrag", Field::amount, 4},
    {"montant", Field::amount, 4},
    {"importe", Field::amount, 4},
    {"bedrag", Field::amount, 4},
    {"importo", Field::amount, 4},
    {"balance", Field::balance, 4},
    {"saldo", Field::balance, 4},
    {"solde", Field::balance, 4},
    {"kontostand", Field::balance, 4},
    {"description", Field::description, 4},
    {"verwendungszweck", Field::description, 4},
    {"vwz", Field::description, 4},
    {"payee", Field::payee, 4},
    {"empfänger", Field::payee, 4},
    {"begünstigter", Field::payee, 4},
    {"beguenstigter", Field::payee, 4},
    {"merchant", Field::payee, 4},
};

constexpr std::string_view excluding_words[] = {
    "original",     "foreign",  "fremdwährung", "fremdwaehrung", "ursprünglich",
    "fee",          "fees",     "gebühr",       "tax",           "local",
    "due",          "exchange", "rate",         "kurs",          "change",
    "mandatsdatum", "iban",     "limit",        "vat",           "lastschrift"};

bool has_word(std::string_view text, std::string_view word) {
    for (std::size_t at = text.find(word); at != std::string_view::npos;
         at = text.find(word, at + 1)) {
        const bool starts = at == 0 || text[at - 1] == ' ';
        const bool ends = at + word.size() == text.size() || text[at + word.size()] == ' ';
        if (starts && ends) {
            return true;
        }
    }
    return false;
}

std::string folded(std::string_view cell) {
    std::string out;
    out.reserve(cell.size());
    for (std::size_t i = 0; i < cell.size(); ++i) {
        const auto byte = static_cast<unsigned char>(cell[i]);
        const bool latin_capital =
            !out.empty() && out.back() == '\xC3' && byte >= 0x80 && byte <= 0x9E;
        if (latin_capital || (byte >= 'A' && byte <= 'Z')) {
            out += static_cast<char>(byte + 0x20);
        } else if (byte >= 0x80 || is_letter(cell[i]) || is_digit(cell[i])) {
            out += cell[i];
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
    }
    while (out.ends_with(' ')) {
        out.pop_back();
    }
    return out;
}

/// Programs name columns as they name variables: `bookingDate`, `IBANNumber`.
std::string with_blanks_between_words(std::string_view cell) {
    const auto is_small = [](char c) { return is_letter(c) && (c & 0x20) != 0; };
    const auto is_capital = [](char c) { return is_letter(c) && (c & 0x20) == 0; };
    std::string out;
    for (std::size_t i = 0; i < cell.size(); ++i) {
        const bool next_is_small = i + 1 < cell.size() && is_small(cell[i + 1]);
        if (i > 0 && is_capital(cell[i]) &&
            (is_small(cell[i - 1]) || (is_capital(cell[i - 1]) && next_is_small))) {
            out += ' ';
        }
        out += cell[i];
    }
    return out;
}

/// German without umlauts, as exports write it that distrust them: `empfänger` → `empfaenger`.
std::string without_umlauts(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string_view letter = text.substr(i, 2);
        const std::string_view plain = letter == "ä"   ? "ae"
                                       : letter == "ö" ? "oe"
                                       : letter == "ü" ? "ue"
                                       : letter == "ß" ? "ss"
                                                       : "";
        if (plain.empty()) {
            out += text[i];
        } else {
            out += plain;
            ++i;
        }
    }
    return out;
}

bool is_spelled(std::string_view name, std::string_view header) {
    return name == header || without_umlauts(name) == header;
}

std::optional<HeaderMeaning> meaning_of_whole(std::string_view name) {
    const auto* known = std::ranges::find_if(
        synonyms, [&](const Synonym& each) { return is_spelled(each.text, name); });
    return known == std::end(synonyms) ? std::nullopt
                                       : std::optional(HeaderMeaning{known->field, known->rank});
}

}  // namespace

HeaderName normalised_header(std::string_view cell) {
    cell = trimmed(cell);
    HeaderName header;
    std::string_view rest = cell;
    // The last word may be a currency, as in `Betrag (EUR)`, `Amount USD`, `Importe en €`.
    const auto end = rest.find_last_not_of(" )]");
    const auto begin = end == std::string_view::npos ? end : rest.find_last_of(" ([", end);
    if (begin != std::string_view::npos) {
        const std::string_view word = rest.substr(begin + 1, end - begin);
        auto currency = money::currency_of_symbol(word);
        if (!currency && word == upper_ascii(word)) {
            currency = money::Currency::parse(word);
        }
        if (currency && currency->is_known()) {
            header.currency = *currency;
            rest = rest.substr(0, begin);
        }
    }
    header.text = folded(rest);
    header.words = folded(with_blanks_between_words(rest));
    for (std::string* name : {&header.text, &header.words}) {
        for (const std::string_view preposition : {" in", " en", " in €"}) {
            if (header.currency.is_stated() && name->ends_with(preposition)) {
                name->resize(name->size() - preposition.size());
            }
        }
    }
    return header;
}

std::optional<HeaderMeaning> meaning_of(const HeaderName& header) {
    if (header.text.empty()) {
        return std::nullopt;
    }
    for (const std::string* whole : {&header.text, &header.words}) {
        if (const auto meaning = meaning_of_whole(*whole)) {
            return meaning;
        }
    }
    const std::string& name = header.words;
    // `VWZ 2`, `Verwendungszweck 14`: one text over several columns.
    std::string_view base = name;
    while (!base.empty() && (is_digit(base.back()) || base.back() == ' ')) {
        base.remove_suffix(1);
    }
    const auto* numbered = std::ranges::find(synonyms, base, &Synonym::text);
    if (base.size() < name.size() && numbered != std::end(synonyms) &&
        (numbered->field == Field::description || numbered->field == Field::memo ||
         numbered->field == Field::payee)) {
        return HeaderMeaning{numbered->field, numbered->rank};
    }
    if (std::ranges::any_of(excluding_words,
                            [&](std::string_view word) { return has_word(name, word); })) {
        return std::nullopt;
    }
    for (const auto& weak : weak_words) {
        if (has_word(name, weak.text)) {
            return HeaderMeaning{weak.field, weak.rank};
        }
    }
    return std::nullopt;
}

bool speaks_of_cards(std::string_view normalised) {
    return std::ranges::any_of(
        std::initializer_list<std::string_view>{"card member", "cardmember", "card no",
                                                "card number", "cardholder", "kartennummer",
                                                "karteninhaber", "card"},
        [&](std::string_view word) { return has_word(normalised, word); });
}

bool begins_like_a_summary(std::string_view cell) {
    const std::string text = folded(trimmed(cell));
    return std::ranges::any_of(
        std::initializer_list<std::string_view>{
            "total",     "totals",       "subtotal",   "sum",       "summe",
            "gesamt",    "saldo",        "kontostand", "balance",   "opening",
            "closing",   "anfangssaldo", "endsaldo",   "alter",     "neuer",
            "solde",     "totale",       "totaal",     "eindsaldo", "beginsaldo",
            "beginning", "ending",       "end",        "count",     "anzahl"},
        [&](std::string_view word) {
            return text == word || text.starts_with(std::string(word) + " ");
        });
}

char side_of_indicator(std::string_view cell) {
    const std::string text = folded(trimmed(cell));
    constexpr std::string_view debits[] = {"d",         "dr",     "db",   "dbit", "debit",
                                           "s",         "soll",   "af",   "out",  "withdrawal",
                                           "débit",     "cargo",  "debe", "dare", "lastschrift",
                                           "belastung", "ausgang"};
    constexpr std::string_view credits[] = {"c",     "cr",    "crdt",  "credit",     "h",
                                            "haben", "bij",   "in",    "deposit",    "crédit",
                                            "abono", "haber", "avere", "gutschrift", "eingang"};
    if (std::ranges::find(debits, text) != std::end(debits) || trimmed(cell) == "-") {
        return 'D';
    }
    return std::ranges::find(credits, text) != std::end(credits) || trimmed(cell) == "+" ? 'C'
                                                                                         : '\0';
}

}  // namespace bascule::statement
