#pragma once

#include <string>

#include "bus/pattern/explain.h"

namespace bascule::pattern {

/// An explanation as the command line and the REST API show it: PatternExplanation in
/// docs/reference/openapi.yaml.
std::string explanation_json(const Explanation& explanation);

}  // namespace bascule::pattern
