#include "simulator/ledger.h"

namespace bascule::simulator {

void Ledger::commit(const std::vector<Offset>& done) {
    for (const Offset offset : done) {
        if (state_.rows.insert(offset).second) {
            ++state_.effects[offset];
        }
    }
}

broker::InboxState Ledger::inbox() const {
    return {.low = Offset(0), .done = {state_.rows.begin(), state_.rows.end()}};
}

}  // namespace bascule::simulator
