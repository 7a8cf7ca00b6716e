#include "bus/broker/publisher.h"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include "bus/event/body.h"
#include "bus/event/validate.h"
#include "foundation/base/check.h"
#include "foundation/base/guarded.h"
#include "foundation/base/hash.h"
#include "foundation/base/uuid.h"

namespace bascule::broker {

namespace {

/// What is set aside for the bodies of a call before the first one is in it.
constexpr std::size_t expected_bytes_max = 256 << 10;

/// Records of control have no key, no id and no target.
log::Record control_record(std::uint32_t rule_version) {
    return {.kind = log::RecordKind::control, .rule_version = rule_version};
}

std::optional<Rejected> refusal_of(const event::EventView& event) {
    if (event.hops > event::hops_max) {
        return Rejected{.code = Rejected::Code::hop_limit,
                        .event_id = std::string(event.event_id),
                        .field = "",
                        .message = "stands " + std::to_string(event.hops) +
                                   " events deep in its chain of causes; at most " +
                                   std::to_string(event::hops_max) +
                                   " are allowed, so that a loop ends"};
    }
    const std::vector<event::Fault> faults = event::faults_of(event);
    if (faults.empty()) {
        return std::nullopt;
    }
    std::string message;
    for (const event::Fault& fault : faults) {
        message.append(message.empty() ? "" : "; ").append(fault.text());
    }
    return Rejected{.code = Rejected::Code::invalid_event,
                    .event_id = std::string(event.event_id),
                    .field = faults.front().pointer,
                    .message = std::move(message)};
}

Rejected undecided(std::string event_id) {
    return {.code = Rejected::Code::undecided,
            .event_id = std::move(event_id),
            .message =
                "its arrays of objects leave a rule more choices of elements than are "
                "tried, so it cannot be said who gets it; send it in smaller parts, or "
                "simplify the rule that `bascule pattern explain` calls undecided"};
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

log::Record record_of(const event::EventView& event, const PublishOptions& options,
                      std::size_t index) {
    return {.kind = log::RecordKind::event,
            .key_hash = event.user_id.empty() ? 0 : hash64(event.user_id),
            .id_hash = event::id_hash(event),
            .content_hash = event::content_hash(event).low,
            .producer = options.producer,
            .sequence = options.producer == 0 ? 0 : options.sequence + index};
}

/// A control record without id and producer that fits a frame is refused for no reason.
Offset accepted_at(const log::AppendOutcome& outcome) {
    const auto* accepted = std::get_if<log::Accepted>(&outcome);
    CHECK(accepted != nullptr);
    return accepted->offset;
}

/// Not from here: whoever publishes again when it is told would come deeper with every answer.
template <class T>
void answer(io::Executor& executor, io::Completion<T> done,
            std::type_identity_t<Result<T>> result) {
    executor.post([done = std::move(done), result = std::move(result)]() mutable {
        done(std::move(result));
    });
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
        case Rejected::Code::undecided:
            return "undecided";
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

Publisher::Publisher(log::Log& log, std::shared_ptr<TargetSets> sets, io::Executor& executor,
                     std::shared_ptr<const Routing> routing)
    : log_(log),
      sets_(std::move(sets)),
      executor_(executor),
      in_force_(std::make_shared<InForce>(Rules{.routing = std::move(routing)})) {}

std::shared_ptr<const Routing> Publisher::routing() const {
    return in_force_->read([](const Rules& rules) { return rules.routing; });
}

/// One publish call on its way: what was good enough to be appended, and the answers so far.
///
/// The events themselves are gone once they are encoded: their memory is given back by the thread
/// that filled it, and what is asked of them later stands in the body.
struct Publisher::Call {
    std::vector<PublishResult> results;  ///< one per event given, with its id from the start
    std::vector<std::size_t> places;     ///< in `results`, of the records
    log::RecordBatch batch;
    std::vector<std::uint32_t> target_sets;  ///< of the records
    std::vector<std::uint32_t> definitions;  ///< sets that the batch defines
    std::size_t definition_records = 0;      ///< in which it does, at its head
    log::Atomicity atomicity = log::Atomicity::each;
    std::uint64_t bytes = 0;  ///< of events' bodies
    io::Completion<std::vector<PublishResult>> done;

    bool empty() const { return places.empty(); }

    std::string take_id(std::size_t place) {
        return std::move(std::get<Accepted>(results[place]).event_id);
    }

    /// Nothing is left to be appended if one event of a batch that is all or nothing was refused.
    void reject_the_rest_of_a_refused_batch() {
        if (atomicity == log::Atomicity::each || places.size() == results.size()) {
            return;
        }
        for (const std::size_t place : places) {
            results[place] = Rejected{.code = Rejected::Code::atomic_batch_failed,
                                      .event_id = take_id(place),
                                      .message = "another event of the batch was rejected"};
        }
        places.clear();
        batch = {};
    }
};

std::shared_ptr<Publisher::Call> Publisher::prepare(
    std::vector<event::Event> events, const PublishOptions& options,
    io::Completion<std::vector<PublishResult>> done) const {
    auto call = std::make_shared<Call>();
    call->done = std::move(done);
    call->atomicity =
        options.atomicity == Atomicity::all ? log::Atomicity::all : log::Atomicity::each;
    call->results.resize(events.size());
    call->places.reserve(events.size());
    call->batch.records.reserve(events.size());
    const WallTime now = executor_.clock().wall();
    for (std::size_t i = 0; i < events.size(); ++i) {
        event::Event& event = events[i];
        event::stamp_missing(event, event.event_id.empty() ? new_uuid() : "", now);
        const event::EventView view = event::view_of(event);
        if (auto refusal = refusal_of(view)) {
            call->results[i] = std::move(*refusal);
            continue;
        }
        log::RecordBatch& batch = call->batch;
        if (batch.records.empty()) {  // the others will be about as large
            batch.bodies.reserve(std::min(event::body_bytes(view) * (events.size() - i) * 9 / 8,
                                          expected_bytes_max));
        }
        batch.records.push_back(record_of(view, options, i));
        const std::size_t before = batch.bodies.size();
        event::append_body(batch.bodies, view);
        batch.records.back().body_bytes = static_cast<std::uint32_t>(batch.bodies.size() - before);
        call->places.push_back(i);
        call->results[i] = Accepted{.event_id = std::move(event.event_id)};
    }
    call->reject_the_rest_of_a_refused_batch();
    counts_->rejected += call->results.size() - call->places.size();
    return call;
}

void Publisher::match(Call& call, const Routing& routing) const {
    call.target_sets.clear();
    call.definitions.clear();
    TargetSets::Set targets;
    log::RecordBatch& batch = call.batch;
    std::vector<std::size_t> undecided_records;
    std::string_view bodies = batch.bodies;
    for (std::size_t i = 0; i < batch.records.size(); ++i) {
        log::Record& record = batch.records[i];
        const auto event = event::decode_body(bodies.substr(0, record.body_bytes));
        CHECK(event);
        bodies.remove_prefix(record.body_bytes);
        if (routing.match(*event, targets) == Routing::Decided::no) {
            undecided_records.push_back(i);
            continue;
        }
        const auto [set, defined] = sets_->intern(targets);
        record.target_set = set;
        record.rule_version = routing.version();
        call.target_sets.push_back(set);
        if (!defined && std::ranges::find(call.definitions, set) == call.definitions.end()) {
            call.definitions.push_back(set);
        }
    }
    if (!undecided_records.empty()) {
        reject_undecided(call, undecided_records);
    }
}

void Publisher::reject_undecided(Call& call, std::span<const std::size_t> records) const {
    log::RecordBatch kept;
    std::vector<std::size_t> places;
    std::string_view bodies = call.batch.bodies;
    for (std::size_t i = 0; i < call.batch.records.size(); ++i) {
        const log::Record& record = call.batch.records[i];
        const std::size_t place = call.places[i];
        if (std::ranges::binary_search(records, i)) {
            call.results[place] = undecided(call.take_id(place));
        } else {
            kept.add(record, bodies.substr(0, record.body_bytes));
            places.push_back(place);
        }
        bodies.remove_prefix(record.body_bytes);
    }
    call.batch = std::move(kept);
    call.places = std::move(places);
    counts_->undecided += records.size();
    const std::size_t before = call.places.size();
    call.reject_the_rest_of_a_refused_batch();
    counts_->rejected += records.size() + before - call.places.size();
}

void Publisher::prepend_definitions(Call& call) const {
    if (call.definitions.empty()) {
        return;
    }
    log::RecordBatch batch;
    for (const std::string& body : sets_->definitions(call.definitions)) {
        batch.add(control_record(0), body);
    }
    call.definition_records = batch.records.size();
    batch.records.insert(batch.records.end(), call.batch.records.begin(), call.batch.records.end());
    batch.bodies += call.batch.bodies;
    call.batch = std::move(batch);
}

Result<> Publisher::append(const std::shared_ptr<Call>& call) {
    std::shared_ptr<const Routing> matched;
    for (;;) {
        const std::shared_ptr<const Routing> now = routing();
        if (now != matched) {
            match(*call, *now);
            matched = now;
        }
        if (call->empty()) {
            answer(executor_, std::move(call->done), std::move(call->results));
            return {};
        }
        const auto appended = in_force_->read([&](const Rules& rules) -> std::optional<Result<>> {
            if (rules.routing != matched) {
                return std::nullopt;
            }
            call->bytes = call->batch.bodies.size();
            prepend_definitions(*call);
            return log_.append(std::move(call->batch), call->atomicity,
                               [call, sets = sets_, counts = counts_](auto outcomes) {
                                   finish(*call, *sets, *counts, std::move(outcomes));
                               });
        });
        if (appended) {
            return *appended;
        }
    }
}

void Publisher::finish(Call& call, TargetSets& sets, PublishCounts& counts,
                       Result<std::vector<log::AppendOutcome>> outcomes) {
    if (!outcomes) {
        call.done(std::unexpected(std::move(outcomes).error()));
        return;
    }
    if (call.definition_records > 0) {
        const auto accepted = [](const log::AppendOutcome& outcome) {
            return std::holds_alternative<log::Accepted>(outcome);
        };
        const auto events =
            outcomes->begin() + static_cast<std::ptrdiff_t>(call.definition_records);
        // A batch that is refused whole takes its definitions along: the next one brings them
        // again. An event without the definition of its set would be lost to whoever gets it.
        if (std::all_of(outcomes->begin(), events, accepted)) {
            sets.mark_defined(call.definitions);
        } else {
            CHECK(std::none_of(events, outcomes->end(), accepted));
        }
        outcomes->erase(outcomes->begin(), events);
    }
    std::uint64_t accepted_count = 0;
    std::uint64_t unrouted = 0;
    std::uint64_t duplicates = 0;
    for (std::size_t i = 0; i < outcomes->size(); ++i) {
        const std::size_t place = call.places[i];
        PublishResult& result = call.results[place];
        if (const auto* accepted = std::get_if<log::Accepted>(&(*outcomes)[i])) {
            ++accepted_count;
            unrouted += call.target_sets[i] == 0 ? 1 : 0;
            auto& answer = std::get<Accepted>(result);
            answer.offset = accepted->offset;
            answer.recorded = accepted->recorded;
        } else if (const auto* duplicate = std::get_if<log::Duplicate>(&(*outcomes)[i])) {
            ++duplicates;
            result = Duplicate{.event_id = call.take_id(place), .first = duplicate->first};
        } else {
            result = rejected_by_log(std::get<log::Rejected>((*outcomes)[i]), call.take_id(place));
        }
    }
    counts.bytes += call.bytes;
    counts.accepted += accepted_count;
    counts.unrouted += unrouted;
    counts.duplicates += duplicates;
    counts.rejected += outcomes->size() - accepted_count - duplicates;
    call.done(std::move(call.results));
}

void Publisher::publish(std::vector<event::Event> events, const PublishOptions& options,
                        io::Completion<std::vector<PublishResult>> done) {
    if (events.empty() || events.size() > publish_events_max) {
        answer(executor_, std::move(done),
               fail(ErrorKind::invalid, "a publish call holds " + std::to_string(events.size()) +
                                            " events; 1 to " + std::to_string(publish_events_max) +
                                            " are allowed"));
        return;
    }
    const auto call = prepare(std::move(events), options, std::move(done));
    if (auto appended = append(call); !appended) {
        answer(executor_, std::move(call->done), std::unexpected(std::move(appended).error()));
    }
}

void Publisher::change_routing(std::shared_ptr<const Routing> next, io::Completion<Offset> done) {
    log::RecordBatch batch;
    batch.add(control_record(next->version()), next->encode());
    const std::size_t bytes = batch.bodies.size();
    // Before they are in force: what is published meanwhile would be matched with them.
    if (!log_.fits(1, bytes)) {
        answer(executor_, std::move(done),
               fail(ErrorKind::invalid, "the rules take " + std::to_string(bytes) +
                                            " bytes, which is more than a record of the log can "
                                            "hold: fewer or shorter rules are needed"));
        return;
    }
    const auto told = std::make_shared<io::Completion<Offset>>(std::move(done));
    auto appended = in_force_->with([&](Rules& rules) {
        CHECK(!rules.changing);
        // In force as soon as it is on its way; back to what was before if it does not arrive.
        auto finished = [in_force = in_force_, told, before = rules.routing](
                            const Result<std::vector<log::AppendOutcome>>& outcomes) {
            Result<Offset> result = outcomes ? Result<Offset>(accepted_at(outcomes->front()))
                                             : std::unexpected(outcomes.error());
            in_force->with([&](Rules& now) {
                now.changing = false;
                if (!result) {
                    now.routing = before;
                }
            });
            (*told)(std::move(result));
        };
        auto queued = log_.append(std::move(batch), log::Atomicity::each, std::move(finished));
        if (queued) {
            rules = {.routing = next, .changing = true};
        }
        return queued;
    });
    if (!appended) {
        answer(executor_, std::move(*told), std::unexpected(std::move(appended).error()));
    }
}

}  // namespace bascule::broker
