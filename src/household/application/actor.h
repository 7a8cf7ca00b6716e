#pragma once

#include <string>

namespace bascule::application {

/// Who asks, and for whom. Everything a use case reads and writes belongs to `user_id`.
struct Actor {
    std::string user_id;
    std::string name;        ///< who triggered it, for `metadata.actor`: a user, token or component
    std::string request_id;  ///< for `metadata.requestId`; may be empty
    /// A repeat with the same key and the same request answers as the first did and changes
    /// nothing; another request with the key is a `conflict`. Kept 24 h. Empty = none.
    std::string idempotency_key;
};

}  // namespace bascule::application
