#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "foundation/base/result.h"
#include "foundation/json/limits.h"

namespace bascule::json {

/// A JSON string as it stands in its source, between the quotes; decoded only when somebody asks.
class Text {
  public:
    Text() = default;
    /// `raw` was checked by a Reader (or has no backslash).
    explicit Text(std::string_view raw, bool escaped)
        : begin_(raw.data()), size_(raw.size()), escaped_(escaped) {}

    std::string_view raw() const { return {begin_, size_}; }
    bool is_escaped() const { return escaped_; }

    /// The text itself; `scratch` holds it if it had to be decoded, and then must outlive the
    /// answer.
    std::string_view decoded(std::string& scratch) const;
    std::string decoded() const;

    friend bool operator==(const Text& text, std::string_view plain) {
        return text.escaped_ ? text.decoded() == plain : text.raw() == plain;
    }

  private:
    void append_decoded(std::string& out) const;

    // 16 bytes, which functions return in registers: one that is written to memory word by word and
    // read back whole at once makes the processor wait.
    const char* begin_ = nullptr;
    std::size_t size_ : 63 = 0;
    std::size_t escaped_ : 1 = 0;
};
static_assert(sizeof(Text) == 16);

/// Walks a JSON text once, front to back, without building anything: the hot path's reader.
///
/// Everything that is passed is checked completely (grammar, UTF-8, escapes, depth), also what is
/// skipped. Answers are views into the text. The first fault sticks: from then on nothing is found
/// any more, loops end, and `finish` tells it; so walking code needs no check at every step.
///
///     Reader reader(text);
///     if (reader.enter_object()) {
///         while (auto key = reader.next_member()) {
///             if (*key == "userId") { user = reader.string(); } else { reader.skip(); }
///         }
///     }
///     TRY(reader.finish());
///
/// Threads:   one owner.     Lifetime:  the text outlives the reader and its answers.
/// Cost:      O(bytes), no allocation unless it fails.
class Reader {
  public:
    explicit Reader(std::string_view text, const Limits& limits = {});

    /// The kind of the value that comes next; `null` after a fault.
    Kind peek();

    /// Steps into the object or array that comes next. False, with a fault, if something else
    /// comes.
    bool enter_object();
    bool enter_array();

    /// The next member's key; its value must then be read, entered or skipped. Nothing at the
    /// object's end.
    std::optional<Text> next_member();
    /// Whether another item follows. False at the array's end.
    bool next_item();

    /// The scalar that comes next; a fault if it is of another kind.
    Text string();
    std::string_view number();  ///< the digits as written
    bool boolean();
    void null();

    /// Passes over the value that comes next, whatever it is, and answers its text.
    std::string_view skip();

    /// Reports a fault of the caller's own at the present place; the first fault stands.
    void refuse(std::string message);

    bool failed() const { return failed_; }
    /// Whether there were blanks between what was passed so far.
    bool saw_blanks() const { return saw_blanks_; }
    std::size_t byte() const { return static_cast<std::size_t>(at_ - begin_); }

    /// Demands that the text is used up. Errors: `invalid`, with line, column and byte of the first
    /// fault.
    Result<> finish();

  private:
    void skip_blanks() {
        if (at_ != end_ && static_cast<unsigned char>(*at_) <= ' ') {
            skip_some_blanks();
        }
    }
    void skip_some_blanks();
    bool open(char bracket, const char* wanted);
    void close();
    void scan_string();
    bool scan_literal(std::string_view word);
    void fault_here(std::string message);
    void expected(const char* what);

    const char* begin_;
    const char* end_;
    const char* at_;
    std::size_t depth_ = 0;
    std::size_t depth_max_;
    bool fresh_ = false;  ///< a bracket was just opened: no comma before the next element
    bool failed_ = false;
    bool saw_blanks_ = false;
    bool string_escaped_ = false;
    std::string fault_;
    std::size_t fault_byte_ = 0;
};

/// `line 2, column 7 (byte 19)`, counted from 1, 1 and 0; columns are bytes.
std::string place_of(std::string_view text, std::size_t byte);

}  // namespace bascule::json
