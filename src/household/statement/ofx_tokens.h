#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bascule::statement {

/// One tag of an OFX file and the text behind it.
struct OfxToken {
    enum class Kind { open, close, empty };  ///< `<A>`, `</A>`, `<A/>`

    Kind kind = Kind::open;
    std::string_view name;   ///< as written
    std::string_view value;  ///< after an open tag, up to the next tag; not decoded
    bool verbatim = false;   ///< the value came from a CDATA section: entities are not decoded
    std::size_t begin = 0;
    std::size_t end = 0;  ///< after the value
};

/// Cuts SGML or XML into tags, tolerantly: a `<` that starts no tag is text, comments and
/// instructions are passed over, attributes are ignored. Linear in the text.
class OfxTokens {
  public:
    OfxTokens(std::string_view text, std::size_t begin) : text_(text), position_(begin) {}

    /// Returns false at the end, also when the last tag is cut off: then cut_off() tells.
    bool next(OfxToken& token);
    bool cut_off() const { return cut_off_; }
    std::size_t position() const { return position_; }
    std::string_view text() const { return text_; }

  private:
    bool is_tag(std::size_t at) const;
    std::size_t find_tag(std::size_t from) const;
    bool skip_special(std::size_t at);

    std::string_view text_;
    std::size_t position_;
    bool cut_off_ = false;
};

/// Decodes entities (`&amp;` `&#233;` `&nbsp;` …), twice where a bank encoded twice, and trims the
/// ends. A `&` that starts no entity stays.
std::string ofx_text(std::string_view value, bool verbatim = false);

}  // namespace bascule::statement
