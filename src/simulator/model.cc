#include "simulator/model.h"

#include <algorithm>
#include <utility>

#include "foundation/base/check.h"

namespace bascule::simulator {

namespace {

using delivery::OnExhausted;
using delivery::Ordering;

/// How long after a run's deadline an answer may still be taken: the bus looks at both in one turn.
constexpr std::chrono::milliseconds deadline_slack{1000};

std::string text(Offset offset) { return "0:" + std::to_string(offset.value()); }

std::string name_of(const Model::Run& run) {
    return run.consumer + "'s run " + std::to_string(run.number);
}

bool takes_last_only(const delivery::Policy& policy) {
    return policy.debounce && policy.debounce->mode == delivery::DebounceMode::last;
}

}  // namespace

Model::Model(std::map<std::string, delivery::Policy> consumers) {
    for (auto& [name, policy] : consumers) {
        consumers_[name].policy = std::move(policy);
    }
}

void Model::expect(bool holds, const std::string& what) {
    if (!holds && violation_.empty()) {
        violation_ = what;
    }
}

std::string Model::key_of(const Consumer& consumer, const LoggedEvent& event) const {
    switch (consumer.policy.ordering) {
        case Ordering::key:
            return event.key;
        case Ordering::log:
            return "the log";
        case Ordering::none:
            return "";
    }
    return "";
}

void Model::rules(std::uint32_t version, Interests interests) {
    const auto [rules, is_new] = rules_.emplace(version, std::move(interests));
    if (!is_new || rules_.size() > 1) {
        return;
    }
    // The consumers are new: what is older than they are is theirs by their first patterns.
    for (const auto& [offset, event] : log_) {
        route(event, rules->second);
    }
}

void Model::route(const LoggedEvent& event, const Interests& interests) {
    for (const auto& [name, sources] : interests) {
        if (!sources.contains(event.source)) {
            continue;
        }
        Consumer& consumer = consumers_.at(name);
        consumer.events[event.offset.value()];
        if (const std::string key = key_of(consumer, event); !key.empty()) {
            consumer.unsettled[key].insert(event.offset.value());
        }
    }
}

void Model::logged(const LoggedEvent& event) {
    const auto [there, is_new] = offsets_.emplace(event.id, event.offset.value());
    expect(is_new, "G1: event " + event.id + " is in the log twice, at " +
                       text(Offset(there->second)) + " and at " + text(event.offset));
    expect(event.offset >= logged_end(), "G1: offset " + text(event.offset) + " was given before");
    log_.emplace(event.offset.value(), event);
    if (event.rules == 0) {
        CHECK(rules_.empty());  // before anybody was there to get it
        return;
    }
    const auto interests = rules_.find(event.rules);
    CHECK(interests != rules_.end());
    route(event, interests->second);
}

void Model::log_reopened(const std::vector<LoggedEvent>& events) {
    std::map<std::uint64_t, std::string> there;
    for (const LoggedEvent& event : events) {
        there[event.offset.value()] = event.id;
    }
    for (const auto& [offset, event] : log_) {
        const auto found = there.find(offset);
        if (found == there.end()) {
            expect(false, "G1: event " + event.id + " at " + text(event.offset) +
                              (confirmed_.contains(event.id) ? " was confirmed"
                               : seen_.contains(offset)      ? " was seen by a handler"
                                                             : " could be read") +
                              " and is gone");
        } else {
            expect(found->second == event.id, "G1: at " + text(event.offset) + " stood " +
                                                  event.id + ", now " + found->second);
        }
    }
}

void Model::confirmed(const std::string& id, Offset offset) {
    const auto found = offsets_.find(id);
    expect(found != offsets_.end(),
           "G1: event " + id + " was confirmed at " + text(offset) + " and is not in the log");
    if (found != offsets_.end()) {
        expect(found->second == offset.value(), "G1: event " + id + " was confirmed at " +
                                                    text(offset) + " and stands at " +
                                                    text(Offset(found->second)));
    }
    confirmed_.insert(id);
}

bool Model::may_start_again(const Told& told) const {
    return !told.settled || told.forgettable || told.may_be_settled;
}

/// Whether a later event of the key may go before this one, for good reasons.
bool Model::passable(const Consumer& consumer, const Told& told) const {
    if (told.settled || told.may_be_settled || told.discarding) {
        return true;
    }
    if (consumer.policy.exhausted() != OnExhausted::skip_key) {
        return false;
    }
    // A start that was written down and whose process ended before the handler saw it is charged.
    const std::uint32_t limit = consumer.policy.retry.max_attempts;
    return told.refused || (limit != 0 && told.counted + ends_ >= limit);
}

void Model::check_order(const Consumer& consumer, const Run& run, const std::string& key) {
    for (const auto& [number, open] : consumer.runs) {
        expect(open.key != key, "G3: " + name_of(run) + " begins though run " +
                                    std::to_string(number) + " of " + key + " is open");
    }
    const auto waiting = consumer.unsettled.find(key);
    if (waiting == consumer.unsettled.end() || takes_last_only(consumer.policy)) {
        return;
    }
    const std::uint64_t first = run.events.front().value();
    for (const std::uint64_t offset : waiting->second) {
        if (offset >= first) {
            break;
        }
        expect(passable(consumer, consumer.events.at(offset)),
               "G3: " + name_of(run) + " has " + text(run.events.front()) + " of " + key +
                   " though " + text(Offset(offset)) + " comes before it and is not settled");
    }
    // Inside a run nothing of the key may be left out.
    for (auto at = waiting->second.upper_bound(first);
         at != waiting->second.end() && *at < run.events.back().value(); ++at) {
        expect(std::ranges::find(run.events, Offset(*at)) != run.events.end() ||
                   passable(consumer, consumer.events.at(*at)),
               "G3: " + name_of(run) + " leaves out " + text(Offset(*at)) + " of " + key);
    }
}

/// A run that outlived its deadline is a failed attempt.
void Model::give_up_late_runs(Consumer& consumer, SteadyTime now) {
    std::erase_if(consumer.runs, [&](const auto& entry) {
        const Run& run = entry.second.run;
        if (!run.deadline || *run.deadline > now) {
            return false;
        }
        for (const Offset offset : run.events) {
            ++consumer.events.at(offset.value()).counted;
        }
        return true;
    });
}

void Model::run_started(const Run& run, SteadyTime now) {
    Consumer& consumer = consumers_.at(run.consumer);
    give_up_late_runs(consumer, now);
    expect(!consumer.runs.contains(run.number), "G3: " + name_of(run) + " begins twice");
    expect(!run.events.empty(), "G2: " + name_of(run) + " has no event");
    expect(std::ranges::is_sorted(run.events), "G3: " + name_of(run) + " is not in log order");
    std::string run_key;
    for (std::size_t i = 0; i < run.events.size(); ++i) {
        const std::uint64_t offset = run.events[i].value();
        const auto logged = log_.find(offset);
        const auto wanted = consumer.events.find(offset);
        if (logged == log_.end()) {
            expect(false, "G1: " + name_of(run) + " has " + run.ids[i] + " at " +
                              text(run.events[i]) + ", which is not in the log");
            return;
        }
        expect(logged->second.id == run.ids[i], "G1: " + name_of(run) + " has " + run.ids[i] +
                                                    " at " + text(run.events[i]) +
                                                    ", where the log has " + logged->second.id);
        if (wanted == consumer.events.end()) {
            expect(false, "G2: " + name_of(run) + " has " + run.ids[i] + " at " +
                              text(run.events[i]) + ", which no rule sends there");
            return;
        }
        seen_.insert(offset);
        Told& told = wanted->second;
        expect(!told.discarded || told.forgettable,
               "G2: " + name_of(run) + " has " + run.ids[i] + ", which a person discarded");
        expect(may_start_again(told), "G5: " + name_of(run) + " has " + run.ids[i] + " at " +
                                          text(run.events[i]) +
                                          " again though it is done and nothing happened since");
        expect(!told.not_before || now >= *told.not_before,
               "G9: " + name_of(run) + " attempts " + run.ids[i] + " before its time");
        for (const auto& [number, open] : consumer.runs) {
            expect(std::ranges::find(open.run.events, run.events[i]) == open.run.events.end(),
                   "G5: " + name_of(run) + " has " + run.ids[i] + " though run " +
                       std::to_string(number) + " has it and is open");
        }
        const std::string key = key_of(consumer, logged->second);
        if (key.empty()) {
            continue;
        }
        if (run_key.empty()) {
            check_order(consumer, run, key);
        }
        expect(run_key.empty() || run_key == key, "G3: " + name_of(run) + " mixes keys");
        run_key = key;
    }
    consumer.runs[run.number] = {.run = run,
                                 .key = run_key.empty() ? "no key" + run.ids[0] : run_key};
}

void Model::settle(Consumer& consumer, std::uint64_t offset, SteadyTime now) {
    Told& told = consumer.events.at(offset);
    told.settled = true;
    told.settled_at = now;
    told.forgettable = false;
    told.counted = 0;
    told.refused = false;
    told.not_before.reset();
    if (const std::string key = key_of(consumer, log_.at(offset)); !key.empty()) {
        consumer.unsettled[key].erase(offset);
    }
}

void Model::run_answered(const std::string& name, std::uint64_t number,
                         const delivery::Outcome& outcome, SteadyTime now) {
    Consumer& consumer = consumers_.at(name);
    const auto found = consumer.runs.find(number);
    if (found == consumer.runs.end()) {
        return;  // given up, or of a process that ended
    }
    const Run run = found->second.run;
    consumer.runs.erase(found);
    if (run.deadline && now > *run.deadline + deadline_slack) {
        for (const Offset offset : run.events) {
            ++consumer.events.at(offset.value()).counted;
        }
        return;  // ignored
    }
    const bool in_doubt = run.deadline && now + deadline_slack > *run.deadline;
    const auto wait = std::chrono::duration_cast<SteadyTime::duration>(
        consumer.policy.retry.initial * (1 - consumer.policy.retry.jitter));
    const bool is_ordered =
        !run.events.empty() && !key_of(consumer, log_.at(run.events.front().value())).empty();
    bool key_has_failed = false;
    for (const Offset offset : run.events) {
        Told& told = consumer.events.at(offset.value());
        const auto failure =
            std::ranges::find(outcome.failures, offset, &delivery::ItemFailure::offset);
        const bool failed_alone = failure != outcome.failures.end();
        const bool done = outcome.kind == delivery::Outcome::Kind::done && !failed_alone;
        if (in_doubt) {
            told.may_be_settled |= done;
            ++told.counted;
            told.refused |= outcome.kind == delivery::Outcome::Kind::permanent;
            continue;
        }
        if (done) {
            settle(consumer, offset.value(), now);
            continue;
        }
        const bool refused = failed_alone ? failure->kind == delivery::ItemFailure::Kind::permanent
                                          : outcome.kind == delivery::Outcome::Kind::permanent;
        told.refused |= refused;
        if (outcome.kind != delivery::Outcome::Kind::suspended && outcome.counted) {
            ++told.counted;
        }
        // A key stops at its first failure: what comes behind it has no wait of its own.
        const bool is_behind = std::exchange(key_has_failed, is_ordered);
        if (!refused && !is_behind && outcome.kind != delivery::Outcome::Kind::suspended) {
            told.not_before = now + wait;
        }
    }
    // The last of a window speaks for those before it.
    if (takes_last_only(consumer.policy) && outcome.kind == delivery::Outcome::Kind::done &&
        outcome.failures.empty() && !run.events.empty()) {
        const std::string key = key_of(consumer, log_.at(run.events.back().value()));
        const std::set<std::uint64_t> waiting = consumer.unsettled[key];
        for (const std::uint64_t offset : waiting) {
            if (offset < run.events.back().value()) {
                // What has a letter of its own, maybe, is no member of the window.
                if (in_doubt || passable(consumer, consumer.events.at(offset))) {
                    consumer.events.at(offset).may_be_settled = true;
                } else {
                    settle(consumer, offset, now);
                }
            }
        }
    }
}

void Model::discarding(const std::string& name, Offset offset) {
    Consumer& consumer = consumers_.at(name);
    if (const auto found = consumer.events.find(offset.value()); found != consumer.events.end()) {
        found->second.discarding = true;
    }
}

void Model::discarded(const std::string& name, Offset offset) {
    Consumer& consumer = consumers_.at(name);
    const auto found = consumer.events.find(offset.value());
    expect(found != consumer.events.end(),
           "G6: " + name + " had a letter of " + text(offset) + ", which no rule sends there");
    if (found != consumer.events.end()) {
        settle(consumer, offset.value(), SteadyTime::min());
        found->second.discarded = true;
    }
}

void Model::hurried(const std::string& name) {
    for (auto& [offset, told] : consumers_.at(name).events) {
        told.not_before.reset();
    }
}

void Model::ended(const End& end) {
    ++ends_;
    for (auto& [name, consumer] : consumers_) {
        consumer.runs.clear();
        for (auto& [offset, told] : consumer.events) {
            told.not_before.reset();
            if (told.settled && !told.discarded && *told.settled_at >= end.settled_before) {
                told.forgettable = true;
            }
        }
    }
}

void Model::finish() {
    for (const auto& [name, consumer] : consumers_) {
        for (const auto& [offset, told] : consumer.events) {
            expect(told.settled || told.may_be_settled || told.discarding,
                   "G2: " + name + " never settled " + log_.at(offset).id + " at " +
                       text(Offset(offset)));
        }
        expect(consumer.runs.empty(), "G3: a run of " + name + " is open though all is done");
    }
}

std::size_t Model::settled(const std::string& name) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        consumers_.at(name).events, [](const auto& entry) { return entry.second.settled; }));
}

}  // namespace bascule::simulator
