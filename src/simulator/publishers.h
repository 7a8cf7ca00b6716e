#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulator/judge.h"

namespace bascule::simulator {

/// Who publishes: each sends some events, waits for the answer, and sends again what was not
/// confirmed. Threads: one owner.
class Publishers {
  public:
    Publishers(Stage& stage, Judge& judge);

    /// One of them sends something, if it waits for nothing.
    void publish(Random& random);

    /// Everybody sends again what is not confirmed.
    void send_again();
    bool all_confirmed() const;

    /// Nobody will answer any more what was asked.
    void process_ended();

  private:
    struct Publisher {
        std::uint32_t number = 0;
        std::vector<event::Event> sent;  ///< and not answered yet, or to be sent again
        bool waiting = false;
        bool again = false;  ///< `sent` may be in the log already
    };

    event::Event make(Random& random);
    void send(Publisher& publisher, bool atomic);
    void send_twin(const Publisher& publisher);
    void forge(Random& random);
    void published(std::uint32_t publisher, const std::vector<std::string>& ids, bool atomic,
                   bool again, const Result<std::vector<broker::PublishResult>>& results);

    Stage& stage_;
    Judge& judge_;
    std::vector<Publisher> publishers_;
    std::vector<event::Event> taken_;  ///< confirmed by this process
    std::uint64_t events_made_ = 0;
};

}  // namespace bascule::simulator
