#include "sim/sim_executor.h"

namespace bascule::sim {

io::TimerId SimExecutor::post_at(SteadyTime when, io::Task task) {
    const std::uint64_t id = ++timer_last_;
    timers_.emplace(TimerKey(when, id), std::move(task));
    timer_times_.emplace(id, when);
    return io::TimerId(id);
}

bool SimExecutor::cancel(io::TimerId timer) {
    const auto time = timer_times_.find(timer.value());
    if (time == timer_times_.end()) {
        return false;
    }
    auto node = timers_.extract(TimerKey(time->second, timer.value()));
    timer_times_.erase(time);
    return true;  // the node, and with it the task, goes last: its captures may call us
}

bool SimExecutor::run_one() {
    release_due_timers();
    if (ready_.empty()) {
        if (timers_.empty()) {
            return false;
        }
        clock_.advance_to(timers_.begin()->first.first);
        release_due_timers();
    }
    run_chosen();
    return true;
}

std::size_t SimExecutor::run_ready() {
    std::size_t count = 0;
    for (release_due_timers(); !ready_.empty(); release_due_timers()) {
        run_chosen();
        ++count;
    }
    return count;
}

std::size_t SimExecutor::run_until_idle(std::size_t tasks_max) {
    std::size_t count = 0;
    while (run_one()) {
        ++count;
        CHECK(count <= tasks_max);
    }
    return count;
}

std::size_t SimExecutor::run_for(SteadyTime::duration duration) {
    const SteadyTime end = clock_.steady() + duration;
    std::size_t count = run_ready();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
        clock_.advance_to(timers_.begin()->first.first);
        count += run_ready();
    }
    clock_.advance_to(end);
    return count;
}

void SimExecutor::drop_all() {
    // What a destructor posts is dropped as well, so until nothing is left.
    while (!ready_.empty() || !timers_.empty()) {
        timer_times_.clear();
        std::exchange(ready_, {});
        std::exchange(timers_, {});
    }
}

void SimExecutor::release_due_timers() {
    while (!timers_.empty() && timers_.begin()->first.first <= clock_.steady()) {
        timer_times_.erase(timers_.begin()->first.second);
        ready_.push_back(std::move(timers_.begin()->second));
        timers_.erase(timers_.begin());
    }
}

void SimExecutor::run_chosen() {
    std::swap(ready_[random_.below(ready_.size())], ready_.back());
    io::Task task = std::move(ready_.back());
    ready_.pop_back();
    task();
}

}  // namespace bascule::sim
