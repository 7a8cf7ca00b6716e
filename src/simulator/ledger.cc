#include "simulator/ledger.h"

namespace bascule::simulator {

void Ledger::commit(const std::vector<Offset>& done) {
    for (const Offset offset : done) {
        if (state_.rows.insert(offset).second) {
            ++state_.effects[offset];
        }
    }
}

void Ledger::advance(Offset low) { state_.low = std::max(state_.low, low); }

broker::InboxState Ledger::inbox() const {
    return {.low = state_.low, .done = {state_.rows.lower_bound(state_.low), state_.rows.end()}};
}

}  // namespace bascule::simulator
