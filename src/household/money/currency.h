#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string_view>

#include "foundation/base/result.h"

namespace bascule::money {

/// A currency: its code and how many digits its minor unit takes (its exponent).
///
/// ISO 4217 codes have their exponent from a table (EUR 2, JPY 0, KWD 3, CLF 4); the large crypto
/// currencies have 8; any other code of three letters counts as a currency with 2. A default-made
/// Currency is `XXX`, which is ISO's own "no currency", with 2: what a file means that does not
/// say.
///
/// Eight bytes, trivially copied, ordered by code.
class Currency {
  public:
    constexpr Currency() = default;

    /// Reads a code: three letters, or a crypto code of the table (`USDT`). Lower case is accepted
    /// and raised. Errors: `invalid`, naming the text.
    static Result<Currency> parse(std::string_view code);

    std::string_view code() const { return {code_.data(), size_}; }
    int exponent() const { return exponent_; }

    /// Whether the code stands in the table, that is, whether the exponent is known rather than
    /// assumed.
    bool is_known() const;
    bool is_stated() const { return *this != Currency(); }

    friend constexpr auto operator<=>(const Currency&, const Currency&) = default;

  private:
    std::array<char, 6> code_{'X', 'X', 'X'};
    std::uint8_t size_ = 3;
    std::uint8_t exponent_ = 2;
};

/// The currency a sign or local name stands for where that is beyond doubt: `€` EUR, `£` GBP,
/// `CHF`, `zł` PLN.
/// `$`, `kr` and `¥` stand for many and give nothing.
Result<Currency> currency_of_symbol(std::string_view symbol);

}  // namespace bascule::money

template <>
struct std::hash<bascule::money::Currency> {
    std::size_t operator()(const bascule::money::Currency& currency) const {
        return std::hash<std::string_view>{}(currency.code());
    }
};
