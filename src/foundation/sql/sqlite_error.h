#pragma once

#include <string>
#include <string_view>

#include "foundation/base/result.h"

namespace bascule::sql {

/// What a caller can do about an SQLite result code (extended codes welcome).
ErrorKind kind_of_sqlite(int code);

/// The error for a failed statement. Only SQLite's own message and the statement's text enter it,
/// never a parameter: those are people's data and messages end up in logs.
Error sqlite_error(int code, std::string_view message, std::string_view statement);

}  // namespace bascule::sql
