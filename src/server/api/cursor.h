#pragma once

#include <string>
#include <string_view>

#include "server/auth/principal.h"
#include "server/http/message.h"

namespace bascule::api {

/// Which list a page belongs to: who asks, the path, and every filter and order of the query.
///
/// A cursor is given out with a tag of its list in front, so that one of another list, of other
/// filters or of another caller is refused instead of read as a place in this one. The tag is no
/// secret and keeps nobody out: what a caller may see is decided by the query, never by a cursor.
class Listing {
  public:
    Listing(const auth::Principal& principal, const http::Request& request);

    /// A cursor of this list as clients get it; "" stays "".
    std::string bound(std::string_view cursor) const;
    /// The way back; "" stays "". Errors: `invalid` for any that this list has not given.
    Result<std::string> unbound(std::string_view cursor) const;

  private:
    std::string tag(std::string_view cursor) const;

    std::string name_;
};

}  // namespace bascule::api
