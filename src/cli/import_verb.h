#pragma once

#include <string>
#include <vector>

#include "cli/output.h"
#include "cli/session.h"

namespace bascule::cli {

struct Import {
    std::vector<std::string> files;
    std::string account;  ///< its name
    std::string profile;  ///< a file; empty: none
    bool wait = true;     ///< until the server has processed them
};

/// `import`: uploads bank files into an account and waits until each is processed. Prints one line
/// a file; exit code 0 when all went in whole, 8 when some rows or files did not, 1 when none did.
int import_files(const Import& command, const Target& target, Output output);

}  // namespace bascule::cli
