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

/// How long after a change of settings a machine may still wait for its runs to end.
constexpr std::chrono::seconds reconfigured_slack{10};
/// Over a restart times are kept by the wall clock, which counts milliseconds.
constexpr std::chrono::milliseconds wall_tick{1};

std::string text(Offset offset) { return "0:" + std::to_string(offset.value()); }

std::string name_of(const Model::Run& run) {
    return run.consumer + "'s run " + std::to_string(run.number);
}

bool takes_last_only(const delivery::Policy& policy) {
    return policy.debounce && policy.debounce->mode == delivery::DebounceMode::last;
}

}  // namespace

Model::Model(std::map<std::string, delivery::Policy> consumers, HasLetter has_letter)
    : has_letter_(std::move(has_letter)) {
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
    if (rules_.contains(version)) {
        return;
    }
    const auto rules = rules_.emplace(version, std::move(interests)).first;
    for (const auto& [name, sources] : rules->second) {
        if (std::exchange(consumers_.at(name).is_known, true)) {
            continue;
        }
        // What is older than the consumer is its by its first patterns.
        for (auto at = log_.lower_bound(begin_.value()); at != log_.end(); ++at) {
            route(at->second, {{name, sources}});
        }
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
    // A restart forgets the ids of what retention took.
    const bool is_gone = !is_new && there->second < begin_.value();
    expect(is_new || is_gone, "G1: event " + event.id + " is in the log twice, at " +
                                  text(Offset(there->second)) + " and at " + text(event.offset));
    if (is_gone) {
        there->second = event.offset.value();
    }
    expect(event.offset >= logged_end(), "G1: offset " + text(event.offset) + " was given before");
    const auto said = sent_.find(event.id);
    expect(said != sent_.end() && said->second == event.content,
           "G1: event " + event.id + " at " + text(event.offset) + " is not what was published");
    log_.emplace(event.offset.value(), event);
    if (event.rules == 0) {
        return;  // before anybody was there to get it
    }
    const auto interests = rules_.find(event.rules);
    CHECK(interests != rules_.end());
    route(event, interests->second);
}

void Model::log_reopened(const std::vector<LoggedEvent>& events) {
    std::map<std::uint64_t, const LoggedEvent*> there;
    for (const LoggedEvent& event : events) {
        there[event.offset.value()] = &event;
    }
    for (const auto& [offset, event] : log_) {
        const auto found = there.find(offset);
        if (offset < begin_.value() || damaged_.contains(offset)) {
            continue;
        }
        if (found == there.end()) {
            expect(false, "G1: event " + event.id + " at " + text(event.offset) +
                              (confirmed_.contains(event.id) ? " was confirmed"
                               : seen_.contains(offset)      ? " was seen by a handler"
                                                             : " could be read") +
                              " and is gone");
        } else {
            expect(found->second->id == event.id && found->second->content == event.content,
                   "G1: at " + text(event.offset) + " stood " + event.id + ", now " +
                       found->second->id + (found->second->id == event.id ? " otherwise" : ""));
        }
    }
}

void Model::retained_from(Offset begin) {
    expect(begin >= begin_,
           "G1: the log begins at " + text(begin) + " and began at " + text(begin_));
    for (const auto& [name, consumer] : consumers_) {
        for (auto at = consumer.events.lower_bound(begin_.value());
             at != consumer.events.end() && at->first < begin.value(); ++at) {
            const Told& told = at->second;
            expect(told.settled || told.may_be_settled || told.discarding ||
                       damaged_.contains(at->first) || has_letter_(name, Offset(at->first)) ||
                       may_be_spoken_for(consumer, at->first) ||
                       has_letter_behind(name, consumer, at->first),
                   "G2: retention took " + text(Offset(at->first)) + ", which " + name +
                       " has not settled");
        }
    }
    begin_ = begin;
}

void Model::damaged(Offset first, Offset end) {
    for (Offset at = first; at < end; at = next(at)) {
        damaged_.insert(at.value());
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
bool Model::passable(const std::string& name, const Consumer& consumer,
                     std::uint64_t offset) const {
    const Told& told = consumer.events.at(offset);
    if (told.settled || told.may_be_settled || told.discarding || damaged_.contains(offset)) {
        return true;
    }
    return consumer.policy.exhausted() == OnExhausted::skip_key &&
           has_letter_(name, Offset(offset));
}

/// `part`: what of the run is of the key.
void Model::check_order(Consumer& consumer, const Run& run, const std::string& key,
                        const std::vector<Offset>& part) {
    for (const auto& [number, open] : consumer.runs) {
        expect(!open.keys.contains(key), "G3: " + name_of(run) + " begins though run " +
                                             std::to_string(number) + " of " + key + " is open");
    }
    const std::uint64_t first = part.front().value();
    if (damaged_.contains(first)) {
        return;  // while nobody could read it it was of no key
    }
    check_way_back(consumer, run, key, part);
    check_missing(consumer, run, key, first);
    const auto waiting = consumer.unsettled.find(key);
    // What a restored database lacks may stand on either side of an open letter of its key.
    if (waiting == consumer.unsettled.end() || consumer.events.at(first).reopened) {
        return;
    }
    for (const std::uint64_t offset : waiting->second) {
        if (offset >= first) {
            break;
        }
        // The last of a window speaks for its other members: nobody sees those. What has an open
        // letter is no member.
        const bool is_member =
            takes_last_only(consumer.policy) && !consumer.events.at(offset).letter_open;
        expect(is_member || passable(run.consumer, consumer, offset),
               "G3: " + name_of(run) + " has " + text(part.front()) + " of " + key + " though " +
                   text(Offset(offset)) + " comes before it and is not settled");
    }
    // Inside a run nothing of the key may be left out.
    for (auto at = waiting->second.upper_bound(first);
         at != waiting->second.end() && *at < part.back().value(); ++at) {
        expect(std::ranges::find(part, Offset(*at)) != part.end() ||
                   passable(run.consumer, consumer, *at),
               "G3: " + name_of(run) + " leaves out " + text(Offset(*at)) + " of " + key);
    }
}

/// What a restored database lacks is done again before anything behind it, but may stand on either
/// side of the key's letters, which stand.
void Model::check_missing(const Consumer& consumer, const Run& run, const std::string& key,
                          std::uint64_t first) {
    for (auto at = consumer.missing.lower_bound(begin_.value());
         at != consumer.missing.end() && *at < first; ++at) {
        if (key_of(consumer, log_.at(*at)) != key) {
            continue;
        }
        expect(has_letter_(run.consumer, Offset(first)) ||
                   has_letter_in_key(run.consumer, consumer, first),
               "G3: " + name_of(run) + " has " + text(Offset(first)) + " of " + key + " though " +
                   text(Offset(*at)) + " comes before it and is missing in the database");
        return;
    }
}

/// A process goes back in a key only to repeat a run, or to a letter: what a crash made it forget
/// comes again before anything behind it.
void Model::check_way_back(Consumer& consumer, const Run& run, const std::string& key,
                           const std::vector<Offset>& part) {
    std::vector<Offset>& furthest = consumer.furthest[key];
    if (furthest.empty() || part.back() >= furthest.back()) {
        furthest = part;
        return;
    }
    const Offset first = part.front();
    // What a restored database lacks may stand behind a later letter of its key.
    expect(consumer.events.at(first.value()).reopened ||
               std::ranges::find(furthest, first) != furthest.end() ||
               has_letter_(run.consumer, first),
           "G3: " + name_of(run) + " goes back to " + text(first) + " of " + key +
               " though this process was at " + text(furthest.back()));
}

/// A run that outlived its deadline is a failed attempt.
void Model::give_up_late_runs(Consumer& consumer, SteadyTime now) {
    std::erase_if(consumer.runs, [&](const auto& entry) {
        const Run& run = entry.second.run;
        // One that was held back is given up when somebody looks, which is not in its first moment.
        if (!run.deadline || *run.deadline > now ||
            (run.may_be_late && entry.second.began == now)) {
            return false;
        }
        for (const Offset offset : run.events) {
            consumer.events.at(offset.value()).charges.push_back(entry.second.began);
            ++consumer.events.at(offset.value()).charged_max;
        }
        return true;
    });
}

void Model::run_started(const Run& run, SteadyTime now) {
    Consumer& consumer = consumers_.at(run.consumer);
    give_up_late_runs(consumer, now);
    expect(!consumer.runs.contains(run.number), "G3: " + name_of(run) + " begins twice");
    expect(!run.events.empty(), "G2: " + name_of(run) + " has no event");
    expect(consumer.runs.size() < consumer.policy.concurrency,
           "G8: " + name_of(run) + " is beside " + std::to_string(consumer.runs.size()) +
               " others, above the concurrency");
    expect(std::ranges::is_sorted(run.events), "G3: " + name_of(run) + " is not in log order");
    expect(!consumer.breaker || now >= consumer.breaker->until || run.may_be_late,
           "breaker: " + name_of(run) + " begins though the breaker is open");
    check_rate(consumer, run, now);
    std::map<std::string, std::vector<Offset>> parts;
    for (std::size_t i = 0; i < run.events.size(); ++i) {
        const std::uint64_t offset = run.events[i].value();
        const auto logged = log_.find(offset);
        const auto wanted = consumer.events.find(offset);
        if (logged == log_.end() && damaged_.contains(offset)) {
            return;  // what stood there was nobody's
        }
        if (logged == log_.end()) {
            expect(false, "G1: " + name_of(run) + " has " + run.ids[i] + " at " +
                              text(run.events[i]) + ", which is not in the log");
            return;
        }
        expect(logged->second.id == run.ids[i], "G1: " + name_of(run) + " has " + run.ids[i] +
                                                    " at " + text(run.events[i]) +
                                                    ", where the log has " + logged->second.id);
        if (wanted == consumer.events.end()) {
            if (damaged_.contains(offset)) {
                return;  // nobody could tell whose it was
            }
            expect(false, "G2: " + name_of(run) + " has " + run.ids[i] + " at " +
                              text(run.events[i]) + ", which no rule sends there");
            return;
        }
        expect(logged->second.content == run.contents[i],
               "G1: " + name_of(run) + " has " + run.ids[i] + " otherwise than it was published");
        seen_.insert(offset);
        Told& told = wanted->second;
        if (!damaged_.contains(offset)) {
            check_attempt(consumer, run, told);
        }
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
        if (const std::string key = key_of(consumer, logged->second); !key.empty()) {
            parts[key].push_back(run.events[i]);
        }
    }
    const bool pools = consumer.policy.batch && !consumer.policy.debounce &&
                       consumer.policy.batch->on_error == delivery::BatchOnError::bisect;
    expect(parts.size() <= 1 || pools, "G3: " + name_of(run) + " mixes keys");
    Open open{.run = run, .began = now};
    for (const auto& [key, part] : parts) {
        check_order(consumer, run, key, part);
        open.keys.insert(key);
    }
    consumer.runs[run.number] = std::move(open);
}

/// A bucket that starts full; a run may take more than there is, if there is one.
/// Source: the generic cell rate algorithm, ITU-T I.371 (virtual scheduling).
void Model::check_rate(Consumer& consumer, const Run& run, SteadyTime now) {
    if (!consumer.policy.rate) {
        return;
    }
    if (reconfigured_ && now < *reconfigured_ + reconfigured_slack) {
        consumer.full_at.clear();  // its machine may have been made anew, with a full bucket
        return;
    }
    const delivery::Rate& rate = *consumer.policy.rate;
    const std::chrono::nanoseconds step = std::chrono::nanoseconds(rate.per) / rate.limit;
    std::map<std::string, std::int64_t> taken;
    for (const Offset offset : run.events) {
        const auto event = log_.find(offset.value());
        const bool by_key = rate.key == delivery::RateKey::key;
        // The letter of a damaged frame is of no key.
        const bool has_key =
            event != log_.end() && !event->second.key.empty() && !damaged_.contains(offset.value());
        if (event != log_.end() && (!by_key || has_key)) {
            ++taken[by_key ? event->second.key : ""];
        }
    }
    const bool is_held = consumer.held_from && consumer.let_go.value_or(now) == now;
    // When one began that trouble held back, nobody saw.
    const SteadyTime began = run.may_be_late ? SteadyTime::min()
                             : is_held       ? *consumer.held_from
                                             : now;
    for (const auto& [key, count] : taken) {
        SteadyTime& full_at = consumer.full_at[key];
        expect(run.may_be_late || full_at - step * (std::int64_t{rate.burst} - 1) <= now,
               "rate: " + name_of(run) + " begins without a token");
        full_at = std::max(full_at, began) + step * count;
    }
}

/// No attempt is left out of the count, none is counted that was none, and none is above the limit.
void Model::check_attempt(const Consumer& consumer, const Run& run, const Told& told) {
    const std::string attempt = name_of(run) + " is attempt " + std::to_string(run.attempt);
    const std::uint32_t limit = consumer.policy.exhausted() == OnExhausted::retry_forever
                                    ? 0
                                    : consumer.policy.retry.max_attempts;
    expect(limit == 0 || run.attempt <= limit, "G6: " + attempt + " of " + std::to_string(limit));
    if (!consumer.is_single()) {
        return;  // what an event is charged depends on those beside it
    }
    expect(
        run.attempt > told.charges.size(),
        "G6: " + attempt + ", and " + std::to_string(told.charges.size()) + " were charged before");
    expect(run.attempt <= 1 + told.charged_max, "G6: " + attempt + ", and no more than " +
                                                    std::to_string(told.charged_max) +
                                                    " can have been charged before");
}

void Model::settle(Consumer& consumer, std::uint64_t offset, SteadyTime now) {
    Told& told = consumer.events.at(offset);
    told.settled = true;
    consumer.missing.erase(offset);
    told.discarded = false;
    told.settled_at = now;
    told.forgettable = false;
    told.charges.clear();
    told.letter_open = false;
    told.may_be_settled = false;
    told.discarding = false;
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
    const SteadyTime began = found->second.began;
    consumer.runs.erase(found);
    // One that was held back may be answered before anybody looked whether it is late.
    if (run.deadline && now > *run.deadline + deadline_slack && !run.may_be_late) {
        for (const Offset offset : run.events) {
            consumer.events.at(offset.value()).charges.push_back(began);
            ++consumer.events.at(offset.value()).charged_max;
        }
        return;  // ignored
    }
    const bool in_doubt = run.deadline && now + deadline_slack > *run.deadline;
    const auto wait = std::chrono::duration_cast<SteadyTime::duration>(
        consumer.policy.retry.initial * (1 - consumer.policy.retry.jitter));
    // A batch that is taken apart is nobody's fault until the culprit is named or alone.
    const bool comes_apart = consumer.policy.batch && !consumer.policy.debounce &&
                             consumer.policy.batch->on_error == delivery::BatchOnError::bisect &&
                             run.events.size() > 1;
    std::set<std::string> failed_keys;
    for (const Offset offset : run.events) {
        Told& told = consumer.events.at(offset.value());
        const auto failure =
            std::ranges::find(outcome.failures, offset, &delivery::ItemFailure::offset);
        const bool failed_alone = failure != outcome.failures.end();
        const bool done = outcome.kind == delivery::Outcome::Kind::done && !failed_alone;
        const bool refused = failed_alone ? failure->kind == delivery::ItemFailure::Kind::permanent
                                          : outcome.kind == delivery::Outcome::Kind::permanent;
        told.refused |= refused;
        if (in_doubt) {
            told.may_be_settled |= done;
            ++told.charged_max;
            continue;
        }
        if (done) {
            settle(consumer, offset.value(), now);
            continue;
        }
        told.answered_at = now;
        if (comes_apart && !failed_alone) {
            ++told.charged_max;
            continue;
        }
        if (outcome.kind != delivery::Outcome::Kind::suspended && outcome.counted) {
            told.charges.push_back(began);
            ++told.charged_max;
        }
        // A key stops at its first failure: what comes behind it has no wait of its own.
        const std::string key = key_of(consumer, log_.at(offset.value()));
        const bool is_behind = !key.empty() && !failed_keys.insert(key).second;
        if (!refused && !is_behind && outcome.kind != delivery::Outcome::Kind::suspended) {
            told.not_before = now + wait;
            told.wall_steps = wall_steps_;
            told.over_restart = false;
        }
    }
    // The last of a window speaks for those before it.
    if (takes_last_only(consumer.policy) && outcome.kind == delivery::Outcome::Kind::done &&
        outcome.failures.empty() && !run.events.empty()) {
        const std::string key = key_of(consumer, log_.at(run.events.back().value()));
        const std::set<std::uint64_t> waiting = consumer.unsettled[key];
        for (const std::uint64_t offset : waiting) {
            if (offset < run.events.back().value()) {
                // What has a letter of its own is no member of the window.
                if (consumer.events.at(offset).letter_open) {
                    continue;
                }
                if (in_doubt || has_letter_(name, Offset(offset)) ||
                    passable(name, consumer, offset)) {
                    consumer.events.at(offset).may_be_settled = true;
                } else {
                    settle(consumer, offset, now);
                }
            }
        }
    }
}

void Model::discarding(const std::string& name, Offset offset, SteadyTime now) {
    Consumer& consumer = consumers_.at(name);
    consumer.held_from = consumer.let_go ? now : std::min(consumer.held_from.value_or(now), now);
    consumer.let_go.reset();
    if (const auto found = consumer.events.find(offset.value()); found != consumer.events.end()) {
        found->second.discarding = true;
    }
}

void Model::discarded(const std::string& name, Offset offset, SteadyTime now) {
    Consumer& consumer = consumers_.at(name);
    consumer.let_go = now;
    const auto found = consumer.events.find(offset.value());
    expect(found != consumer.events.end() || damaged_.contains(offset.value()),
           "G6: " + name + " had a letter of " + text(offset) + ", which no rule sends there");
    if (found != consumer.events.end()) {
        settle(consumer, offset.value(), SteadyTime::min());
        found->second.discarding = false;
        found->second.discarded = true;
    }
}

void Model::not_discarded(const std::string& name, Offset offset, SteadyTime now) {
    Consumer& consumer = consumers_.at(name);
    consumer.let_go = now;
    if (const auto found = consumer.events.find(offset.value()); found != consumer.events.end()) {
        found->second.discarding = false;
    }
}

/// When the last of a window becomes a letter, the others are settled unseen.
bool Model::may_be_spoken_for(const Consumer& consumer, std::uint64_t offset) const {
    if (!takes_last_only(consumer.policy)) {
        return false;
    }
    const auto furthest = consumer.furthest.find(key_of(consumer, log_.at(offset)));
    return furthest != consumer.furthest.end() && Offset(offset) < furthest->second.back();
}

/// The same where a restart forgot the run, but its letter is there.
bool Model::has_letter_behind(const std::string& name, const Consumer& consumer,
                              std::uint64_t offset) const {
    const std::string key = key_of(consumer, log_.at(offset));
    return takes_last_only(consumer.policy) &&
           std::any_of(consumer.events.upper_bound(offset), consumer.events.end(),
                       [&](const auto& later) {
                           return has_letter_(name, Offset(later.first)) &&
                                  key_of(consumer, log_.at(later.first)) == key;
                       });
}

std::vector<std::pair<std::string, Offset>> Model::doubts() const {
    std::vector<std::pair<std::string, Offset>> doubts;
    for (const auto& [name, consumer] : consumers_) {
        for (const auto& [offset, told] : consumer.events) {
            if (!told.settled &&
                (told.may_be_settled || told.discarding || may_be_spoken_for(consumer, offset))) {
                doubts.emplace_back(name, Offset(offset));
            }
        }
    }
    return doubts;
}

void Model::resolved(const std::string& name, Offset offset, const std::string& state,
                     SteadyTime now) {
    Consumer& consumer = consumers_.at(name);
    Told& told = consumer.events.at(offset.value());
    if (state == "done" || state == "coalesced") {
        settle(consumer, offset.value(), now);
    } else if (state == "discarded") {
        expect(told.discarding,
               "G2: " + name + " says that " + text(offset) + " is discarded, and nobody did that");
        discarded(name, offset, now);
        told.settled_at = now;  // nobody confirmed it
    }
    told.may_be_settled = told.discarding = false;
}

void Model::database_restored(const std::string& name,
                              const std::function<bool(Offset offset)>& has) {
    for (auto& [offset, told] : consumers_.at(name).events) {
        told.charges.clear();  // what is done again first may take the place of a kept unit
        const bool is_missing = told.settled && !told.discarded && !has(Offset(offset));
        if (is_missing) {
            consumers_.at(name).missing.insert(offset);
        }
        told.reopened = told.reopened || is_missing;
        told.forgettable = told.forgettable || is_missing;
    }
}

std::vector<Offset> Model::done(const std::string& name) const {
    std::vector<Offset> done;
    for (const auto& [offset, told] : consumers_.at(name).events) {
        if (told.settled && !told.discarded && !damaged_.contains(offset)) {
            done.emplace_back(offset);
        }
    }
    return done;
}

void Model::hurried(const std::string& name, SteadyTime now) {
    give_up_late_runs(consumers_.at(name), now);
    for (auto& [offset, told] : consumers_.at(name).events) {
        told.not_before.reset();
        told.charges.clear();
    }
}

void Model::ended(const End& end) {
    for (auto& [name, consumer] : consumers_) {
        for (const auto& [number, open] : consumer.runs) {
            for (const Offset offset : open.run.events) {
                // Its start was written down before the handler saw it.
                consumer.events.at(offset.value()).charges.push_back(open.began);
                ++consumer.events.at(offset.value()).charged_max;
            }
        }
        consumer.runs.clear();
        consumer.furthest.clear();
        consumer.was_restarted = true;
        consumer.full_at.clear();
        consumer.held_from.reset();
        consumer.let_go.reset();
        consumer.state.clear();
        if (consumer.breaker && (consumer.breaker->seen >= end.settled_before ||
                                 consumer.breaker->wall_steps != wall_steps_)) {
            consumer.breaker.reset();
        }
        if (consumer.breaker) {
            consumer.breaker->until -= wall_tick;
        }
        for (auto& [offset, told] : consumer.events) {
            // An answer that is forgotten leaves its start, which is then charged; so does a start
            // that no handler saw.
            told.charged_max +=
                told.settled || told.answered_at >= end.settled_before || !end.at_rest;
            if (end.kind == End::Kind::power_cut || !end.at_rest) {
                std::erase_if(told.charges,
                              [&](SteadyTime began) { return began >= end.settled_before; });
            }
            if (told.not_before &&
                (told.answered_at >= end.settled_before || told.wall_steps != wall_steps_)) {
                told.not_before.reset();
            }
            if (told.not_before) {
                *told.not_before -= wall_tick;
            }
            if (!damaged_.empty() && offset > *damaged_.begin()) {
                // What the next process cannot read comes first, and may take a kept unit's place.
                told.charges.clear();
            }
            told.over_restart = true;
            told.letter_open = false;
            if (told.settled && *told.settled_at >= end.settled_before) {
                told.forgettable = true;
            }
        }
    }
}

// ── What the bus says of itself ──────────────────────────────────────────────────────────────────

void Model::letters(const std::string& name, const std::vector<Letter>& letters) {
    Consumer& consumer = consumers_.at(name);
    std::set<Offset> seen;
    for (const Letter& letter : letters) {
        const std::string which = "the letter of " + name + " for " + text(letter.offset);
        expect(seen.insert(letter.offset).second, "G6: " + which + " is there twice");
        const auto found = consumer.events.find(letter.offset.value());
        if (damaged_.contains(letter.offset.value())) {
            consumer.had_letters = true;
            continue;  // it says that the event is lost, whosever it was
        }
        if (found == consumer.events.end()) {
            expect(false, "G6: " + which + " is of an event that no rule sends there");
            continue;
        }
        Told& told = found->second;
        consumer.had_letters = true;
        told.letter_open = letter.state != "closed";
        expect(letter.event_id == log_.at(letter.offset.value()).id,
               "G6: " + which + " holds event " + letter.event_id);
        if (letter.state == "closed") {
            continue;
        }
        expect(has_letter_(name, letter.offset),
               "G6: " + which + " is open and would not survive a power cut");
        expect(!told.settled || told.forgettable || told.may_be_settled,
               "G6: " + which + " is open though the event is settled");
        expect(letter.reason != "permanent" || told.refused,
               "G6: " + which + " says that the event was refused for good, and it was not");
        expect(
            letter.reason != "attempts" || (consumer.policy.retry.max_attempts != 0 &&
                                            letter.attempts >= consumer.policy.retry.max_attempts),
            "G6: " + which + " was written after " + std::to_string(letter.attempts) +
                " attempts, before they were exhausted");
        expect(letter.reason != "age", "G6: " + which + " says that the event is a day old");
    }
}

void Model::seen(const std::string& name, const std::string& state, SteadyTime now) {
    Consumer& consumer = consumers_.at(name);
    const std::string before = std::exchange(consumer.state, state);
    const SteadyTime before_at = std::exchange(consumer.state_at, now);
    const std::uint64_t steps_before = std::exchange(consumer.state_wall_steps, wall_steps_);
    if (state == "running") {
        consumer.breaker.reset();
    } else if (state == "breaker_open" && before == "running" && !consumer.breaker) {
        consumer.breaker = {.seen = now,
                            .until = before_at + consumer.policy.breaker->open_for,
                            .wall_steps = steps_before};
    }
}

void Model::counted(const std::string& name, Offset cursor, const delivery::Counts& counts) {
    const Consumer& consumer = consumers_.at(name);
    const bool is_restored = std::ranges::any_of(
        consumer.events, [](const auto& entry) { return entry.second.reopened; });
    if (!damaged_.empty() || is_restored) {
        return;  // what is lost may count for one or for many, what is done twice for two
    }
    std::uint64_t least = 0;
    std::uint64_t most = 0;
    for (const auto& [offset, told] : consumer.events) {
        const bool read = offset < cursor.value();
        least += read;
        // What was settled before a restart is counted before it is read again.
        most += read || told.settled || told.may_be_settled || told.discarding ||
                has_letter_(name, Offset(offset));
    }
    expect(counts.matched >= least && counts.matched <= most,
           "G2: " + name + " counts " + std::to_string(counts.matched) + " matching events up to " +
               text(cursor) + ", and there are " + std::to_string(least) +
               (most == least ? "" : " to " + std::to_string(most)));
    // What was deferred comes back at once when its key goes on.
    // After a restart what was begun is read again, whatever the limit.
    expect(consumer.had_letters || consumer.was_restarted ||
               counts.queued + counts.waiting + counts.running <= consumer.policy.max_unsettled,
           "G8: " + name + " holds " +
               std::to_string(counts.queued + counts.waiting + counts.running) +
               " events, above max_unsettled");
}

/// Whether something of its key, or of the whole log where that is the order, comes before it.
bool Model::has_earlier(const Consumer& consumer, std::uint64_t offset) const {
    const auto waiting = consumer.unsettled.find(key_of(consumer, log_.at(offset)));
    const bool unsettled = waiting != consumer.unsettled.end() && !waiting->second.empty() &&
                           *waiting->second.begin() < offset;
    const bool maybe = std::ranges::any_of(consumer.events, [&](const auto& entry) {
        return entry.first < offset && entry.second.forgettable &&
               key_of(consumer, log_.at(entry.first)) == key_of(consumer, log_.at(offset));
    });
    return unsettled || maybe;
}

bool Model::has_letter_in_key(const std::string& name, const Consumer& consumer,
                              std::uint64_t offset) const {
    const std::string key = key_of(consumer, log_.at(offset));
    return std::ranges::any_of(consumer.events, [&](const auto& entry) {
        const auto& [other, told] = entry;
        return other != offset && (!told.settled || told.forgettable) &&
               key_of(consumer, log_.at(other)) == key && has_letter_(name, Offset(other));
    });
}

/// Why what the bus says of the event cannot be so; empty if it can.
std::string Model::why_not(const std::string& name, const Consumer& consumer, Offset offset,
                           const Explained& why) const {
    const LoggedEvent& event = log_.at(offset.value());
    const std::string& state = why.state;
    if (!damaged_.empty()) {
        return "";  // what is behind a lost event may be so for good reasons
    }
    const auto is = [&](std::initializer_list<std::string_view> states) {
        return std::ranges::find(states, state) != states.end();
    };
    if (why.rules != event.rules) {
        return "by rules " + std::to_string(event.rules);
    }
    const auto found = consumer.events.find(offset.value());
    if (found == consumer.events.end()) {
        return state == "unmatched" ? "" : "no rule sends it there";
    }
    const Told& told = found->second;
    if (is({"unmatched", "before_start"})) {
        return "a rule sends it there";
    }
    if (told.forgettable || told.may_be_settled || told.discarding) {
        return "";
    }
    if (state == "coalesced" && takes_last_only(consumer.policy)) {
        return "";
    }
    if (told.settled) {
        return state == (told.discarded ? "discarded" : "done") ||
                       (state == "coalesced" && consumer.policy.debounce && !told.discarded)
                   ? ""
                   : "it is settled";
    }
    if (is({"done", "coalesced", "discarded"})) {
        return "it is not settled";
    }
    if (is({"letter_open", "redriving"})) {
        return has_letter_(name, offset) ? "" : "it has no letter";
    }
    if (takes_last_only(consumer.policy)) {
        return "";  // who is a member of which window cannot be seen
    }
    const bool runs = std::ranges::any_of(consumer.runs, [&](const auto& open) {
        const Run& run = open.second.run;
        return std::ranges::find(run.events, offset) != run.events.end() &&
               (!run.deadline || why.now < *run.deadline);
    });
    if (runs != (state == "running")) {
        return runs ? "a handler has it" : "no handler has it";
    }
    if (state == "paused" && why.paused == false) {
        return "nobody paused the consumer";
    }
    if (why.paused == true && is({"queued", "rate_limited", "breaker_open", "suspended"})) {
        return "a person paused the consumer";
    }
    const delivery::Policy& policy = consumer.policy;
    if ((state == "batch_filling" && !policy.batch) ||
        (state == "window_open" && !policy.debounce) || (state == "rate_limited" && !policy.rate) ||
        (state == "breaker_open" && !policy.breaker)) {
        return "its policy has no such thing";
    }
    if (state == "behind_key" && !has_earlier(consumer, offset.value())) {
        return "nothing of its key comes before it";
    }
    if (state == "deferred" && !has_letter_in_key(name, consumer, offset.value())) {
        return "its key has no letter";
    }
    if (state == "retry_wait" && told.charged_max == 0 && told.answered_at == SteadyTime() &&
        !told.over_restart) {
        return "it never failed";
    }
    return "";
}

void Model::explained(const std::string& name, Offset offset, const Explained& why) {
    Consumer& consumer = consumers_.at(name);
    give_up_late_runs(consumer, why.now);
    const std::string wrong = why_not(name, consumer, offset, why);
    expect(wrong.empty(), "G10: " + name + " says of " + text(offset) + " \"" + why.state +
                              "\" by rules " + std::to_string(why.rules) + ", but " + wrong);
}

// ── The end ──────────────────────────────────────────────────────────────────────────────────────

void Model::at_rest(const IsTroubled& is_troubled) {
    for (const auto& [name, consumer] : consumers_) {
        const auto troubled = [&](std::uint64_t offset) {
            return is_troubled(name, log_.at(offset).id);
        };
        for (const auto& [offset, told] : consumer.events) {
            if (told.settled || told.may_be_settled || told.discarding || !damaged_.empty() ||
                troubled(offset) || (has_letter_(name, Offset(offset)) && told.charged_max > 0)) {
                continue;
            }
            const auto is_cause = [&](const auto& entry) {
                const bool same_key =
                    key_of(consumer, log_.at(entry.first)) == key_of(consumer, log_.at(offset));
                const bool before = entry.first < offset || !consumer.is_single();
                return same_key && before &&
                       (troubled(entry.first) || has_letter_(name, Offset(entry.first)));
            };
            expect(std::ranges::any_of(consumer.events, is_cause),
                   "G4: " + name + " has not come to " + text(Offset(offset)) +
                       ", and nothing of its key failed");
        }
    }
}

void Model::finish() {
    for (const auto& [name, consumer] : consumers_) {
        for (const auto& [offset, told] : consumer.events) {
            expect(told.settled || told.may_be_settled || damaged_.contains(offset),
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
