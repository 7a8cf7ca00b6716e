#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "bus/broker/handler.h"

namespace bascule::simulator {

/// How a handler behaves, decided by the seed for every event: most are done at once, some late,
/// some after failures, some never, some answered when nobody asks any more.
///
/// Threads: one owner.
class Script {
  public:
    Script(std::uint64_t seed, std::string consumer)
        : seed_(seed), consumer_(std::move(consumer)) {}

    struct Answer {
        delivery::Outcome outcome;
        std::chrono::milliseconds after{};  ///< 0: at once
        bool never = false;                 ///< the answer is lost
    };
    /// What to say to this run; `timeout` is the policy's.
    Answer answer(const broker::Delivery& run, std::chrono::milliseconds timeout);

    /// Whether `answer` may be another one than "done" for the event.
    bool may_fail(std::string_view event_id) const {
        const Manner manner = manner_of(event_id);
        return manner != Manner::prompt && manner != Manner::slow;
    }

    /// From now on everything is done at once.
    void repair() { repaired_ = true; }

  private:
    enum class Manner { prompt, slow, flaky, broken, hanging, late, busy, starved };
    Manner manner_of(std::string_view event_id) const;

    std::uint64_t seed_;
    std::string consumer_;
    bool repaired_ = false;
    std::map<std::string, std::uint32_t> failures_;  ///< that an event has still to come to
};

}  // namespace bascule::simulator
