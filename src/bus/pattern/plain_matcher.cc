#include <algorithm>

#include "bus/pattern/leaves.h"
#include "bus/pattern/pattern.h"
#include "bus/pattern/plain_search.h"
#include "bus/pattern/term.h"

/// The plain matcher: flatten what the pattern asks about, then look for one choice of values that
/// satisfies every field.
namespace bascule::pattern {

bool Pattern::matches(const Subject& subject) const {
    SearchBudget unlimited;
    const Leaves leaves = leaves_of(compiled_->paths, subject, unlimited);
    return std::any_of(
        compiled_->alternatives.begin(), compiled_->alternatives.end(),
        [&](const Alternative& alternative) {
            return PlainSearch(wanted_fields(alternative, leaves), unlimited).run().has_value();
        });
}

}  // namespace bascule::pattern
