#include "foundation/sql/writer.h"

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
        bool stopped = false;
        std::vector<io::Completion<>> stop_listeners;
    };

    Session& session;
    io::Strand strand;
    const WriterOptions options;
    std::function<void()> commit_listener;
    Guarded<Queue> queue;

    using Group = std::vector<std::unique_ptr<Unit>>;

    static void run(const std::shared_ptr<State>& state);
    std::unique_ptr<Unit> take(Grouping wanted, bool first);
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
    bool schedule = false;
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
        schedule = !std::exchange(queue.scheduled, true);
        return {};
    });
    if (!refused) {
        unit->answer(std::move(refused));
        return;
    }
    if (schedule) {
        state_->strand.post([state = state_] { State::run(state); });
    }
}

/// One group, then back in line: other tasks of the executor get their turn between groups.
void Writer::State::run(const std::shared_ptr<State>& state) {
    state->run_group();
    bool more = false;
    std::vector<io::Completion<>> stopped;
    state->queue.with([&](Queue& queue) {
        more = !queue.waiting.empty();
        queue.scheduled = more;
        if (!more) {
            stopped.swap(queue.stop_listeners);
        }
    });
    if (more) {
        state->strand.post([state] { run(state); });
    }
    for (auto& listener : stopped) {
        listener({});
    }
}

/// The next waiting unit, if it may join a group of that kind.
std::unique_ptr<Writer::Unit> Writer::State::take(Grouping wanted, bool first) {
    return queue.with([&](Queue& queue) -> std::unique_ptr<Unit> {
        if (queue.waiting.empty() || (!first && queue.waiting.front()->grouping != wanted)) {
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
    if (auto first = take(Grouping::shared, true)) {
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
        auto next = take(Grouping::shared, false);
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
            group[i]->answer(fail(ErrorKind::unavailable, "the transaction was not committed: " +
                                                              committed.error().message()));
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

std::size_t Writer::depth() const {
    return state_->queue.with(
        [](State::Queue& queue) { return queue.waiting.size() + queue.running; });
}

}  // namespace bascule::sql
