#pragma once

#include <string>

#include "bus/pattern/term.h"

namespace bascule::pattern {

/// A term as a pattern may write it, whatever way it was written: `{"numeric":[">",0,"<=",5]}`.
/// Read as a pattern in EventBridge's dialect it is satisfied by the same values.
std::string text_of(const Term& term);

/// A value as JSON.
std::string text_of(const Leaf& leaf);

}  // namespace bascule::pattern
