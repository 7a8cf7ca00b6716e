#pragma once

#include <memory>
#include <vector>

#include "bus/broker/handler.h"
#include "simulator/judge.h"
#include "simulator/ledger.h"
#include "simulator/script.h"

namespace bascule::simulator {

/// A consumer's handler: plays its script and tells the model. Threads: one owner.
class Player final : public broker::Handler {
  public:
    /// `ledger`, if it has one, outlives the player.
    Player(Stage& stage, Judge& judge, std::string consumer, Ledger* ledger);

    void handle(broker::Delivery run, broker::Done done) override;

    /// Whether the handler may fail for the event, if it was not repaired.
    bool is_troubled(const std::string& event_id) const { return script_.may_fail(event_id); }

    /// From now on everything is done at once.
    void repair() { script_.repair(); }

    /// What was never answered goes with its process.
    void forget() { kept_.clear(); }

  private:
    struct Said {
        Model::Run run;
        delivery::Outcome outcome;
    };
    void say(Said said, broker::Done done);

    Stage& stage_;
    Judge& judge_;
    Script script_;
    Ledger* ledger_;
    std::vector<broker::Done> kept_;
};

}  // namespace bascule::simulator
