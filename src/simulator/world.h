#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "simulator/judge.h"
#include "simulator/people.h"
#include "simulator/player.h"
#include "simulator/publishers.h"
#include "simulator/stage.h"

namespace bascule::simulator {

/// One run of the production bus on a simulated machine. Threads: one owner.
class World {
  public:
    explicit World(const Plan& plan);
    ~World();

    /// Takes all steps, repairs everything, lets the bus finish and judges.
    void run();

    /// The first promise that was broken; empty if none was.
    const std::string& violation() const { return stage_.story.violation(); }
    const Story& story() const { return stage_.story; }
    const Counts& counts() const { return stage_.counts; }

  private:
    // ── Steps ──
    void step(std::uint32_t number);
    void change_rules(Random& random);
    void disk_acts(Random& random);
    void flip_a_bit(Random& random);
    void repair_flips();
    void let_time_pass(Random& random);
    Interests everybody() const;
    void finish();
    void hear_the_verdict();
    void ask_about(const std::string& verdict);

    // ── The process ──
    void start();
    std::string try_start();
    void end_process(End::Kind kind);
    void configure(const Interests& interests);
    bool needs_restart() const;
    void restore_databases();
    void check_effects();

    Stage stage_;
    Judge judge_;
    Publishers publishers_;
    People people_;
    std::map<std::string, std::shared_ptr<Player>> players_;
    std::map<std::string, delivery::Policy> policies_;  ///< as they are configured now
    std::map<std::string, Ledger> ledgers_;
    bool configuring_ = false;

    struct Flip {
        std::string path;
        std::uint64_t position = 0;
        std::string bytes;  ///< of the frame, with the wrong bit
        std::uint64_t at = 0;
        int bit = 0;
    };
    std::vector<Flip> flips_;
};

/// The plan with as little in it as still breaks a promise; `plan` must break one.
Plan shrunk(const Plan& plan);

}  // namespace bascule::simulator
