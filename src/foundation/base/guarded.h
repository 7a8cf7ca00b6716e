#pragma once

#include <mutex>
#include <shared_mutex>
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

/// A guarded value that many may read at once: for what is read on hot paths and seldom changed.
///
///     SharedGuarded<Names> names;
///     names.read([&](const auto& all) { return all.find(id); });
///     names.with([&](auto& all) { all.add(id); });
///
/// Threads: any. A reader must not call `with` inside; the lock does not grow.
template <class T>
class SharedGuarded {
  public:
    template <class... Args>
    explicit SharedGuarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

    template <class F>
    decltype(auto) read(F&& action) const {
        const std::shared_lock lock(mutex_);
        return std::forward<F>(action)(value_);
    }

    template <class F>
    decltype(auto) with(F&& action) {
        const std::unique_lock lock(mutex_);
        return std::forward<F>(action)(value_);
    }

  private:
    mutable std::shared_mutex mutex_;
    T value_;
};

}  // namespace bascule
