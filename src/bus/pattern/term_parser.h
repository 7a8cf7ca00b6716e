#pragma once

#include "bus/pattern/term.h"
#include "bus/pattern/tokenizer.h"

namespace bascule::pattern {

/// Reads the terms of one field, from behind `[` to its `]`. Checks come in AWS's order, so that
/// the first fault is the same. Errors: `invalid`, as Pattern::parse.
Result<Terms> parse_terms(Tokenizer& tokens, Dialect dialect);

}  // namespace bascule::pattern
