#include <algorithm>

#include "bus/broker/bus_state.h"
#include "foundation/base/check.h"
#include "foundation/json/raw.h"

namespace bascule::broker {

namespace {

std::string text_of_control(std::string_view body) {
    const auto raw = json::member_raw(body, "control");
    return raw ? json::string_of(*raw).value_or("") : "";
}

/// A log that is older or shorter than what was made of it.
std::unexpected<Error> shorter_log(Offset end, Offset known, const std::string& who) {
    return fail(ErrorKind::corrupt,
                "the log ends at position " + std::to_string(end.value()) + ", but " + who +
                    " has come to position " + std::to_string(known.value()) +
                    ": segments are missing or are an older copy. Going on would give new events "
                    "the positions of settled ones, and they would never be delivered. Restore the "
                    "newer log, or restore log, delivery and databases together from one copy");
}

std::unexpected<Error> lost_journal(const std::string& what, Offset log_end) {
    return fail(ErrorKind::corrupt,
                what + ", but the log has " + std::to_string(log_end.value()) +
                    " positions: what each consumer did with them, who is paused and which letters "
                    "are open stood in it alone, and without it everything would be delivered "
                    "again. Restore log, delivery and databases together from one copy, or start "
                    "with another data directory; nothing was changed");
}

}  // namespace

BusState::BusState(Bus::Environment given_environment, Bus::Options given_options)
    : environment(given_environment),
      options(std::move(given_options)),
      strand(environment.executor),
      random(options.random_seed == 0 ? Random::from_entropy() : Random(options.random_seed)) {}

Result<> BusState::open() {
    const std::string delivery = options.directory + "/delivery";
    TRY(environment.disk.make_directories(delivery + "/letters"));
    log::Hooks hooks;
    // The hooks own what they need and not the bus: the log's last task may outlive it.
    hooks.before_commit = [written = written](log::Record& record) {
        if (record.kind == log::RecordKind::control && record.rule_version != 0) {
            written->pending.with([&](auto& pending) {
                if (pending && pending->version() == record.rule_version) {
                    written->routing = std::exchange(pending, nullptr);
                }
            });
        }
    };
    hooks.control_snapshot = [written = written, sets = sets] {
        std::vector<std::string> bodies;
        if (written->routing->version() != 0) {
            bodies.push_back(written->routing->encode());
            std::ranges::move(sets->all_definitions(), std::back_inserter(bodies));
        }
        return bodies;
    };
    hooks.durable = [weak = weak_from_this()](Offset) {
        if (const auto self = weak.lock()) {
            self->schedule_turn();
        }
    };
    hooks.health = [weak = weak_from_this()](const log::Health&) {
        if (const auto self = weak.lock()) {
            self->on_strand([](BusState& state) { state.note_health(); });
        }
    };
    log = TRY(log::Log::open(environment.disk, environment.executor, options.directory + "/log",
                             options.log, std::move(hooks)));
    TRY(recover_control());
    TRY(check_journal_is_there(delivery + "/journal"));
    publisher = std::make_unique<Publisher>(*log, sets, environment.executor, written->routing);
    journal = TRY(
        DeliveryJournal::open(environment.disk, strand, delivery + "/journal",
                              [&](ConsumerNumber number, std::string_view entries) -> Result<> {
                                  if (number == DeliveryJournal::nobody) {
                                      return facts.apply(entries);
                                  }
                                  return recovered.try_emplace(number).first->second.apply(entries);
                              }));
    TRY(check_journal_is_readable());
    facts.begin(log->highest_sequence(Facts::producer).value_or(0));
    letters = TRY(LetterStore::open(environment.disk, strand, delivery + "/letters/letters"));
    TRY(compare_with_journal());
    rebuild_letters();
    close_discarded_letters();
    durable_told = log->end();
    reserve_missing = options.log.reserve_bytes > 0 && !log->status().reserve_held;
    note_health();
    if (!facts.empty()) {
        schedule_turn();  // a crash kept them back
    }
    return {};
}

/// The journal is made before the log's first record, durably: if it is missing beside records, it
/// was lost. A new one would have every consumer begin anew: webhooks would get each event again,
/// pauses would be over and parked keys go on.
Result<> BusState::check_journal_is_there(const std::string& path) const {
    if (log->end() == Offset(0)) {
        return {};
    }
    const bool exists = TRY(environment.disk.exists(path));
    if (exists && TRY(TRY(environment.disk.open(path, io::OpenMode::read))->size()) > 0) {
        return {};
    }
    return lost_journal(path + (exists ? " is empty" : " is missing"), log->end());
}

/// A journal of which nothing can be read is lost too. Of one that is damaged in part what can be
/// read counts, and the rest is told.
Result<> BusState::check_journal_is_readable() {
    if (journal->damage().empty()) {
        return {};
    }
    if (journal->holds_nothing() && log->end() > Offset(0)) {
        return lost_journal(journal->damage(), log->end());
    }
    damage_found.push_back({.reason = "a part of the delivery journal is damaged: what consumers "
                                      "did then is not known, so deliveries may be repeated and "
                                      "pauses be over",
                            .detail = journal->damage()});
    journal_due = now().steady;  // what is known is written anew at once
    schedule_turn();
    return {};
}

/// Everything that was settled was in the log. One that ends before it is not the log that was
/// written: it would give out again what consumers and databases hold as done.
Result<> BusState::compare_with_journal() const {
    for (const auto& [number, state] : recovered) {
        const Offset known = std::max(state.seen_end, state.settled.low());
        if (known > log->end()) {
            const Routing::Consumer* consumer = written->routing->find(number);
            return shorter_log(
                log->end(), known,
                "the delivery journal knows of" +
                    (consumer == nullptr ? std::string() : " consumer '" + consumer->name + "'"));
        }
    }
    return {};
}

/// Letters that the journal knows as open and the store lost: without them nobody could redrive or
/// discard what their keys wait for. The event is in the log, the history of its attempts is gone.
void BusState::rebuild_letters() {
    std::size_t rebuilt = 0;
    for (const auto& [number, state] : recovered) {
        const Routing::Consumer* consumer = written->routing->find(number);
        if (consumer == nullptr) {
            continue;
        }
        for (const auto& [offset, known] : state.letters) {
            if (letters->find(consumer->name, offset) != nullptr) {
                continue;
            }
            const auto batch = log->read(offset, {.records_max = 1});
            const bool readable =
                batch && !batch->records().empty() && batch->records().front().offset == offset;
            const std::string text =
                readable ? "the letter was damaged and made anew: its history is lost"
                         : "the letter was damaged and made anew: its history and its event are "
                           "lost";
            letters->write({.consumer = consumer->name,
                            .offset = offset,
                            .key_hash = known.key_hash,
                            .reason = known.reason,
                            .opened = known.opened,
                            .redrives = known.redrives,
                            .history = {{.at = now().wall, .error = text}},
                            .first_error = text,
                            .last_error = text,
                            .fingerprint = delivery::fingerprint(text)},
                           readable ? std::string(batch->records().front().body) : "");
            letters_dirty = true;
            ++rebuilt;
        }
    }
    if (rebuilt > 0) {
        damage_found.push_back(
            {.reason = std::to_string(rebuilt) +
                       " letters were damaged and made anew from the log, without the history of "
                       "their attempts",
             .detail = letters->damage()});
    } else if (!letters->damage().empty()) {
        damage_found.push_back(
            {.reason = "a part of the letters' file is damaged; no open letter was in it",
             .detail = letters->damage()});
    }
}

/// Letters that a person discarded, as the journal knows, in a discard that a crash cut short
/// before the store knew it too. They remain, as closed ones do.
void BusState::close_discarded_letters() {
    for (const auto& [number, state] : recovered) {
        const Routing::Consumer* consumer = written->routing->find(number);
        if (consumer == nullptr) {
            continue;
        }
        for (const Offset offset : state.decided) {
            const LetterStore::Stored* stored = letters->find(consumer->name, offset);
            if (stored != nullptr && !stored->closed) {
                letters->close(consumer->name, {.offset = offset,
                                                .how = delivery::LetterClosing::discarded,
                                                .reason = "the reason was lost in a crash",
                                                .at = now().wall});
                letters_dirty = true;
            }
        }
    }
}

/// Whether more than a repetition of the control state was in the damaged range. The snapshot with
/// which reading began, up to `snapshot_end`, is no repetition.
bool BusState::loses_control(const log::LostRange& lost, Offset snapshot_end) const {
    for (Offset at = lost.first; at < lost.end;) {
        const auto columns = log->read(at, {.parts = log::ReadLimits::Parts::columns});
        if (!columns) {
            return true;  // nobody can tell
        }
        for (const log::RecordView& record : columns->records()) {
            if (record.offset < lost.end && record.kind == log::RecordKind::control &&
                (!record.snapshot || record.offset == snapshot_end)) {
                return true;
            }
        }
        at = columns->next();
    }
    return false;
}

/// The control records from `from` on, which is where a snapshot of the control state begins or the
/// log does. Later snapshots only repeat: it does no harm to lose one.
Result<BusState::ControlRecords> BusState::read_control(Offset from) const {
    ControlRecords control;
    Offset snapshot_end = from;
    for (Offset at = from; at < log->end();) {
        const auto batch = log->read(at, {.records_max = 10'000,
                                          .bytes_max = 16 << 20,
                                          .kinds = log::ReadLimits::Kinds::control});
        if (!batch) {
            const auto lost = log->lost_at(at);
            if (batch.error().kind() != ErrorKind::corrupt || !lost) {
                return std::unexpected(batch.error());
            }
            if (loses_control(*lost, snapshot_end)) {
                control.missing = batch.error();
            }
            at = lost->end;
            continue;
        }
        for (const log::RecordView& record : batch->records()) {
            if (record.snapshot && record.offset == snapshot_end) {
                snapshot_end = next(snapshot_end);
            }
            const std::string kind = text_of_control(record.body);
            if (kind == "routing") {
                control.routing = record.body;  // each replaces the one before
            } else if (kind == "target_sets") {
                control.target_sets.emplace_back(record.body);
            }
        }
        at = batch->next();
    }
    return control;
}

/// Rules and target sets as the log's control records left them. Without them nobody could tell
/// whose the events are, and new ones would get numbers that are taken. A log that was found
/// damaged is read-only: there what can be read is used for looking.
Result<> BusState::recover_control() {
    ControlRecords control = TRY(read_control(log->control_begin()));
    if (control.missing) {
        // Its last snapshot is damaged. An older one and all that changed since say the same.
        ControlRecords older = TRY(read_control(log->begin()));
        if (!older.missing) {
            control = std::move(older);
        }
    }
    if (control.missing && log->state() != log::State::read_only) {
        return std::unexpected(std::move(*control.missing)
                                   .in("the rules cannot be read, and without them nobody can tell "
                                       "whose the events are: restore the segment from a copy"));
    }
    for (const std::string& body : control.target_sets) {
        TRY(sets->absorb(body));
    }
    if (!control.routing.empty()) {
        written->routing = TRY(Routing::decode(control.routing));
    }
    return {};
}

Result<std::shared_ptr<Handler>> BusState::handler_for(const ConsumerConfig& consumer) const {
    if (consumer.handler.kind == HandlerConfig::Kind::in_process) {
        return attached.with([&](const auto& map) -> Result<std::shared_ptr<Handler>> {
            const auto found = map.find(consumer.handler.in_process);
            if (found == map.end()) {
                return fail(ErrorKind::invalid,
                            "consumer '" + consumer.name + "': there is no function called '" +
                                consumer.handler.in_process + "' in this process");
            }
            if (const auto& inbox = found->second.inbox) {
                const Offset known =
                    inbox->done.empty()
                        ? inbox->low
                        : std::max(inbox->low, Offset(inbox->done.back().value() + 1));
                if (known > log->end()) {
                    return shorter_log(log->end(), known,
                                       "the database of consumer '" + consumer.name + "'");
                }
            }
            return found->second.handler;
        });
    }
    return factory.with([&](const Bus::HandlerFactory& make) -> Result<std::shared_ptr<Handler>> {
        if (!make) {
            return fail(ErrorKind::invalid, "consumer '" + consumer.name +
                                                "': " + consumer.handler.text() +
                                                " cannot be reached from this process");
        }
        return make(consumer);
    });
}

std::unique_ptr<ConsumerRuntime> BusState::make_runtime(const ConsumerConfig& consumer,
                                                        const Routing::Consumer& routed,
                                                        Offset from) {
    delivery::ConsumerState state(from);
    if (const auto found = recovered.find(routed.number); found != recovered.end()) {
        state = std::move(found->second);
        recovered.erase(found);
    } else {
        // Where it begins must be known after a restart: below that its database knows nothing
        // and misses nothing.
        journal->append_state(routed.number, state.encode_parts());
    }
    const auto inbox = attached.with([&](const auto& map) {
        const auto found = map.find(consumer.handler.in_process);
        return found == map.end() ? std::nullopt : found->second.inbox;
    });
    if (inbox) {
        state.reconcile(inbox->low, [&](Offset offset) {
            return offset < inbox->low || std::ranges::binary_search(inbox->done, offset);
        });
    }
    auto machine = delivery::Consumer::create(consumer.name, consumer.policy, std::move(state),
                                              Random(random.next()), now());
    CHECK(machine.has_value());  // its policy was looked at before anything was changed
    auto made = std::make_unique<ConsumerRuntime>(consumer, routed.number, std::move(*machine),
                                                  *log, *sets);
    if (inbox) {
        made->set_inbox({.low = inbox->low, .advance = inbox->advance});
    }
    return made;
}

// --- changing ------------------------------------------------------------------------------------

void BusState::configure(BusConfig wanted, io::Completion<> done) {
    changes.push_back({.wanted = std::move(wanted), .done = std::move(done)});
    if (!std::exchange(changing, true)) {
        next_change();
    }
}

/// One change at a time: each builds on rules that are durable, and goes back to them.
void BusState::next_change() {
    if (changes.empty()) {
        changing = false;
        return;
    }
    Change change = std::move(changes.front());
    changes.pop_front();
    if (auto ready = prepare(change); !ready) {
        end_change(std::move(change), std::move(ready));
        return;
    }
    const std::shared_ptr<const Routing> before = publisher->routing();
    const auto built =
        Routing::build(change.wanted.plan(), before.get(), now().wall, change.wanted.limits);
    if (!built) {
        end_change(std::move(change), std::unexpected(built.error()));
    } else if (before->version() != 0 && (*built)->plan() == before->plan()) {
        // Settings may differ, rules do not: nothing to record.
        put_in_force(change, *before, std::nullopt);
        end_change(std::move(change), {});
    } else {
        record_rules(std::move(change), before, *built);
    }
}

/// Everything that can fail is made here: what cannot be taken as a whole must not enter the log.
Result<> BusState::prepare(Change& change) const {
    if (!log) {
        return fail(ErrorKind::unavailable, "the bus is closed");
    }
    for (const ConsumerConfig& consumer : change.wanted.consumers) {
        if (auto valid = consumer.policy.validate(); !valid) {
            return std::unexpected(std::move(valid).error().in("consumer '" + consumer.name + "'"));
        }
        change.handlers[consumer.name] = TRY(handler_for(consumer));
    }
    return {};
}

void BusState::record_rules(Change change, const std::shared_ptr<const Routing>& before,
                            std::shared_ptr<const Routing> next) {
    written->pending.with([&](auto& pending) { pending = next; });
    publisher->change_routing(next, [self = shared_from_this(), change = std::move(change), before,
                                     next](Result<Offset> at) mutable {
        if (!at) {
            // Before any later record is written: a refused change is not the log's state.
            self->written->pending.with([&](auto& pending) { pending = nullptr; });
            if (self->written->routing == next) {
                self->written->routing = before;
            }
        }
        self->on_strand([change = std::move(change), next = std::move(next),
                         at = std::move(at)](BusState& state) mutable {
            Result<> outcome;
            if (!at) {
                outcome = std::unexpected(std::move(at).error());
            } else if (!state.log) {
                outcome = fail(ErrorKind::unavailable, "the bus is closed");
            } else {
                state.put_in_force(change, *next, *at);
            }
            state.end_change(std::move(change), std::move(outcome));
        });
    });
}

void BusState::end_change(Change change, Result<> outcome) {
    change.done(std::move(outcome));
    next_change();
}

void BusState::put_in_force(Change& change, const Routing& routing,
                            std::optional<Offset> changed_at) {
    std::map<ConsumerNumber, std::unique_ptr<ConsumerRuntime>> next;
    for (const Routing::Consumer& routed : routing.consumers()) {
        const ConsumerConfig* config = routed.removed ? nullptr : change.wanted.find(routed.name);
        const auto running = consumers.find(routed.number);
        if (config != nullptr && running != consumers.end()) {
            running->second->change(*config, change.handlers.at(routed.name));
            next[routed.number] = std::move(running->second);
        } else if (config != nullptr) {
            // One that is new begins at its control record. One that is known but left nothing in
            // the journal looks through all there is: `wants` tells what is older than it.
            const bool is_new = changed_at && routed.created_version == routing.version();
            const bool from_now = is_new && routed.start == Start::now;
            auto made = make_runtime(*config, routed, from_now ? *changed_at : log->begin());
            made->set_handler(change.handlers.at(routed.name));
            next[routed.number] = std::move(made);
        } else if (running != consumers.end()) {
            // Removed: it keeps its place in the journal, and data from its position on.
            running->second->retire();
            next[routed.number] = std::move(running->second);
        }
    }
    consumers = std::move(next);
    if (stopping) {  // nothing begins any more, whatever the settings
        for (auto& [number, consumer] : consumers) {
            consumer->machine().halt();
        }
    }
    std::erase_if(recovered, [&](const auto& state) {
        return routing.find(state.first) == nullptr;  // gone for longer than its place is kept
    });
    schedule_turn();
}

}  // namespace bascule::broker
