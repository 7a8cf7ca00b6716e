#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "household/statement/statement.h"

namespace bascule::statement {

/// What stands before the `<OFX>` of a file: `KEY:VALUE` lines (1.x; often without any line ends),
/// or an XML declaration and an `<?OFX …?>` instruction (2.x), or nothing.
struct OfxHeader {
    Format format = Format::unknown;  ///< ofx1, ofx2, or unknown when this is no OFX file
    std::string version;              ///< `102`, `211`
    std::string encoding;             ///< declared; empty when not
    std::size_t body = 0;             ///< where the elements begin
};

/// Reads the header from a file's first bytes, decoded or not. O(64 KiB).
OfxHeader read_ofx_header(std::string_view text);

}  // namespace bascule::statement
