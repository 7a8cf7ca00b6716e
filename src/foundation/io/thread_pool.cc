#include "foundation/io/thread_pool.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "foundation/base/check.h"

namespace bascule::io {

namespace {

const Clock& system_clock() {
    static const SystemClock clock;
    return clock;
}

void name_this_thread(std::string name, int number) {
    name.resize(std::min<std::size_t>(name.size(), 12));  // the kernel keeps 15 bytes
    name += '/' + std::to_string(number % 100);
    pthread_setname_np(pthread_self(), name.c_str());
}

/// Linux keeps a niceness for each thread. Refused (a sandbox), the thread is merely less polite.
void stand_back(int niceness) {
    if (niceness > 0) {
        static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness));
    }
}

}  // namespace

ThreadPool::ThreadPool(const Options& options)
    : clock_(options.clock != nullptr ? *options.clock : system_clock()) {
    CHECK(options.threads > 0);
    threads_.reserve(static_cast<std::size_t>(options.threads));
    for (int number = 0; number < options.threads; ++number) {
        threads_.emplace_back([this, options, number]() noexcept {
            name_this_thread(options.name, number);
            stand_back(options.niceness);
            work();
        });
    }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
    std::call_once(stopped_, [this] {
        drop_waiting();
        idle_.notify_all();
        watcher_.notify_all();
        for (std::thread& thread : threads_) {
            CHECK(thread.get_id() != std::this_thread::get_id());
            thread.join();
        }
    });
}

/// Destroys the tasks after the lock, which is declared last: what they hold may call us.
void ThreadPool::drop_waiting() {
    std::deque<Task> ready;
    std::map<TimerKey, Task> timers;
    const Lock lock(mutex_);
    stopping_ = true;
    ready.swap(ready_);
    timers.swap(timers_);
    timer_times_.clear();
}

void ThreadPool::post(Task task) {
    const Lock lock(mutex_);
    if (stopping_) {
        return;
    }
    ready_.push_back(std::move(task));
    wake_one();
}

TimerId ThreadPool::post_at(SteadyTime when, Task task) {
    const Lock lock(mutex_);
    const std::uint64_t id = ++timer_last_;
    if (stopping_) {
        return TimerId(id);
    }
    const auto place = timers_.emplace(TimerKey(when, id), std::move(task)).first;
    timer_times_.emplace(id, when);
    if (place == timers_.begin()) {
        // Whoever watches must learn of the earlier time; if nobody does, somebody must begin.
        (timers_watched_ ? watcher_ : idle_).notify_one();
    }
    return TimerId(id);
}

bool ThreadPool::cancel(TimerId timer) {
    Task cancelled;  // destroyed after the lock is released: its captures may call us
    const Lock lock(mutex_);
    const auto time = timer_times_.find(timer.value());
    if (time == timer_times_.end()) {
        return false;
    }
    const auto place = timers_.find(TimerKey(time->second, timer.value()));
    cancelled = std::move(place->second);
    timers_.erase(place);
    timer_times_.erase(time);
    return true;
}

void ThreadPool::work() {
    Lock lock(mutex_);
    while (!stopping_) {
        release_due_timers();
        if (ready_.empty()) {
            wait(lock);
            continue;
        }
        Task task = std::move(ready_.front());
        ready_.pop_front();
        if (!ready_.empty()) {
            wake_one();  // a notice may have been spent on this thread for both tasks
        }
        watch_timers_elsewhere();
        lock.unlock();
        task();
        task = nullptr;
        lock.lock();
    }
}

/// One idle thread watches the timers, the others only wait for tasks: a timer wakes one thread.
void ThreadPool::wait(Lock& lock) {
    if (timers_.empty() || timers_watched_) {
        ++idle_count_;
        idle_.wait(lock);
        --idle_count_;
        return;
    }
    // Bounded, so that a time near the end of the clock's range cannot overflow the wait.
    const auto left = std::min<SteadyTime::duration>(
        timers_.begin()->first.first - std::max(clock_.steady(), SteadyTime()), 1h);
    timers_watched_ = true;
    watcher_.wait_for(lock, left);
    timers_watched_ = false;
}

void ThreadPool::wake_one() {
    if (idle_count_ > 0) {
        idle_.notify_one();
    } else if (timers_watched_) {
        watcher_.notify_one();
    }
}

void ThreadPool::watch_timers_elsewhere() {
    if (!timers_.empty() && !timers_watched_ && idle_count_ > 0) {
        idle_.notify_one();
    }
}

void ThreadPool::release_due_timers() {
    if (timers_.empty()) {
        return;
    }
    const SteadyTime now = clock_.steady();
    while (!timers_.empty() && timers_.begin()->first.first <= now) {
        timer_times_.erase(timers_.begin()->first.second);
        ready_.push_back(std::move(timers_.begin()->second));
        timers_.erase(timers_.begin());
    }
}

}  // namespace bascule::io
