#pragma once

#include <optional>
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

    /// Holds what the bus says of itself against the model; to be called often, between two steps.
    void look();

    /// What was answered before this moment must not be asked again if the process ends now: it
    /// had time to reach what survives.
    SteadyTime kept_before(End::Kind end);

    /// Sees whether the disk makes trouble now, for who cannot wait for the next look.
    void look_at_the_disk();

    /// Whether the disk made trouble so lately that what is begun may not be written yet.
    bool in_trouble() const { return trouble_since_.has_value(); }

    /// Whether nothing is left to do.
    bool all_settled();

    /// After everything was repaired and all is settled.
    void finish();

  private:
    void resolve_doubts();
    void check_consumers();
    void check_letters();
    void ask_why();
    void fact(const event::EventView& event);
    std::vector<LoggedEvent> records(Offset from, Offset end);

    Stage& stage_;
    Offset begin_;
    Offset read_to_;
    Offset facts_read_to_;

    std::uint64_t failures_seen_ = 0;
    SteadyTime looked_{};
    std::optional<SteadyTime> trouble_since_;  ///< of the disk, as far as it can still matter
    SteadyTime trouble_last_{};
    std::uint64_t looks_ = 0;
};

}  // namespace bascule::simulator
