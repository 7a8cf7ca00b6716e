#pragma once

#include <functional>
#include <string>

#include "server/api/services.h"

namespace bascule::api {

/// All numbers in Prometheus' text form; calls `done` when the bus has told its own.
/// Names and meanings: docs/reference/metrics.md.
void write_metrics(const Services& services, std::move_only_function<void(std::string)> done);

}  // namespace bascule::api
