#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "bus/broker/bus.h"

namespace bascule::simulator {

/// The database of an in-process consumer, as far as the bus promises anything about it: an inbox
/// row and an effect for every event, in one transaction that is durable when it ends.
///
/// Threads: one owner.
class Ledger {
  public:
    /// What is done for the first time has its effect.
    void commit(const std::vector<Offset>& done);

    /// Nothing below will be asked for any more.
    void advance(Offset low);

    broker::InboxState inbox() const;

    /// A copy of all of it, and what a person does who has nothing better.
    void copy() { copy_ = state_; }
    void restore() { state_ = copy_; }

    bool has(Offset offset) const { return state_.rows.contains(offset); }
    /// By event, how often its effect was done.
    const std::map<Offset, std::uint32_t>& effects() const { return state_.effects; }

  private:
    struct State {
        Offset low;
        std::set<Offset> rows;
        std::map<Offset, std::uint32_t> effects;
    };
    State state_;
    State copy_;
};

}  // namespace bascule::simulator
