#include "server/http/seats.h"

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
                 !send_away(peer, false);
    if (!spare && seats_.size() - spare_ >= limits_.all_max) {
        spare = !send_away(any_peer, false);
    }
    if (spare && spare_ >= limits_.spare_max && !send_away(any_peer, true)) {
        return nullptr;
    }
    auto seat = std::make_unique<Seat>(*this, std::string(peer), spare, now);
    seats_.insert(seat.get());
    spare ? ++spare_ : ++per_peer_[seat->peer_];
    return seat;
}

bool Seats::make_room() {
    const std::lock_guard lock(mutex_);
    return send_away(any_peer, false) || send_away(any_peer, true);
}

/// Its place is free at once; the connection itself ends when its thread comes to it.
bool Seats::send_away(std::string_view peer, bool spare) {
    Seat* longest = nullptr;
    SteadyTime since = SteadyTime::max();
    for (Seat* seat : seats_) {
        const SteadyTime waits = seat->waits_since_.load(std::memory_order_relaxed);
        if (seat->spare_ == spare && waits < since && (peer == any_peer || seat->peer_ == peer)) {
            longest = seat;
            since = waits;
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
