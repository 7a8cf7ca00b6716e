#include "bus/broker/bus.h"

#include "bus/broker/bus_state.h"
#include "bus/broker/deeds.h"
#include "bus/event/builders.h"

namespace bascule::broker {

namespace {

/// How often what retention may remove is looked for.
constexpr std::chrono::seconds retention_period{60};

Error no_consumer(std::string_view name) {
    return Error(ErrorKind::not_found, "there is no consumer '" + std::string(name) + "'");
}

void pause_consumer(BusState& state, const std::string& name, delivery::PauseOptions options,
                    const Deed& deed, io::Completion<> done) {
    ConsumerRuntime* found = state.find(name);
    if (found == nullptr) {
        done(std::unexpected(no_consumer(name)));
        return;
    }
    options.reason = deed.reason;
    auto fact = event::bus_consumer_paused(
        occasion_of(state, deed),
        {.consumer = name, .reason = options.reason, .until = options.until});
    if (auto sound = check_deed(deed, fact); !sound) {
        done(std::move(sound));
        return;
    }
    const delivery::ConsumerStatus before = found->machine().status(state.now());
    const auto wanted =
        options.drain ? delivery::ConsumerMode::draining : delivery::ConsumerMode::paused;
    const bool is_so =
        before.mode == wanted && before.until == options.until && before.text == options.reason;
    if (!is_so) {
        found->machine().pause(options, state.now());
        state.facts.add({std::move(fact)});
    }
    state.confirm_when_durable(std::move(done));
}

/// The offset that is meant; nothing for where it stopped.
Result<std::optional<Offset>> place_of(const log::Log& log, const ResumeFrom& from) {
    switch (from.kind) {
        case ResumeFrom::Kind::position:
            break;
        case ResumeFrom::Kind::now:
            return log.end();
        case ResumeFrom::Kind::offset:
            if (from.offset < log.begin() || from.offset > log.end()) {
                return fail(ErrorKind::invalid, "offset is " + std::to_string(from.offset.value()) +
                                                    "; the log holds " +
                                                    std::to_string(log.begin().value()) + " to " +
                                                    std::to_string(log.end().value()));
            }
            return from.offset;
        case ResumeFrom::Kind::time:
            return TRY(log.offset_at(from.time));
    }
    return std::nullopt;
}

std::string place_text(const ResumeFrom& from) {
    switch (from.kind) {
        case ResumeFrom::Kind::position:
            break;
        case ResumeFrom::Kind::now:
            return "now";
        case ResumeFrom::Kind::offset:
            return "offset " + std::to_string(from.offset.value());
        case ResumeFrom::Kind::time:
            return "time " + std::to_string(to_unix_ms(from.time));
    }
    return "position";
}

void resume_consumer(BusState& state, const std::string& name, const ResumeFrom& from,
                     const Deed& deed, io::Completion<> done) {
    ConsumerRuntime* found = state.find(name);
    if (found == nullptr) {
        done(std::unexpected(no_consumer(name)));
        return;
    }
    auto fact = event::bus_consumer_resumed(occasion_of(state, deed),
                                            {.consumer = name, .from = place_text(from)});
    if (auto sound = check_deed(deed, fact); !sound) {
        done(std::move(sound));
        return;
    }
    const auto mode = found->machine().status(state.now()).mode;
    const auto place = place_of(*state.log, from);
    const auto resumed =
        place ? found->machine().resume(*place, state.now()) : std::unexpected(place.error());
    if (!resumed) {
        done(std::unexpected(resumed.error()));
        return;
    }
    if (mode == delivery::ConsumerMode::paused || mode == delivery::ConsumerMode::draining) {
        state.facts.add({std::move(fact)});
    }
    state.confirm_when_durable(std::move(done));
}

void keep_retention(const std::weak_ptr<BusState>& weak) {
    if (const auto state = weak.lock()) {
        state->environment.executor.post_at(state->now().steady + retention_period, [weak] {
            if (const auto later = weak.lock()) {
                later->on_strand([](BusState& on) { on.apply_retention(); });
                keep_retention(weak);
            }
        });
    }
}

Explanation unmatched(Routing::Wanted wanted, std::uint32_t rule_version) {
    const auto why = [wanted] {
        switch (wanted) {
            case Routing::Wanted::undecided:
                return "it is older than the consumer, and whether its rules match takes too long "
                       "to find out";
            case Routing::Wanted::unknown:
                return "the record that says whose it is is damaged; restore the log from a copy";
            default:
                return "no rule in force when it was stored names this consumer";
        }
    };
    return {.state = "unmatched", .reason = why(), .rule_version = rule_version};
}

}  // namespace

ConsumerRuntime* BusState::find(std::string_view name) {
    for (const auto& [number, consumer] : consumers) {
        if (consumer->name() == name && consumer->handler()) {
            return consumer.get();
        }
    }
    return nullptr;
}

Bus::Bus(std::shared_ptr<BusState> state) : state_(std::move(state)) {}

Bus::~Bus() {
    // Breaks the tie between the log's hooks and the state; whoever wants peace stops first.
    state_->on_strand([](BusState& state) {
        state.stopping = true;
        state.consumers.clear();
        state.publisher.reset();
        state.log.reset();
    });
}

Result<std::unique_ptr<Bus>> Bus::open(Environment environment, Options options) {
    auto state = std::make_shared<BusState>(environment, std::move(options));
    if (auto opened = state->open(); !opened) {
        return std::unexpected(std::move(opened).error().in("bus " + state->options.directory));
    }
    keep_retention(state);
    return std::unique_ptr<Bus>(new Bus(std::move(state)));
}

void Bus::attach(std::string name, std::shared_ptr<Handler> handler,
                 std::optional<InboxState> inbox) {
    state_->attached.with([&](auto& map) {
        map[std::move(name)] = {.handler = std::move(handler), .inbox = std::move(inbox)};
    });
}

void Bus::set_handler_factory(HandlerFactory factory) {
    state_->factory.with([&](HandlerFactory& current) { current = std::move(factory); });
}

void Bus::configure(BusConfig config, io::Completion<> done) {
    state_->on_strand(
        [config = std::move(config), done = std::move(done)](BusState& state) mutable {
            state.configure(std::move(config), std::move(done));
        });
}

void Bus::publish(std::vector<event::Event> events, const PublishOptions& options,
                  io::Completion<std::vector<PublishResult>> done) {
    state_->publisher->publish(std::move(events), options, std::move(done));
}

std::vector<std::string> Bus::would_receive(const event::Event& event) const {
    std::vector<std::string> names;
    const auto routing = state_->publisher->routing();
    for (const ConsumerNumber number : routing->match(event::view_of(event))) {
        names.push_back(routing->find(number)->name);
    }
    return names;
}

const log::Log& Bus::log() const { return *state_->log; }
std::shared_ptr<const Routing> Bus::routing() const { return state_->publisher->routing(); }
const PublishCounts& Bus::publish_counts() const { return state_->publisher->counts(); }

void Bus::consumers(io::Completion<std::vector<ConsumerStatus>> done) {
    state_->on_strand([done = std::move(done)](BusState& state) mutable {
        std::vector<ConsumerStatus> all;
        for (const auto& [number, consumer] : state.consumers) {
            if (consumer->handler()) {
                all.push_back(consumer->status(state.now()));
            }
        }
        done(std::move(all));
    });
}

void Bus::consumer(std::string name, io::Completion<ConsumerStatus> done) {
    state_->on_strand([name = std::move(name), done = std::move(done)](BusState& state) mutable {
        ConsumerRuntime* found = state.find(name);
        if (found == nullptr) {
            done(std::unexpected(no_consumer(name)));
        } else {
            done(found->status(state.now()));
        }
    });
}

void Bus::pause(std::string name, std::optional<WallTime> until, Deed deed, io::Completion<> done) {
    state_->on_strand([name = std::move(name), until, deed = std::move(deed),
                       done = std::move(done)](BusState& state) mutable {
        pause_consumer(state, name, {.until = until}, deed, std::move(done));
    });
}

void Bus::drain(std::string name, std::optional<WallTime> until, Deed deed, io::Completion<> done) {
    state_->on_strand([name = std::move(name), until, deed = std::move(deed),
                       done = std::move(done)](BusState& state) mutable {
        pause_consumer(state, name, {.until = until, .drain = true}, deed, std::move(done));
    });
}

void Bus::resume(std::string name, Deed deed, io::Completion<> done) {
    resume_from(std::move(name), {}, std::move(deed), std::move(done));
}

void Bus::resume_from(std::string name, ResumeFrom from, Deed deed, io::Completion<> done) {
    state_->on_strand([name = std::move(name), from, deed = std::move(deed),
                       done = std::move(done)](BusState& state) mutable {
        resume_consumer(state, name, from, deed, std::move(done));
    });
}

void Bus::flush(std::string name, io::Completion<> done) {
    state_->on_strand([name = std::move(name), done = std::move(done)](BusState& state) mutable {
        ConsumerRuntime* found = state.find(name);
        if (found == nullptr) {
            done(std::unexpected(no_consumer(name)));
            return;
        }
        found->machine().flush(std::nullopt, state.now());
        state.confirm_when_durable(std::move(done));
    });
}

void Bus::explain(std::string consumer, Offset offset, io::Completion<Explanation> done) {
    state_->on_strand(
        [consumer = std::move(consumer), offset, done = std::move(done)](BusState& state) mutable {
            ConsumerRuntime* found = state.find(consumer);
            if (found == nullptr) {
                done(std::unexpected(no_consumer(consumer)));
                return;
            }
            const auto batch = state.log->read(offset, {.records_max = 1});
            if (const auto lost = state.log->lost_at(offset); !batch && lost) {
                done(found->explain_lost(offset, *lost, *state.publisher->routing(), state.now()));
                return;
            }
            if (!batch || batch->records().empty() || batch->records()[0].offset != offset) {
                done(fail(ErrorKind::not_found,
                          "there is no event at position " + std::to_string(offset.value())));
                return;
            }
            const log::RecordView& record = batch->records()[0];
            const Routing::Wanted wanted = found->wants(record, *state.publisher->routing());
            if (wanted != Routing::Wanted::yes) {
                done(unmatched(wanted, record.rule_version));
                return;
            }
            const delivery::Explanation why =
                found->machine().explain(offset, found->key_hash_of(record), state.now());
            done(Explanation{.state = std::string(delivery::name(why.state)),
                             .reason = why.text,
                             .last_error = why.error,
                             .next_attempt = why.next,
                             .rule_version = record.rule_version});
        });
}

BusHealth Bus::health() const { return state_->health(); }

void Bus::on_health(std::function<void(const BusHealth& health)> listener) {
    state_->on_strand([listener = std::move(listener)](BusState& state) mutable {
        listener(state.health());
        state.health_listeners.push_back(std::move(listener));
    });
}

void Bus::on_durable(std::function<void(Offset end)> listener) {
    state_->on_strand([listener = std::move(listener)](BusState& state) mutable {
        state.durable_listeners.push_back(std::move(listener));
    });
}

void Bus::when_idle(io::Completion<> done) {
    state_->on_strand([done = std::move(done)](BusState& state) mutable {
        state.idle_waiters.push_back(std::move(done));
    });
}

void Bus::stop(std::chrono::milliseconds grace, io::Completion<> done) {
    state_->on_strand([grace, done = std::move(done)](BusState& state) mutable {
        if (state.stopping && !state.journal) {
            done({});
            return;
        }
        state.stopping = true;
        for (const auto& [number, consumer] : state.consumers) {
            consumer->machine().halt();
        }
        state.stop_deadline = state.now().steady + grace;
        state.stopped.push_back(std::move(done));
    });
}

}  // namespace bascule::broker
