#pragma once

#include <string>

#include "bus/pattern/pattern.h"
#include "cli/output.h"

namespace bascule::cli {

/// What the verbs of `pattern` are given. Either text may be `@FILE` or `-`; the event is in the
/// seed's form or in EventBridge's.
struct PatternQuestion {
    std::string pattern;
    std::string event;
    pattern::Dialect dialect = pattern::Dialect::eventbridge;
};

/// `pattern test`: whether the event matches. Prints `yes` or `no`; exit codes 0, 1, and 2 for what
/// is no pattern or no event.
int test_pattern(const PatternQuestion& question, Output output);

/// `pattern explain`: the same, with what each field wanted and what was there.
int explain_pattern(const PatternQuestion& question, Output output);

/// `pattern check`: whether it is a pattern at all, and everything that is wrong with it.
int check_pattern(const PatternQuestion& question, Output output);

}  // namespace bascule::cli
