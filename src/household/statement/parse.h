#pragma once

#include <cstddef>
#include <string_view>

#include "household/statement/mapping.h"
#include "household/statement/statement.h"

namespace bascule::statement {

/// A file's rows are in memory several times over while they are imported, and are written in one
/// transaction, for which everybody's writes wait: some 2 s for each 100 000 rows.
inline constexpr std::size_t file_bytes_max = std::size_t{128} << 20;
inline constexpr std::size_t records_max = 250'000;  ///< transactions of one file
inline constexpr std::size_t raw_bytes_max = 2000;   ///< of a rejected record
inline constexpr std::size_t notes_max =
    10000;  ///< rejected records and warnings kept; then one says how many more
inline constexpr std::size_t element_depth_max = 64;  ///< nested elements of an OFX file

/// Tells the format from the first bytes and the shape of the file; never by a name. O(first 64
/// KiB).
Format sniff(std::string_view bytes);

/// Reads one bank file whole.
///
/// Never fails and never guesses silently: what is wrong with the file stands in `errors`, what was
/// left out in `rejected` and `unsupported`, what two readings fit in `ambiguities`. `mapping`
/// settles questions of a CSV file and is otherwise without effect, except for `encoding`.
///
/// Threads: pure. Limits: file_bytes_max (`too_large` above). Cost: linear in the file; memory some
/// five times it. Format:  docs/reference/statement.md.
Statement parse(std::string_view bytes, const Mapping& mapping = {});

}  // namespace bascule::statement
