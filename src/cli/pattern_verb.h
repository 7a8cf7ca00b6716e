#pragma once

#include <string>

namespace bascule::cli {

/// `pattern test`: whether an event matches. The event is in the seed's form or in EventBridge's;
/// either argument may be
/// `@FILE` or `-`. Prints `yes` or `no`; exit codes 0, 1, and 2 for what is no pattern or no event.
int test_pattern(const std::string& pattern, const std::string& event);

/// `pattern check`: whether it is a pattern at all.
int check_pattern(const std::string& pattern);

}  // namespace bascule::cli
