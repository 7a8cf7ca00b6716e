#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/sql/value.h"
#include "household/money/currency.h"
#include "household/money/date.h"

/// Between columns and the values of the domain. What does not parse was not written by us: the
/// database is `corrupt`.
namespace bascule::application {

Result<money::Date> date_of(std::string_view text);
Result<std::optional<money::Date>> date_or_none(const sql::Row& row, std::size_t column);
Result<money::Currency> currency_of(std::string_view text);
WallTime time_of(const sql::Row& row, std::size_t column);
std::optional<WallTime> time_or_none(const sql::Row& row, std::size_t column);

std::optional<std::string> text_of(const std::optional<money::Date>& date);
std::optional<std::int64_t> ms_of(const std::optional<WallTime>& time);

/// `%…%` for `like … escape '\'`, with the text's own wildcards taken literally.
std::string like_pattern(std::string_view contained);

/// The single value that a Result of a statement's row count is not needed for.
Result<> ignoring_count(Result<std::int64_t> changed);
/// … and where exactly the row asked for must have been there. Errors: `not_found`.
Result<> expecting_row(Result<std::int64_t> changed, std::string_view what, std::string_view id);

std::unexpected<Error> not_found(std::string_view what, std::string_view id);

}  // namespace bascule::application
