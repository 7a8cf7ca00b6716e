#include <algorithm>

#include "bus/broker/bus_state.h"

namespace bascule::broker {

namespace {

/// In-process runs that one task of the worker pool calls one after another.
constexpr std::size_t runs_a_task_max = 64;
/// How long to wait before writing again to a disk that refused.
constexpr std::chrono::milliseconds retry_trouble_after{1000};

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
            found->second->machine().answer(answer.run, answer.outcome, time);
        }
    }

    const std::shared_ptr<const Routing> routing = publisher->routing();
    bool more = false;
    std::optional<SteadyTime> deadline;
    for (auto& [number, consumer] : consumers) {
        if (!consumer->handler()) {
            continue;  // removed: what it has queued waits for its return
        }
        if (!stopping && journal_trouble.empty()) {
            more = consumer->read_ahead(*routing, time) || more;
        }
        consumer->machine().take_commands(time, commands);
        carry_out(*consumer, commands);
        const auto next = consumer->machine().next_deadline();
        if (next && (!deadline || *next < *deadline) && !stopping) {
            deadline = next;
        }
    }
    if (journal->dirty() && !journal_due) {
        journal_due = time.steady + options.journal_sync_interval;
    }
    if (!confirmations.empty() || (journal_due && *journal_due <= time.steady)) {
        sync_journal();
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

void BusState::carry_out(ConsumerRuntime& consumer, delivery::Commands& wanted) {
    if (!wanted.journal.empty()) {
        journal->append(consumer.number(), wanted.journal);
        if (wanted.sync_journal) {
            journal_due = now().steady;
        }
    }
    std::vector<Delivery> deliveries;
    for (const delivery::StartRun& start : wanted.starts) {
        if (stopping) {
            consumer.machine().answer(
                start.run, delivery::Outcome::uncounted("the server is stopping"), now());
            continue;
        }
        start_run(consumer, start, wanted.handed(start), deliveries);
    }
    if (!deliveries.empty()) {
        hand_out(consumer, std::move(deliveries));
    }
    write_letters(consumer, wanted.letters);
    for (const delivery::CloseLetter& closing : wanted.closings) {
        letters->close(consumer.name(), closing);
    }
    if (!wanted.closings.empty()) {
        sync_letters();
    }
}

void BusState::start_run(ConsumerRuntime& consumer, const delivery::StartRun& start,
                         std::span<const Offset> handed, std::vector<Delivery>& deliveries) {
    auto delivery = consumer.delivery_for(start, handed, *letters);
    if (!delivery) {
        // The record cannot be read: nobody can handle it, a person has to look.
        consumer.machine().answer(
            start.run,
            delivery.error().kind() == ErrorKind::io
                ? delivery::Outcome::suspended(delivery.error().message())
                : delivery::Outcome::permanent("cannot be read: " + delivery.error().message()),
            now());
        schedule_turn();
        return;
    }
    deliveries.push_back(std::move(*delivery));
}

void BusState::hand_out(ConsumerRuntime& consumer, std::vector<Delivery> deliveries) {
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

void BusState::write_letters(ConsumerRuntime& consumer,
                             std::vector<delivery::WriteLetter>& wanted) {
    for (delivery::WriteLetter& write : wanted) {
        const Offset offset = write.letter.offset;
        auto body = consumer.body_of(offset);
        if (!body) {
            const LetterStore::Stored* stored = letters->find(consumer.name(), offset);
            body = stored != nullptr ? stored->body : std::string();
        }
        letters->write(std::move(write.letter), std::move(*body));
        letters_written.emplace_back(consumer.number(), offset);
    }
    if (!wanted.empty()) {
        sync_letters();
    }
}

void BusState::sync_letters() {
    if (letters_syncing || !letters) {
        return;  // the sync that runs looks again when it is done; a stopped bus has no store
    }
    letters_syncing = true;
    auto written = std::exchange(letters_written, {});
    letters->sync([weak = weak_from_this(), written = std::move(written)](Result<> synced) mutable {
        const auto self = weak.lock();
        if (!self) {
            return;
        }
        self->letters_syncing = false;
        if (!synced) {
            // The events stay in the retry cycle; try again when the disk may have room.
            auto& waiting = self->letters_written;
            waiting.insert(waiting.begin(), written.begin(), written.end());
            if (self->log && synced.error().kind() == ErrorKind::exhausted) {
                // Room for letters is what the reserve is kept for. If that fails too, the retry
                // below goes on asking.
                static_cast<void>(self->log->release_reserve());
            }
            self->environment.executor.post_at(self->now().steady + retry_trouble_after, [weak] {
                if (const auto again = weak.lock()) {
                    again->on_strand([](BusState& state) { state.sync_letters(); });
                }
            });
            return;
        }
        for (const auto& [number, offset] : written) {
            if (const auto found = self->consumers.find(number); found != self->consumers.end()) {
                found->second->machine().letter_durable(offset, self->now());
            }
        }
        if (!self->letters_written.empty()) {
            self->sync_letters();
        }
        self->schedule_turn();
    });
}

void BusState::sync_journal() {
    if (journal_syncing) {
        return;  // the turn after it looks again
    }
    journal_syncing = true;
    journal_due.reset();
    auto confirmed = std::exchange(confirmations, {});
    auto done = [weak = weak_from_this(),
                 confirmed = std::move(confirmed)](Result<> synced) mutable {
        if (const auto self = weak.lock()) {
            self->journal_synced(std::move(synced), std::move(confirmed));
        }
    };
    if (journal->wants_rewrite()) {
        std::map<ConsumerNumber, std::string> snapshots;
        for (const auto& [number, consumer] : consumers) {
            snapshots[number] = consumer->machine().snapshot(now()).encode();
        }
        for (const auto& [number, state] : recovered) {
            snapshots[number] = state.encode();
        }
        journal->rewrite(snapshots, std::move(done));
    } else {
        journal->sync(std::move(done));
    }
}

void BusState::journal_synced(Result<> synced, std::vector<io::Completion<>> confirmed) {
    journal_syncing = false;
    journal_trouble = synced ? "" : synced.error().message();
    for (io::Completion<>& completion : confirmed) {
        completion(synced);
    }
    if (!synced) {
        // What is buffered stays buffered; a full disk may have room later.
        if (log && synced.error().kind() == ErrorKind::exhausted) {
            static_cast<void>(log->release_reserve());
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
    if (idle_waiters.empty() ||
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

void BusState::apply_retention() {
    if (!log || (options.log.retention.age.count() == 0 && options.log.retention.bytes == 0)) {
        return;
    }
    Offset keep_from = log->end();
    for (const auto& [number, consumer] : consumers) {
        keep_from = std::min(keep_from, consumer->machine().position());
    }
    for (const auto& [number, state] : recovered) {
        keep_from = std::min(keep_from, state.settled.low());
    }
    // Its failure is not the bus's: the log tells it in its status, the next round tries again.
    static_cast<void>(log->apply_retention(keep_from));
}

void BusState::finish_stop() {
    if (timer) {
        environment.executor.cancel(*timer);
        timer.reset();
    }
    for (io::Completion<>& waiter : std::exchange(idle_waiters, {})) {
        waiter(fail(ErrorKind::unavailable, "the bus was stopped"));
    }
    auto waiting = std::exchange(stopped, {});
    journal->sync([self = shared_from_this(),
                   waiting = std::move(waiting)](Result<> journalled) mutable {
        for (io::Completion<>& completion : std::exchange(self->confirmations, {})) {
            completion(journalled);
        }
        if (!self->log) {
            return;
        }
        self->log->close([self, journalled, waiting = std::move(waiting)](Result<> closed) mutable {
            self->strand.post([self, journalled, closed, waiting = std::move(waiting)]() mutable {
                self->journal.reset();
                self->letters.reset();
                for (io::Completion<>& completion : waiting) {
                    completion(closed ? journalled : closed);
                }
            });
        });
    });
}

}  // namespace bascule::broker
