#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bus/event/builders.h"
#include "server/api/call.h"

namespace bascule::api {

/// What an operator did, as an event of the bus itself: who, what, why. Published after the deed is
/// durable; a failure to publish it does not undo the deed and is counted by the bus.
class OperatorEvents {
  public:
    OperatorEvents(const Services& services, std::string actor)
        : services_(services), actor_(std::move(actor)) {}

    void paused(const std::string& consumer, const std::string& reason,
                std::optional<WallTime> until) const;
    void resumed(const std::string& consumer) const;
    void redriven(const std::vector<broker::LetterSummary>& letters) const;
    void discarded(const std::vector<broker::LetterSummary>& letters,
                   const std::string& reason) const;

  private:
    event::Occasion occasion() const;
    void publish(std::vector<event::Event> events) const;
    template <class Make>
    void settled(const std::vector<broker::LetterSummary>& letters, const std::string& reason,
                 Make make) const;

    const Services& services_;
    std::string actor_;
};

}  // namespace bascule::api
