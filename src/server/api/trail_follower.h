#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "foundation/base/guarded.h"
#include "foundation/base/offset.h"
#include "server/api/services.h"

namespace bascule::api {

/// How far an answer from the audit trail reaches.
struct TrailReach {
    Offset end;            ///< every event below is in the trail
    bool complete = true;  ///< nothing that the log held when asked is missing
};

/// Reads your own writes in the audit trail, which follows the log by moments.
///
/// `when_current` waits until the trail holds what the log held at the call, without a thread:
/// each commit of the trail looks who can go on. After wait_max it goes on all the same and says
/// how far the trail reaches.
///
/// Threads:   any. Lifetime: the services outlive it; commits that come later find it gone.
/// Cost:      an index lookup where nothing was published meanwhile; else a read of the log's tail.
class TrailFollower : public std::enable_shared_from_this<TrailFollower> {
  public:
    static constexpr std::chrono::milliseconds wait_max{2000};

    /// Listens to the trail's commits.
    static std::shared_ptr<TrailFollower> create(const Services& services);
    explicit TrailFollower(const Services& services) : services_(services) {}

    /// Calls `then` on a reader's thread, where it may block.
    void when_current(std::move_only_function<void(Result<TrailReach>)> then);

  private:
    struct Waiter;
    struct Waiting {
        std::vector<std::shared_ptr<Waiter>> waiters;
        bool looking = false;  ///< a look at the trail is under way
        bool again = false;    ///< and another is wanted
    };

    void begin(const std::shared_ptr<Waiter>& waiter);
    void committed();
    void look();
    void expire(const std::shared_ptr<Waiter>& waiter);
    /// Takes it off those that wait, with its timer; nothing if somebody else did.
    std::optional<io::TimerId> take(const std::shared_ptr<Waiter>& waiter);

    const Services& services_;
    Guarded<Waiting> waiting_;
};

}  // namespace bascule::api
