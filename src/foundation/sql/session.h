#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "foundation/base/result.h"
#include "foundation/sql/value.h"

namespace bascule::sql {

struct ConnectOptions {
    std::string path;
    /// Name of the SQLite file layer; empty for the system's. The simulator brings its own.
    std::string vfs;
    /// How long a statement waits for another process that holds the database.
    std::int64_t busy_timeout_ms = 5000;
    /// Notes which tables are written (`Session::tables_written`); for tests.
    bool record_writes = false;
    bool read_only = false;
    /// The largest message that its receiver takes; sql::outbox holds to it.
    std::size_t message_bytes_max = 1 << 20;
    /// Pages kept in memory. A transaction that changes more writes them out early.
    std::int64_t cache_kib = 8 * 1024;
};

/// One connection to a database, with a cache of prepared statements.
///
/// Statements are written in SQL that both SQLite and PostgreSQL accept, with `?1 … ?n` for
/// parameters. The text is the cache's key, so values go into parameters, never into the text.
///
/// Threads:  one owner at a time.
/// Limits:   statements_cached_max prepared statements; the longest unused makes room.
/// Errors:   `conflict` (a unique or foreign key is violated), `invalid` (any other constraint, or
///           a statement that the database does not understand), `unavailable` (held by someone
///           else, or an I/O error: repeat later), `exhausted` (disk full), `corrupt`. After
///           `unavailable` and `exhausted` the transaction may be gone: see in_transaction().
class Session {
  public:
    static constexpr std::size_t statements_cached_max = 256;

    static Result<std::unique_ptr<Session>> connect(const ConnectOptions& options);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Runs a statement and returns how many rows it inserted, changed or deleted.
    Result<std::int64_t> execute(std::string_view text, Params params = {});

    /// Runs one statement for each of `rows`, in order; stops at the first failure. For thousands
    /// of rows: the statement is looked up once. Returns the rows changed.
    Result<std::int64_t> execute_many(std::string_view text,
                                      std::span<const std::vector<Param>> rows);
    /// The same; returns for each of `rows` how many rows it changed.
    Result<std::vector<std::int64_t>> execute_each(std::string_view text,
                                                   std::span<const std::vector<Param>> rows);

    /// Calls `each(const Row&)` for every row; `each` returns void, or a Result<> whose error ends
    /// the query, or a bool, where false ends it with success. It may use this session.
    template <class F>
    Result<> query(std::string_view text, Params params, F&& each) {
        return run_query(text, params, Sink(each));
    }

    /// The first row through `map(const Row&) -> T`, or nothing where there is no row.
    template <class F>
    auto query_one(std::string_view text, Params params, F&& map)
        -> Result<std::optional<std::invoke_result_t<F, const Row&>>> {
        std::optional<std::invoke_result_t<F, const Row&>> found;
        auto each = [&](const Row& row) {
            found.emplace(map(row));
            return false;
        };
        TRY(run_query(text, params, Sink(each)));
        return found;
    }

    /// The single integer that a query such as `select count(*)` answers; 0 for no row or null.
    Result<std::int64_t> query_integer(std::string_view text, Params params = {});

    /// Transactions. `begin_write` takes the write lock at once, `begin_read` a snapshot that
    /// lasts until `rollback`. Prefer Transaction below, Database::read and Writer.
    ///
    /// A commit or a sync that the disk refused *latches* the session: what the page cache then
    /// holds may never reach the disk, and a second sync would say all is well. `begin_write`
    /// answers `io` from then on; opening the database anew writes the log of it out again.
    Result<> begin_write();
    Result<> begin_read();
    Result<> commit();
    Result<> rollback();
    bool in_transaction() const;
    /// Why nothing is written any more; empty if all is well. Any thread.
    std::string failure() const;

    /// Copies committed pages from the write-ahead log into the database file if there are enough
    /// of them; commits do not. Readers in the way are no error: the rest is copied next time.
    /// Errors: of the device and `corrupt`, and the session is latched; `exhausted` (disk full):
    /// nothing is lost, the log grows and the next commit's checkpoint tries again.
    Result<> checkpoint_if_due();
    /// The same at once, and all of it, waiting busy_timeout_ms for readers that need the old
    /// pages. Errors besides: `unavailable`, when such readers are left.
    Result<> checkpoint_all();

    /// A nested unit: what ran since `savepoint` is kept by `release`, undone by `rollback_to`.
    Result<> savepoint();
    Result<> release();
    Result<> rollback_to();

    std::size_t message_bytes_max() const;

    /// Tables with rows written since the last `forget_tables_written`; needs `record_writes`.
    const std::set<std::string, std::less<>>& tables_written() const;
    void forget_tables_written();

  private:
    struct Impl;

    /// A callback without ownership or allocation; lives only during the call.
    class Sink {
      public:
        template <class F>
        explicit Sink(F& each)
            : target_(const_cast<void*>(static_cast<const void*>(&each))), call_(&call<F>) {}
        /// False: no more rows.
        Result<bool> operator()(const Row& row) const { return call_(target_, row); }

      private:
        template <class F>
        static Result<bool> call(void* target, const Row& row) {
            using Answer = std::invoke_result_t<F&, const Row&>;
            F& each = *static_cast<F*>(target);
            if constexpr (std::is_void_v<Answer>) {
                each(row);
                return true;
            } else if constexpr (std::is_same_v<Answer, bool>) {
                return each(row);
            } else {
                TRY(each(row));
                return true;
            }
        }

        void* target_;
        Result<bool> (*call_)(void*, const Row&);
    };

    explicit Session(std::unique_ptr<Impl> impl);
    Result<> run_query(std::string_view text, Params params, Sink sink);

    std::unique_ptr<Impl> impl_;
};

/// A transaction that is rolled back unless committed.
class Transaction {
  public:
    static Result<Transaction> begin_write(Session& session);
    ~Transaction();
    Transaction(Transaction&& other) noexcept : session_(std::exchange(other.session_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;

    Result<> commit();

  private:
    explicit Transaction(Session& session) : session_(&session) {}

    Session* session_;
};

}  // namespace bascule::sql
