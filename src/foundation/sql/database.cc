#include "foundation/sql/database.h"

namespace bascule::sql {

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options,
                                                 std::span<const Migration> migrations) {
    auto writer = TRY(Session::connect({.path = options.path,
                                        .vfs = options.vfs,
                                        .busy_timeout_ms = options.busy_timeout_ms,
                                        .record_writes = options.record_writes,
                                        .message_bytes_max = options.message_bytes_max,
                                        .cache_kib = options.writer_cache_kib}));
    // What an earlier process could not sync lies in the page cache at best: written anew, it is
    // synced before anybody builds on it.
    if (auto written = writer->checkpoint_all(); !written) {
        return std::unexpected(std::move(written).error().in("database " + options.path));
    }
    if (auto migrated = migrate(*writer, migrations); !migrated) {
        return std::unexpected(std::move(migrated).error().in("database " + options.path));
    }
    writer->forget_tables_written();
    return std::unique_ptr<Database>(new Database(options, std::move(writer)));
}

Result<Database::Snapshot> Database::read() {
    bool full = false;
    auto session = readers_.with([&](Readers& readers) -> std::unique_ptr<Session> {
        if (readers.lent >= options_.readers_max) {
            full = true;
            return nullptr;
        }
        ++readers.lent;
        if (readers.idle.empty()) {
            return nullptr;
        }
        auto last = std::move(readers.idle.back());
        readers.idle.pop_back();
        return last;
    });
    if (full) {
        return fail(ErrorKind::exhausted, "all " + std::to_string(options_.readers_max) +
                                              " readers of the database are busy; repeat later");
    }
    const auto start = [&]() -> Result<> {
        if (!session) {
            session = TRY(
                Session::connect({.path = options_.path, .vfs = options_.vfs, .read_only = true}));
        }
        TRY(session->begin_read());
        // SQLite takes the snapshot at the first read, not at `begin`.
        TRY(session->query_integer("select count(*) from schema_migrations"));
        return {};
    };
    if (auto started = start(); !started) {
        readers_.with([](Readers& readers) { --readers.lent; });
        return std::unexpected(std::move(started).error());
    }
    return Snapshot(*this, std::move(session));
}

Database::Snapshot::~Snapshot() {
    if (session_) {
        database_.give_back(std::move(session_));
    }
}

void Database::give_back(std::unique_ptr<Session> session) {
    const bool usable = session->rollback().has_value();
    readers_.with([&](Readers& readers) {
        --readers.lent;
        if (usable) {
            readers.idle.push_back(std::move(session));
        }
    });
}

}  // namespace bascule::sql
