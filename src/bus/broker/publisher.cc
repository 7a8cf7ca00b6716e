#include "bus/broker/publisher.h"

#include <mutex>
#include <utility>

#include "bus/event/body.h"
#include "bus/event/validate.h"
#include "foundation/base/uuid.h"

namespace bascule::broker {

namespace {

/// Records of control have no key, no id and no target.
log::Record control_record(std::string body, std::uint32_t rule_version) {
    log::Record record;
    record.kind = log::RecordKind::control;
    record.rule_version = rule_version;
    record.body = std::move(body);
    return record;
}

std::optional<Rejected> refusal_of(const event::Event& event) {
    if (event.hops > event::hops_max) {
        return Rejected{.code = Rejected::Code::hop_limit,
                        .event_id = event.event_id,
                        .field = "",
                        .message = "stands " + std::to_string(event.hops) +
                                   " events deep in its chain of causes; at most " +
                                   std::to_string(event::hops_max) +
                                   " are allowed, so that a loop ends"};
    }
    const event::EventView view = event::view_of(event);
    const std::vector<event::Fault> faults = event::faults_of(view);
    if (faults.empty()) {
        return std::nullopt;
    }
    std::string message;
    for (const event::Fault& fault : faults) {
        message.append(message.empty() ? "" : "; ").append(fault.text());
    }
    return Rejected{.code = Rejected::Code::invalid_event,
                    .event_id = event.event_id,
                    .field = faults.front().pointer,
                    .message = std::move(message)};
}

Rejected rejected_by_log(const log::Rejected& rejected, std::string event_id) {
    Rejected answer{.event_id = std::move(event_id), .message = rejected.text};
    switch (rejected.reason) {
        case log::RejectReason::id_reused:
            answer.code = Rejected::Code::id_reused;
            break;
        case log::RejectReason::sequence_not_above:
            answer.code = Rejected::Code::sequence_not_above;
            break;
        case log::RejectReason::atomic_batch_failed:
            answer.code = Rejected::Code::atomic_batch_failed;
            break;
        case log::RejectReason::too_large:
            answer.code = Rejected::Code::too_large;
            break;
        case log::RejectReason::too_many_producers:
            answer.code = Rejected::Code::too_many_producers;
            break;
    }
    return answer;
}

log::Record record_of(const event::Event& event, const PublishOptions& options, std::size_t index) {
    const event::EventView view = event::view_of(event);
    log::Record record;
    record.kind = log::RecordKind::event;
    record.key_hash = event.user_id.empty() ? 0 : hash64(event.user_id);
    record.id_hash = event::id_hash(view);
    record.content_hash = event::content_hash(view).low;
    record.producer = options.producer;
    record.sequence = options.producer == 0 ? 0 : options.sequence + index;
    record.body = event::encode_body(view);
    return record;
}

}  // namespace

std::string_view name(Rejected::Code code) {
    switch (code) {
        case Rejected::Code::invalid_event:
            return "invalid_event";
        case Rejected::Code::too_large:
            return "too_large";
        case Rejected::Code::hop_limit:
            return "hop_limit";
        case Rejected::Code::id_reused:
            return "id_reused";
        case Rejected::Code::sequence_not_above:
            return "sequence_not_above";
        case Rejected::Code::atomic_batch_failed:
            return "atomic_batch_failed";
        case Rejected::Code::too_many_producers:
            return "too_many_producers";
    }
    return "unknown";
}

Publisher::Publisher(log::Log& log, TargetSets& sets, const Clock& clock,
                     std::shared_ptr<const Routing> routing)
    : log_(log), sets_(sets), clock_(clock), routing_(std::move(routing)) {}

std::shared_ptr<const Routing> Publisher::routing() const {
    const std::shared_lock lock(routing_mutex_);
    return routing_;
}

Result<std::uint32_t> Publisher::target_set_of(const Routing& routing, const event::Event& event) {
    return sets_.intern(routing.match(event::view_of(event)), [&](std::string body) -> Result<> {
        std::vector<log::Record> records;
        records.push_back(control_record(std::move(body), 0));
        // Its outcome needs no care: should the log fail, it also refuses what follows.
        log_.append(std::move(records), log::Atomicity::each, [](auto) {});
        return {};
    });
}

Result<> Publisher::append(std::vector<log::Record>& records, std::vector<event::Event>& events,
                           std::vector<std::uint32_t>& target_sets, log::Atomicity atomicity,
                           io::Completion<std::vector<log::AppendOutcome>> done) {
    std::shared_ptr<const Routing> matched;
    for (;;) {
        const std::shared_ptr<const Routing> now = routing();
        if (now != matched) {
            for (std::size_t i = 0; i < records.size(); ++i) {
                records[i].target_set = TRY(target_set_of(*now, events[i]));
                target_sets[i] = records[i].target_set;
                records[i].rule_version = now->version();
            }
            matched = now;
        }
        const std::shared_lock lock(routing_mutex_);
        if (routing_ == matched) {
            log_.append(std::move(records), atomicity, std::move(done));
            return {};
        }
    }
}

void Publisher::publish(std::vector<event::Event> events, const PublishOptions& options,
                        io::Completion<std::vector<PublishResult>> done) {
    if (events.empty() || events.size() > publish_events_max) {
        done(fail(ErrorKind::invalid, "a publish call holds " + std::to_string(events.size()) +
                                          " events; 1 to " + std::to_string(publish_events_max) +
                                          " are allowed"));
        return;
    }
    const WallTime now = clock_.wall();
    std::vector<PublishResult> results(events.size());
    std::vector<event::Event> good;
    std::vector<std::size_t> places;
    std::vector<log::Record> records;
    for (std::size_t i = 0; i < events.size(); ++i) {
        event::stamp_missing(events[i], events[i].event_id.empty() ? new_uuid() : "", now);
        if (auto refusal = refusal_of(events[i])) {
            results[i] = std::move(*refusal);
            continue;
        }
        records.push_back(record_of(events[i], options, i));
        places.push_back(i);
        good.push_back(std::move(events[i]));
    }
    const bool all_good = good.size() == results.size();
    if (!all_good && options.atomicity == Atomicity::all) {
        for (std::size_t i = 0; i < good.size(); ++i) {
            results[places[i]] = Rejected{.code = Rejected::Code::atomic_batch_failed,
                                          .event_id = good[i].event_id,
                                          .message = "another event of the batch was rejected"};
        }
        good.clear();
    }
    counts_->rejected += results.size() - good.size();
    if (good.empty()) {
        done(std::move(results));
        return;
    }

    std::vector<std::string> ids;
    std::uint64_t bytes = 0;
    ids.reserve(good.size());
    for (std::size_t i = 0; i < good.size(); ++i) {
        ids.push_back(good[i].event_id);
        bytes += records[i].body.size();
    }
    const auto target_sets = std::make_shared<std::vector<std::uint32_t>>(good.size());
    // The completion must survive a failed preparation, so both ways share it.
    const auto answer =
        std::make_shared<io::Completion<std::vector<PublishResult>>>(std::move(done));
    auto finish = [answer, results = std::move(results), places = std::move(places),
                   ids = std::move(ids), target_sets, counts = counts_,
                   bytes](Result<std::vector<log::AppendOutcome>> outcomes) mutable {
        if (!outcomes) {
            (*answer)(std::unexpected(std::move(outcomes).error()));
            return;
        }
        counts->bytes += bytes;
        for (std::size_t i = 0; i < outcomes->size(); ++i) {
            PublishResult& result = results[places[i]];
            if (const auto* accepted = std::get_if<log::Accepted>(&(*outcomes)[i])) {
                ++counts->accepted;
                counts->unrouted += (*target_sets)[i] == 0 ? 1 : 0;
                result = Accepted{.event_id = std::move(ids[i]),
                                  .offset = accepted->offset,
                                  .recorded = accepted->recorded};
            } else if (const auto* duplicate = std::get_if<log::Duplicate>(&(*outcomes)[i])) {
                ++counts->duplicates;
                result = Duplicate{.event_id = std::move(ids[i]), .first = duplicate->first};
            } else {
                ++counts->rejected;
                result =
                    rejected_by_log(std::get<log::Rejected>((*outcomes)[i]), std::move(ids[i]));
            }
        }
        (*answer)(std::move(results));
    };
    const auto atomicity =
        options.atomicity == Atomicity::all ? log::Atomicity::all : log::Atomicity::each;
    if (auto appended = append(records, good, *target_sets, atomicity, std::move(finish));
        !appended) {
        (*answer)(std::unexpected(std::move(appended).error()));
    }
}

void Publisher::change_routing(std::shared_ptr<const Routing> next, io::Completion<Offset> done) {
    std::vector<log::Record> records;
    records.push_back(control_record(next->encode(), next->version()));
    const std::unique_lock lock(routing_mutex_);
    routing_ = std::move(next);
    log_.append(
        std::move(records), log::Atomicity::each,
        [done = std::move(done)](Result<std::vector<log::AppendOutcome>> outcomes) mutable {
            if (!outcomes) {
                done(std::unexpected(std::move(outcomes).error()));
            } else if (const auto* accepted = std::get_if<log::Accepted>(&outcomes->front())) {
                done(accepted->offset);
            } else {
                done(fail(ErrorKind::invalid, std::get<log::Rejected>(outcomes->front()).text));
            }
        });
}

}  // namespace bascule::broker
