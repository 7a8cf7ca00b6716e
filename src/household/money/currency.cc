#include "household/money/currency.h"

#include <algorithm>
#include <optional>
#include <string>

namespace bascule::money {

namespace {

struct Entry {
    std::string_view code;
    int exponent;
};

/// ISO 4217 (list one, 2024) and the crypto codes people's banks and exchanges export; sorted by
/// code. Withdrawn codes stay: old files keep saying HRK.
constexpr Entry entries[] = {
    {"ADA", 8},  {"AED", 2}, {"AFN", 2}, {"ALL", 2}, {"AMD", 2}, {"ANG", 2}, {"AOA", 2},
    {"ARS", 2},  {"AUD", 2}, {"AWG", 2}, {"AZN", 2}, {"BAM", 2}, {"BBD", 2}, {"BCH", 8},
    {"BDT", 2},  {"BGN", 2}, {"BHD", 3}, {"BIF", 0}, {"BMD", 2}, {"BND", 2}, {"BNB", 8},
    {"BOB", 2},  {"BOV", 2}, {"BRL", 2}, {"BSD", 2}, {"BTC", 8}, {"BTN", 2}, {"BWP", 2},
    {"BYN", 2},  {"BZD", 2}, {"CAD", 2}, {"CDF", 2}, {"CHE", 2}, {"CHF", 2}, {"CHW", 2},
    {"CLF", 4},  {"CLP", 0}, {"CNH", 2}, {"CNY", 2}, {"COP", 2}, {"COU", 2}, {"CRC", 2},
    {"CUP", 2},  {"CVE", 2}, {"CZK", 2}, {"DEM", 2}, {"DJF", 0}, {"DKK", 2}, {"DOGE", 8},
    {"DOP", 2},  {"DOT", 8}, {"DZD", 2}, {"EEK", 2}, {"EGP", 2}, {"ERN", 2}, {"ETB", 2},
    {"ETH", 8},  {"EUR", 2}, {"FJD", 2}, {"FKP", 2}, {"FRF", 2}, {"GBP", 2}, {"GEL", 2},
    {"GHS", 2},  {"GIP", 2}, {"GMD", 2}, {"GNF", 0}, {"GTQ", 2}, {"GYD", 2}, {"HKD", 2},
    {"HNL", 2},  {"HRK", 2}, {"HTG", 2}, {"HUF", 2}, {"IDR", 2}, {"ILS", 2}, {"INR", 2},
    {"IQD", 3},  {"IRR", 2}, {"ISK", 0}, {"ITL", 0}, {"JMD", 2}, {"JOD", 3}, {"JPY", 0},
    {"KES", 2},  {"KGS", 2}, {"KHR", 2}, {"KMF", 0}, {"KPW", 2}, {"KRW", 0}, {"KWD", 3},
    {"KYD", 2},  {"KZT", 2}, {"LAK", 2}, {"LBP", 2}, {"LKR", 2}, {"LRD", 2}, {"LSL", 2},
    {"LTC", 8},  {"LTL", 2}, {"LVL", 2}, {"LYD", 3}, {"MAD", 2}, {"MDL", 2}, {"MGA", 2},
    {"MKD", 2},  {"MMK", 2}, {"MNT", 2}, {"MOP", 2}, {"MRU", 2}, {"MUR", 2}, {"MVR", 2},
    {"MWK", 2},  {"MXN", 2}, {"MXV", 2}, {"MYR", 2}, {"MZN", 2}, {"NAD", 2}, {"NGN", 2},
    {"NIO", 2},  {"NLG", 2}, {"NOK", 2}, {"NPR", 2}, {"NZD", 2}, {"OMR", 3}, {"PAB", 2},
    {"PEN", 2},  {"PGK", 2}, {"PHP", 2}, {"PKR", 2}, {"PLN", 2}, {"PYG", 0}, {"QAR", 2},
    {"RON", 2},  {"RSD", 2}, {"RUB", 2}, {"RWF", 0}, {"SAR", 2}, {"SBD", 2}, {"SCR", 2},
    {"SDG", 2},  {"SEK", 2}, {"SGD", 2}, {"SHP", 2}, {"SKK", 2}, {"SLE", 2}, {"SLL", 2},
    {"SOL", 8},  {"SOS", 2}, {"SRD", 2}, {"SSP", 2}, {"STN", 2}, {"SVC", 2}, {"SYP", 2},
    {"SZL", 2},  {"THB", 2}, {"TJS", 2}, {"TMT", 2}, {"TND", 3}, {"TOP", 2}, {"TRY", 2},
    {"TTD", 2},  {"TWD", 2}, {"TZS", 2}, {"UAH", 2}, {"UGX", 0}, {"USD", 2}, {"USDC", 8},
    {"USDT", 8}, {"USN", 2}, {"UYI", 0}, {"UYU", 2}, {"UYW", 4}, {"UZS", 2}, {"VED", 2},
    {"VES", 2},  {"VND", 0}, {"VUV", 0}, {"WST", 2}, {"XAF", 0}, {"XBT", 8}, {"XCD", 2},
    {"XLM", 8},  {"XMR", 8}, {"XOF", 0}, {"XPF", 0}, {"XRP", 8}, {"XXX", 2}, {"YER", 2},
    {"ZAR", 2},  {"ZMW", 2}, {"ZWL", 2},
};

struct SymbolEntry {
    std::string_view symbol;
    std::string_view code;
};

constexpr SymbolEntry symbols[] = {
    {"€", "EUR"},  {"£", "GBP"},   {"₹", "INR"},    {"₽", "RUB"},   {"₺", "TRY"},   {"₪", "ILS"},
    {"₩", "KRW"},  {"₫", "VND"},   {"₴", "UAH"},    {"₱", "PHP"},   {"฿", "THB"},   {"₦", "NGN"},
    {"₿", "BTC"},  {"R$", "BRL"},  {"zł", "PLN"},   {"Kč", "CZK"},  {"Ft", "HUF"},  {"US$", "USD"},
    {"C$", "CAD"}, {"CA$", "CAD"}, {"A$", "AUD"},   {"AU$", "AUD"}, {"NZ$", "NZD"}, {"HK$", "HKD"},
    {"S$", "SGD"}, {"Fr.", "CHF"}, {"SFr.", "CHF"}, {"лв", "BGN"},
};

const Entry* find(std::string_view code) {
    const auto* found = std::ranges::find(entries, code, &Entry::code);
    return found == std::end(entries) ? nullptr : found;
}

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

}  // namespace

Result<Currency> Currency::parse(std::string_view code) {
    const bool fits = code.size() >= 3 && code.size() <= 6 && std::ranges::all_of(code, is_letter);
    if (fits) {
        Currency currency;
        currency.code_ = {};
        std::ranges::transform(code, currency.code_.begin(),
                               [](char c) { return static_cast<char>(c & ~0x20); });
        currency.size_ = static_cast<std::uint8_t>(code.size());
        const Entry* entry = find(currency.code());
        if (entry != nullptr || code.size() == 3) {
            currency.exponent_ = static_cast<std::uint8_t>(entry != nullptr ? entry->exponent : 2);
            return currency;
        }
    }
    return fail(ErrorKind::invalid,
                "currency is \"" + std::string(code.substr(0, 32)) +
                    "\"; an ISO 4217 code of three letters (EUR) or a known crypto code (USDT) "
                    "is allowed");
}

bool Currency::is_known() const { return find(code()) != nullptr; }

Result<Currency> currency_of_symbol(std::string_view symbol) {
    for (const auto& entry : symbols) {
        if (entry.symbol == symbol) {
            return Currency::parse(entry.code);
        }
    }
    return fail(ErrorKind::invalid,
                "\"" + std::string(symbol.substr(0, 32)) + "\" does not stand for one currency");
}

}  // namespace bascule::money
