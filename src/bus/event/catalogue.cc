#include "bus/event/catalogue.h"

#include <algorithm>
#include <vector>

#include "bus/event/schema_texts.h"
#include "bus/event/types.h"
#include "foundation/base/check.h"

namespace bascule::event {

namespace {

/// Joins the table with the schema files; a type without its file (or the reverse) is a mistake of
/// ours.
std::vector<TypeInfo> joined() {
    const auto texts = schema_texts();
    CHECK(texts.size() == types().size());
    std::vector<TypeInfo> all;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const Type& type = types()[i];
        CHECK(texts[i].type == type.name);
        all.push_back({.name = type.name,
                       .source = type.source,
                       .version = catalogue_version,
                       .description = type.description,
                       .schema = texts[i].text});
    }
    return all;
}

}  // namespace

std::span<const TypeInfo> catalogue() {
    static const std::vector<TypeInfo> all = joined();
    return all;
}

const TypeInfo* find_type(std::string_view name) {
    const auto all = catalogue();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const TypeInfo& type) { return type.name == name; });
    return found != all.end() ? &*found : nullptr;
}

}  // namespace bascule::event
