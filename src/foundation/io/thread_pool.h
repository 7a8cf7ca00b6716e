#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "foundation/io/executor.h"

namespace bascule::io {

/// An Executor of real threads.
///
/// Threads:   any, but `stop` and the destructor not from a task of this pool.
/// Lifetime:  `stop` (and so the destructor) lets running tasks end and destroys waiting ones
///            without running them; what a waiting task completes is then never completed.
/// Limits:    the queue has no bound of its own: whoever posts bounds what it has under way.
/// Cost:      post takes one lock and wakes at most one thread; a timer is O(log n).
class ThreadPool final : public Executor {
  public:
    struct Options {
        std::string name = "pool";  ///< shown by the system's tools; its first 12 letters count
        int threads = 1;
        int niceness = 0;  ///< 0 to 19: how far the threads stand back when cores are scarce
        const Clock* clock = nullptr;  ///< the system's when null; else outlives the pool
    };

    explicit ThreadPool(const Options& options);
    ~ThreadPool() override;

    void post(Task task) override;
    TimerId post_at(SteadyTime when, Task task) override;
    bool cancel(TimerId timer) override;
    const Clock& clock() const override { return clock_; }

    /// Returns when no task runs any more. Calling it again does nothing.
    void stop();

  private:
    using Lock = std::unique_lock<std::mutex>;
    using TimerKey = std::pair<SteadyTime, std::uint64_t>;

    void drop_waiting();
    void work();
    void wait(Lock& lock);
    void wake_one();
    void watch_timers_elsewhere();
    void release_due_timers();

    const Clock& clock_;
    std::once_flag stopped_;

    std::mutex mutex_;
    std::condition_variable idle_;     ///< waits for a task
    std::condition_variable watcher_;  ///< waits for a task or for the earliest timer
    int idle_count_ = 0;
    bool timers_watched_ = false;
    bool stopping_ = false;
    std::deque<Task> ready_;
    std::map<TimerKey, Task> timers_;
    std::unordered_map<std::uint64_t, SteadyTime> timer_times_;
    std::uint64_t timer_last_ = 0;

    std::vector<std::thread> threads_;
};

}  // namespace bascule::io
