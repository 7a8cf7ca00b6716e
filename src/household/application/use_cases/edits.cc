#include "household/application/use_cases/edits.h"

#include <algorithm>

#include "foundation/json/writer.h"
#include "household/finance/text.h"

namespace bascule::application {

namespace {
constexpr std::size_t name_bytes_max = 200;
}  // namespace

std::string json_text(std::string_view text) {
    std::string out;
    json::append_string(out, text);
    return out;
}

std::unexpected<Error> invalid(std::string_view field, std::string_view what) {
    return fail(ErrorKind::invalid, std::string(field) + ": " + std::string(what));
}

Result<std::string> clean_text(std::string_view field, std::string_view text,
                               std::size_t bytes_max) {
    if (text.size() > bytes_max) {
        return invalid(field, "has " + std::to_string(text.size()) + " bytes; at most " +
                                  std::to_string(bytes_max) + " are allowed");
    }
    const bool has_control = std::ranges::any_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7f;
    });
    if (has_control) {
        return invalid(field, "control characters are not allowed");
    }
    return finance::normalised(text);
}

Result<std::string> clean_name(std::string_view field, std::string_view text) {
    auto name = TRY(clean_text(field, text, name_bytes_max));
    if (name.empty()) {
        return invalid(field, "must not be empty");
    }
    if (name.find_first_of("\r\n\t") != std::string::npos) {
        return invalid(field, "must be one line");
    }
    return name;
}

Result<std::string> needed(std::string_view field, const std::optional<std::string>& value) {
    if (!value) {
        return invalid(field, "is missing");
    }
    return *value;
}

Result<money::Date> parse_date(std::string_view field, std::string_view text) {
    auto date = money::Date::parse(text);
    if (!date) {
        return invalid(field, date.error().message());
    }
    return date;
}

Result<money::Money> parse_amount(std::string_view field, std::string_view text,
                                  money::Currency currency) {
    const auto decimal = money::Decimal::parse(text);
    if (!decimal) {
        return invalid(field, decimal.error().message());
    }
    const auto minor = decimal->to_minor(currency.exponent());
    if (!minor) {
        return invalid(field, minor.error().message());
    }
    const money::Money amount(minor->value, currency);
    if (minor->rounded) {
        const int digits = currency.exponent();
        return invalid(field, decimal->to_text() + " has more digits than " +
                                  std::string(currency.code()) + ", which has " +
                                  (digits == 0 ? "none" : std::to_string(digits)) +
                                  " behind the point; " + amount.to_text() + " is the nearest");
    }
    return amount;
}

}  // namespace bascule::application
