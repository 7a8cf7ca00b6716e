#pragma once

#include "household/statement/encoding.h"
#include "household/statement/mapping.h"
#include "household/statement/statement.h"

namespace bascule::statement {

/// Reads a CSV text into `out`. Returns false, with nothing added, when the text is no table with
/// dates or amounts in it: then it is not a CSV file we know.
bool parse_csv(const DecodedText& decoded, const Mapping& mapping, Statement& out);

}  // namespace bascule::statement
