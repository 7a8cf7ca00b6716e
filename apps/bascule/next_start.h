#pragma once

#include <map>
#include <string>
#include <vector>

#include "bus/broker/consumer_config.h"
#include "foundation/config/node.h"

namespace bascule {

/// Which settings of a configuration that was changed while the program runs wait for its next
/// start: those of the program itself, and the policies of consumers that run already.
class NextStart {
  public:
    /// With what the program started.
    NextStart(const config::Node& root, const broker::BusConfig& consumers);

    /// Of what is configured now: sections, and `consumers.NAME`, in the order of the
    /// configuration reference. Consumers that are new begin with what they say, and so does one
    /// that was gone in between.
    std::vector<std::string> waiting(const config::Node& root, const broker::BusConfig& consumers);

  private:
    std::map<std::string, std::string> sections_;       ///< as JSON, by name
    std::map<std::string, delivery::Policy> policies_;  ///< in force, by consumer
};

}  // namespace bascule
