#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "foundation/base/clock.h"
#include "foundation/base/guarded.h"
#include "foundation/base/named.h"

namespace bascule::io {

using Task = std::move_only_function<void()>;
using TimerId = Named<std::uint64_t, struct TimerIdTag>;

/// Where work runs. The only source of threads and timers below the network.
///
/// Implementations: ThreadPool (real threads), sim::SimExecutor (one thread, virtual time, chosen
/// order). Tasks must not throw. Threads: every member may be called from any thread.
class Executor {
  public:
    virtual ~Executor() = default;

    /// Runs `task` soon. Tasks of one executor may run at once and in any order: use a Strand for
    /// order. After `stop` began the task is dropped.
    virtual void post(Task task) = 0;

    /// Runs `task` not before `when`.
    virtual TimerId post_at(SteadyTime when, Task task) = 0;

    /// True if the timer had not fired; its task then never runs and is destroyed.
    virtual bool cancel(TimerId timer) = 0;

    virtual const Clock& clock() const = 0;
};

/// Runs its tasks one at a time, in the order in which they were posted: what an actor stands on.
///
/// Cheap enough to have hundreds. A null task is a mistake of the caller. When the executor stops,
/// waiting tasks are destroyed.
/// Lifetime: the executor outlives the strand; waiting tasks still run after the handle is gone.
/// Threads: any.
class Strand {
  public:
    explicit Strand(Executor& executor);

    void post(Task task);

    Executor& executor() const { return shared_->executor; }

  private:
    /// Tasks run before the thread is given back, so that one busy actor cannot starve the others.
    static constexpr int run_max = 64;

    struct Queue {
        std::deque<Task> waiting;
        bool scheduled = false;
    };
    struct Shared {
        explicit Shared(Executor& runs_on) : executor(runs_on) {}
        Executor& executor;
        Guarded<Queue> queue;
    };
    class Turn;

    std::shared_ptr<Shared> shared_;
};

}  // namespace bascule::io
