#include "household/finance/text.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace bascule::finance {

namespace {

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Whether the short way is open: ASCII without control characters other than blanks.
bool is_plain(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return (c >= ' ' && c < '\x7f') || (c >= '\t' && c <= '\r'); });
}

std::string mapped(std::string_view text, int options) {
    utf8proc_uint8_t* raw = nullptr;
    const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                     static_cast<utf8proc_ssize_t>(text.size()), &raw,
                                     static_cast<utf8proc_option_t>(options));
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(raw, &std::free);
    return length < 0
               ? std::string()
               : std::string(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(length));
}

/// utf8proc refuses text with one wrong byte whole; a bank's text is worth more than that.
std::string repaired(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
    for (std::size_t at = 0; at < text.size();) {
        utf8proc_int32_t point = 0;
        const auto length =
            utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &point);
        if (length > 0) {
            out.append(text, at, static_cast<std::size_t>(length));
            at += static_cast<std::size_t>(length);
        } else {
            out += "\xEF\xBF\xBD";
            ++at;
        }
    }
    return out;
}

bool is_utf8(std::string_view text) {
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
    for (std::size_t at = 0; at < text.size();) {
        utf8proc_int32_t point = 0;
        const auto length =
            utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &point);
        if (length <= 0) {
            return false;
        }
        at += static_cast<std::size_t>(length);
    }
    return true;
}

std::string mapped_whole(std::string_view text, int options) {
    return is_utf8(text) ? mapped(text, options) : mapped(repaired(text), options);
}

/// The next code point, of text that is UTF-8.
utf8proc_int32_t point_at(std::string_view text, std::size_t at, std::size_t& length) {
    utf8proc_int32_t point = 0;
    length = static_cast<std::size_t>(
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                         static_cast<utf8proc_ssize_t>(text.size() - at), &point));
    return point;
}

bool is_blank_point(utf8proc_int32_t point) {
    const auto category = utf8proc_category(point);
    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP || category == UTF8PROC_CATEGORY_CC;
}

enum class Ends { cut, kept };

/// Adds the folded text up to its blanks: each run becomes one space.
class BlankFolder {
  public:
    explicit BlankFolder(std::size_t bytes, Ends ends) : ends_(ends) { out_.reserve(bytes); }

    void blank() { pending_ = true; }
    void text(std::string_view piece) {
        flush();
        out_ += piece;
    }
    void character(char c) {
        flush();
        out_ += c;
    }
    std::string take() {
        if (pending_ && ends_ == Ends::kept) {
            out_ += ' ';
        }
        return std::move(out_);
    }

  private:
    void flush() {
        if (pending_ && (!out_.empty() || ends_ == Ends::kept)) {
            out_ += ' ';
        }
        pending_ = false;
    }

    Ends ends_;
    bool pending_ = false;
    std::string out_;
};

std::string folded(std::string_view text, Ends ends, LetterCase letters) {
    BlankFolder out(text.size(), ends);
    if (is_plain(text)) {
        for (const char c : text) {
            if (is_blank(c)) {
                out.blank();
            } else {
                const bool folds = letters == LetterCase::folded && c >= 'A' && c <= 'Z';
                out.character(folds ? static_cast<char>(c | 0x20) : c);
            }
        }
        return out.take();
    }
    const int casefold = letters == LetterCase::folded ? UTF8PROC_CASEFOLD : 0;
    const std::string folded_case = mapped_whole(
        text, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_IGNORE | casefold);
    std::size_t length = 0;
    for (std::size_t at = 0; at < folded_case.size(); at += length) {
        const auto point = point_at(folded_case, at, length);
        if (is_blank_point(point)) {
            out.blank();
        } else {
            out.text(std::string_view(folded_case).substr(at, length));
        }
    }
    return out.take();
}

}  // namespace

std::string normalised(std::string_view text) {
    return is_plain(text) ? std::string(text)
                          : mapped_whole(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
}

std::string match_text(std::string_view text, LetterCase letters) {
    return folded(text, Ends::cut, letters);
}

std::string match_pattern(std::string_view text, LetterCase letters) {
    return folded(text, Ends::kept, letters);
}

}  // namespace bascule::finance
