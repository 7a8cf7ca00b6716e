#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "foundation/base/check.h"
#include "foundation/base/random.h"
#include "foundation/io/completion.h"
#include "foundation/io/executor.h"
#include "sim/sim_clock.h"

namespace bascule::sim {

/// An Executor without threads: tasks run when the test says so, in an order that the seed
/// chooses, and time jumps from timer to timer. The same seed and the same posts give the same run.
///
/// Threads:   one, that of the test.
/// Lifetime:  `clock` outlives the executor. The destructor destroys what waits without running it.
class SimExecutor final : public io::Executor {
  public:
    SimExecutor(SimClock& clock, std::uint64_t seed) : clock_(clock), random_(seed) {}
    ~SimExecutor() override { drop_all(); }

    void post(io::Task task) override { ready_.push_back(std::move(task)); }
    io::TimerId post_at(SteadyTime when, io::Task task) override;
    bool cancel(io::TimerId timer) override;
    const Clock& clock() const override { return clock_; }
    SimClock& sim_clock() { return clock_; }

    /// Runs one task that is ready; if none is, first jumps to the earliest timer. False when
    /// there was nothing at all.
    bool run_one();

    /// Runs what is ready, and what that makes ready, without letting time pass. Returns how many.
    std::size_t run_ready();

    /// Runs until neither task nor timer is left. A CHECK fails after `tasks_max`: something
    /// repeats for ever, use run_for.
    std::size_t run_until_idle(std::size_t tasks_max = 10'000'000);

    /// Runs everything that is due within `duration`; the clock then stands at its end.
    std::size_t run_for(SteadyTime::duration duration);

    /// Runs until `done()` holds; false when nothing was left to run before it did.
    template <class Predicate>
    bool run_until(Predicate&& done) {
        while (!done()) {
            if (!run_one()) {
                return false;
            }
        }
        return true;
    }

    /// Destroys every task and timer unrun: what a crash does to a process.
    void drop_all();

    std::size_t ready_count() const { return ready_.size(); }
    std::size_t timer_count() const { return timers_.size(); }

  private:
    using TimerKey = std::pair<SteadyTime, std::uint64_t>;

    void release_due_timers();
    void run_chosen();

    SimClock& clock_;
    Random random_;
    std::vector<io::Task> ready_;
    std::map<TimerKey, io::Task> timers_;
    std::unordered_map<std::uint64_t, SteadyTime> timer_times_;
    std::uint64_t timer_last_ = 0;
};

/// Starts an asynchronous operation and runs `executor` until it completes.
///
///     Result<> synced = sim::wait_for<>(executor, [&](auto done) { file->sync(std::move(done));
///     });
///
/// Errors: the operation's own; `unavailable` when everything ran and it had not completed.
template <class T = void, class Start>
Result<T> wait_for(SimExecutor& executor, Start&& start) {
    const auto result = std::make_shared<std::unique_ptr<Result<T>>>();
    std::forward<Start>(start)(io::Completion<T>([result](Result<T> outcome) {
        *result = std::make_unique<Result<T>>(std::move(outcome));
    }));
    if (!executor.run_until([&] { return *result != nullptr; })) {
        return fail(ErrorKind::unavailable, "nothing is left to run, and it did not complete");
    }
    return std::move(**result);
}

}  // namespace bascule::sim
