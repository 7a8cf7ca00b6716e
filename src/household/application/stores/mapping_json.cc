#include "household/application/stores/mapping_json.h"

#include <algorithm>
#include <vector>

#include "foundation/json/flat.h"
#include "foundation/json/writer.h"

namespace bascule::application {

namespace {

using statement::MappingEntry;

constexpr std::string_view columns_prefix = "columns.";

bool is_list(const std::vector<MappingEntry>& entries, std::size_t index) {
    return (index > 0 && entries[index - 1].key == entries[index].key) ||
           (index + 1 < entries.size() && entries[index + 1].key == entries[index].key);
}

void write_value(json::Writer& writer, const MappingEntry& entry) {
    if (entry.is_number || entry.key == "header") {
        writer.raw(entry.value);
    } else {
        writer.string(entry.value);
    }
}

/// One member, or one array where the key repeats; `index` moves behind what was written.
void write_member(json::Writer& writer, std::string_view name,
                  const std::vector<MappingEntry>& entries, std::size_t& index) {
    writer.key(name);
    if (!is_list(entries, index)) {
        write_value(writer, entries[index++]);
        return;
    }
    const std::string& key = entries[index].key;
    writer.begin_array();
    while (index < entries.size() && entries[index].key == key) {
        write_value(writer, entries[index++]);
    }
    writer.end_array();
}

}  // namespace

Result<statement::Mapping> parse_mapping(std::string_view text) {
    const auto value = json::Value::parse(text);
    auto flat = value ? json::flattened(*value, "columns") : std::unexpected(value.error());
    if (!flat) {
        return std::unexpected(std::move(flat).error().in("mapping"));
    }
    std::vector<MappingEntry> entries;
    for (json::FlatEntry& entry : *flat) {
        entries.push_back({std::move(entry.key), std::move(entry.value), entry.is_number});
    }
    auto mapping = statement::Mapping::from_entries(entries);
    if (!mapping) {
        return std::unexpected(std::move(mapping).error().in("mapping"));
    }
    return mapping;
}

std::string to_json(const statement::Mapping& mapping) {
    auto entries = mapping.to_entries();
    // Brings together what belongs into one array, and the columns into one object.
    std::ranges::stable_sort(entries, {}, &MappingEntry::key);
    std::string text;
    json::Writer writer(text);
    writer.begin_object();
    bool in_columns = false;
    for (std::size_t index = 0; index < entries.size();) {
        std::string_view name = entries[index].key;
        const bool is_column = name.starts_with(columns_prefix);
        if (is_column && !in_columns) {
            writer.key("columns").begin_object();
        }
        if (!is_column && in_columns) {
            writer.end_object();
        }
        in_columns = is_column;
        if (is_column) {
            name.remove_prefix(columns_prefix.size());
        }
        write_member(writer, name, entries, index);
    }
    if (in_columns) {
        writer.end_object();
    }
    writer.end_object();
    return text;
}

}  // namespace bascule::application
