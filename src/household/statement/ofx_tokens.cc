#include "household/statement/ofx_tokens.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>

#include "household/statement/text.h"

namespace bascule::statement {

namespace {

struct Entity {
    std::string_view name;
    std::string_view text;
};

constexpr Entity entities[] = {
    {"amp", "&"},    {"lt", "<"},     {"gt", ">"},     {"quot", "\""},  {"apos", "'"},
    {"nbsp", " "},   {"auml", "ä"},   {"ouml", "ö"},   {"uuml", "ü"},   {"Auml", "Ä"},
    {"Ouml", "Ö"},   {"Uuml", "Ü"},   {"szlig", "ß"},  {"eacute", "é"}, {"egrave", "è"},
    {"ecirc", "ê"},  {"agrave", "à"}, {"aacute", "á"}, {"acirc", "â"},  {"atilde", "ã"},
    {"ccedil", "ç"}, {"iacute", "í"}, {"oacute", "ó"}, {"ocirc", "ô"},  {"otilde", "õ"},
    {"uacute", "ú"}, {"ugrave", "ù"}, {"ntilde", "ñ"}, {"Eacute", "É"}, {"Ccedil", "Ç"},
    {"euro", "€"},   {"pound", "£"},  {"copy", "©"},   {"reg", "®"},    {"middot", "·"},
    {"ndash", "–"},  {"mdash", "—"},  {"rsquo", "’"},  {"lsquo", "‘"},  {"aring", "å"},
    {"oslash", "ø"}, {"aelig", "æ"},
};

constexpr std::size_t entity_bytes_max = 10;
constexpr std::size_t attribute_bytes_max = 512;

void append_character(std::string& out, unsigned code) {
    const bool valid = code > 0 && code < 0x110000 && !(code >= 0xD800 && code < 0xE000);
    code = valid ? code : 0xFFFD;
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
    } else if (code < 0x10000) {
        out += {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
                static_cast<char>(0x80 | (code & 0x3F))};
    } else {
        out +=
            {static_cast<char>(0xF0 | code >> 18), static_cast<char>(0x80 | (code >> 12 & 0x3F)),
             static_cast<char>(0x80 | (code >> 6 & 0x3F)), static_cast<char>(0x80 | (code & 0x3F))};
    }
}

/// The number in `#233` or `#xE9`.
std::optional<unsigned> numeric(std::string_view body) {
    body.remove_prefix(1);
    const bool hex = body.starts_with('x') || body.starts_with('X');
    body.remove_prefix(hex ? 1 : 0);
    unsigned code = 0;
    for (const char c : body) {
        const int digit = is_digit(c)                                     ? c - '0'
                          : hex && (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                                          : -1;
        if (digit < 0) {
            return std::nullopt;
        }
        code = std::min(code * (hex ? 16U : 10U) + static_cast<unsigned>(digit), 0x110000U);
    }
    return body.empty() ? std::nullopt : std::optional(code);
}

/// One pass over the entities of a text; returns whether any was decoded.
bool decode_once(std::string_view text, std::string& out) {
    bool decoded = false;
    out.clear();
    while (true) {
        const auto at = text.find('&');
        out += text.substr(0, at);
        if (at == std::string_view::npos) {
            return decoded;
        }
        text.remove_prefix(at + 1);
        const auto end = text.substr(0, entity_bytes_max).find(';');
        const std::string_view body =
            end == std::string_view::npos ? std::string_view() : text.substr(0, end);
        const auto* named = std::ranges::find(entities, body, &Entity::name);
        const auto code = body.starts_with('#') ? numeric(body) : std::nullopt;
        if (named != std::end(entities)) {
            out += named->text;
        } else if (code) {
            append_character(out, *code);
        } else {
            out += '&';
            continue;
        }
        decoded = true;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

/// Whether the `<` at `at` begins a tag, as against standing for itself in a text (`A < B`, `<3
/// you`).
bool OfxTokens::is_tag(std::size_t at) const {
    std::size_t end = at + 1;
    if (end >= text_.size() || text_[end] == '!' || text_[end] == '?') {
        return true;
    }
    end += text_[end] == '/' ? 1 : 0;
    const std::size_t name_begin = end;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]) ||
                                  text_[end] == '.' || text_[end] == '_' || text_[end] == ':')) {
        ++end;
    }
    if (end >= text_.size()) {
        return true;  // cut off by the end of the file
    }
    if (end == name_begin) {
        return false;
    }
    if (text_[end] == '>') {
        return true;
    }
    // Attributes, or a blank before the `>`.
    const std::string_view rest = text_.substr(end, attribute_bytes_max);
    const auto close = rest.find_first_of("<>");
    return (text_[end] == ' ' || text_[end] == '/' || text_[end] == '\n' || text_[end] == '\r' ||
            text_[end] == '\t') &&
           close != std::string_view::npos && rest[close] == '>';
}

std::size_t OfxTokens::find_tag(std::size_t from) const {
    while (from < text_.size()) {
        const auto* found =
            static_cast<const char*>(std::memchr(text_.data() + from, '<', text_.size() - from));
        if (found == nullptr) {
            break;
        }
        const auto at = static_cast<std::size_t>(found - text_.data());
        if (is_tag(at)) {
            return at;
        }
        from = at + 1;
    }
    return text_.size();
}

/// Passes over `<!-- -->`, `<? ?>` and `<! >`.
bool OfxTokens::skip_special(std::size_t at) {
    const std::string_view rest = text_.substr(at);
    std::string_view end = ">";
    if (rest.starts_with("<!--")) {
        end = "-->";
    } else if (rest.starts_with("<![CDATA[")) {
        end = "]]>";
    } else if (!rest.starts_with("<!") && !rest.starts_with("<?")) {
        return false;
    }
    const auto stop = text_.find(end, at);
    position_ = stop == std::string_view::npos ? text_.size() : stop + end.size();
    return true;
}

bool OfxTokens::next(OfxToken& token) {
    std::size_t at = find_tag(position_);
    while (at < text_.size() && skip_special(at)) {
        at = find_tag(position_);
    }
    const auto close = at < text_.size() ? text_.find('>', at + 1) : std::string_view::npos;
    if (close == std::string_view::npos) {
        cut_off_ = at < text_.size();
        position_ = text_.size();
        return false;
    }
    std::string_view inside = text_.substr(at + 1, close - at - 1);
    token.kind = OfxToken::Kind::open;
    if (inside.starts_with('/')) {
        token.kind = OfxToken::Kind::close;
        inside.remove_prefix(1);
    } else if (inside.ends_with('/')) {
        token.kind = OfxToken::Kind::empty;
        inside.remove_suffix(1);
    }
    inside = trimmed(inside);
    token.name = inside.substr(0, inside.find_first_of(" \t\r\n"));
    token.begin = at;
    token.value = {};
    token.verbatim = false;
    position_ = close + 1;
    if (token.kind == OfxToken::Kind::open) {
        const auto value_begin = position_;
        const auto value_end = find_tag(value_begin);
        token.value = text_.substr(value_begin, value_end - value_begin);
        position_ = value_end;
        if (trimmed(token.value).empty() && text_.substr(value_end).starts_with("<![CDATA[")) {
            const auto stop = std::min(text_.find("]]>", value_end), text_.size());
            token.value =
                text_.substr(std::min(value_end + 9, stop), stop - std::min(value_end + 9, stop));
            token.verbatim = true;
            position_ = std::min(stop + 3, text_.size());
        }
    }
    token.end = position_;
    return true;
}

std::string ofx_text(std::string_view value, bool verbatim) {
    if (verbatim || value.find('&') == std::string_view::npos) {
        return std::string(trimmed(value));
    }
    std::string once;
    std::string twice;
    decode_once(value, once);
    if (decode_once(once, twice)) {
        once.swap(twice);
    }
    return std::string(trimmed(once));
}

}  // namespace bascule::statement
