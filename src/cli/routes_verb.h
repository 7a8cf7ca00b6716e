#pragma once

#include "cli/output.h"
#include "cli/session.h"

namespace bascule::cli {

/// `routes`: who gets what, as rows or as a Mermaid picture.
int show_routes(bool mermaid, const Target& target, Output output);

/// `audit verify`: has the server recompute the chain; exit code 1 if it is broken.
int verify_audit(const Target& target, Output output);

}  // namespace bascule::cli
