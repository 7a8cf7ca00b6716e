#include "household/application/stores/row_values.h"

namespace bascule::application {

namespace {

template <class T>
Result<T> stored(Result<T> parsed, std::string_view what) {
    if (!parsed) {
        return fail(ErrorKind::corrupt, "the database holds a bad " + std::string(what) + ": " +
                                            parsed.error().message());
    }
    return parsed;
}

}  // namespace

Result<money::Date> date_of(std::string_view text) {
    return stored(money::Date::parse(text), "date");
}

Result<std::optional<money::Date>> date_or_none(const sql::Row& row, std::size_t column) {
    if (row.is_null(column)) {
        return std::nullopt;
    }
    return TRY(date_of(row.text_view(column)));
}

Result<money::Currency> currency_of(std::string_view text) {
    return stored(money::Currency::parse(text), "currency");
}

WallTime time_of(const sql::Row& row, std::size_t column) {
    return from_unix_ms(row.integer(column));
}

std::optional<WallTime> time_or_none(const sql::Row& row, std::size_t column) {
    const auto ms = row.integer_or_null(column);
    return ms ? std::optional(from_unix_ms(*ms)) : std::nullopt;
}

std::optional<std::string> text_of(const std::optional<money::Date>& date) {
    return date ? std::optional(date->to_text()) : std::nullopt;
}

std::optional<std::int64_t> ms_of(const std::optional<WallTime>& time) {
    return time ? std::optional(to_unix_ms(*time)) : std::nullopt;
}

std::string like_pattern(std::string_view contained) {
    std::string pattern = "%";
    for (const char c : contained) {
        if (c == '%' || c == '_' || c == '\\') {
            pattern += '\\';
        }
        pattern += c;
    }
    return pattern + '%';
}

Result<> ignoring_count(Result<std::int64_t> changed) {
    if (!changed) {
        return std::unexpected(std::move(changed).error());
    }
    return {};
}

Result<> expecting_row(Result<std::int64_t> changed, std::string_view what, std::string_view id) {
    const auto rows = TRY(std::move(changed));
    if (rows == 0) {
        return not_found(what, id);
    }
    return {};
}

std::unexpected<Error> not_found(std::string_view what, std::string_view id) {
    return fail(ErrorKind::not_found,
                "there is no " + std::string(what) + " \"" + std::string(id) + "\"");
}

}  // namespace bascule::application
