#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "foundation/base/clock.h"

namespace bascule::http {

class Seats;

/// One connection's place among those that a server holds; given back when it is destroyed.
class Seat {
  public:
    Seat(Seats& seats, std::string peer, bool spare, SteadyTime now)
        : seats_(seats), peer_(std::move(peer)), spare_(spare), waits_since_(now) {}
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;
    ~Seat();

    /// The connection has no request under way: it may have to make room, the longest idle first.
    void waits(SteadyTime since) {
        receives_.store(false, std::memory_order_relaxed);
        waits_since_.store(since, std::memory_order_relaxed);
    }
    /// It waits for the rest of a request's body, of which something came last at `since`: once
    /// that is `receiving_patience` ago it may have to make room too, after those without a
    /// request.
    void receives(SteadyTime since) {
        waits_since_.store(since + receiving_patience, std::memory_order_relaxed);
        receives_.store(true, std::memory_order_relaxed);
    }
    /// It has one, and stays until that is answered. A seat begins as one that waits.
    void works() { waits_since_.store(SteadyTime::max(), std::memory_order_relaxed); }

    static constexpr auto receiving_patience = std::chrono::seconds(1);

    bool idle() const { return waits_since_.load(std::memory_order_relaxed) < SteadyTime::max(); }

    /// Beyond the limits: good for the paths that are always answered, and for a refusal.
    bool spare() const { return spare_; }

    /// What asks the connection to go. Called once at most, on the thread of `Seats::take`, with a
    /// lock held: it only posts. To be set before the next `take`.
    void when_wanted(std::function<void()> leave) { leave_ = std::move(leave); }

  private:
    friend Seats;

    Seats& seats_;
    const std::string peer_;
    const bool spare_;
    std::atomic<SteadyTime> waits_since_;  ///< it may go from then on
    std::atomic<bool> receives_ = false;   ///< it waits with half a request
    std::function<void()> leave_;
};

/// Who may be connected. Connecting costs an attacker nothing, so what does nothing may not keep
/// others out: at a limit the newcomer gets the seat of the connection that has been idle longest,
/// of the same peer at the peer's limit; if none is idle, of the one that has kept us waiting
/// longest for the rest of a body. Only if all of them work is the newcomer given a spare seat.
///
/// Threads:  `take` and `make_room` on one, the rest any. Lifetime: outlives its seats.
/// Cost:     a request takes no lock; a newcomer at a limit looks at every seat once.
class Seats {
  public:
    struct Limits {
        std::size_t all_max = 1024;
        std::size_t per_peer_max = 768;
        std::size_t spare_max = 16;
    };

    explicit Seats(Limits limits) : limits_(limits) {}

    /// Null when even the spare seats are taken by connections that work.
    std::unique_ptr<Seat> take(std::string_view peer, SteadyTime now);

    /// Sends the longest idle away, for a limit that somebody else has: descriptors. False when
    /// there is none.
    bool make_room(SteadyTime now);

  private:
    friend Seat;

    bool send_away(std::string_view peer, bool spare, SteadyTime now);
    void forget(Seat& seat);

    const Limits limits_;
    std::mutex mutex_;  ///< guards what follows
    std::unordered_set<Seat*> seats_;
    std::unordered_map<std::string, std::size_t> per_peer_;
    std::size_t spare_ = 0;
};

}  // namespace bascule::http
