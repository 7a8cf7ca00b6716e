#include "foundation/json/schema_bounds.h"

#include <cstddef>
#include <string>
#include <unordered_map>

namespace bascule::json {

namespace {

constexpr std::size_t weight_max = 10'000;

/// Weighs every schema by how many schemas it applies to the same value, itself included.
class Scale {
  public:
    explicit Scale(const Value& root) : root_(root) {}

    /// Whatever object stands in the document might be referred to as a schema, so each is weighed.
    Result<> weigh_all(const Value& value) {
        if (value.is(Kind::object)) {
            TRY(weight(value));
        }
        for (const Member& member : value.members()) {
            TRY(weigh_all(member.value));
        }
        for (const Value& item : value.items()) {
            TRY(weigh_all(item));
        }
        return {};
    }

  private:
    static constexpr std::size_t in_progress = 0;

    Result<std::size_t> weight(const Value& schema) {
        const auto [known, is_new] = weights_.try_emplace(&schema, in_progress);
        if (!is_new) {
            if (known->second == in_progress) {
                return fail(ErrorKind::invalid,
                            "not a JSON Schema: a reference leads back to itself");
            }
            return known->second;
        }
        std::size_t sum = 1;
        if (const Value* const reference = schema.find("$ref"); reference != nullptr) {
            if (const auto pointer = reference->as_string()) {
                sum += TRY(weight(*TRY(target_of(*pointer))));
            }
        }
        for (const char* keyword :
             {"not", "if", "then", "else", "allOf", "anyOf", "oneOf", "dependencies"}) {
            if (const Value* const applied = schema.find(keyword); applied != nullptr) {
                sum += TRY(weight_of_each(*applied));
            }
        }
        if (sum > weight_max) {
            return fail(ErrorKind::invalid,
                        "not a usable JSON Schema: one value would be held against more than " +
                            std::to_string(weight_max) + " schemas");
        }
        weights_[&schema] = sum;
        return sum;
    }

    /// A keyword's value: a schema, a list of them, or (dependencies) a map of them.
    Result<std::size_t> weight_of_each(const Value& applied) {
        if (applied.is(Kind::object)) {
            std::size_t sum = TRY(weight(applied));
            for (const Member& member : applied.members()) {
                sum += member.value.is(Kind::object) ? TRY(weight(member.value)) : 0;
            }
            return sum;
        }
        std::size_t sum = 0;
        for (const Value& item : applied.items()) {
            sum += TRY(weight(item));
        }
        return sum;
    }

    Result<const Value*> target_of(std::string_view reference) const {
        const bool inside =
            reference.starts_with('#') && reference.find('%') == std::string_view::npos;
        const Value* const target = inside ? root_.at(reference.substr(1)) : nullptr;
        if (target == nullptr) {
            return fail(ErrorKind::invalid,
                        "not a JSON Schema: $ref \"" + std::string(reference) +
                            "\" names nothing in the document; allowed is #/… without %");
        }
        return target;
    }

    const Value& root_;
    std::unordered_map<const Value*, std::size_t> weights_;
};

}  // namespace

Result<> check_schema_bounds(const Value& schema) { return Scale(schema).weigh_all(schema); }

}  // namespace bascule::json
