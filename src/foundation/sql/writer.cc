#include "foundation/sql/writer.h"

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

namespace bascule::sql {

struct Writer::State {
    State(Database& database, io::Executor& executor, WriterOptions options)
        : session(database.writer()), strand(executor), options(std::move(options)) {}

    struct Queue {
        std::deque<std::unique_ptr<Unit>> waiting;
        std::size_t running = 0;  ///< taken from `waiting`, not answered yet
        bool scheduled = false;
        bool lingering = false;  ///< a timer will schedule what then waits
        bool stopped = false;
        std::vector<io::Completion<>> stop_listeners;
    };

    Session& session;
    io::Strand strand;
    const WriterOptions options;
    std::function<void()> commit_listener;
    Guarded<Queue> queue;
    Guarded<std::string> checkpoint_trouble;

    using Group = std::vector<std::unique_ptr<Unit>>;

    enum class Next { nothing, now, linger };
    Next decide(Queue& queue) const;
    static void follow(const std::shared_ptr<State>& state, Next next);
    static void run(const std::shared_ptr<State>& state);
    std::unique_ptr<Unit> take_first();
    std::unique_ptr<Unit> take_companion();
    void run_group();
    Result<> run_units(Group& group, std::vector<Result<>>& outcomes);
    Result<> run_in_savepoint(Unit& unit, Result<>& outcome);
    void answer(Group& group, std::vector<Result<>>& outcomes, const Result<>& committed);
};

Writer::Writer(Database& database, io::Executor& executor, WriterOptions options)
    : state_(std::make_shared<State>(database, executor, std::move(options))) {}

Writer::~Writer() = default;

void Writer::on_commit(std::function<void()> listener) {
    state_->commit_listener = std::move(listener);
}

void Writer::enqueue(std::unique_ptr<Unit> unit, Grouping grouping) {
    unit->grouping = grouping;
    auto next = State::Next::nothing;
    auto refused = state_->queue.with([&](State::Queue& queue) -> Result<> {
        if (queue.stopped) {
            return fail(ErrorKind::unavailable, "the database writer is stopping");
        }
        if (queue.waiting.size() + queue.running >= state_->options.queue_units_max) {
            return fail(ErrorKind::exhausted,
                        std::to_string(state_->options.queue_units_max) +
                            " writes wait for the database already; repeat later");
        }
        queue.waiting.push_back(std::move(unit));
        if (!queue.scheduled) {
            next = state_->decide(queue);
        }
        return {};
    });
    if (!refused) {
        unit->answer(std::move(refused));
        return;
    }
    State::follow(state_, next);
}

/// What becomes of an idle queue; notes it there.
Writer::State::Next Writer::State::decide(Queue& queue) const {
    if (queue.waiting.empty()) {
        return Next::nothing;
    }
    const bool worth_a_commit =
        queue.waiting.size() >= options.patient_units_max ||
        std::ranges::any_of(queue.waiting, [](const std::unique_ptr<Unit>& unit) {
            return unit->grouping != Grouping::patient;
        });
    if (worth_a_commit) {
        queue.scheduled = true;
        return Next::now;
    }
    return std::exchange(queue.lingering, true) ? Next::nothing : Next::linger;
}

void Writer::State::follow(const std::shared_ptr<State>& state, Next next) {
    if (next == Next::now) {
        state->strand.post([state] { run(state); });
    } else if (next == Next::linger) {
        io::Executor& executor = state->strand.executor();
        executor.post_at(executor.clock().steady() + state->options.patience, [state] {
            const bool due = state->queue.with([](Queue& queue) {
                queue.lingering = false;
                return !queue.waiting.empty() && !std::exchange(queue.scheduled, true);
            });
            follow(state, due ? Next::now : Next::nothing);
        });
    }
}

/// One group, then back in line: other tasks of the executor get their turn between groups.
void Writer::State::run(const std::shared_ptr<State>& state) {
    state->run_group();
    auto next = Next::nothing;
    std::vector<io::Completion<>> stopped;
    state->queue.with([&](Queue& queue) {
        queue.scheduled = false;
        next = state->decide(queue);
        if (queue.waiting.empty()) {
            stopped.swap(queue.stop_listeners);
        }
    });
    follow(state, next);
    for (auto& listener : stopped) {
        listener({});
    }
}

std::unique_ptr<Writer::Unit> Writer::State::take_first() {
    return queue.with([](Queue& queue) -> std::unique_ptr<Unit> {
        if (queue.waiting.empty()) {
            return nullptr;
        }
        auto unit = std::move(queue.waiting.front());
        queue.waiting.pop_front();
        ++queue.running;
        return unit;
    });
}

/// The next waiting unit, if it shares a transaction with others.
std::unique_ptr<Writer::Unit> Writer::State::take_companion() {
    return queue.with([](Queue& queue) -> std::unique_ptr<Unit> {
        if (queue.waiting.empty() || queue.waiting.front()->grouping == Grouping::alone) {
            return nullptr;
        }
        auto unit = std::move(queue.waiting.front());
        queue.waiting.pop_front();
        ++queue.running;
        return unit;
    });
}

void Writer::State::run_group() {
    Group group;
    if (auto first = take_first()) {
        group.push_back(std::move(first));
    } else {
        return;  // `stop` answered what was waiting
    }
    std::vector<Result<>> outcomes;
    Result<> committed = run_units(group, outcomes);
    if (committed) {
        committed = session.commit();
    }
    if (!committed) {
        // Whatever broke the transaction, none of its units happened.
        static_cast<void>(session.rollback());
    } else if (commit_listener) {
        commit_listener();
    }
    answer(group, outcomes, committed);
    if (committed) {
        // After the answers, which need not wait for it. A failure that latches the session is
        // heard of by the next group, too.
        const auto copied = session.checkpoint_if_due();
        checkpoint_trouble.with(
            [&](std::string& text) { text = copied ? std::string() : copied.error().message(); });
    }
}

/// Runs the group's first unit and those that may join it. An error means that the transaction is
/// lost.
Result<> Writer::State::run_units(Group& group, std::vector<Result<>>& outcomes) {
    const Grouping grouping = group.front()->grouping;
    TRY(session.begin_write());
    const Clock& clock = strand.executor().clock();
    const SteadyTime deadline = clock.steady() + options.group_time_max;
    while (true) {
        TRY(run_in_savepoint(*group.back(), outcomes.emplace_back()));
        if (grouping == Grouping::alone || group.size() >= options.group_units_max ||
            clock.steady() >= deadline) {
            return {};
        }
        auto next = take_companion();
        if (!next) {
            return {};
        }
        group.push_back(std::move(next));
    }
}

/// The unit's own failure goes into `outcome` and undoes the unit; the error returned is one that
/// the whole transaction does not survive.
Result<> Writer::State::run_in_savepoint(Unit& unit, Result<>& outcome) {
    TRY(session.savepoint());
    session.forget_tables_written();
    outcome = unit.run(session);
    if (outcome && options.after_unit) {
        outcome = options.after_unit(session);
    }
    if (outcome) {
        return session.release();
    }
    // A full disk or a failed write may have ended the transaction under the unit.
    if (!session.in_transaction()) {
        return std::unexpected(outcome.error());
    }
    return session.rollback_to();
}

void Writer::State::answer(Group& group, std::vector<Result<>>& outcomes,
                           const Result<>& committed) {
    for (std::size_t i = 0; i < group.size(); ++i) {
        if (!committed) {
            auto for_good = session.failure();
            group[i]->answer(for_good.empty() ? fail(ErrorKind::unavailable,
                                                     "the transaction was not committed: " +
                                                         committed.error().message())
                                              : fail(ErrorKind::io, std::move(for_good)));
        } else {
            group[i]->answer(std::move(outcomes[i]));
        }
    }
    queue.with([&](Queue& queue) { queue.running -= group.size(); });
}

void Writer::stop(io::Completion<> done) {
    std::deque<std::unique_ptr<Unit>> dropped;
    bool idle = false;
    state_->queue.with([&](State::Queue& queue) {
        queue.stopped = true;
        dropped.swap(queue.waiting);
        idle = !queue.scheduled;
        if (!idle) {
            queue.stop_listeners.push_back(std::move(done));
        }
    });
    for (auto& unit : dropped) {
        unit->answer(fail(ErrorKind::unavailable, "the database writer is stopping"));
    }
    if (idle) {
        done({});
    }
}

std::string Writer::checkpoint_trouble() const {
    return state_->checkpoint_trouble.with([](const std::string& text) { return text; });
}

std::size_t Writer::depth() const {
    return state_->queue.with(
        [](State::Queue& queue) { return queue.waiting.size() + queue.running; });
}

}  // namespace bascule::sql
