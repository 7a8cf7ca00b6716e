#pragma once

#include <cstdint>
#include <span>
#include <string_view>

/// The catalogue's one table: which types there are and what their data holds. Validators, the
/// catalogue and the reference page follow it; the JSON Schemas in schemas/ say the same in their
/// own words, and a test holds both against each other.
namespace bascule::event {

/// What a field of `data` may hold. Counts end at 2^53 - 1, the largest integer that every JSON
/// reader keeps.
enum class FieldKind : std::uint8_t {
    id,          ///< string, not empty
    text,        ///< string, may be empty
    day,         ///< string YYYY-MM-DD
    count,       ///< integer ≥ 0
    percent,     ///< number 0 to 100
    flag,        ///< true or false
    one_of,      ///< one of `options`
    ids,         ///< array of at most 1000 ids
    words,       ///< array of ids, at least one
    changes,     ///< array of {field, oldValue, newValue}
    date_range,  ///< {startDate, endDate}
    chunk,       ///< {index ≥ 0, count ≥ 1}
};

enum class Presence : std::uint8_t {
    required,
    nullable,  ///< must be there, may be null
    optional,  ///< may be missing or null
};

struct Field {
    std::string_view name;
    FieldKind kind;
    Presence presence = Presence::required;
    std::span<const std::string_view> options = {};
};

struct Type {
    std::string_view name;
    std::string_view source;
    std::string_view description;
    std::span<const Field> fields;
};

inline constexpr std::string_view catalogue_version = "1.0";  ///< of every type so far

/// All types, sorted by name.
std::span<const Type> types();

const Type* type_named(std::string_view name);

}  // namespace bascule::event
