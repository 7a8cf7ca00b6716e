#pragma once

#include <string>

#include "cli/output.h"

namespace bascule::cli {

struct StatementParse {
    std::string file;
    std::string profile;  ///< a file; empty: none
    Output output = Output::table;
};

/// `statement parse`: needs no server. The document as a table, as JSON (jsonl is the same on one
/// line), or its transactions alone as CSV; what was not taken is then told beside it. Exit codes
/// as docs/reference/statement.md states them.
int parse_statement(const StatementParse& command);

}  // namespace bascule::cli
