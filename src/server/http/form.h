#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/result.h"
#include "server/http/message.h"

namespace bascule::http {

/// Percent-decoding; nothing for a "%" without two hexadecimal digits. In a query "+" is a space.
enum class Plus { plain, space };
std::optional<std::string> percent_decoded(std::string_view text, Plus plus);

/// "a=1&b=2" of a query or an application/x-www-form-urlencoded body. Errors: `invalid`.
Result<Fields> parse_query(std::string_view text);

/// One field of a form. Views point into the body.
struct FormPart {
    std::string name;
    std::string filename;  ///< empty unless a file; the sender's words, never a path to use
    std::string content_type;
    std::string_view content;
};

/// Reads a multipart/form-data body in one pass.
///
/// Limits: 64 parts, 4 KiB of header a part. Errors: `invalid`, with the reason.
/// Source: RFC 7578 over RFC 2046, section 5.1.
Result<std::vector<FormPart>> parse_form(std::string_view content_type, std::string_view body);

}  // namespace bascule::http
