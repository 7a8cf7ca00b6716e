#include "household/application/consumers/run.h"

#include <deque>
#include <map>

#include "foundation/base/check.h"
#include "household/application/stores/departed_users.h"

namespace bascule::application {

/// The length says where the source ends, whatever characters the two are made of.
std::string message_id(const event::EventView& event) {
    return std::to_string(event.source.size())
        .append(":")
        .append(event.source)
        .append("/")
        .append(event.event_id);
}

delivery::Outcome outcome_of(const Result<>& result) {
    if (result) {
        return delivery::Outcome::done();
    }
    const std::string& message = result.error().message();
    switch (result.error().kind()) {
        case ErrorKind::unavailable:
        case ErrorKind::exhausted:
        case ErrorKind::io:
        case ErrorKind::corrupt:  // damage of the database is no event's fault
            return delivery::Outcome::suspended(message);
        case ErrorKind::conflict:
            return delivery::Outcome::transient(message);
        case ErrorKind::invalid:
        case ErrorKind::not_found:
            break;
    }
    return delivery::Outcome::permanent(message);
}

Result<sql::inbox::Claim> claim(sql::Session& session, const Run& run, std::uint32_t part,
                                bool last_part) {
    const broker::DeliveredEvent& delivered = run.events().back();
    return sql::inbox::claim(session, {.consumer = run.consumer(),
                                       .message_id = message_id(delivered.event),
                                       .offset = delivered.offset.value(),
                                       .position = run.position_low().value(),
                                       .part = part,
                                       .last_part = last_part,
                                       .replay = delivered.event.replay_id});
}

Result<std::vector<const broker::DeliveredEvent*>> claim_all(sql::Session& session, const Run& run,
                                                             KnownBy known_by) {
    const bool by_place = known_by == KnownBy::place;
    std::deque<std::string> ids;
    std::vector<sql::inbox::Key> keys;
    for (const broker::DeliveredEvent& delivered : run.events()) {
        std::string id = by_place ? std::to_string(delivered.offset.value()) + "/" : "";
        id += message_id(delivered.event);
        keys.push_back({.consumer = run.consumer(),
                        .message_id = ids.emplace_back(std::move(id)),
                        .offset = delivered.offset.value(),
                        .position = run.position_low().value(),
                        .replay = by_place ? std::string_view() : delivered.event.replay_id});
    }
    const auto claims = TRY(sql::inbox::claim_all(session, keys));
    std::vector<const broker::DeliveredEvent*> fresh;
    for (std::size_t i = 0; i < claims.size(); ++i) {
        if (claims[i] == sql::inbox::Claim::fresh) {
            fresh.push_back(&run.events()[i]);
        }
    }
    return fresh;
}

Result<bool> is_of_departed_user(sql::Session& session, const broker::DeliveredEvent& delivered) {
    return departed_users::contains(session, delivered.event.user_id);
}

Result<> drop_departed_users(sql::Session& session,
                             std::vector<const broker::DeliveredEvent*>& events) {
    std::map<std::string_view, bool> departed;
    for (const broker::DeliveredEvent* delivered : events) {
        const auto [user, is_new] = departed.try_emplace(delivered->event.user_id, false);
        if (is_new) {
            user->second = TRY(is_of_departed_user(session, *delivered));
        }
    }
    std::erase_if(events, [&](const broker::DeliveredEvent* delivered) {
        return departed.at(delivered->event.user_id);
    });
    return {};
}

Result<> keep_position(sql::Session& session, const Run& run) {
    constexpr std::size_t rows_pruned_max = 256;
    const std::uint64_t low = run.position_low().value();
    if (low <= inbox_rows_kept) {
        return {};
    }
    TRY(sql::inbox::set_position(session, run.consumer(), low - inbox_rows_kept));
    TRY(sql::inbox::prune(session, run.consumer(), rows_pruned_max));
    return {};
}

namespace {

auto unit_of(const Environment& environment, SharedRun run, Effects effects) {
    return [&clock = environment.clock, run = std::move(run),
            effects = std::move(effects)](sql::Session& session) -> Result<> {
        CHECK(run->events().size() == 1);  // configuration refuses batches for these consumers
        const auto claimed = TRY(claim(session, *run));
        if (claimed == sql::inbox::Claim::seen) {
            return {};
        }
        TRY(keep_position(session, *run));
        if (TRY(is_of_departed_user(session, run->events().back()))) {
            return {};
        }
        auto unit =
            TRY(UnitOfWork::following(session, run->consumer(), run->event(), clock.wall()));
        TRY(effects(unit));
        return unit.finish();
    };
}

}  // namespace

void commit_once(const Environment& environment, const SharedRun& run, Effects effects) {
    environment.writer.submit_patiently(unit_of(environment, run, std::move(effects)),
                                        [run](const Result<>& result) { run->finish(result); });
}

void commit_once_alone(const Environment& environment, const SharedRun& run, Effects effects,
                       Resort resort) {
    environment.writer.submit_alone(
        unit_of(environment, run, std::move(effects)),
        [environment, run, resort = std::move(resort)](const Result<>& result) {
            if (outcome_of(result).kind != delivery::Outcome::Kind::permanent) {
                run->finish(result);
                return;
            }
            Effects instead = [resort, error = result.error()](UnitOfWork& unit) {
                return resort(unit, error);
            };
            environment.writer.submit_alone(unit_of(environment, run, std::move(instead)),
                                            [run](const Result<>& last) { run->finish(last); });
        });
}

}  // namespace bascule::application
