#include <algorithm>
#include <utility>

#include "bus/broker/bus_state.h"

namespace bascule::broker {

/// Whether the consumer keeps data from retention: one that was removed does for a week.
bool BusState::pins(ConsumerNumber number) const {
    const auto routing = publisher->routing();
    const Routing::Consumer* consumer = routing->find(number);
    return consumer != nullptr &&
           (!consumer->removed || now().wall - *consumer->removed <= Routing::removed_kept);
}

/// The first offset that some consumer may still need.
Offset BusState::needed_from() const {
    const auto routing = publisher->routing();
    Offset keep_from = log->end();
    for (const auto& [number, consumer] : consumers) {
        if (pins(number)) {
            keep_from = std::min(keep_from, consumer->machine().position());
        }
    }
    // Nobody can tell the database of one that does not run.
    const auto inbox_low = [&](const std::string& name) {
        return attached.with([&](const auto& map) {
            const auto found = map.find(name);
            return found != map.end() && found->second.inbox ? found->second.inbox->low
                                                             : Offset(UINT64_MAX);
        });
    };
    for (const auto& [number, state] : recovered) {
        if (pins(number)) {
            keep_from =
                std::min({keep_from, state.settled.low(), inbox_low(routing->find(number)->name)});
        }
    }
    return keep_from;
}

void BusState::apply_retention() {
    if (!log || (options.log.retention.age.count() == 0 && options.log.retention.bytes == 0)) {
        return;
    }
    const Offset end = log->retention_end(needed_from());
    if (end == log->begin()) {
        return;
    }
    // First no power cut may take a position back behind it, then the databases may let go of what
    // is below.
    confirm_when_durable([weak = weak_from_this(), end](const Result<>& kept) {
        if (const auto self = weak.lock(); self && self->log && kept && self->inboxes_know(end)) {
            // Meanwhile a consumer may have come that begins with what is stored, or one may have
            // gone back. Its failure is not the bus's: the log tells it in its status, the next
            // round tries again.
            static_cast<void>(self->log->apply_retention(std::min(end, self->needed_from())));
        }
    });
}

/// Whether every database knows that the log is about to begin at `end`; those that do not are told
/// and the next round asks again.
bool BusState::inboxes_know(Offset end) {
    bool all = true;
    for (const auto& [number, consumer] : consumers) {
        auto& inbox = consumer->inbox();
        if (!inbox || inbox->low >= end || !pins(number)) {
            continue;
        }
        all = false;
        if (inbox->advance && !std::exchange(inbox->advancing, true)) {
            inbox->advance(end, [weak = weak_from_this(), number, end](const Result<>& noted) {
                if (const auto self = weak.lock()) {
                    self->on_strand([number, end, done = noted.has_value()](BusState& state) {
                        state.inbox_advanced(number, end, done);
                    });
                }
            });
        }
    }
    return all;
}

void BusState::inbox_advanced(ConsumerNumber number, Offset low, bool done) {
    const auto found = consumers.find(number);
    if (found == consumers.end() || !found->second->inbox()) {
        return;
    }
    auto& inbox = *found->second->inbox();
    inbox.advancing = false;
    if (done) {
        inbox.low = std::max(inbox.low, low);
        apply_retention();
    }
}

}  // namespace bascule::broker
