#pragma once

#include <string>

#include "cli/output.h"
#include "cli/session.h"

namespace bascule::cli {

/// `events chain`: the events of one correlation id, each below the one that caused it.
int show_chain(const std::string& correlation_id, const Target& target, Output output);

/// The tree as a table. `events`: items {event, position, recordedAt, parent}.
std::string chain_table(std::span<const json::Value> events);

}  // namespace bascule::cli
