#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace bascule::json {

/// Appends `text` as a JSON string with quotes: shortest escapes, UTF-8 as it is, invalid UTF-8 as
/// U+FFFD.
void append_string(std::string& out, std::string_view text);

/// Writes compact JSON at the end of a string; commas come by themselves.
///
///     std::string out;
///     json::Writer(out).begin_object().member("id", id).member("count",
///     3).key("data").raw(data).end_object();
///
/// What is nested right is the caller's matter (tests parse what they write). Threads: one owner.
/// Lifetime: `out` outlives it.
class Writer {
  public:
    explicit Writer(std::string& out) : out_(out) {}

    Writer& begin_object() { return open('{'); }
    Writer& end_object() { return close('}'); }
    Writer& begin_array() { return open('['); }
    Writer& end_array() { return close(']'); }

    Writer& key(std::string_view name) {
        separate();
        append_string(out_, name);
        out_ += ':';
        comma_ = false;
        return *this;
    }

    Writer& string(std::string_view text) {
        separate();
        append_string(out_, text);
        return *this;
    }
    Writer& boolean(bool value) { return raw(value ? "true" : "false"); }
    Writer& null() { return raw("null"); }
    Writer& number(std::integral auto value) {
        char digits[24];
        const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
        return raw({digits, static_cast<std::size_t>(end - digits)});
    }
    /// Shortest text that reads back as the same double; infinities and NaN become null.
    Writer& real(double value);

    /// Splices a JSON text as it is.
    Writer& raw(std::string_view json) {
        separate();
        out_ += json;
        return *this;
    }

    Writer& member(std::string_view name, std::string_view text) { return key(name).string(text); }
    Writer& member(std::string_view name, const char* text) { return key(name).string(text); }
    Writer& member(std::string_view name, std::same_as<bool> auto value) {
        return key(name).boolean(value);
    }
    Writer& member(std::string_view name, std::integral auto value)
        requires(!std::same_as<decltype(value), bool>)
    {
        return key(name).number(value);
    }
    Writer& member_raw(std::string_view name, std::string_view json) { return key(name).raw(json); }

    /// Splices the members of the JSON object `object` (`{…}`) among the present one's; nothing if
    /// it is empty.
    Writer& members_of(std::string_view object);

  private:
    Writer& open(char bracket) {
        separate();
        out_ += bracket;
        comma_ = false;
        return *this;
    }
    Writer& close(char bracket) {
        out_ += bracket;
        comma_ = true;
        return *this;
    }
    void separate() {
        if (comma_) {
            out_ += ',';
        }
        comma_ = true;
    }

    std::string& out_;
    bool comma_ = false;
};

}  // namespace bascule::json
