#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/delivery/run.h"
#include "bus/event/event.h"
#include "foundation/base/clock.h"
#include "foundation/base/offset.h"

namespace bascule::broker {

/// One event of a run. The view looks into memory that the Delivery keeps alive.
struct DeliveredEvent {
    Offset offset;
    WallTime recorded;
    event::EventView event;
};

/// One run of a consumer: an event, a batch or the members of a window, in log order.
///
/// `delivery_id` is the same for every attempt at the same work, so that a receiver can drop
/// repeats. Movable between threads; copies share the events' memory.
struct Delivery {
    std::string consumer;
    delivery::RunId run;
    std::string delivery_id;
    std::uint32_t attempt = 1;
    /// When a remote handler's answer stops to count: nothing of this run may be sent later.
    /// Nothing for in-process handlers.
    std::optional<SteadyTime> deadline;
    Offset position_low;  ///< everything of this consumer below it is settled
    std::vector<DeliveredEvent> events;
    std::vector<std::shared_ptr<const void>> storage;  ///< what the views look into
};

/// Says how a run ended; called exactly once, from any thread. A handler that drops it unsaid has
/// answered "transient: the handler went away without an answer".
using Done = std::move_only_function<void(delivery::Outcome)>;

/// What a consumer runs. Implementations: in-process functions, HTTP endpoints; later queues, buses
/// and Lambda runtimes.
///
/// Threads:   `handle` is called on the worker executor, for different runs at once; the bus never
///            has two runs of one key open, so what is per key needs no lock.
/// Blocking:  in-process handlers may compute; they must not wait for disks or peers: answer later
///            instead.
/// Lifetime:  the bus keeps the handler until its last run was answered.
class Handler {
  public:
    virtual ~Handler() = default;
    virtual void handle(Delivery delivery, Done done) = 0;
};

/// The simplest handler: a function that answers at once.
class FunctionHandler final : public Handler {
  public:
    using Function = std::function<delivery::Outcome(const Delivery&)>;
    explicit FunctionHandler(Function function) : function_(std::move(function)) {}
    void handle(Delivery delivery, Done done) override { done(function_(delivery)); }

  private:
    Function function_;
};

}  // namespace bascule::broker
