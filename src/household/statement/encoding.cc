#include "household/statement/encoding.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "household/statement/code_pages.h"

namespace bascule::statement {

namespace {

bool starts_with_bytes(std::string_view bytes, std::string_view prefix) {
    return bytes.starts_with(prefix);
}

void append_utf8(std::string& out, char32_t c) {
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xC0 | (c >> 6));
        out += static_cast<char>(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        out += static_cast<char>(0xE0 | (c >> 12));
        out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (c & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | (c >> 18));
        out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
        out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (c & 0x3F));
    }
}

bool is_ascii(std::string_view bytes) {
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data() + i, 8);
        if ((word & 0x8080808080808080U) != 0) {
            return false;
        }
    }
    for (; i < bytes.size(); ++i) {
        if ((static_cast<unsigned char>(bytes[i]) & 0x80) != 0) {
            return false;
        }
    }
    return true;
}

/// Text in UTF-16 without a byte order mark: nearly all of a bank's text is ASCII, so every other
/// byte is zero.
enum class Utf16 { none, little, big };

Utf16 utf16_by_zero_bytes(std::string_view bytes) {
    const std::string_view sample = bytes.substr(0, 4096 & ~std::size_t{1});
    if (sample.size() < 4) {
        return Utf16::none;
    }
    std::size_t zeros_even = 0;
    std::size_t zeros_odd = 0;
    for (std::size_t i = 0; i + 1 < sample.size(); i += 2) {
        zeros_even += sample[i] == '\0' ? 1 : 0;
        zeros_odd += sample[i + 1] == '\0' ? 1 : 0;
    }
    const std::size_t pairs = sample.size() / 2;
    if (zeros_odd * 10 >= pairs * 7 && zeros_even * 20 <= pairs) {
        return Utf16::little;
    }
    if (zeros_even * 10 >= pairs * 7 && zeros_odd * 20 <= pairs) {
        return Utf16::big;
    }
    return Utf16::none;
}

std::string from_utf16(std::string_view bytes, Utf16 order) {
    std::string out;
    out.reserve(bytes.size() / 2 + bytes.size() / 8);
    const auto unit_at = [&](std::size_t i) -> char32_t {
        const auto first = static_cast<unsigned char>(bytes[i]);
        const auto second = static_cast<unsigned char>(bytes[i + 1]);
        return order == Utf16::little ? static_cast<char32_t>(first | second << 8)
                                      : static_cast<char32_t>(first << 8 | second);
    };
    std::size_t i = 0;
    while (i + 1 < bytes.size()) {
        const char32_t unit = unit_at(i);
        i += 2;
        if (unit >= 0xD800 && unit < 0xDC00 && i + 1 < bytes.size()) {
            const char32_t low = unit_at(i);
            if (low >= 0xDC00 && low < 0xE000) {
                append_utf8(out, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
                i += 2;
                continue;
            }
        }
        append_utf8(out, unit >= 0xD800 && unit < 0xE000 ? U'\uFFFD' : unit);
    }
    return out;
}

std::string from_code_page(std::string_view bytes, const CodePage& page) {
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 8);
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        if (value < 0x80) {
            out += byte;
        } else {
            const char16_t c = page.upper[value - 0x80];
            append_utf8(out, c == 0 ? U'\uFFFD' : c);
        }
    }
    return out;
}

bool decodes(std::string_view bytes, const CodePage& page) {
    return std::ranges::all_of(bytes, [&](char byte) {
        const auto value = static_cast<unsigned char>(byte);
        return value < 0x80 || page.upper[value - 0x80] != 0;
    });
}

bool same_name(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, [](char a, char b) { return (a | 0x20) == (b | 0x20); });
}

bool is_utf8_name(std::string_view name) {
    return same_name(name, "utf-8") || same_name(name, "utf8");
}
bool is_ascii_name(std::string_view name) {
    return same_name(name, "us-ascii") || same_name(name, "usascii");
}

}  // namespace

bool is_valid_utf8(std::string_view bytes) {
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    const auto* const end = at + bytes.size();
    while (at < end) {
        if (end - at >= 8) {
            std::uint64_t word;
            std::memcpy(&word, at, 8);
            if ((word & 0x8080808080808080U) == 0) {
                at += 8;
                continue;
            }
        }
        const unsigned char lead = *at;
        const int more = lead < 0x80                   ? 0
                         : lead >= 0xC2 && lead < 0xE0 ? 1
                         : lead >= 0xE0 && lead < 0xF0 ? 2
                         : lead >= 0xF0 && lead < 0xF5 ? 3
                                                       : -1;
        if (more < 0 || end - at <= more) {
            return false;
        }
        for (int i = 1; i <= more; ++i) {
            if ((at[i] & 0xC0) != 0x80) {
                return false;
            }
        }
        // Overlong forms, surrogates and values above U+10FFFF show in the second byte.
        if ((lead == 0xE0 && at[1] < 0xA0) || (lead == 0xED && at[1] >= 0xA0) ||
            (lead == 0xF0 && at[1] < 0x90) || (lead == 0xF4 && at[1] >= 0x90)) {
            return false;
        }
        at += more + 1;
    }
    return true;
}

bool is_known_encoding(std::string_view name) {
    return is_utf8_name(name) || is_ascii_name(name) || same_name(name, "utf-16le") ||
           same_name(name, "utf-16be") || find_code_page(name) != nullptr;
}

/// The steps of decode(), one method a step; each returns whether it settled the matter.
class Decoder {
  public:
    explicit Decoder(std::string_view bytes) : bytes_(bytes) {}

    DecodedText run(const EncodingHints& hints) {
        const bool settled = by_mark() || by_name(hints.profile, "profile") || by_zero_bytes() ||
                             by_declaration(hints.declared) || by_validity();
        if (!settled) {
            take_code_page(*find_code_page("windows-1252"), "fallback");
        }
        cut_padding();
        return std::move(out_);
    }

  private:
    bool by_mark() {
        if (starts_with_bytes(bytes_, "\xEF\xBB\xBF")) {
            out_.bom_bytes_ = 3;
            bytes_.remove_prefix(3);
            if (is_valid_utf8(bytes_)) {
                return take_utf8("utf-8", "bom");
            }
            out_.mismatch = "the byte order mark says utf-8, but the bytes are not valid UTF-8";
            return false;
        }
        if (starts_with_bytes(bytes_, "\xFF\xFE") || starts_with_bytes(bytes_, "\xFE\xFF")) {
            const auto order = bytes_[0] == '\xFF' ? Utf16::little : Utf16::big;
            out_.bom_bytes_ = 2;
            bytes_.remove_prefix(2);
            return take_utf16(order, "bom");
        }
        return false;
    }

    bool by_name(std::string_view name, const char* source) {
        if (name.empty()) {
            return false;
        }
        if (is_utf8_name(name) || is_ascii_name(name)) {
            const bool holds = is_ascii_name(name) ? is_ascii(bytes_) : is_valid_utf8(bytes_);
            return holds ? take_utf8(is_ascii_name(name) ? "us-ascii" : "utf-8", source)
                         : contradict(name);
        }
        if (same_name(name, "utf-16le") || same_name(name, "utf-16be")) {
            return take_utf16(same_name(name, "utf-16le") ? Utf16::little : Utf16::big, source);
        }
        const CodePage* page = find_code_page(name);
        return page != nullptr &&
               (decodes(bytes_, *page) ? take_code_page(*page, source) : contradict(name));
    }

    bool by_zero_bytes() {
        const Utf16 order = utf16_by_zero_bytes(bytes_);
        return order != Utf16::none && take_utf16(order, "detected");
    }

    bool by_declaration(std::string_view name) {
        const bool single_byte = find_code_page(name) != nullptr;
        if (single_byte && !is_ascii(bytes_) && is_valid_utf8(bytes_)) {
            contradict(name);
            return take_utf8("utf-8", "utf-8-valid");
        }
        return by_name(name, "declared");
    }

    bool by_validity() { return is_valid_utf8(bytes_) && take_utf8("utf-8", "utf-8-valid"); }

    bool contradict(std::string_view name) {
        out_.mismatch = "the file says " + std::string(name) + ", but its bytes are not that";
        return false;
    }

    bool take_utf8(const char* encoding, const char* source) {
        out_.view_ = bytes_;
        return take(encoding, source, DecodedText::Unit::utf8);
    }
    bool take_utf16(Utf16 order, const char* source) {
        out_.copy_ = from_utf16(bytes_, order);
        out_.copied_ = true;
        return take(order == Utf16::little ? "utf-16le" : "utf-16be", source,
                    DecodedText::Unit::utf16);
    }
    bool take_code_page(const CodePage& page, const char* source) {
        if (is_ascii(bytes_)) {
            out_.view_ = bytes_;
        } else {
            out_.copy_ = from_code_page(bytes_, page);
            out_.copied_ = true;
        }
        return take(std::string(page.name), source, DecodedText::Unit::single_byte);
    }
    bool take(std::string encoding, const char* source, DecodedText::Unit unit) {
        out_.encoding = std::move(encoding);
        out_.source = source;
        out_.unit_ = unit;
        return true;
    }

    /// Old programs pad a file to a block with zeros or end it with ^Z.
    void cut_padding() {
        const std::string_view text = out_.text();
        const auto last = text.find_last_not_of(std::string_view("\0\x1A", 2));
        const std::size_t kept = last == std::string_view::npos ? 0 : last + 1;
        out_.padding_bytes = text.size() - kept;
        if (out_.copied_) {
            out_.copy_.resize(kept);
        } else {
            out_.view_ = out_.view_.substr(0, kept);
        }
    }

    std::string_view bytes_;
    DecodedText out_;
};

DecodedText decode(std::string_view bytes, const EncodingHints& hints) {
    return Decoder(bytes).run(hints);
}

Places::Places(const DecodedText& decoded)
    : text_(decoded.text()),
      unit_(decoded.unit()),
      line_end_(text_.find('\n') == std::string_view::npos ? '\r' : '\n'),
      place_{.line = 1, .offset = decoded.bom_bytes()} {}

Place Places::at(std::size_t position) {
    position = std::min(position, text_.size());
    if (position > position_) {
        const std::string_view passed = text_.substr(position_, position - position_);
        place_.line += static_cast<std::uint64_t>(std::ranges::count(passed, line_end_));
        advance_offset(passed);
        position_ = position;
    }
    return place_;
}

void Places::advance_offset(std::string_view passed) {
    if (unit_ == DecodedText::Unit::utf8) {
        place_.offset += passed.size();
        return;
    }
    for (const char c : passed) {
        const auto byte = static_cast<unsigned char>(c);
        if (unit_ == DecodedText::Unit::single_byte) {
            place_.offset += (byte & 0xC0) != 0x80 ? 1 : 0;
        } else {
            // Two bytes a character, four for what takes four bytes in UTF-8 as well.
            place_.offset += (byte & 0xC0) == 0x80 ? 0 : byte >= 0xF0 ? 4 : 2;
        }
    }
}

}  // namespace bascule::statement
