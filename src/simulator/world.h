#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/broker/bus.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_executor.h"
#include "simulator/model.h"
#include "simulator/plan.h"
#include "simulator/script.h"

namespace bascule::simulator {

/// One run of the production bus on a simulated machine. Threads: one owner.
class World {
  public:
    explicit World(const Plan& plan);
    ~World();

    /// Takes all steps, repairs everything, lets the bus finish and judges.
    void run();

    /// The first promise that was broken; empty if none was.
    const std::string& violation() const { return violation_; }

    /// What happened, one line each, oldest first.
    const std::vector<std::string>& story() const { return story_; }

    /// Of everything that happened: equal runs have equal ones.
    std::uint64_t digest() const { return digest_; }

    /// How much of what was meant to happen did: a run in which nothing happens proves nothing.
    struct Counts {
        std::uint64_t confirmed = 0;
        std::uint64_t runs = 0;
        std::uint64_t failures = 0;
        std::uint64_t repeats_told = 0;  ///< "duplicate" answers
        std::uint64_t kills = 0;
        std::uint64_t power_cuts = 0;
        std::uint64_t letters_redriven = 0;
        std::uint64_t letters_discarded = 0;
        std::uint64_t rule_changes = 0;
    };
    const Counts& counts() const { return counts_; }

  private:
    class Player;
    struct Publisher {
        std::uint32_t number = 0;
        std::vector<event::Event> sent;  ///< and not answered yet, or to be sent again
        bool waiting = false;
        bool again = false;  ///< `sent` may be in the log already
    };

    // ── Steps ──
    void step(std::uint32_t number);
    void publish(Publisher& publisher, Random& random);
    void send(Publisher& publisher, bool atomic);
    void published(std::uint32_t publisher, const std::vector<std::string>& ids, bool atomic,
                   bool again, const Result<std::vector<broker::PublishResult>>& results);
    void person_acts(Random& random);
    void redrive(const std::string& consumer);
    void discard(const std::string& consumer, Random& random);
    void change_rules(Random& random);
    void disk_acts(Random& random);
    void end_process(End::Kind kind);
    void let_time_pass(Random& random);

    // ── The process ──
    void start();
    bool try_start();
    void drop_process();
    void configure(const Interests& interests);
    bool needs_restart() const;

    // ── Judging ──
    void read_log();
    std::vector<LoggedEvent> records();
    void check_accounts();
    void finish();
    bool all_settled();

    void tell(std::string line);
    void broken(std::string what);
    bool alive() const { return bus_ != nullptr; }
    std::string time() const;

    Plan plan_;
    sim::SimClock clock_;
    std::unique_ptr<sim::SimExecutor> executor_;
    sim::SimDisk disk_;
    std::unique_ptr<broker::Bus> bus_;
    std::map<std::string, delivery::Policy> policies_;
    std::map<std::string, std::shared_ptr<Script>> scripts_;
    std::map<std::string, std::shared_ptr<Player>> players_;
    Model model_;

    std::vector<Publisher> publishers_;
    std::uint64_t events_made_ = 0;
    Interests wanted_;  ///< what the configuration file says
    bool configuring_ = false;
    std::uint32_t boot_ = 0;
    bool disk_is_ill_ = false;   ///< since the last start
    SteadyTime last_trouble_{};  ///< of the disk
    Offset read_to_;

    std::vector<std::string> story_;
    std::uint64_t digest_ = 0;
    std::string violation_;
    Counts counts_;
};

/// The plan with as little in it as still breaks a promise; `plan` must break one.
Plan shrunk(const Plan& plan);

}  // namespace bascule::simulator
