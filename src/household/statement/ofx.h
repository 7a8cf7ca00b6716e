#pragma once

#include "household/statement/encoding.h"
#include "household/statement/ofx_header.h"
#include "household/statement/statement.h"

namespace bascule::statement {

/// Reads an OFX file of either kind into `out`: bank and card statements whole; of investment
/// statements the cash lines, the rest counted in `unsupported`. `header` was read from the decoded
/// text.
///
/// Source: OFX 1.6 and 2.3 (what the elements mean), and what banks make of them (what is
/// tolerated).
void parse_ofx(const DecodedText& decoded, const OfxHeader& header, Statement& out);

}  // namespace bascule::statement
