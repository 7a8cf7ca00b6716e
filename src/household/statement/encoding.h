#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "household/statement/statement.h"

namespace bascule::statement {

/// What is known of a file's encoding before looking at its bytes.
struct EncodingHints {
    std::string_view profile;   ///< asked for by the user: wins over all but a byte order mark
    std::string_view declared;  ///< stated in the file's header
};

/// A file as UTF-8. Bytes that already are UTF-8 are not copied: the input must outlive the text.
class DecodedText {
  public:
    enum class Unit { utf8, single_byte, utf16 };

    std::string_view text() const { return copied_ ? std::string_view(copy_) : view_; }

    std::string encoding;           ///< `utf-8`, `windows-1252` …
    std::string source;             ///< bom, declared, utf-8-valid, detected, profile, fallback
    std::string mismatch;           ///< why a declared encoding was not believed; else empty
    std::size_t padding_bytes = 0;  ///< NULs and ^Z cut from the end

    Unit unit() const { return unit_; }
    std::size_t bom_bytes() const { return bom_bytes_; }

  private:
    friend class Decoder;

    std::string_view view_;
    std::string copy_;
    bool copied_ = false;
    Unit unit_ = Unit::utf8;
    std::size_t bom_bytes_ = 0;
};

/// Decides in this order: byte order mark; the user's profile; UTF-16 by its zero bytes; the
/// declared encoding, unless the bytes contradict it (they do not decode, or a one-byte encoding is
/// declared and the bytes are proper UTF-8 beyond ASCII); UTF-8 if valid; windows-1252. Undecodable
/// bytes become U+FFFD. O(bytes).
DecodedText decode(std::string_view bytes, const EncodingHints& hints);

bool is_valid_utf8(std::string_view bytes);

/// Whether a profile may name this encoding.
bool is_known_encoding(std::string_view name);

/// Turns positions in a decoded text into lines and offsets of the original file. Ask in rising
/// order: each question costs the distance from the last one.
class Places {
  public:
    explicit Places(const DecodedText& decoded);

    Place at(std::size_t position);

    /// The byte that ends a line: `\n`, or `\r` in a file that has no `\n`.
    char line_end() const { return line_end_; }

  private:
    void advance_offset(std::string_view passed);

    std::string_view text_;
    DecodedText::Unit unit_;
    char line_end_;
    std::size_t position_ = 0;
    Place place_;
};

}  // namespace bascule::statement
