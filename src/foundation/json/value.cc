#include "foundation/json/value.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <system_error>
#include <utility>

#include "foundation/base/check.h"
#include "foundation/json/number.h"
#include "foundation/json/raw.h"
#include "foundation/json/writer.h"

namespace bascule::json {

namespace {

namespace ondemand = simdjson::ondemand;

std::string_view without_blanks(std::string_view token) {
    constexpr const char* blanks = " \t\r\n";
    token.remove_prefix(std::min(token.find_first_not_of(blanks), token.size()));
    return token.substr(0, token.find_last_not_of(blanks) + 1);  // npos + 1 = 0
}

/// simdjson has no place to tell any more once every token was read.
bool is_used_up(ondemand::document& document) {
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

/// A number, true, false or null by its own text: simdjson's numbers would end at 64 bits.
bool build_token(std::string_view token, Value& out) {
    if (token == "null") {
        out = Value();
    } else if (token == "true" || token == "false") {
        out = Value::boolean(token == "true");
    } else if (is_number(token)) {
        out = Value::number_text(token);
    } else {
        return false;
    }
    return true;
}

}  // namespace

/// Turns simdjson's forward-only view into our tree. Answers false where the text is no JSON or
/// nested too deeply; what exactly is wrong is then found by the Reader, so that all errors of this
/// room speak with one voice.
class TreeBuilder {
  public:
    explicit TreeBuilder(std::size_t depth_max) : depth_max_(depth_max) {}

    template <class Source>  // ondemand::document or ondemand::value
    bool build(Source& source, Value& out, std::size_t depth) const {
        ondemand::json_type type{};
        if (source.type().get(type) != simdjson::SUCCESS) {
            return false;
        }
        switch (type) {
            case ondemand::json_type::object:
                return build_object(source, out, depth);
            case ondemand::json_type::array:
                return build_array(source, out, depth);
            case ondemand::json_type::string: {
                std::string_view text;
                if (source.get_string().get(text) != simdjson::SUCCESS) {
                    return false;
                }
                out = Value::string(text);
                return true;
            }
            default: {
                std::string_view token;
                return Token(source.raw_json_token()).get(token) == simdjson::SUCCESS &&
                       build_token(without_blanks(token), out);
            }
        }
    }

  private:
    using Token = simdjson::simdjson_result<std::string_view>;

    template <class Source>
    bool build_object(Source& source, Value& out, std::size_t depth) const {
        ondemand::object object;
        if (depth == depth_max_ || source.get_object().get(object) != simdjson::SUCCESS) {
            return false;
        }
        std::vector<Member> members;
        for (auto field : object) {
            std::string_view key;
            ondemand::value value;
            if (field.unescaped_key().get(key) != simdjson::SUCCESS ||
                field.value().get(value) != simdjson::SUCCESS) {
                return false;
            }
            Member& member = members.emplace_back(Member{std::string(key), Value()});
            if (!build(value, member.value, depth + 1)) {
                return false;
            }
        }
        out = Value::object(std::move(members));
        return true;
    }

    template <class Source>
    bool build_array(Source& source, Value& out, std::size_t depth) const {
        ondemand::array array;
        if (depth == depth_max_ || source.get_array().get(array) != simdjson::SUCCESS) {
            return false;
        }
        std::vector<Value> items;
        for (auto item : array) {
            ondemand::value value;
            if (std::move(item).get(value) != simdjson::SUCCESS ||
                !build(value, items.emplace_back(), depth + 1)) {
                return false;
            }
        }
        out = Value::array(std::move(items));
        return true;
    }

    std::size_t depth_max_;
};

Result<Value> Value::parse(std::string_view text, const Limits& limits) {
    Value value;
    if (text.size() <= limits.bytes_max) {
        // A lone token: simdjson would not say where it ended.
        if (build_token(without_blanks(text), value)) {
            return value;
        }
        const simdjson::padded_string padded(text);
        ondemand::parser parser;
        ondemand::document document;
        if (parser.iterate(padded).get(document) == simdjson::SUCCESS &&
            TreeBuilder(limits.depth_max).build(document, value, 0) && is_used_up(document)) {
            return value;
        }
    }
    TRY(check_text(text, limits));
    return fail(ErrorKind::invalid, "the text is not JSON");
}

Value::Value() : storage_(nullptr) {}
Value::Value(Storage storage) : storage_(std::move(storage)) {}
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

Value Value::boolean(bool value) { return Value(Storage(value)); }
Value Value::number(std::int64_t value) { return Value(Storage(Number{std::to_string(value)})); }
Value Value::number_text(std::string_view text) {
    CHECK(is_number(text));
    return Value(Storage(Number{std::string(text)}));
}
Value Value::string(std::string_view text) { return Value(Storage(std::string(text))); }
Value Value::array(std::vector<Value> items) { return Value(Storage(std::move(items))); }
Value Value::object() { return Value(Storage(std::vector<Member>())); }
Value Value::object(std::vector<Member> members) { return Value(Storage(std::move(members))); }

Kind Value::kind() const { return static_cast<Kind>(storage_.index()); }

std::optional<bool> Value::as_boolean() const {
    const auto* const value = std::get_if<bool>(&storage_);
    return value != nullptr ? std::optional(*value) : std::nullopt;
}

std::optional<std::string_view> Value::as_string() const {
    const auto* const text = std::get_if<std::string>(&storage_);
    return text != nullptr ? std::optional<std::string_view>(*text) : std::nullopt;
}

std::optional<std::string_view> Value::as_number() const {
    const auto* const number = std::get_if<Number>(&storage_);
    return number != nullptr ? std::optional<std::string_view>(number->text) : std::nullopt;
}

std::span<const Value> Value::items() const {
    const auto* const items = std::get_if<std::vector<Value>>(&storage_);
    return items != nullptr ? std::span<const Value>(*items) : std::span<const Value>();
}

std::span<const Member> Value::members() const {
    const auto* const members = std::get_if<std::vector<Member>>(&storage_);
    return members != nullptr ? std::span<const Member>(*members) : std::span<const Member>();
}

std::optional<std::int64_t> Value::as_int64() const {
    const auto text = as_number();
    return text ? int64_of(*text) : std::nullopt;
}

std::optional<double> Value::as_double() const {
    const auto text = as_number();
    if (!text) {
        return std::nullopt;
    }
    double value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    return error == std::errc() ? std::optional(value) : std::nullopt;
}

const Value* Value::find(std::string_view key) const {
    const std::span<const Member> all = members();
    for (auto member = all.rbegin(); member != all.rend(); ++member) {
        if (member->key == key) {
            return &member->value;
        }
    }
    return nullptr;
}

Value& Value::set(std::string_view key, Value value) {
    CHECK(is(Kind::object));
    auto& members = std::get<std::vector<Member>>(storage_);
    const auto is_key = [&](const Member& member) { return member.key == key; };
    const auto first = std::find_if(members.begin(), members.end(), is_key);
    if (first == members.end()) {
        members.push_back({std::string(key), std::move(value)});
        return *this;
    }
    first->value = std::move(value);
    members.erase(std::remove_if(first + 1, members.end(), is_key), members.end());
    return *this;
}

Value& Value::push(Value value) {
    CHECK(is(Kind::array));
    std::get<std::vector<Value>>(storage_).push_back(std::move(value));
    return *this;
}

namespace {

void write(const Value& value, Writer& writer) {
    switch (value.kind()) {
        case Kind::null:
            writer.null();
            return;
        case Kind::boolean:
            writer.boolean(value.as_boolean().value_or(false));
            return;
        case Kind::number:
            writer.raw(value.as_number().value_or("0"));
            return;
        case Kind::string:
            writer.string(value.as_string().value_or(""));
            return;
        case Kind::array:
            writer.begin_array();
            for (const Value& item : value.items()) {
                write(item, writer);
            }
            writer.end_array();
            return;
        case Kind::object:
            writer.begin_object();
            for (const Member& member : value.members()) {
                writer.key(member.key);
                write(member.value, writer);
            }
            writer.end_object();
            return;
    }
}

}  // namespace

std::string Value::text() const {
    std::string out;
    Writer writer(out);
    write(*this, writer);
    return out;
}

bool operator==(const Value& left, const Value& right) { return left.storage_ == right.storage_; }

}  // namespace bascule::json
