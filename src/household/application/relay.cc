#include "household/application/relay.h"

#include <algorithm>
#include <atomic>

#include "bus/event/body.h"
#include "foundation/base/uuid.h"
#include "foundation/sql/outbox.h"

namespace bascule::application {

namespace outbox = sql::outbox;

namespace {

constexpr std::size_t round_messages_max = 1024;
constexpr std::size_t round_bytes_max = 4 << 20;
constexpr std::chrono::milliseconds retry_first{50};
constexpr std::chrono::milliseconds retry_longest{5000};

std::uint64_t producer_of(const std::string& incarnation) {
    // 0 means "not numbered".
    return std::max<std::uint64_t>(hash64("outbox/" + incarnation), 1);
}

/// Whether the bus would refuse the event each time it is asked.
bool is_for_good(broker::Rejected::Code code) {
    switch (code) {
        case broker::Rejected::Code::invalid_event:
        case broker::Rejected::Code::too_large:
        case broker::Rejected::Code::hop_limit:
        case broker::Rejected::Code::undecided:
        case broker::Rejected::Code::id_reused:
            return true;
        case broker::Rejected::Code::sequence_not_above:
        case broker::Rejected::Code::atomic_batch_failed:
        case broker::Rejected::Code::too_many_producers:
            return false;
    }
    return false;
}

std::string text_of(const broker::Rejected& rejected) {
    return "event " + rejected.event_id + ": " + std::string(broker::name(rejected.code)) + ": " +
           rejected.message;
}

/// The messages of a batch that no repetition helps; `first` is the number of its first.
std::vector<outbox::Refusal> refused_for_good(const std::vector<broker::PublishResult>& results,
                                              std::uint64_t first) {
    std::vector<outbox::Refusal> refused;
    for (std::size_t i = 0; i < results.size(); ++i) {
        const auto* rejected = std::get_if<broker::Rejected>(&results[i]);
        if (rejected != nullptr && is_for_good(rejected->code)) {
            refused.push_back({.publish_seq = first + i,
                               .code = std::string(broker::name(rejected->code)),
                               .reason = text_of(*rejected)});
        }
    }
    return refused;
}

/// Why a batch was not taken; nothing if it was. A number that the log already has is an event that
/// it already has.
std::optional<std::string> refusal(const std::vector<broker::PublishResult>& results) {
    std::optional<std::string> why;
    for (const auto& result : results) {
        const auto* rejected = std::get_if<broker::Rejected>(&result);
        if (rejected == nullptr || rejected->code == broker::Rejected::Code::sequence_not_above) {
            continue;
        }
        if (!why || rejected->code != broker::Rejected::Code::atomic_batch_failed) {
            why = text_of(*rejected);
        }
    }
    return why;
}

}  // namespace

RelayTarget RelayTarget::of(broker::Bus& bus) {
    return {
        .publish =
            [&bus](std::vector<event::Event> events, const broker::PublishOptions& options,
                   io::Completion<std::vector<broker::PublishResult>> done) {
                bus.publish(std::move(events), options, std::move(done));
            },
        .highest_sequence =
            [&bus](std::uint64_t producer) { return bus.log().highest_sequence(producer); },
        .contains =
            [&bus](const event::Event& event) {
                const auto offset = bus.log().find(event::id_hash(event::view_of(event)));
                if (!offset) {
                    return false;
                }
                // Of a number, since only an outbox numbers; content may differ, since a unit that
                // is done anew after a restore has another time.
                const auto batch = bus.log().read(*offset, {.records_max = 1});
                return !batch || batch->records().empty() || batch->records().front().producer != 0;
            },
    };
}

/// Everything below runs on the strand, except where said.
struct Relay::State : std::enable_shared_from_this<Relay::State> {
    State(sql::Database& database, sql::Writer& writer, RelayTarget target, io::Executor& executor)
        : database(database), writer(writer), target(std::move(target)), strand(executor) {}

    sql::Database& database;
    sql::Writer& writer;
    const RelayTarget target;
    io::Strand strand;

    enum class Phase { created, idle, busy, waiting, stopped };
    Phase phase = Phase::created;
    bool woken = false;  ///< while busy
    bool stopping = false;
    std::vector<io::Completion<>> stop_listeners;
    std::chrono::milliseconds retry_wait = retry_first;

    std::uint64_t producer = 0;
    std::uint64_t taken = 0;  ///< the log has every number up to it

    Guarded<std::string> trouble;                 // any thread
    std::atomic<std::uint64_t> refused_count{0};  // any thread
    std::function<void(const std::string&)> trouble_listener;
    std::function<void(const std::string&)> refusal_listener;

    void start(io::Completion<> done);
    Result<outbox::RelayState> begin(sql::Session& session) const;
    void wake();
    void round();
    Result<bool> run_round();
    void note_trouble(const std::string& now);
    void publish(std::vector<outbox::Numbered> messages);
    /// The numbers of a batch, both included.
    struct Batch {
        std::uint64_t first;
        std::uint64_t last;
    };
    void published(Batch batch, const Result<std::vector<broker::PublishResult>>& results);
    void set_aside(std::vector<outbox::Refusal> refused);
    void renumber();
    void round_done(const Result<>& result);
    void finish_stop();

    template <class F>
    auto on_strand(F action) {
        return [self = shared_from_this(), action = std::move(action)](auto result) mutable {
            self->strand.post([self, action = std::move(action),
                               result = std::move(result)]() mutable { action(*self, result); });
        };
    }
};

Relay::Relay(sql::Database& database, sql::Writer& writer, broker::Bus& bus, io::Executor& executor)
    : Relay(database, writer, RelayTarget::of(bus), executor) {}

Relay::Relay(sql::Database& database, sql::Writer& writer, RelayTarget target,
             io::Executor& executor)
    : state_(std::make_shared<State>(database, writer, std::move(target), executor)) {}

Relay::~Relay() = default;

void Relay::start(io::Completion<> done) {
    state_->strand.post(
        [state = state_, done = std::move(done)]() mutable { state->start(std::move(done)); });
}

void Relay::wake() {
    state_->strand.post([state = state_] { state->wake(); });
}

void Relay::stop(io::Completion<> done) {
    state_->strand.post([state = state_, done = std::move(done)]() mutable {
        state->stopping = true;
        state->stop_listeners.push_back(std::move(done));
        if (state->phase != State::Phase::busy) {
            state->finish_stop();
        }
    });
}

Result<std::uint64_t> Relay::backlog() const {
    const auto snapshot = TRY(state_->database.read());
    return outbox::backlog(snapshot.session());
}

Result<Page<RefusedEvent>> Relay::refused(const PageRequest& page) const {
    const auto snapshot = TRY(state_->database.read());
    return list_refused(snapshot.session(), page);
}

Result<RefusedEvent> Relay::refused(const std::string& id) const {
    const auto snapshot = TRY(state_->database.read());
    return find_refused(snapshot.session(), id);
}

std::uint64_t Relay::refused_count() const { return state_->refused_count; }

std::string Relay::trouble() const {
    return state_->trouble.with([](const std::string& text) { return text; });
}

void Relay::on_trouble(std::function<void(const std::string&)> listener) {
    state_->trouble_listener = std::move(listener);
}

void Relay::on_refused(std::function<void(const std::string&)> listener) {
    state_->refusal_listener = std::move(listener);
}

void Relay::State::note_trouble(const std::string& now) {
    const bool changed =
        trouble.with([&](std::string& known) { return std::exchange(known, now) != now; });
    if (changed && trouble_listener) {
        trouble_listener(now);
    }
}

/// In a unit of the writer: makes sure that the numbers which will be given are above all that the
/// log has.
Result<outbox::RelayState> Relay::State::begin(sql::Session& session) const {
    auto state = TRY(outbox::relay_state(session));
    if (state.incarnation.empty()) {
        return outbox::begin_incarnation(session, new_uuid());
    }
    const auto highest = target.highest_sequence(producer_of(state.incarnation));
    if (highest.value_or(0) <= state.assigned) {
        return state;
    }
    TRY(outbox::begin_incarnation(session, new_uuid()));
    while (TRY(outbox::assign(session, round_messages_max)) > 0) {
    }
    return outbox::relay_state(session);
}

void Relay::State::start(io::Completion<> done) {
    CHECK(phase == Phase::created);
    phase = Phase::busy;
    struct Begun {
        outbox::RelayState state;
        std::uint64_t refused;
    };
    writer.submit_alone(
        [this, self = shared_from_this()](sql::Session& session) -> Result<Begun> {
            auto state = TRY(begin(session));
            const std::uint64_t refused = TRY(outbox::refused_count(session));
            return Begun{std::move(state), refused};
        },
        on_strand([done = std::move(done)](State& state, Result<Begun>& begun) mutable {
            if (!begun) {
                state.phase = Phase::created;
                done(std::unexpected(std::move(begun).error().in("outbox relay")));
                if (state.stopping) {
                    state.finish_stop();
                }
                return;
            }
            state.producer = producer_of(begun->state.incarnation);
            state.refused_count = begun->refused;
            state.taken = std::max(begun->state.published,
                                   state.target.highest_sequence(state.producer).value_or(0));
            done({});
            state.round();
        }));
}

void Relay::State::wake() {
    // While busy, a further round follows anyway before it rests.
    if (phase == Phase::idle) {
        round();
    }
}

/// One step: publish what is numbered, else mark and number, else rest.
void Relay::State::round() {
    if (stopping) {
        finish_stop();
        return;
    }
    phase = Phase::busy;
    auto started = run_round();
    if (!started) {
        round_done(std::unexpected(std::move(started).error()));
    } else if (!*started) {
        retry_wait = retry_first;
        note_trouble({});
        phase = Phase::idle;
    }
}

/// False: there is nothing to do.
Result<bool> Relay::State::run_round() {
    const auto snapshot = TRY(database.read());
    auto messages =
        TRY(outbox::numbered(snapshot.session(), taken, round_messages_max, round_bytes_max));
    if (!messages.empty()) {
        publish(std::move(messages));
        return true;
    }
    const auto state = TRY(outbox::relay_state(snapshot.session()));
    const auto waiting = TRY(snapshot->query_integer(
        "select count(*) from (select 1 from outbox where publish_seq is null limit 1) as one"));
    if (waiting == 0 && state.published >= taken) {
        return false;
    }
    renumber();
    return true;
}

void Relay::State::publish(std::vector<outbox::Numbered> messages) {
    std::vector<event::Event> events;
    broker::PublishOptions options{.atomicity = broker::Atomicity::all, .producer = producer};
    std::uint64_t last = taken;
    for (outbox::Numbered& message : messages) {
        auto view = event::decode_body(message.bytes);
        if (!view) {
            set_aside({{.publish_seq = message.publish_seq,
                        .code = "unreadable",
                        .reason = "outbox message " + message.id +
                                  " cannot be read: " + view.error().message()}});
            return;
        }
        auto event = event::owned(*view);
        const bool known = target.contains(event);
        if (known && events.empty()) {
            last = message.publish_seq;
            continue;
        }
        if (known) {
            break;  // numbers of one call follow each other; the rest is for the next round
        }
        if (events.empty()) {
            options.sequence = message.publish_seq;
        }
        if (message.publish_seq != options.sequence + events.size()) {
            break;  // one that was refused stood between
        }
        last = message.publish_seq;
        events.push_back(std::move(event));
    }
    if (events.empty()) {
        taken = last;
        round_done({});
        return;
    }
    target.publish(
        std::move(events), options,
        on_strand([batch = Batch{options.sequence, last}](
                      State& state, const Result<std::vector<broker::PublishResult>>& results) {
            state.published(batch, results);
        }));
}

void Relay::State::published(Batch batch,
                             const Result<std::vector<broker::PublishResult>>& results) {
    if (results) {
        if (auto refused = refused_for_good(*results, batch.first); !refused.empty()) {
            set_aside(std::move(refused));
            return;
        }
    }
    auto why = results ? refusal(*results) : std::optional(results.error().message());
    if (!why) {
        taken = batch.last;
        round_done({});
        return;
    }
    // Whether anything was appended is not known: ask the log before trying again.
    taken = std::max(taken, target.highest_sequence(producer).value_or(0));
    round_done(fail(ErrorKind::unavailable, std::move(*why)));
}

/// Nothing of the batch was taken. What will never be makes way for what stands behind it.
void Relay::State::set_aside(std::vector<outbox::Refusal> refused) {
    std::vector<std::string> reasons;
    for (const outbox::Refusal& refusal : refused) {
        reasons.push_back(refusal.reason);
    }
    writer.submit(
        [refused = std::move(refused),
         now = strand.executor().clock().wall()](sql::Session& session) -> Result<> {
            for (const outbox::Refusal& refusal : refused) {
                TRY(outbox::refuse(session, refusal, now));
            }
            return {};
        },
        on_strand([reasons = std::move(reasons)](State& state, const Result<>& done) {
            state.refused_count += done ? reasons.size() : 0;
            if (done && state.refusal_listener) {
                std::ranges::for_each(reasons, state.refusal_listener);
            }
            state.round_done(done);
        }));
}

/// Marks, cleans up, and numbers what has come since.
void Relay::State::renumber() {
    writer.submit(
        [taken = taken](sql::Session& session) -> Result<> {
            TRY(outbox::mark_published(session, taken));
            TRY(outbox::prune(session, 2 * round_messages_max));
            TRY(outbox::assign(session, round_messages_max));
            return {};
        },
        on_strand([](State& state, const Result<>& done) { state.round_done(done); }));
}

void Relay::State::round_done(const Result<>& result) {
    if (result) {
        retry_wait = retry_first;
        note_trouble({});
        strand.post([self = shared_from_this()] { self->round(); });
        return;
    }
    note_trouble(result.error().message());
    if (stopping) {
        finish_stop();
        return;
    }
    phase = Phase::waiting;
    io::Executor& executor = strand.executor();
    executor.post_at(executor.clock().steady() + retry_wait, [self = shared_from_this()] {
        self->strand.post([self] {
            if (self->phase == Phase::waiting) {
                self->round();
            }
        });
    });
    retry_wait = std::min(retry_wait * 2, retry_longest);
}

void Relay::State::finish_stop() {
    phase = Phase::stopped;
    for (auto& listener : std::exchange(stop_listeners, {})) {
        listener({});
    }
}

}  // namespace bascule::application
