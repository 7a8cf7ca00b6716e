#include <algorithm>

#include "bus/broker/bus_state.h"
#include "foundation/json/raw.h"

namespace bascule::broker {

namespace {

std::string text_of_control(std::string_view body) {
    const auto raw = json::member_raw(body, "control");
    return raw ? json::string_of(*raw).value_or("") : "";
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
                if (const auto found = pending.find(record.rule_version); found != pending.end()) {
                    written->routing = found->second;
                    pending.erase(pending.begin(), std::next(found));
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
    publisher = std::make_unique<Publisher>(*log, sets, environment.executor, written->routing);
    journal = TRY(
        DeliveryJournal::open(environment.disk, strand, delivery + "/journal",
                              [&](ConsumerNumber number, std::string_view entries) -> Result<> {
                                  return recovered.try_emplace(number).first->second.apply(entries);
                              }));
    letters = TRY(LetterStore::open(environment.disk, strand, delivery + "/letters/letters"));
    durable_told = log->end();
    note_health();
    return {};
}

/// Rules and target sets as the log's control records left them.
Result<> BusState::recover_control() {
    Offset at = log->control_begin();
    while (at < log->end()) {
        const auto batch = log->read(at, {.records_max = 10'000,
                                          .bytes_max = 16 << 20,
                                          .kinds = log::ReadLimits::Kinds::control});
        if (!batch) {
            // A damaged log opens read-only: what can be read of its rules is used for looking.
            const auto lost = log->lost_at(at);
            if (batch.error().kind() != ErrorKind::corrupt || !lost) {
                return std::unexpected(batch.error());
            }
            at = lost->end;
            continue;
        }
        for (const log::RecordView& record : batch->records()) {
            const std::string control = text_of_control(record.body);
            if (control == "routing") {
                written->routing = TRY(Routing::decode(record.body));
            } else if (control == "target_sets") {
                TRY(sets->absorb(record.body));
            }
        }
        at = batch->next();
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

Result<std::unique_ptr<ConsumerRuntime>> BusState::make_runtime(const ConsumerConfig& consumer,
                                                                const Routing::Consumer& routed,
                                                                Offset from) {
    delivery::ConsumerState state(from);
    if (const auto found = recovered.find(routed.number); found != recovered.end()) {
        state = std::move(found->second);
        recovered.erase(found);
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
    auto machine = TRY(delivery::Consumer::create(consumer.name, consumer.policy, std::move(state),
                                                  Random(random.next()), now()));
    return std::make_unique<ConsumerRuntime>(consumer, routed.number, std::move(machine), *log,
                                             *sets);
}

void BusState::configure(BusConfig wanted, io::Completion<> done) {
    const std::shared_ptr<const Routing> before = publisher->routing();
    // Handlers are made first: what cannot be reached must not enter the log.
    for (const ConsumerConfig& consumer : wanted.consumers) {
        if (auto handler = handler_for(consumer); !handler) {
            done(std::unexpected(handler.error()));
            return;
        }
    }
    const auto built = Routing::build(wanted.plan(), before.get(), now().wall);
    if (!built) {
        done(std::unexpected(built.error()));
        return;
    }
    if (before->version() != 0 && (*built)->plan() == before->plan()) {
        // Settings may differ, rules do not: nothing to record.
        done(put_in_force(wanted, *before, std::nullopt));
        return;
    }
    written->pending.with([&](auto& pending) { pending[(*built)->version()] = *built; });
    publisher->change_routing(
        *built, [self = shared_from_this(), wanted = std::move(wanted), routing = *built, before,
                 done = std::move(done)](Result<Offset> at) mutable {
            if (!at) {
                // Before any later record is written: a refused change is not the log's state.
                self->written->pending.with([&](auto& pending) {
                    pending.erase(routing->version());
                    if (self->written->routing == routing) {
                        self->written->routing = before;
                    }
                });
            }
            self->on_strand([wanted = std::move(wanted), routing = std::move(routing),
                             done = std::move(done), at = std::move(at)](BusState& state) mutable {
                if (!at) {
                    done(std::unexpected(at.error()));
                    return;
                }
                done(state.put_in_force(wanted, *routing, *at));
            });
        });
}

/// Everything that can fail is made first; then the change is taken as a whole.
Result<> BusState::put_in_force(const BusConfig& wanted, const Routing& routing,
                                std::optional<Offset> changed_at) {
    struct Taken {
        const ConsumerConfig* config;
        std::shared_ptr<Handler> handler;
        std::unique_ptr<ConsumerRuntime> made;  ///< null: the running one goes on
    };
    std::map<ConsumerNumber, Taken> taken;
    for (const Routing::Consumer& routed : routing.consumers()) {
        const ConsumerConfig* config = routed.removed ? nullptr : wanted.find(routed.name);
        if (config == nullptr) {
            continue;
        }
        TRY(config->policy.validate());
        Taken& entry = taken[routed.number];
        entry = {.config = config, .handler = TRY(handler_for(*config)) };
        if (!consumers.contains(routed.number)) {
            // One that is new begins at its control record. One that is known but left nothing in
            // the journal looks through all there is: `wants` tells what is older than it.
            const bool is_new = changed_at && routed.created_version == routing.version();
            const bool from_now = is_new && routed.start == Start::now;
            entry.made = TRY(make_runtime(*config, routed, from_now ? *changed_at : log->begin()));
        }
    }
    std::map<ConsumerNumber, std::unique_ptr<ConsumerRuntime>> next;
    for (const Routing::Consumer& routed : routing.consumers()) {
        const auto running = consumers.find(routed.number);
        const auto entry = taken.find(routed.number);
        if (entry != taken.end() && entry->second.made) {
            entry->second.made->set_handler(entry->second.handler);
            next[routed.number] = std::move(entry->second.made);
        } else if (entry != taken.end()) {
            running->second->change(*entry->second.config, entry->second.handler);
            next[routed.number] = std::move(running->second);
        } else if (running != consumers.end()) {
            // Removed: it keeps its place in the journal, and data from its position on.
            running->second->retire();
            next[routed.number] = std::move(running->second);
        }
    }
    consumers = std::move(next);
    std::erase_if(recovered, [&](const auto& state) {
        return routing.find(state.first) == nullptr;  // gone for longer than its place is kept
    });
    schedule_turn();
    return {};
}

}  // namespace bascule::broker
