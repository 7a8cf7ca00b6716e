#pragma once

#include <string_view>

namespace bascule::api {

/// docs/reference/openapi.yaml as JSON; made from it at build time.
std::string_view openapi_json();

}  // namespace bascule::api
