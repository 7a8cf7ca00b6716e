#pragma once

#include <string_view>
#include <vector>

#include "bus/event/types.h"
#include "bus/event/validate.h"

namespace bascule::event {

/// Holds `data` (valid JSON or not) against a type's fields, in one pass and without allocating as
/// long as nothing is wrong. Members that the type does not name are allowed: newer publishers may
/// send more. Stops after `faults_max`.
void check_data(const Type& type, std::string_view data, std::size_t faults_max,
                std::vector<Fault>& faults);

}  // namespace bascule::event
