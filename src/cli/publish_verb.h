#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/output.h"
#include "cli/session.h"

namespace bascule::cli {

struct Publish {
    std::string file;  ///< one event, an array, or one event a line; `-`: standard input; empty:
                       ///< the members below
    std::string type;
    std::string source;
    std::string user;
    std::string correlation;
    std::string data;               ///< JSON object
    std::vector<std::string> sets;  ///< `a.b=1`: members of data; JSON if it is JSON, else text
    std::uint64_t count = 1;
    std::uint64_t per_second = 0;  ///< 0: as fast as it goes
    bool dry_run = false;
};

/// `publish`. Prints one line an event; exit code 0 when all were taken (or already known), 8 when
/// some, 1 when none.
int publish_events(const Publish& command, const Target& target, Output output);

/// The events a command stands for, each as a JSON text. Errors: `invalid`, naming the line or
/// option.
Result<std::vector<std::string>> events_of(const Publish& command, std::string_view file_text);

}  // namespace bascule::cli
