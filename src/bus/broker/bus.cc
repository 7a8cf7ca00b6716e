#include "bus/broker/bus.h"

#include <algorithm>
#include <charconv>

#include "bus/broker/bus_state.h"
#include "bus/event/body.h"
#include "bus/event/builders.h"
#include "bus/event/validate.h"
#include "foundation/base/check.h"
#include "foundation/base/hash.h"
#include "foundation/base/uuid.h"
#include "foundation/json/writer.h"

namespace bascule::broker {

namespace {

/// How often what retention may remove is looked for.
constexpr std::chrono::seconds retention_period{60};

Error no_consumer(std::string_view name) {
    return Error(ErrorKind::not_found, "there is no consumer '" + std::string(name) + "'");
}

std::string letter_id(const std::string& consumer, Offset offset) {
    return consumer + ":" + std::to_string(offset.value());
}

std::optional<std::pair<std::string, Offset>> parse_letter_id(std::string_view id) {
    const std::size_t colon = id.rfind(':');
    std::uint64_t offset = 0;
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view digits = id.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), offset);
    if (error != std::errc() || end != digits.data() + digits.size()) {
        return std::nullopt;
    }
    return std::pair(std::string(id.substr(0, colon)), Offset(offset));
}

/// A letter as people see it. `open` is what the machine holds of it, if it does.
LetterSummary summary_of(const std::string& consumer, const LetterStore::Stored& stored,
                         const delivery::LetterRef* open) {
    const delivery::Letter& letter = stored.letter;
    LetterSummary summary{.id = letter_id(consumer, letter.offset),
                          .consumer = consumer,
                          .offset = letter.offset,
                          .attempts = letter.attempts,
                          .first_error = letter.first_error,
                          .last_error = letter.last_error,
                          .fingerprint = letter.fingerprint,
                          .created = letter.opened};
    if (const auto event = event::decode_body(stored.body)) {
        summary.event_id = event->event_id;
        summary.event_type = event->event_type;
        summary.user_id = event->user_id;
    }
    if (open != nullptr) {
        summary.state = open->redriving ? "redriving" : "open";
        summary.reason = delivery::name(letter.reason);
    } else {
        summary.state = "closed";
        summary.reason = std::string(delivery::name(stored.how));
        if (!stored.closing_reason.empty()) {
            summary.reason += ": " + stored.closing_reason;
        }
    }
    return summary;
}

bool fits(const LetterSummary& summary, const LetterFilter& filter) {
    const bool open = summary.state != "closed";
    return (filter.ids.empty() || std::ranges::find(filter.ids, summary.id) != filter.ids.end()) &&
           (filter.consumer.empty() || filter.consumer == summary.consumer) &&
           (filter.user_id.empty() || filter.user_id == summary.user_id) &&
           (filter.fingerprint.empty() || filter.fingerprint == summary.fingerprint) &&
           (!filter.open || *filter.open == open);
}

/// All letters that the filter means, with the machine's word on which are open.
std::vector<LetterSummary> selected(const BusState& state, const LetterFilter& filter) {
    std::vector<LetterSummary> found;
    for (const auto& [number, consumer] : state.consumers) {
        if (!filter.consumer.empty() && filter.consumer != consumer->name()) {
            continue;
        }
        std::map<Offset, delivery::LetterRef> open;
        for (const delivery::LetterRef& letter : consumer->machine().letters({})) {
            open.emplace(letter.offset, letter);
        }
        const auto& all = state.letters->all();
        for (auto at = all.lower_bound({consumer->name(), Offset(0)});
             at != all.end() && at->first.first == consumer->name(); ++at) {
            const auto held = open.find(at->first.second);
            if (held == open.end() && !at->second.closed) {
                continue;  // written, but its event went on in the retry cycle after a crash
            }
            LetterSummary summary = summary_of(consumer->name(), at->second,
                                               held == open.end() ? nullptr : &held->second);
            if (fits(summary, filter)) {
                found.push_back(std::move(summary));
            }
        }
    }
    return found;
}

event::Occasion occasion_of(BusState& state, const Deed& deed) {
    const WallTime now = state.now().wall;
    std::string metadata;
    if (!deed.actor.empty()) {
        json::Writer(metadata).begin_object().member("actor", deed.actor).end_object();
    }
    return {
        .event_id = new_uuid(now, state.random), .timestamp = now, .metadata = std::move(metadata)};
}

/// Whether what is to be told can be: a deed that nobody could be told of is not done.
Result<> check_deed(const Deed& deed, const event::Event& fact) {
    if (deed.reason.size() > Deed::reason_bytes_max) {
        return fail(ErrorKind::invalid,
                    "the reason has " + std::to_string(deed.reason.size()) + " bytes; at most " +
                        std::to_string(Deed::reason_bytes_max) + " are allowed");
    }
    return event::validate(fact);
}

/// What a verb is to be done to: letters of one consumer.
struct Chosen {
    ConsumerRuntime* consumer = nullptr;
    delivery::LetterFilter letters;
};

/// The open letters that the filter means, by consumer; what is named by id must be there. Those
/// that are closed or on their way already are left out, since every verb may be repeated.
Result<std::vector<LetterSummary>> letters_meant(BusState& state, const LetterFilter& filter) {
    for (const std::string& id : filter.ids) {
        const auto parsed = parse_letter_id(id);
        if (!parsed || state.letters->find(parsed->first, parsed->second) == nullptr) {
            return fail(ErrorKind::not_found, "there is no letter '" + id + "'");
        }
    }
    LetterFilter open_only = filter;
    open_only.open = true;
    std::vector<LetterSummary> meant = selected(state, open_only);
    std::erase_if(meant, [&](const LetterSummary& letter) {
        return letter.state == "redriving" ||
               (filter.ids.empty() && state.find(letter.consumer) == nullptr);
    });
    return meant;
}

/// Applies a verb to every selected letter or, if it may not be done to one of them, to none. All
/// of it enters the journal in one turn. A crash before it is confirmed leaves all of it, nothing,
/// or, of more than 16 MiB of entries (DeliveryJournal::append), the first part: a valid history in
/// which the other letters are open still, so that the verb can be repeated.
template <class May, class Verb, class Fact>
void do_to_selected(BusState& state, const LetterFilter& filter, const Deed& deed, May may,
                    Verb verb, Fact fact_of, io::Completion<std::vector<LetterSummary>> done) {
    auto meant = letters_meant(state, filter);
    if (!meant) {
        done(std::move(meant));
        return;
    }
    std::vector<event::Event> facts;
    for (const LetterSummary& letter : *meant) {
        facts.push_back(fact_of(occasion_of(state, deed), {.consumer = letter.consumer,
                                                           .letter_id = letter.id,
                                                           .letter_event_id = letter.event_id,
                                                           .reason = deed.reason}));
        if (auto sound = check_deed(deed, facts.back()); !sound) {
            done(std::unexpected(std::move(sound).error()));
            return;
        }
    }
    std::vector<Chosen> chosen;
    for (const LetterSummary& letter : *meant) {  // in order of consumer and offset
        if (chosen.empty() || chosen.back().consumer->name() != letter.consumer) {
            ConsumerRuntime* consumer = state.find(letter.consumer);
            if (consumer == nullptr) {
                done(fail(ErrorKind::conflict, "nothing was done: letter '" + letter.id +
                                                   "' is of a consumer that was removed"));
                return;
            }
            chosen.push_back({.consumer = consumer});
        }
        chosen.back().letters.offsets.push_back(letter.offset);
    }
    for (const Chosen& part : chosen) {
        if (auto allowed = may(part.consumer->machine(), part.letters); !allowed) {
            done(std::unexpected(std::move(allowed).error().in("nothing was done: consumer '" +
                                                               part.consumer->name() + "'")));
            return;
        }
    }
    for (const Chosen& part : chosen) {
        CHECK(verb(part.consumer->machine(), part.letters).has_value());
    }
    state.facts.add(std::move(facts));
    state.confirm_when_durable(
        [meant = std::move(*meant), done = std::move(done)](Result<> synced) mutable {
            if (synced) {
                done(std::move(meant));
            } else {
                done(std::unexpected(synced.error()));
            }
        });
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
    return {.state = "unmatched",
            .reason = wanted == Routing::Wanted::undecided
                          ? "it is older than the consumer, and whether its rules match takes too "
                            "long to find out"
                          : "no rule in force when it was stored names this consumer",
            .rule_version = rule_version};
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

void Bus::letters(LetterFilter filter, io::Completion<std::vector<LetterSummary>> done) {
    state_->on_strand([filter = std::move(filter), done = std::move(done)](
                          BusState& state) mutable { done(selected(state, filter)); });
}

void Bus::letter(std::string id, io::Completion<LetterDetail> done) {
    state_->on_strand([id = std::move(id), done = std::move(done)](BusState& state) mutable {
        const auto summaries = selected(state, {.ids = {id}});
        const auto parsed = parse_letter_id(id);
        if (summaries.empty() || !parsed) {
            done(fail(ErrorKind::not_found, "there is no letter '" + id + "'"));
            return;
        }
        const LetterStore::Stored& stored = *state.letters->find(parsed->first, parsed->second);
        LetterDetail detail{.summary = summaries.front()};
        for (const delivery::Attempt& attempt : stored.letter.history) {
            detail.attempts.push_back({.at = attempt.at, .error = attempt.error});
        }
        if (const auto event = event::decode_body(stored.body)) {
            detail.event = event::owned(*event);
        }
        done(std::move(detail));
    });
}

void Bus::redrive(LetterFilter filter, Deed deed, io::Completion<std::vector<LetterSummary>> done) {
    state_->on_strand([filter = std::move(filter), deed = std::move(deed),
                       done = std::move(done)](BusState& state) mutable {
        do_to_selected(
            state, filter, deed,
            [](const delivery::Consumer& machine, const auto& letters) {
                return machine.may_redrive(letters);
            },
            [&](delivery::Consumer& machine, const auto& letters) {
                return machine.redrive(letters, state.now());
            },
            event::bus_letter_redriven, std::move(done));
    });
}

void Bus::discard(LetterFilter filter, Deed deed, io::Completion<std::vector<LetterSummary>> done) {
    state_->on_strand([filter = std::move(filter), deed = std::move(deed),
                       done = std::move(done)](BusState& state) mutable {
        const std::string& reason = deed.reason;
        if (reason.empty()) {
            done(fail(ErrorKind::invalid, "a discard needs a reason; it stays with the letter"));
            return;
        }
        constexpr auto how = delivery::LetterClosing::discarded;
        do_to_selected(
            state, filter, deed,
            [&](const delivery::Consumer& machine, const auto& letters) {
                return machine.may_close_letters(letters, how, reason);
            },
            [&](delivery::Consumer& machine, const auto& letters) {
                return machine.close_letters(letters, how, reason, state.now());
            },
            event::bus_letter_discarded, std::move(done));
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
