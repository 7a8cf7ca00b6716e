#pragma once

#include "settings.h"

namespace bascule {

struct ServeOptions {
    SettingSources sources;
    bool json_log = false;
};

/// Serves until SIGINT or SIGTERM, then stops in order. Returns the exit code: 0, 3 for
/// configuration, 7 when the data directory or the port is taken, 9 for anything else.
int serve(const ServeOptions& options);

/// Checks configuration and routing without starting anything; problems go to standard error.
/// Returns 0 or 3.
int check_config(const SettingSources& sources);

/// Prints every setting in force with its origin, or only those whose key begins with `prefix`.
int show_config(const SettingSources& sources, const std::string& prefix);

}  // namespace bascule
