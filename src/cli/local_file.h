#pragma once

#include <cstdint>
#include <string>

#include "foundation/base/result.h"

namespace bascule::cli {

/// Reads a file of the user's, or standard input for `-`. Errors: `not_found`, `io`, `exhausted`
/// above `bytes_max`.
Result<std::string> read_local_file(const std::string& path, std::uint64_t bytes_max);

/// The last part of a path.
std::string file_name_of(const std::string& path);

}  // namespace bascule::cli
