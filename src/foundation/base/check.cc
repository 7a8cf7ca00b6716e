#include "foundation/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace bascule {

void check_failed(std::string_view claim, std::source_location where) {
    std::fprintf(stderr, "bascule: check failed: %.*s\n  at %s:%u in %s\n",
                 static_cast<int>(claim.size()), claim.data(), where.file_name(), where.line(),
                 where.function_name());
    std::abort();
}

}  // namespace bascule
