#include "server/api/openapi.h"

#include <string>

#include "foundation/base/check.h"
#include "foundation/config/node.h"
#include "openapi_yaml.h"

namespace bascule::api {

std::string_view openapi_json() {
    static const std::string json = [] {
        std::string yaml;
        for (const std::string_view part : openapi_yaml_parts) {
            yaml += part;
        }
        const auto document = config::parse_yaml(yaml, "openapi.yaml");
        CHECK(document.has_value());  // compiled in, and parsed by a test
        return config::to_json(*document);
    }();
    return json;
}

}  // namespace bascule::api
