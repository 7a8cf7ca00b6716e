#include "cli/profile.h"

#include <vector>

#include "foundation/json/flat.h"

namespace bascule::cli {

Result<statement::Mapping> parse_profile(std::string_view text) {
    const auto value = json::Value::parse(text);
    auto flat = value ? json::flattened(*value, "columns") : std::unexpected(value.error());
    if (!flat) {
        return std::unexpected(std::move(flat).error().in("profile"));
    }
    std::vector<statement::MappingEntry> entries;
    for (json::FlatEntry& entry : *flat) {
        entries.push_back({std::move(entry.key), std::move(entry.value), entry.is_number});
    }
    return statement::Mapping::from_entries(entries);
}

}  // namespace bascule::cli
