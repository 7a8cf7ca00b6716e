#include "simulator/judge.h"

#include <algorithm>
#include <utility>

#include "bus/event/body.h"

namespace bascule::simulator {

namespace {

/// A member of a JSON object that is a text without escapes.
std::string text_member(std::string_view json, const std::string& name) {
    const std::string begin = "\"" + name + "\":\"";
    const std::size_t at = json.find(begin);
    if (at == std::string_view::npos) {
        return {};
    }
    json.remove_prefix(at + begin.size());
    return std::string(json.substr(0, json.find('"')));
}

}  // namespace

void Judge::process_began() {
    looked_ = stage_.clock.steady();
    failures_seen_ = stage_.disk.failure_count();
    trouble_since_.reset();
    stage_.model.log_reopened(records(stage_.bus->log().begin(), stage_.bus->log().end()));
    read_log();
}

void Judge::finish() {
    read_log();
    stage_.model.finish();
    stage_.deeds.finish();
    stage_.model.log_reopened(records(stage_.bus->log().begin(), stage_.bus->log().end()));
}

/// The events among [from, end), all of which the bus calls durable.
std::vector<LoggedEvent> Judge::records(Offset from, Offset end) {
    std::vector<LoggedEvent> events;
    Offset next = from;
    for (const Platter::Record& record : stage_.platter.records(from, end)) {
        while (record.offset > next && stage_.model.is_damaged(next)) {
            next = bascule::next(next);
        }
        if (record.offset != next) {
            break;
        }
        next = bascule::next(next);
        const auto event = event::decode_body(record.body);
        if (!record.is_event || !event) {
            continue;
        }
        events.push_back({.offset = record.offset,
                          .id = std::string(event->event_id),
                          .key = std::string(event->user_id),
                          .source = std::string(event->source),
                          .rules = record.rule_version,
                          .content = content_of(*event)});
        if (event->source == "bascule") {
            events.pop_back();
            if (record.offset >= facts_read_to_) {
                facts_read_to_ = bascule::next(record.offset);
                fact(*event);
            }
        }
    }
    while (next < end && stage_.model.is_damaged(next)) {
        next = bascule::next(next);
    }
    if (next != end) {
        stage_.story.broken("G1: the bus shows records up to 0:" + std::to_string(end.value()) +
                            ", and 0:" + std::to_string(next.value()) +
                            " would not survive a power cut");
    }
    return events;
}

void Judge::read_log() {
    if (const Offset begin = stage_.bus->log().begin(); begin > begin_) {
        stage_.story.tell("the log begins at 0:" + std::to_string(begin.value()));
        stage_.model.retained_from(begin);
        begin_ = begin;
    }
    const Offset end = stage_.bus->log().end();
    if (read_to_ >= end) {
        return;
    }
    for (const LoggedEvent& event : records(read_to_, end)) {
        if (event.rules != 0 && !stage_.model.knows_rules(event.rules)) {
            // On its way: durable, and not confirmed yet.
            stage_.model.rules(event.rules, stage_.wanted);
        }
        stage_.model.logged(event);
    }
    read_to_ = end;
}

/// What tells of a deed may be there only if the deed is.
void Judge::fact(const event::EventView& event) {
    const Deeds::Fact fact{.type = std::string(event.event_type),
                           .consumer = text_member(event.data, "consumer"),
                           .actor = text_member(event.metadata, "actor"),
                           .letter = text_member(event.data, "letterId")};
    ++stage_.counts.facts;
    stage_.deeds.told(fact);
    if (!stage_.platter.journal_mentions("\"" + fact.actor + "\"")) {
        stage_.story.broken("facts: " + fact.type + " by " + fact.actor +
                            " is told, and a power cut would undo it");
    }
}

void Judge::look() {
    look_at_the_disk();
    read_log();
    if (stage_.executor.ready_count() > 0) {
        return;  // only what is at rest can be compared
    }
    check_consumers();
    check_letters();
    stage_.executor.run_ready();
    resolve_doubts();
    if (!in_trouble()) {
        ask_why();
    }
}

/// Whatever state an event is in, the bus says which.
void Judge::ask_why() {
    Random random = chance_of(stage_.plan.seed, "why", looks_++);
    const Offset end = stage_.model.logged_end();
    for (int i = 0; i < 3 && end > Offset(0); ++i) {
        const std::string consumer =
            consumer_name(static_cast<std::uint32_t>(random.below(stage_.plan.consumers)));
        // The younger, the more there is to say.
        const std::uint64_t back = random.below(random.below(end.value()) + 1);
        const Offset offset(end.value() - 1 - back);
        if (!stage_.model.knows(offset)) {
            continue;
        }
        stage_.bus->explain(
            consumer, offset,
            [this, boot = stage_.boot, consumer, offset](const Result<broker::Explanation>& why) {
                if (boot == stage_.boot && why) {
                    ++stage_.counts.explained[why->state];
                    stage_.model.explained(
                        consumer, offset,
                        {.state = why->state,
                         .rules = why->rule_version,
                         .paused = stage_.deeds.paused(consumer, stage_.clock.steady()),
                         .now = stage_.clock.steady()});
                }
            });
        stage_.executor.run_ready();
    }
}

void Judge::check_letters() {
    stage_.bus->letters({}, [this, boot = stage_.boot](const auto& all) {
        if (boot != stage_.boot || !all) {
            return;
        }
        std::map<std::string, std::vector<Model::Letter>> letters;
        for (const broker::LetterSummary& letter : *all) {
            letters[letter.consumer].push_back({.offset = letter.offset,
                                                .event_id = letter.event_id,
                                                .state = letter.state,
                                                .reason = letter.reason,
                                                .attempts = letter.attempts});
        }
        for (const auto& [consumer, list] : letters) {
            stage_.model.letters(consumer, list);
        }
    });
}

/// What cannot be seen from outside is asked for, while nothing else is going on.
void Judge::resolve_doubts() {
    for (const auto& [consumer, offset] : stage_.model.doubts()) {
        stage_.bus->explain(
            consumer, offset,
            [this, boot = stage_.boot, consumer, offset](const Result<broker::Explanation>& why) {
                if (boot == stage_.boot && why) {
                    stage_.model.resolved(consumer, offset, why->state, stage_.clock.steady());
                }
            });
        stage_.executor.run_ready();
    }
}

void Judge::look_at_the_disk() {
    const SteadyTime now = stage_.clock.steady();
    const std::uint64_t failures = stage_.disk.failure_count();
    const bool in_trouble = failures != failures_seen_ || !stage_.bus->trouble().empty();
    if (!in_trouble && trouble_since_ && now - trouble_last_ > journal_slack) {
        trouble_since_.reset();  // what was written since is on the platter
    }
    if (in_trouble) {
        // Some time since the last look.
        trouble_since_ = trouble_since_.value_or(looked_);
        trouble_last_ = now;
    }
    failures_seen_ = failures;
    looked_ = now;
}

SteadyTime Judge::kept_before(End::Kind end) {
    look_at_the_disk();
    if (trouble_since_) {
        return *trouble_since_ - journal_slack;
    }
    const bool at_rest = stage_.executor.ready_count() == 0;
    return end == End::Kind::kill && at_rest ? looked_ : looked_ - journal_slack;
}

/// The identity of the contract's section 9.
void Judge::check_consumers() {
    stage_.bus->consumers([this, boot = stage_.boot](
                              const Result<std::vector<broker::ConsumerStatus>>& all) {
        if (boot != stage_.boot || !all) {
            return;
        }
        for (const broker::ConsumerStatus& status : *all) {
            const auto& counts = status.counts;
            stage_.model.counted(status.name, status.cursor, counts);
            stage_.model.seen(status.name, status.state, stage_.clock.steady());
            if (!in_trouble()) {  // without a journal nothing ends
                stage_.deeds.seen(status.name, status.state == "paused", stage_.clock.steady());
            }
            if (counts.matched + counts.settled.reopened != counts.accounted()) {
                stage_.story.broken("G2: " + status.name + " matched " +
                                    std::to_string(counts.matched) + " events and accounts for " +
                                    std::to_string(counts.accounted()));
            }
        }
    });
}

bool Judge::all_settled() {
    const auto all = sim::wait_for<std::vector<broker::ConsumerStatus>>(
        stage_.executor, [&](auto done) { stage_.bus->consumers(std::move(done)); });
    if (!all) {
        return false;
    }
    return std::ranges::all_of(*all, [](const broker::ConsumerStatus& status) {
        const auto& counts = status.counts;
        return status.lag_events == 0 &&
               counts.letters + counts.deferred + counts.queued + counts.waiting + counts.running ==
                   0;
    });
}

}  // namespace bascule::simulator
