#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "foundation/base/result.h"
#include "foundation/io/completion.h"
#include "foundation/io/executor.h"
#include "foundation/sql/database.h"

namespace bascule::sql {

struct WriterOptions {
    /// Units that wait or run; one more is answered `exhausted`. The back-pressure of all writes.
    std::size_t queue_units_max = 4096;
    /// A transaction is committed after this many units, or this long, or when none waits.
    std::size_t group_units_max = 256;
    std::chrono::milliseconds group_time_max{5};
    /// How long patient units wait for others, unless so many of them wait already.
    std::chrono::microseconds patience{1000};
    std::size_t patient_units_max = 8;
    /// Called after each unit, before it counts; an error undoes the unit and is its answer.
    /// Tests use it to look at Session::tables_written.
    std::function<Result<>(Session&)> after_unit;
};

/// Runs units of work on the database's one writing connection, many in one transaction.
///
/// A *unit* is a closure that reads and writes through the session and returns Result<T>. It runs
/// inside a savepoint: an error undoes that unit alone. After COMMIT every unit's completion gets
/// its result. If the COMMIT fails, every unit of that transaction is answered `unavailable`: none
/// happened, none is to blame, repeat later. If the disk refused it, every unit from then on is
/// answered `io` with the reason, until the program is started again (Session::begin_write).
///
/// Units run one at a time in the order of their submission. Completions of units that ran are
/// called on the writer's thread, in the same order. A unit that is refused is answered inside
/// `submit`, and one that waited when the writer stopped inside `stop`, both on the caller's thread
/// and before units that still run: hold no lock in either that the completion takes. Completions
/// must not block.
///
/// Threads:   any may submit. Units run on `executor` (give it one thread of its own).
/// Lifetime:  `database` and `executor` outlive the writer; `stop` before destroying.
/// Cost:      one fdatasync a transaction, shared by all its units.
class Writer {
  public:
    Writer(Database& database, io::Executor& executor, WriterOptions options = {});
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// `work` is callable as Result<T>(Session&). Errors besides the unit's own: `exhausted` (the
    /// queue is full), `unavailable` (stopped, or the transaction failed).
    template <class F, class T = typename std::invoke_result_t<F&, Session&>::value_type>
    void submit(F work, std::type_identity_t<io::Completion<T>> done) {
        enqueue(make_unit<T>(std::move(work), std::move(done)), Grouping::shared);
    }

    /// The same for work that nobody waits for by itself: it waits a moment for company, so that a
    /// trickle of small units does not keep a core and the disk busy with commits.
    template <class F, class T = typename std::invoke_result_t<F&, Session&>::value_type>
    void submit_patiently(F work, std::type_identity_t<io::Completion<T>> done) {
        enqueue(make_unit<T>(std::move(work), std::move(done)), Grouping::patient);
    }

    /// The same in a transaction of its own: for an import that writes thousands of rows.
    template <class F, class T = typename std::invoke_result_t<F&, Session&>::value_type>
    void submit_alone(F work, std::type_identity_t<io::Completion<T>> done) {
        enqueue(make_unit<T>(std::move(work), std::move(done)), Grouping::alone);
    }

    /// Called on the writer's thread after each COMMIT, before its completions; wakes the relay.
    /// Set before the first unit.
    void on_commit(std::function<void()> listener);

    /// Answers what still waits with `unavailable`, refuses what comes, and calls `done` when
    /// nothing runs any more. May be called twice.
    void stop(io::Completion<> done);

    /// Units that wait or run, for metrics.
    std::size_t depth() const;

    /// Why the write-ahead log only grows (a full disk, say); empty if it does not. Nothing is lost
    /// meanwhile. Any thread.
    std::string checkpoint_trouble() const;

  private:
    enum class Grouping { shared, patient, alone };

    class Unit {
      public:
        virtual ~Unit() = default;
        virtual Result<> run(Session& session) = 0;
        /// Answers with the unit's own outcome, or with `failure` where there is one.
        virtual void answer(Result<> failure) = 0;
        Grouping grouping = Grouping::shared;
    };

    template <class T, class F>
    class TypedUnit final : public Unit {
      public:
        TypedUnit(F work, io::Completion<T> done)
            : work_(std::move(work)), done_(std::move(done)) {}

        Result<> run(Session& session) override {
            outcome_ = work_(session);
            if (!outcome_) {
                return std::unexpected(outcome_.error());
            }
            return {};
        }

        void answer(Result<> failure) override {
            if (failure) {
                done_(std::move(outcome_));
            } else {
                done_(std::unexpected(std::move(failure).error()));
            }
        }

      private:
        F work_;
        io::Completion<T> done_;
        Result<T> outcome_ = fail(ErrorKind::unavailable, "the unit did not run");
    };

    template <class T, class F>
    static std::unique_ptr<Unit> make_unit(F work, io::Completion<T> done) {
        return std::make_unique<TypedUnit<T, F>>(std::move(work), std::move(done));
    }

    struct State;
    void enqueue(std::unique_ptr<Unit> unit, Grouping grouping);

    std::shared_ptr<State> state_;
};

}  // namespace bascule::sql
