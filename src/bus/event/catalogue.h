#pragma once

#include <span>
#include <string_view>

namespace bascule::event {

/// One event type that this program knows.
struct TypeInfo {
    std::string_view name;         ///< eventType
    std::string_view source;       ///< who publishes it
    std::string_view version;      ///< eventVersion of the schema
    std::string_view description;  ///< when it is published
    std::string_view schema;       ///< JSON Schema (draft 7) of `data`
};

/// All types, sorted by name. Static storage.
std::span<const TypeInfo> catalogue();

/// nullptr for a type nobody registered.
const TypeInfo* find_type(std::string_view name);

}  // namespace bascule::event
