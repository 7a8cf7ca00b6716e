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
    void let_time_pass(Random& random);
    void finish();

    // ── The process ──
    void start();
    bool try_start();
    void end_process(End::Kind kind);
    void configure(const Interests& interests);
    bool needs_restart() const;

    Stage stage_;
    Judge judge_;
    Publishers publishers_;
    People people_;
    std::map<std::string, std::shared_ptr<Player>> players_;
    bool configuring_ = false;
};

/// The plan with as little in it as still breaks a promise; `plan` must break one.
Plan shrunk(const Plan& plan);

}  // namespace bascule::simulator
