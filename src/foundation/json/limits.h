#pragma once

#include <cstddef>
#include <cstdint>

namespace bascule::json {

/// What a JSON value is.
enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

/// What a text may ask of its reader. Both bounds are met with an `invalid` error that names them.
struct Limits {
    std::size_t bytes_max = 16 * 1024 * 1024;
    std::size_t depth_max =
        1000;  ///< objects and arrays inside one another; EventBridge's own bound
};

}  // namespace bascule::json
