#include <algorithm>
#include <iterator>

#include "bus/broker/bus_state.h"

namespace bascule::broker {

namespace {

/// In-process runs that one task of the worker pool calls one after another.
constexpr std::size_t runs_a_task_max = 64;
/// How long to wait before writing again to a disk that refused.
constexpr std::chrono::milliseconds retry_trouble_after{1000};
/// How long the log goes without its reserve before room for it is looked for.
constexpr std::chrono::seconds reserve_wait{10};

/// What anyone may read of an error; its message names files.
std::string_view plain_cause(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::exhausted:
            return "the disk is full";
        case ErrorKind::corrupt:
            return "its file is damaged";
        case ErrorKind::io:
            return "the disk refused a write; restart";
        default:
            return name(kind);
    }
}

/// The machine's trouble, not the record's: of files, memory or the disk, for a while.
bool may_be_read_later(const Error& error) {
    return error.kind() == ErrorKind::io || error.kind() == ErrorKind::exhausted;
}

/// What anyone may read of events that damage took.
std::string words_for(const std::vector<log::LostRange>& lost) {
    constexpr std::size_t named_max = 10;
    std::string words;
    for (std::size_t i = 0; i < std::min(lost.size(), named_max); ++i) {
        const std::uint64_t first = lost[i].first.value();
        const std::uint64_t last = lost[i].end.value() - 1;
        words += (i == 0 ? "" : "; ") +
                 (first == last ? "the event at position " + std::to_string(first)
                                : "events at positions " + std::to_string(first) + " to " +
                                      std::to_string(last)) +
                 " cannot be read: " + lost[i].why;
    }
    if (lost.size() > named_max) {
        words += "; and " + std::to_string(lost.size() - named_max) + " more ranges";
    }
    return words;
}

/// Carries an answer home exactly once, whatever the handler does with it.
class AnswerSlot {
  public:
    AnswerSlot(std::shared_ptr<BusState> bus, ConsumerNumber consumer, delivery::RunId run)
        : bus_(std::move(bus)), consumer_(consumer), run_(run) {}
    AnswerSlot(AnswerSlot&&) noexcept = default;
    ~AnswerSlot() {
        if (bus_) {
            give(delivery::Outcome::transient(dropped_answer));
        }
    }

    void operator()(delivery::Outcome outcome) {
        if (bus_) {
            give(std::move(outcome));
        }
    }

  private:
    void give(delivery::Outcome outcome) {
        const auto bus = std::exchange(bus_, nullptr);
        bus->answers.with([&](auto& waiting) {
            waiting.push_back({.consumer = consumer_, .run = run_, .outcome = std::move(outcome)});
        });
        bus->schedule_turn();
    }

    std::shared_ptr<BusState> bus_;
    ConsumerNumber consumer_;
    delivery::RunId run_;
};

}  // namespace

void BusState::schedule_turn() {
    const bool first =
        turn_scheduled.with([](bool& scheduled) { return !std::exchange(scheduled, true); });
    if (first) {
        strand.post([self = shared_from_this()] { self->turn(); });
    }
}

void BusState::on_strand(std::move_only_function<void(BusState&)> action) {
    strand.post([self = shared_from_this(), action = std::move(action)]() mutable {
        action(*self);
        self->schedule_turn();
    });
}

void BusState::turn() {
    turn_scheduled.with([](bool& scheduled) { scheduled = false; });
    if (!log || !journal) {
        return;  // stopped; a late answer or timer changes nothing any more
    }
    const delivery::Now time = now();
    for (Answer& answer : answers.with([](auto& waiting) { return std::exchange(waiting, {}); })) {
        --runs_out;
        if (const auto found = consumers.find(answer.consumer); found != consumers.end()) {
            found->second->answer(answer.run, answer.outcome, time);
        }
    }

    const std::shared_ptr<const Routing> routing = publisher->routing();
    bool more = false;
    std::optional<SteadyTime> deadline;
    for (auto& [number, consumer] : consumers) {
        if (journal_trouble) {
            break;  // what cannot be written down is not begun
        }
        if (!stopping) {
            more = consumer->read_ahead(*routing, time) || more;
        }
        consumer->machine().take_commands(time, commands);
        for (Delivery& delivery : carry_out(*consumer, commands, time)) {
            held.emplace_back(number, std::move(delivery));
        }
        if (!stopping) {
            const auto parts = consumer->settle_change(time, Random(random.next()));
            if (!parts.empty()) {
                journal->append_state(number, parts);
                more = true;
            }
        }
        auto next = consumer->machine().next_deadline();
        if (consumer->in_trouble()) {
            next = std::min(next.value_or(SteadyTime::max()), time.steady + retry_trouble_after);
        }
        if (next && (!deadline || *next < *deadline) && !stopping) {
            deadline = next;
        }
    }
    if (!journal_trouble) {
        write_facts();
    }
    if (const SteadyTime due = facts_due.value_or(SteadyTime::min()); due <= time.steady) {
        facts_due.reset();
        publish_facts();
    } else if (!deadline || due < *deadline) {
        deadline = due;
    }
    // What was started must outlive the process before anybody works on it: an event that kills
    // its process is charged for it. Until the journal took it, it is held.
    if (!held.empty() && journal->flush()) {
        hand_out_held();
    }
    if (journal->dirty() && !journal_due) {
        journal_due = time.steady + options.journal_sync_interval;
    }
    if (!confirmations.empty() || (journal_due && *journal_due <= time.steady)) {
        sync_journal();
    }
    // What was answered must outlive the process too, or it would be repeated. What the system
    // does not take stays buffered for the sync, which says so and tries again.
    if (!journal_trouble) {
        journal->flush();
    }
    // While a sync runs its end makes the next turn; a timer for what is due would only spin.
    if (journal_due && !journal_syncing && (!deadline || *journal_due < *deadline)) {
        deadline = journal_due;
    }
    const Offset end = log->end();
    if (end != durable_told) {
        durable_told = end;
        for (const auto& listener : durable_listeners) {
            listener(end);
        }
    }
    if (stopping) {
        if (!deadline || stop_deadline < *deadline) {
            deadline = stop_deadline;
        }
        if (runs_out == 0 || time.steady >= stop_deadline) {
            finish_stop();
            return;
        }
    }
    answer_idle_waiters();
    arm_timer(deadline);
    if (more) {
        schedule_turn();
    }
}

/// The machine's wishes but for the runs themselves, which are returned.
std::vector<Delivery> BusState::carry_out(ConsumerRuntime& consumer, delivery::Commands& wanted,
                                          delivery::Now time) {
    if (!wanted.journal.empty()) {
        journal->append(consumer.number(), wanted.journal);
        if (wanted.sync_journal) {
            journal_due = time.steady;
        }
        if (wanted.hold_starts) {
            held_until[consumer.number()] = syncs_begun + 1;  // one that runs began without it
        }
    }
    for (const delivery::CancelRun& cancel : wanted.cancels) {
        if (cancel.stuck) {
            consumer.note_stuck(cancel.run);
        }
    }
    std::vector<Delivery> deliveries;
    for (const delivery::StartRun& start : wanted.starts) {
        start_run(consumer, start, wanted.handed(start), deliveries);
    }
    for (delivery::WriteLetter& write : wanted.letters) {
        write_letter(consumer, std::move(write));
    }
    for (const delivery::CloseLetter& closing : wanted.closings) {
        letters->close(consumer.name(), closing);
        letters_dirty = true;
    }
    if (letters_dirty) {
        sync_letters();
    }
    return deliveries;
}

void BusState::start_run(ConsumerRuntime& consumer, const delivery::StartRun& start,
                         std::span<const Offset> handed, std::vector<Delivery>& deliveries) {
    if (start.letter && consumer.is_for_others(handed.front(), *publisher->routing())) {
        consumer.machine().answer(start.run, delivery::Outcome::done(), now());
        schedule_turn();
        return;
    }
    auto delivery = consumer.delivery_for(start, handed, *letters, now());
    if (!delivery) {
        // The record cannot be read: nobody can handle it, a person has to look.
        consumer.machine().answer(
            start.run,
            may_be_read_later(delivery.error())
                ? delivery::Outcome::suspended(delivery.error().message())
                : delivery::Outcome::unreadable("cannot be read: " + delivery.error().message()),
            now());
        schedule_turn();
        return;
    }
    deliveries.push_back(std::move(*delivery));
}

void BusState::hand_out_held() {
    std::map<ConsumerNumber, std::vector<Delivery>> ready;
    for (auto& run : std::exchange(held, {})) {
        if (held_until.contains(run.first)) {
            held.push_back(std::move(run));
        } else {
            ready[run.first].push_back(std::move(run.second));
        }
    }
    for (auto& [number, deliveries] : ready) {
        if (const auto found = consumers.find(number); found != consumers.end()) {
            hand_out(*found->second, std::move(deliveries));
        }
    }
}

void BusState::hand_out(ConsumerRuntime& consumer, std::vector<Delivery> deliveries) {
    if (!consumer.handler()) {  // removed while the runs were held
        for (const Delivery& delivery : deliveries) {
            consumer.answer(delivery.run, delivery::Outcome::uncounted("the consumer was removed"),
                            now());
        }
        return;
    }
    runs_out += deliveries.size();
    for (std::size_t first = 0; first < deliveries.size(); first += runs_a_task_max) {
        const std::size_t count = std::min(runs_a_task_max, deliveries.size() - first);
        std::vector<std::pair<Delivery, AnswerSlot>> part;
        part.reserve(count);
        for (std::size_t i = first; i < first + count; ++i) {
            AnswerSlot slot(shared_from_this(), consumer.number(), deliveries[i].run);
            part.emplace_back(std::move(deliveries[i]), std::move(slot));
        }
        environment.workers.post([handler = consumer.handler(), part = std::move(part)]() mutable {
            for (auto& [delivery, slot] : part) {
                handler->handle(std::move(delivery), std::move(slot));
            }
        });
    }
}

void BusState::write_letter(ConsumerRuntime& consumer, delivery::WriteLetter write) {
    const Offset offset = write.letter.offset;
    auto body = consumer.body_of(offset);
    if (!body && may_be_read_later(body.error())) {
        // A letter without its event would be the loss of it: the event stays in the retry cycle
        // until it can be read.
        letters_unread.emplace_back(consumer.number(), std::move(write));
        retry_letters_later();
        return;
    }
    if (!body) {
        const LetterStore::Stored* stored = letters->find(consumer.name(), offset);
        body = stored != nullptr ? stored->body : std::string();
    }
    letters->write(std::move(write.letter), std::move(*body));
    letters_written.emplace_back(consumer.number(), offset);
    letters_dirty = true;
}

void BusState::retry_letters_later() {
    if (std::exchange(letters_retry_armed, true)) {
        return;
    }
    environment.executor.post_at(now().steady + retry_trouble_after, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
            self->on_strand([](BusState& state) {
                state.letters_retry_armed = false;
                if (!state.letters) {
                    return;
                }
                for (auto& [number, write] : std::exchange(state.letters_unread, {})) {
                    if (const auto found = state.consumers.find(number);
                        found != state.consumers.end()) {
                        state.write_letter(*found->second, std::move(write));
                    }
                }
                state.sync_letters();
            });
        }
    });
}

void BusState::sync_letters() {
    if (letters_syncing || !letters) {
        return;  // the sync that runs looks again when it is done; a stopped bus has no store
    }
    letters_syncing = true;
    letters_dirty = false;
    letters->sync([weak = weak_from_this(), offsets = std::exchange(letters_written, {}),
                   confirmed = std::exchange(letter_confirmations, {})](Result<> synced) mutable {
        if (const auto self = weak.lock()) {
            self->letters_synced(std::move(synced), std::move(offsets), std::move(confirmed));
        }
    });
}

void BusState::letters_synced(Result<> synced,
                              std::vector<std::pair<ConsumerNumber, Offset>> offsets,
                              std::vector<io::Completion<>> confirmed) {
    letters_syncing = false;
    letters_trouble = synced ? std::nullopt : std::optional(synced.error());
    note_health();
    for (io::Completion<>& completion : confirmed) {
        completion(synced);
    }
    if (!synced) {
        // The events stay in the retry cycle; try again when the disk may have room.
        letters_written.insert(letters_written.begin(), offsets.begin(), offsets.end());
        letters_dirty = true;
        if (log && synced.error().kind() == ErrorKind::exhausted) {
            release_reserve();
        }
        retry_letters_later();
        return;
    }
    restore_reserve();
    for (const auto& [number, offset] : offsets) {
        if (const auto found = consumers.find(number); found != consumers.end()) {
            found->second->machine().letter_durable(offset, now());
        }
    }
    if (letters_dirty || !letter_confirmations.empty()) {
        sync_letters();
    }
    schedule_turn();
}

BusHealth BusState::health() const {
    const DeliveryTrouble trouble = delivery_trouble.with([](const auto& known) { return known; });
    return {.log = log ? log->health() : log::Health{.state = log::State::closed},
            .delivery_reason = trouble.reason,
            .delivery_detail = trouble.detail,
            .lost_reason = trouble.lost,
            .lost_detail = trouble.lost_detail};
}

/// For whoever asks from another thread whether all is well, and whoever listens.
void BusState::note_health() {
    DeliveryTrouble trouble;
    const auto add = [&](std::string_view what, const std::optional<Error>& error) {
        if (error) {
            trouble.reason.append(trouble.reason.empty() ? "" : "; ").append(what);
            trouble.reason.append(" cannot be written: ").append(plain_cause(error->kind()));
            trouble.detail.append(trouble.detail.empty() ? "" : "; ").append(error->message());
        }
    };
    add("the delivery journal", journal_trouble);
    add("letters", letters_trouble);
    trouble.lost = log ? words_for(log->status().lost) : std::string();
    for (const auto& [reason, detail] : damage_found) {
        trouble.lost.append(trouble.lost.empty() ? "" : "; ").append(reason);
        trouble.lost_detail.append(trouble.lost_detail.empty() ? "" : "; ").append(detail);
    }
    delivery_trouble.with([&](DeliveryTrouble& known) { known = std::move(trouble); });
    const BusHealth now_is = health();
    if (stopping) {
        return;  // that a log is closed then is no news
    }
    if (health_told && health_told->log.state == now_is.log.state &&
        health_told->delivery_reason == now_is.delivery_reason &&
        health_told->lost_reason == now_is.lost_reason) {
        return;
    }
    health_told = now_is;
    for (const auto& listener : health_listeners) {
        listener(now_is);
    }
}

/// Room for positions and letters is what the log's reserve is kept for. If that fails too, the
/// retry goes on asking.
void BusState::release_reserve() {
    reserve_missing = options.log.reserve_bytes > 0;
    reserve_due = now().steady + reserve_wait;
    static_cast<void>(log->release_reserve());
}

/// Once positions and letters can be written, the next full disk must find a reserve again. It is
/// not taken from the last of the room, or it would be given back at once.
void BusState::restore_reserve() {
    if (!reserve_missing || !log || now().steady < reserve_due ||
        log->state() != log::State::running) {
        return;
    }
    reserve_due = now().steady + reserve_wait;
    const auto room = environment.disk.free_bytes(options.directory);
    if (room && *room / 2 >= options.log.reserve_bytes) {
        reserve_missing = !log->restore_reserve();
    }
}

/// Behind the deeds that they tell of, in the same frame.
void BusState::write_facts() {
    for (const std::string& entry : facts.take_entries()) {
        journal->append(DeliveryJournal::nobody, entry);
    }
}

/// One call after the other, so that no number overtakes a lower one.
void BusState::publish_facts() {
    if (facts_publishing) {
        return;
    }
    Facts::Batch batch = facts.batch();
    if (batch.events.empty()) {
        return;
    }
    facts_publishing = true;
    publisher->publish(
        std::move(batch.events), {.producer = Facts::producer, .sequence = batch.first},
        [weak = weak_from_this(), first = batch.first](Result<std::vector<PublishResult>> results) {
            if (const auto self = weak.lock()) {
                self->on_strand([=](BusState& state) { state.facts_published(first, results); });
            }
        });
}

void BusState::facts_published(std::uint64_t first,
                               const Result<std::vector<PublishResult>>& results) {
    facts_publishing = false;
    // A number that the log has is an event that it has; what it refuses otherwise it counts, and
    // refuses for ever, but for a want of room.
    const bool taken =
        results && std::ranges::none_of(*results, [](const PublishResult& result) {
            const auto* rejected = std::get_if<Rejected>(&result);
            return rejected != nullptr && rejected->code == Rejected::Code::too_many_producers;
        });
    if (taken) {
        facts.told(first + results->size() - 1);
    } else {
        facts_due = now().steady + retry_trouble_after;
    }
}

void BusState::sync_journal() {
    if (journal_syncing) {
        return;  // the turn after it looks again
    }
    journal_syncing = true;
    ++syncs_begun;
    journal_due.reset();
    // In trouble the machines keep what they want written: what a person did is not in this sync.
    auto confirmed = std::vector<io::Completion<>>();
    if (!journal_trouble) {
        confirmed = std::exchange(confirmations, {});
    }
    auto done = [weak = weak_from_this(), last_fact = facts.last_written(),
                 confirmed = std::move(confirmed)](Result<> synced) mutable {
        if (const auto self = weak.lock()) {
            self->journal_synced(std::move(synced), last_fact, std::move(confirmed));
        }
    };
    if (journal->wants_rewrite()) {
        DeliveryJournal::Snapshots snapshots;
        for (const auto& [number, consumer] : consumers) {
            snapshots[number] = consumer->machine().snapshot(now()).encode_parts();
        }
        for (const auto& [number, state] : recovered) {
            snapshots[number] = state.encode_parts();
        }
        if (!facts.empty()) {
            snapshots[DeliveryJournal::nobody] = facts.snapshot();
        }
        journal->rewrite(snapshots, std::move(done));
    } else {
        journal->sync(std::move(done));
    }
}

void BusState::journal_synced(Result<> synced, std::uint64_t last_fact,
                              std::vector<io::Completion<>> confirmed) {
    journal_syncing = false;
    journal_trouble = synced ? std::nullopt : std::optional(synced.error());
    note_health();
    if (synced) {
        std::erase_if(held_until, [&](const auto& wait) { return wait.second <= syncs_begun; });
        facts.durable(last_fact);
    } else {
        std::ranges::move(std::exchange(confirmations, {}), std::back_inserter(confirmed));
    }
    if (synced && (letters_dirty || letters_syncing)) {
        // What a person did to letters is confirmed when the letters know it too.
        std::ranges::move(confirmed, std::back_inserter(letter_confirmations));
        sync_letters();
    } else {
        for (io::Completion<>& completion : confirmed) {
            completion(synced);
        }
    }
    if (synced) {
        restore_reserve();
    } else {
        // What is buffered stays buffered; a full disk may have room later.
        if (log && synced.error().kind() == ErrorKind::exhausted) {
            release_reserve();
        }
        journal_due = now().steady + retry_trouble_after;
    }
    schedule_turn();
}

void BusState::arm_timer(std::optional<SteadyTime> deadline) {
    if (deadline == timer_at) {
        return;
    }
    if (timer) {
        environment.executor.cancel(*timer);
        timer.reset();
    }
    timer_at = deadline;
    if (deadline) {
        timer = environment.executor.post_at(*deadline, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) {
                self->on_strand([](BusState& state) { state.timer_at.reset(); });
            }
        });
    }
}

void BusState::answer_idle_waiters() {
    if (idle_waiters.empty() || !facts.empty() ||
        !std::ranges::all_of(consumers, [](const auto& entry) { return entry.second->idle(); })) {
        return;
    }
    for (io::Completion<>& waiter : std::exchange(idle_waiters, {})) {
        waiter({});
    }
}

void BusState::confirm_when_durable(io::Completion<> done) {
    confirmations.push_back(std::move(done));
    schedule_turn();
}

/// Letters, then positions, then the log; each is tried whatever became of the one before.
void BusState::finish_stop() {
    if (std::exchange(finishing, true)) {
        return;
    }
    if (timer) {
        environment.executor.cancel(*timer);
        timer.reset();
    }
    for (io::Completion<>& waiter : std::exchange(idle_waiters, {})) {
        waiter(fail(ErrorKind::unavailable, "the bus was stopped"));
    }
    letters->sync([self = shared_from_this()](const Result<>& letters_kept) {
        self->journal->sync([self, letters_kept](const Result<>& kept) {
            self->log->close(
                [self, kept = letters_kept ? kept : letters_kept](const Result<>& closed) {
                    self->strand.post(
                        [self, outcome = closed ? kept : closed] { self->close(outcome); });
                });
        });
    });
}

void BusState::close(const Result<>& outcome) {
    journal.reset();
    letters.reset();
    for (auto* waiting : {&confirmations, &letter_confirmations, &stopped}) {
        for (io::Completion<>& completion : std::exchange(*waiting, {})) {
            completion(outcome);
        }
    }
}

}  // namespace bascule::broker
