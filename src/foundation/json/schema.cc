#include "foundation/json/schema.h"

#define VALIJSON_USE_EXCEPTIONS 1
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <exception>
#include <new>
#include <utility>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/constraint_builder.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "foundation/base/check.h"
#include "foundation/json/raw.h"
#include "foundation/json/schema_bounds.h"

namespace bascule::json {

namespace {

/// Schemas are small; these bounds keep a hostile one from using up time or stack.
constexpr Limits schema_limits{.bytes_max = 1024 * 1024, .depth_max = 100};

/// The name under which a schema's `pattern` reaches valijson, which would hand the original to
/// std::regex: that backtracks, so that one pattern of a user's could stop the server. RE2 runs in
/// linear time.
constexpr const char* pattern_keyword = "bascule:pattern";

boost::json::value plain(const Value& value) {
    switch (value.kind()) {
        case Kind::null:
            return nullptr;
        case Kind::boolean:
            return value.as_boolean().value_or(false);
        case Kind::number:
            if (const auto whole = value.as_int64()) {
                return *whole;
            }
            return value.as_double().value_or(0);
        case Kind::string:
            return boost::json::string(value.as_string().value_or(""));
        case Kind::array: {
            boost::json::array items;
            for (const Value& item : value.items()) {
                items.push_back(plain(item));
            }
            return items;
        }
        case Kind::object: {
            boost::json::object members;
            for (const Member& member : value.members()) {
                members[member.key] = plain(member.value);
            }
            return members;
        }
    }
    return nullptr;
}

bool one_of(std::string_view key, std::initializer_list<std::string_view> keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// Copies a schema with `pattern` renamed wherever it is a keyword (and not a property's name or an
/// example).
Result<boost::json::value> renamed(const Value& schema);

Result<> check_regex(std::string_view pattern) {
    const re2::RE2 regex(re2::StringPiece(pattern.data(), pattern.size()), re2::RE2::Quiet);
    if (!regex.ok()) {
        return fail(ErrorKind::invalid, "not a JSON Schema: the pattern \"" + std::string(pattern) +
                                            "\" is no regular expression of RE2: " + regex.error());
    }
    return {};
}

Result<boost::json::value> renamed_each(const Value& schemas) {
    if (schemas.is(Kind::array)) {
        boost::json::array items;
        for (const Value& item : schemas.items()) {
            items.push_back(TRY(renamed(item)));
        }
        return items;
    }
    boost::json::object members;
    for (const Member& member : schemas.members()) {
        members[member.key] = TRY(renamed(member.value));
    }
    return members;
}

Result<boost::json::value> renamed(const Value& schema) {
    if (!schema.is(Kind::object)) {
        return plain(schema);
    }
    boost::json::object out;
    for (const auto& [key, value] : schema.members()) {
        const bool is_list = value.is(Kind::array);
        if (key == "patternProperties") {
            return fail(ErrorKind::invalid,
                        "patternProperties is not supported; use propertyNames with a pattern");
        }
        if (const auto regex = value.as_string(); regex && key == "pattern") {
            TRY(check_regex(*regex));
            out[pattern_keyword] = plain(value);
        } else if (one_of(key, {"properties", "definitions", "$defs", "dependencies"}) &&
                   value.is(Kind::object)) {
            out[key] = TRY(renamed_each(value));
        } else if (one_of(key, {"allOf", "anyOf", "oneOf", "items"}) && is_list) {
            out[key] = TRY(renamed_each(value));
        } else if (one_of(key, {"items", "additionalItems", "additionalProperties", "contains",
                                "propertyNames", "not", "if", "then", "else"})) {
            out[key] = TRY(renamed(value));
        } else {
            out[key] = plain(value);
        }
    }
    return out;
}

/// `pattern`, decided by RE2.
class LinearPattern final : public valijson::constraints::PolyConstraint {
  public:
    explicit LinearPattern(const std::string& pattern)
        : regex_(std::make_shared<re2::RE2>(pattern, re2::RE2::Quiet)) {}

    bool validate(const valijson::adapters::Adapter& target,
                  const std::vector<std::string>& context,
                  valijson::ValidationResults* results) const override {
        if (!target.isString() || re2::RE2::PartialMatch(target.asString(), *regex_)) {
            return true;
        }
        if (results != nullptr) {
            results->pushError(context, "must match the pattern " + regex_->pattern());
        }
        return false;
    }

  private:
    valijson::constraints::Constraint* cloneInto(void* memory) const override {
        return new (memory) LinearPattern(*this);
    }
    std::size_t sizeOf() const override { return sizeof(LinearPattern); }

    std::shared_ptr<const re2::RE2> regex_;
};

class LinearPatternBuilder final : public valijson::ConstraintBuilder {
  public:
    valijson::constraints::Constraint* make(
        const valijson::adapters::Adapter& pattern) const override {
        return new LinearPattern(pattern.asString());
    }
};

/// valijson says where as {"<root>", "[data]", "[0]"}.
std::string pointer_of(const std::vector<std::string>& context) {
    std::string pointer;
    for (const std::string& part : context) {
        if (part.size() >= 2 && part.front() == '[') {
            pointer += '/' + pointer_token(std::string_view(part).substr(1, part.size() - 2));
        }
    }
    return pointer;
}

}  // namespace

struct Schema::Compiled {
    valijson::Schema schema;
};

Schema::Schema(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

Result<Schema> Schema::compile(std::string_view text) {
    const Value value = TRY(Value::parse(text, schema_limits));
    if (!value.is(Kind::object)) {
        return fail(ErrorKind::invalid, "a JSON Schema is an object");
    }
    TRY(check_schema_bounds(value));
    const boost::json::value document = TRY(renamed(value));
    auto compiled = std::make_unique<Compiled>();
    try {
        valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
        parser.addConstraintBuilder(pattern_keyword,
                                    new LinearPatternBuilder);  // the parser deletes it
        parser.populateSchema(valijson::adapters::BoostJsonAdapter(document), compiled->schema);
    } catch (const std::exception& error) {
        return fail(ErrorKind::invalid, std::string("not a JSON Schema: ") + error.what());
    }
    return Schema(std::move(compiled));
}

std::vector<Violation> Schema::validate(const Value& value) const {
    const boost::json::value document = plain(value);
    valijson::ValidationResults results;
    std::vector<Violation> violations;
    try {
        valijson::Validator validator(valijson::Validator::kStrongTypes);
        validator.validate(compiled_->schema, valijson::adapters::BoostJsonAdapter(document),
                           &results);
    } catch (const std::exception& error) {
        violations.push_back({"", std::string("cannot be validated: ") + error.what()});
    }
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
        violations.push_back({pointer_of(error.context), error.description});
    }
    return violations;
}

}  // namespace bascule::json
