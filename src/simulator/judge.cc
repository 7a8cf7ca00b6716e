#include "simulator/judge.h"

#include <algorithm>

#include "bus/event/body.h"

namespace bascule::simulator {

void Judge::process_began() {
    stage_.model.log_reopened(records());
    read_log();
}

void Judge::finish() {
    read_log();
    stage_.model.finish();
    stage_.model.log_reopened(records());
}

std::vector<LoggedEvent> Judge::records() {
    std::vector<LoggedEvent> events;
    const log::Log& log = stage_.bus->log();
    for (Offset at = log.begin(); at < log.end();) {
        const auto batch = log.read(at, {});
        if (!batch) {
            if (!is_passing(batch.error())) {
                stage_.story.broken("G1: the log cannot be read: " + batch.error().message());
                return events;
            }
            continue;
        }
        for (const log::RecordView& record : batch->records()) {
            const auto event = event::decode_body(record.body);
            if (record.kind == log::RecordKind::event && event && event->source != "bascule") {
                events.push_back({.offset = record.offset,
                                  .id = std::string(event->event_id),
                                  .key = std::string(event->user_id),
                                  .source = std::string(event->source),
                                  .rules = record.rule_version});
            }
        }
        at = batch->next();
    }
    return events;
}

void Judge::read_log() {
    const log::Log& log = stage_.bus->log();
    while (read_to_ < log.end()) {
        const auto batch = log.read(read_to_, {});
        if (!batch) {
            if (!is_passing(batch.error())) {
                stage_.story.broken("G1: the log cannot be read: " + batch.error().message());
                return;
            }
            continue;
        }
        for (const log::RecordView& record : batch->records()) {
            const auto event = event::decode_body(record.body);
            if (record.kind != log::RecordKind::event || !event || event->source == "bascule") {
                continue;
            }
            if (!stage_.model.knows_rules(record.rule_version)) {
                // On its way: durable, and not confirmed yet.
                stage_.model.rules(record.rule_version, stage_.wanted);
            }
            stage_.model.logged({.offset = record.offset,
                                 .id = std::string(event->event_id),
                                 .key = std::string(event->user_id),
                                 .source = std::string(event->source),
                                 .rules = record.rule_version});
        }
        read_to_ = batch->next();
    }
}

void Judge::check_accounts() {
    stage_.bus->consumers([this, boot = stage_.boot](
                              const Result<std::vector<broker::ConsumerStatus>>& all) {
        if (boot != stage_.boot || !all) {
            return;
        }
        for (const broker::ConsumerStatus& status : *all) {
            const auto& counts = status.counts;
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
