#include "server/api/trail_follower.h"

#include <algorithm>
#include <utility>

#include "bus/event/body.h"

namespace bascule::api {

namespace {

/// A trail that is further behind is not looked through: it is behind.
constexpr std::uint64_t tail_records_max = 4096;

constexpr std::string_view audit_consumer = "audit";

/// Behind the last event of [from, end) that is for the trail; `from` where none is. What cannot be
/// read counts as one.
Offset end_of_events(const broker::Bus& bus, Offset from, Offset end) {
    if (end.value() - from.value() > tail_records_max) {
        return end;
    }
    Offset last = from;
    for (Offset next = std::max(from, bus.log().begin()); next < end;) {
        const auto batch = bus.log().read(next, {.records_max = 256});
        if (!batch) {
            return end;
        }
        for (const log::RecordView& record : batch->records()) {
            if (record.kind != log::RecordKind::event || !(record.offset < end)) {
                continue;
            }
            const auto view = event::decode_body(record.body);
            const auto targets = view ? bus.would_receive(event::owned(*view))
                                      : std::vector<std::string>{std::string(audit_consumer)};
            if (std::ranges::find(targets, audit_consumer) != targets.end()) {
                last = bascule::next(record.offset);
            }
        }
        next = batch->next();
    }
    return last;
}

}  // namespace

struct TrailFollower::Waiter {
    Offset log_end;        ///< when asked
    Offset wanted;         ///< the trail's end that is enough
    io::TimerId timer{0};  ///< may be set after a commit took the waiter: then it fires in vain
    std::move_only_function<void(Result<TrailReach>)> then;
};

std::shared_ptr<TrailFollower> TrailFollower::create(const Services& services) {
    auto follower = std::make_shared<TrailFollower>(services);
    services.audit.on_commit([weak = std::weak_ptr(follower)] {
        if (const auto self = weak.lock()) {
            self->committed();
        }
    });
    return follower;
}

void TrailFollower::when_current(std::move_only_function<void(Result<TrailReach>)> then) {
    auto waiter = std::make_shared<Waiter>();
    waiter->log_end = services_.bus.log().end();
    waiter->then = std::move(then);
    services_.readers.post([self = shared_from_this(), waiter] { self->begin(waiter); });
}

void TrailFollower::begin(const std::shared_ptr<Waiter>& waiter) {
    const auto end = services_.audit.end();
    if (!end) {
        waiter->then(std::unexpected(end.error()));
        return;
    }
    waiter->wanted =
        *end < waiter->log_end ? end_of_events(services_.bus, *end, waiter->log_end) : *end;
    if (waiter->wanted <= *end) {
        waiter->then(TrailReach{.end = std::max(*end, waiter->log_end)});
        return;
    }
    waiting_.with([&](Waiting& waiting) { waiting.waiters.push_back(waiter); });
    const io::TimerId timer =
        services_.readers.post_at(services_.readers.clock().steady() + wait_max,
                                  [self = shared_from_this(), waiter] { self->expire(waiter); });
    waiting_.with([&](const Waiting&) { waiter->timer = timer; });
    committed();  // the commit may have been between the look and the wait
}

void TrailFollower::committed() {
    const bool starts = waiting_.with([](Waiting& waiting) {
        if (waiting.waiters.empty()) {
            return false;
        }
        waiting.again = waiting.looking;
        return !std::exchange(waiting.looking, true);
    });
    if (starts) {
        services_.readers.post([self = shared_from_this()] { self->look(); });
    }
}

/// One look for all: who waits for less than the trail has goes on.
void TrailFollower::look() {
    const auto end = services_.audit.end();
    std::vector<std::shared_ptr<Waiter>> ready;
    const bool again = waiting_.with([&](Waiting& waiting) {
        for (const auto& waiter : waiting.waiters) {
            if (!end || waiter->wanted <= *end) {
                ready.push_back(waiter);
            }
        }
        return waiting.looking = std::exchange(waiting.again, false);
    });
    for (const auto& waiter : ready) {
        const auto timer = take(waiter);
        if (!timer) {
            continue;
        }
        services_.readers.cancel(*timer);
        if (end) {
            waiter->then(TrailReach{.end = std::max(*end, waiter->log_end)});
        } else {
            waiter->then(std::unexpected(end.error()));
        }
    }
    if (again) {
        services_.readers.post([self = shared_from_this()] { self->look(); });
    }
}

void TrailFollower::expire(const std::shared_ptr<Waiter>& waiter) {
    if (!take(waiter)) {
        return;
    }
    const auto end = services_.audit.end();
    if (end) {
        waiter->then(TrailReach{.end = *end, .complete = waiter->wanted <= *end});
    } else {
        waiter->then(std::unexpected(end.error()));
    }
}

std::optional<io::TimerId> TrailFollower::take(const std::shared_ptr<Waiter>& waiter) {
    return waiting_.with([&](Waiting& waiting) {
        return std::erase(waiting.waiters, waiter) > 0 ? std::optional(waiter->timer)
                                                       : std::nullopt;
    });
}

}  // namespace bascule::api
