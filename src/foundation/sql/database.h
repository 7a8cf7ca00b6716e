#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "foundation/base/guarded.h"
#include "foundation/base/result.h"
#include "foundation/sql/migration.h"
#include "foundation/sql/session.h"

namespace bascule::sql {

struct DatabaseOptions {
    std::string path;
    std::string vfs;
    /// Snapshots held at the same time; one more is `exhausted`.
    std::size_t readers_max = 64;
    bool record_writes = false;
    /// How long the writer waits for other programs that hold the database.
    std::int64_t busy_timeout_ms = 5000;
    /// The largest message that may enter the outbox: what the log takes.
    std::size_t message_bytes_max = 1 << 20;
    /// The writer's page cache: an import of 100 000 rows changes some 80 MiB of pages.
    std::int64_t writer_cache_kib = 96 * 1024;
};

/// One database file: any number of readers beside exactly one writer.
///
/// SQLite in WAL mode with synchronous=FULL: a COMMIT that returned survives power loss, readers
/// never wait for the writer and see the state of one moment.
///
/// Threads: any, except `writer`, whose session has one owner (sql::Writer).
/// Lifetime: outlives its snapshots.
class Database {
  public:
    /// Opens or creates the file, writes out what its log holds and brings its schema to
    /// `migrations`. Errors as Session::checkpoint_all and migrate.
    static Result<std::unique_ptr<Database>> open(const DatabaseOptions& options,
                                                  std::span<const Migration> migrations);

    /// A reader's view of one moment; goes back to the pool when destroyed. Hold it shortly: the
    /// write-ahead log cannot shrink below the oldest one.
    class Snapshot {
      public:
        Snapshot(Snapshot&&) = default;
        Snapshot& operator=(Snapshot&&) = delete;
        ~Snapshot();
        Session& session() const { return *session_; }
        Session* operator->() const { return session_.get(); }

      private:
        friend class Database;
        Snapshot(Database& database, std::unique_ptr<Session> session)
            : database_(database), session_(std::move(session)) {}

        Database& database_;
        std::unique_ptr<Session> session_;
    };

    /// Errors: `exhausted` when readers_max snapshots are held; as Session::connect.
    Result<Snapshot> read();

    /// The one connection that writes.
    Session& writer() { return *writer_; }

    const std::string& path() const { return options_.path; }

    /// Why nothing is written any more until the program is started again; empty if all is well.
    std::string failure() const { return writer_->failure(); }

  private:
    struct Readers {
        std::vector<std::unique_ptr<Session>> idle;
        std::size_t lent = 0;
    };

    Database(DatabaseOptions options, std::unique_ptr<Session> writer)
        : options_(std::move(options)), writer_(std::move(writer)) {}
    void give_back(std::unique_ptr<Session> session);

    DatabaseOptions options_;
    std::unique_ptr<Session> writer_;
    Guarded<Readers> readers_;
};

}  // namespace bascule::sql
