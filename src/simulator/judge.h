#pragma once

#include <vector>

#include "simulator/stage.h"

namespace bascule::simulator {

/// Looks at the bus from outside and tells the model what it sees. Threads: one owner.
class Judge {
  public:
    explicit Judge(Stage& stage) : stage_(stage) {}

    /// A process began: all that the log had must be there.
    void process_began();

    /// Tells the model what became durable.
    void read_log();

    /// The identity of the contract's section 9.
    void check_accounts();

    /// Whether nothing is left to do.
    bool all_settled();

    /// After everything was repaired and all is settled.
    void finish();

  private:
    std::vector<LoggedEvent> records();

    Stage& stage_;
    Offset read_to_;
};

}  // namespace bascule::simulator
