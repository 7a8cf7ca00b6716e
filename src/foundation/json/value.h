#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/json/limits.h"

namespace bascule::json {

struct Member;

/// A JSON text as a tree, without losing anything: members keep their order, numbers their digits.
///
/// For request bodies, files and tests. Events on the hot path are walked with json::Reader and
/// never become a tree. Duplicate members are all kept, in order; `find` answers the last of them,
/// as JavaScript would.
///
/// Threads:  a value like any other; concurrent reads are fine.
/// Numbers:  the text as written (`1.10`, `3e2`, 40 digits). `as_int64` and `as_double` convert on
/// request. Source:   RFC 8259, read by simdjson.
class Value {
  public:
    /// Reads exactly one value. Errors: `invalid`, with line, column and byte: `line 2, column 7
    /// (byte 19): …`.
    static Result<Value> parse(std::string_view text, const Limits& limits = {});

    Value();  ///< null
    static Value boolean(bool value);
    static Value number(std::int64_t value);
    /// `text` is a JSON number (CHECK).
    static Value number_text(std::string_view text);
    static Value string(std::string_view text);
    static Value array(std::vector<Value> items = {});
    static Value object();
    static Value object(std::vector<Member> members);

    Value(const Value&);
    Value(Value&&) noexcept;
    Value& operator=(const Value&);
    Value& operator=(Value&&) noexcept;
    ~Value();

    Kind kind() const;
    bool is(Kind kind) const { return this->kind() == kind; }

    /// The value if it is of that kind, else nothing (for arrays and objects: an empty span).
    std::optional<bool> as_boolean() const;
    std::optional<std::string_view> as_string() const;
    std::optional<std::string_view> as_number() const;  ///< the digits as written
    std::span<const Value> items() const;
    std::span<const Member> members() const;

    /// The number if it is a whole number within int64 (`300`, `3e2`, `300.0`), else nothing.
    std::optional<std::int64_t> as_int64() const;
    /// The nearest double of a number; nothing for other kinds and for numbers beyond a double's
    /// range.
    std::optional<double> as_double() const;

    /// The last member called `key`, or nullptr when there is none or this is not an object.
    const Value* find(std::string_view key) const;

    /// What an RFC 6901 pointer (`/data/0/name`; empty = this) names, or nullptr.
    const Value* at(std::string_view pointer) const;

    /// Building. `set` replaces the first member called `key` and drops its duplicates; CHECKs the
    /// kind.
    Value& set(std::string_view key, Value value);
    Value& push(Value value);

    /// Compact JSON, members in order, numbers as written.
    std::string text() const;

    /// Same kind, same text of numbers and strings, same order of items and members.
    friend bool operator==(const Value& left, const Value& right);

  private:
    struct Number {
        std::string text;
        bool operator==(const Number&) const = default;
    };
    using Storage = std::variant<std::nullptr_t, bool, Number, std::string, std::vector<Value>,
                                 std::vector<Member>>;
    explicit Value(Storage storage);
    friend class TreeBuilder;

    Storage storage_;
};

struct Member {
    std::string key;
    Value value;
    bool operator==(const Member&) const = default;
};

}  // namespace bascule::json
