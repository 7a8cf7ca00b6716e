#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "bus/broker/bus.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_executor.h"
#include "simulator/deeds.h"
#include "simulator/model.h"
#include "simulator/plan.h"
#include "simulator/platter.h"
#include "simulator/story.h"

namespace bascule::simulator {

/// How much of what was meant to happen did: a run in which nothing happens proves nothing.
struct Counts {
    std::uint64_t confirmed = 0;
    std::uint64_t runs = 0;
    std::uint64_t failures = 0;
    std::uint64_t repeats_told = 0;  ///< "duplicate" answers
    std::uint64_t forged = 0;        ///< batches that were refused for an id that was taken
    std::uint64_t facts = 0;
    std::uint64_t flips = 0;
    std::uint64_t restores = 0;                      ///< of databases
    std::map<std::string, std::uint64_t> explained;  ///< by state
    std::uint64_t kills = 0;
    std::uint64_t power_cuts = 0;
    std::uint64_t letters_redriven = 0;
    std::uint64_t letters_stopped = 0;
    std::uint64_t letters_discarded = 0;
    std::uint64_t rule_changes = 0;
};

/// What everybody in one run shares: the machine, the process on it, the model that judges, the
/// story. Threads: one owner.
struct Stage {
    explicit Stage(const Plan& plan);
    ~Stage() { drop_process(); }
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    bool alive() const { return bus != nullptr; }

    /// Leaves nothing behind that could still act. What players keep must be dropped before.
    void drop_process();

    const Plan plan;
    sim::SimClock clock;
    sim::SimExecutor executor;
    sim::SimDisk disk;
    const Platter platter;
    const std::map<std::string, delivery::Policy> policies;
    Model model;
    Deeds deeds;
    Story story;
    Counts counts;

    std::unique_ptr<broker::Bus> bus;  ///< nothing between two processes
    std::uint32_t boot = 0;            ///< which process it is
    Interests wanted;                  ///< what the configuration file says
};

/// A hash of all that a publisher says, the id left out.
std::uint64_t content_of(const event::EventView& event);

/// How long a sync of the simulated disk takes at most.
constexpr std::chrono::milliseconds sync_latency_max{8};
/// The journal is synced this often; what was settled longer ago survives a power cut.
constexpr std::chrono::milliseconds journal_sync_interval{100};
constexpr std::chrono::milliseconds journal_slack = journal_sync_interval + 4 * sync_latency_max;

}  // namespace bascule::simulator
