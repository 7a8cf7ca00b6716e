#pragma once

#include <string>

namespace bascule::cli {

struct StatementParse {
    std::string file;
    std::string profile;  ///< a file; empty: none
    bool json = false;
};

/// `statement parse`: needs no server. Exit codes as docs/reference/statement.md states them.
int parse_statement(const StatementParse& command);

}  // namespace bascule::cli
