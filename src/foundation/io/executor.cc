#include "foundation/io/executor.h"

#include <utility>

namespace bascule::io {

/// The strand's claim on a thread. If the executor drops it unrun, everything that waited is
/// dropped too: tasks often own what owns their strand, and would keep each other alive.
class Strand::Turn {
  public:
    explicit Turn(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
    Turn(Turn&&) noexcept = default;
    ~Turn() {
        if (shared_) {
            std::deque<Task> dropped;  // destroyed outside the lock
            shared_->queue.with([&](Queue& queue) {
                dropped.swap(queue.waiting);
                queue.scheduled = false;
            });
        }
    }

    void operator()() {
        std::shared_ptr<Shared> shared = std::exchange(shared_, nullptr);
        for (int i = 0; i < run_max; ++i) {
            Task task = next(*shared);
            if (!task) {
                return;
            }
            task();
        }
        Executor& executor = shared->executor;
        executor.post(Turn(std::move(shared)));
    }

  private:
    static Task next(Shared& shared) {
        return shared.queue.with([](Queue& queue) {
            Task task;
            if (queue.waiting.empty()) {
                queue.scheduled = false;
            } else {
                task = std::move(queue.waiting.front());
                queue.waiting.pop_front();
            }
            return task;
        });
    }

    std::shared_ptr<Shared> shared_;
};

Strand::Strand(Executor& executor) : shared_(std::make_shared<Shared>(executor)) {}

void Strand::post(Task task) {
    const bool idle = shared_->queue.with([&](Queue& queue) {
        queue.waiting.push_back(std::move(task));
        return !std::exchange(queue.scheduled, true);
    });
    if (idle) {
        shared_->executor.post(Turn(shared_));
    }
}

}  // namespace bascule::io
