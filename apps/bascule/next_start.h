#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bus/broker/consumer_config.h"
#include "foundation/config/node.h"

namespace bascule {

/// Which settings of a configuration that was changed while the program runs wait for its next
/// start: those of the program itself, and how many rows a built-in consumer takes in one commit.
/// All else of consumers and rules changes while the bus runs.
class NextStart {
  public:
    /// With what the program started.
    NextStart(const config::Node& root, const broker::BusConfig& consumers);

    /// Of what is configured now: sections, then `consumers.NAME.batch_size`.
    std::vector<std::string> waiting(const config::Node& root,
                                     const broker::BusConfig& consumers) const;

  private:
    std::map<std::string, std::string> sections_;                     ///< as JSON, by name
    std::map<std::string, std::optional<std::uint32_t>> part_sizes_;  ///< by consumer
};

}  // namespace bascule
