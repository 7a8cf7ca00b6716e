#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "foundation/io/completion.h"

namespace bascule::io {

namespace detail {

/// Where a blocked caller and a completion meet.
template <class T>
class Meeting {
  public:
    void arrive(Result<T> result) {
        const std::lock_guard lock(mutex_);
        result_.emplace(std::move(result));
        arrived_.notify_one();
    }

    Result<T> wait() {
        std::unique_lock lock(mutex_);
        while (!result_) {
            arrived_.wait(lock);
        }
        return *std::move(result_);
    }

  private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::optional<Result<T>> result_;
};

/// Brings a result, or the news that there will be none.
template <class T>
class Messenger {
  public:
    explicit Messenger(std::shared_ptr<Meeting<T>> meeting) : meeting_(std::move(meeting)) {}
    Messenger(Messenger&&) noexcept = default;
    ~Messenger() {
        if (meeting_) {
            meeting_->arrive(fail(ErrorKind::unavailable, "dropped: its executor was stopped"));
        }
    }

    void operator()(Result<T> result) {
        std::exchange(meeting_, nullptr)->arrive(std::move(result));
    }

  private:
    std::shared_ptr<Meeting<T>> meeting_;
};

}  // namespace detail

/// Starts an asynchronous operation and blocks until it completes: for main, the CLI and tests.
///
///     Result<> synced = io::wait_for<>([&](auto done) { file->sync(std::move(done)); });
///
/// Never on a thread of an executor that the operation may need, which is every executor thread:
/// two of these facing each other wait for ever. `sim::wait_for` is the one for virtual time.
/// Errors: the operation's own; `unavailable` when its completion was destroyed uncalled.
template <class T = void, class Start>
Result<T> wait_for(Start&& start) {
    const auto meeting = std::make_shared<detail::Meeting<T>>();
    std::forward<Start>(start)(Completion<T>(detail::Messenger<T>(meeting)));
    return meeting->wait();
}

}  // namespace bascule::io
