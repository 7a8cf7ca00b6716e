#pragma once

#include <span>
#include <string_view>

namespace bascule::event {

struct SchemaText {
    std::string_view type;
    std::string_view text;
};

/// schemas/*.json, compiled in by the room's CMakeLists.txt; sorted by type.
std::span<const SchemaText> schema_texts();

}  // namespace bascule::event
