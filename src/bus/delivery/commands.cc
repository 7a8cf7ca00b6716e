#include "bus/delivery/commands.h"

namespace bascule::delivery {

void Commands::clear() {
    journal.clear();
    sync_journal = false;
    hold_starts = false;
    starts.clear();
    offsets.clear();
    letters.clear();
    closings.clear();
    cancels.clear();
}

}  // namespace bascule::delivery
