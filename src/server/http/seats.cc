#include "server/http/seats.h"

#include <utility>

namespace bascule::http {

namespace {

constexpr std::string_view any_peer;

}  // namespace

Seat::~Seat() {
    const std::lock_guard lock(seats_.mutex_);
    seats_.forget(*this);
}

std::unique_ptr<Seat> Seats::take(std::string_view peer, SteadyTime now) {
    const std::lock_guard lock(mutex_);
    const auto of_peer = per_peer_.find(std::string(peer));
    bool spare = of_peer != per_peer_.end() && of_peer->second >= limits_.per_peer_max &&
                 !send_away(peer, false, now);
    if (!spare && seats_.size() - spare_ >= limits_.all_max) {
        spare = !send_away(any_peer, false, now);
    }
    if (spare && spare_ >= limits_.spare_max && !send_away(any_peer, true, now)) {
        return nullptr;
    }
    auto seat = std::make_unique<Seat>(*this, std::string(peer), spare, now);
    seats_.insert(seat.get());
    spare ? ++spare_ : ++per_peer_[seat->peer_];
    return seat;
}

bool Seats::make_room(SteadyTime now) {
    const std::lock_guard lock(mutex_);
    return send_away(any_peer, false, now) || send_away(any_peer, true, now);
}

/// Its place is free at once; the connection itself ends when its thread comes to it.
bool Seats::send_away(std::string_view peer, bool spare, SteadyTime now) {
    Seat* longest = nullptr;
    auto first = std::pair(true, now);  // those that receive come after the idle
    for (Seat* seat : seats_) {
        const auto turn = std::pair(seat->receives_.load(std::memory_order_relaxed),
                                    seat->waits_since_.load(std::memory_order_relaxed));
        // A seat may have begun to wait on another thread after `now` was looked up.
        const bool may_go = turn.second <= now || (!turn.first && turn.second != SteadyTime::max());
        if (may_go && seat->spare_ == spare && (longest == nullptr || turn < first) &&
            (peer == any_peer || seat->peer_ == peer)) {
            longest = seat;
            first = turn;
        }
    }
    if (longest == nullptr) {
        return false;
    }
    forget(*longest);
    if (longest->leave_) {
        longest->leave_();
    }
    return true;
}

void Seats::forget(Seat& seat) {
    if (seats_.erase(&seat) == 0) {
        return;  // it was sent away before
    }
    if (seat.spare_) {
        --spare_;
    } else if (const auto of_peer = per_peer_.find(seat.peer_); --of_peer->second == 0) {
        per_peer_.erase(of_peer);
    }
}

}  // namespace bascule::http
