#pragma once

#include <memory>
#include <vector>

#include "bus/broker/handler.h"
#include "simulator/judge.h"
#include "simulator/script.h"

namespace bascule::simulator {

/// A consumer's handler: plays its script and tells the model. Threads: one owner.
class Player final : public broker::Handler {
  public:
    Player(Stage& stage, Judge& judge, std::string consumer);

    void handle(broker::Delivery run, broker::Done done) override;

    /// From now on everything is done at once.
    void repair() { script_.repair(); }

    /// What was never answered goes with its process.
    void forget() { kept_.clear(); }

  private:
    void say(const std::string& consumer, std::uint64_t run, delivery::Outcome outcome,
             broker::Done done);

    Stage& stage_;
    Judge& judge_;
    Script script_;
    std::vector<broker::Done> kept_;
};

}  // namespace bascule::simulator
