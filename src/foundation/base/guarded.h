#pragma once

#include <mutex>
#include <utility>

namespace bascule {

/// A value that can be reached only under its lock.
///
///     Guarded<std::map<Id, Session>> sessions;
///     sessions.with([&](auto& map) { map.erase(id); });
///
/// Threads: any. Hold it shortly and call nothing of unknown length inside; the order in which
/// locks nest is in docs/internals/threads.md.
template <class T>
class Guarded {
  public:
    template <class... Args>
    explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

    template <class F>
    decltype(auto) with(F&& action) {
        const std::lock_guard lock(mutex_);
        return std::forward<F>(action)(value_);
    }

    template <class F>
    decltype(auto) with(F&& action) const {
        const std::lock_guard lock(mutex_);
        return std::forward<F>(action)(std::as_const(value_));
    }

  private:
    mutable std::mutex mutex_;
    T value_;
};

}  // namespace bascule
