#pragma once

#include <string>

#include "household/statement/statement.h"

namespace bascule::cli {

/// The JSON document of `statement parse`, field by field as docs/reference/statement.md states it;
/// compact, one line.
std::string statement_json(const statement::Statement& statement);

/// The same for people: accounts, rows, and what was not taken.
std::string statement_table(const statement::Statement& statement);

/// The transactions of all accounts, one a line, with a header; RFC 4180.
std::string statement_csv(const statement::Statement& statement);

/// What the table ends with: ambiguities, rejected and left out records, warnings, errors. Empty if
/// there are none.
std::string statement_notes(const statement::Statement& statement);

}  // namespace bascule::cli
