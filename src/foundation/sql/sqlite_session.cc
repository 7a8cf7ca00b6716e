#include <array>
#include <cstring>
#include <list>
#include <span>
#include <unordered_map>

#include "foundation/base/guarded.h"
#include "foundation/base/hash.h"
#include "foundation/sql/session.h"
#include "foundation/sql/sqlite_error.h"
#include "foundation/sql/sqlite_statement_internal.h"

namespace bascule::sql {

namespace native = ::sqlite_api;

struct Session::Impl {
    soci::session connection;
    native::sqlite3* handle = nullptr;
    std::size_t message_bytes_max = 0;
    bool record_writes = false;
    std::set<std::string, std::less<>> written;
    int wal_pages = 0;             ///< in the write-ahead log after the last commit
    Guarded<std::string> failure;  ///< why nothing is written any more

    // The most recently used first. Keys of the index are views of the statements' own text.
    std::list<Statement> cache;
    std::unordered_map<std::string_view, std::list<Statement>::iterator> index;

    /// The cached statement of this text, or a new one. One that is in use (a query's callback
    /// runs the same text) leaves the index to a fresh one and stays in the list until it is the
    /// longest unused.
    Statement& statement(std::string_view text) {
        if (const auto found = index.find(text); found != index.end()) {
            if (!found->second->in_use()) {
                cache.splice(cache.begin(), cache, found->second);
                return cache.front();
            }
            index.erase(found);
        }
        make_room();
        cache.emplace_front(connection, std::string(text));
        index.emplace(cache.front().text(), cache.begin());
        return cache.front();
    }

    void make_room() {
        for (auto last = cache.end(); cache.size() >= statements_cached_max;) {
            if (last == cache.begin()) {
                return;  // all in use, nested that deep
            }
            --last;
            if (!last->in_use()) {
                if (const auto found = index.find(last->text());
                    found != index.end() && found->second == last) {
                    index.erase(found);
                }
                last = cache.erase(last);
            }
        }
    }

    std::unexpected<Error> error(std::string_view text) {
        const int code = native::sqlite3_extended_errcode(handle);
        auto found = sqlite_error(code, native::sqlite3_errmsg(handle), text);
        if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) {
            latch(found.message());
        }
        return std::unexpected(std::move(found));
    }

    void latch(const std::string& why) {
        failure.with([&](std::string& text) {
            if (text.empty()) {
                text =
                    "the disk refused to keep what was written to the database, so nothing more"
                    " is written until the program is started again: " +
                    why;
            }
        });
        // Closing must not copy pages into the database file that may be nowhere else.
        native::sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    }

    bool last_failed_at_the_disk() const {
        return (native::sqlite3_errcode(handle) & 0xff) == SQLITE_IOERR;
    }

    enum class Readers { may_be_in_the_way, must_be_gone };

    /// What the disk refused or damaged latches the session. A full disk does not: the log still
    /// holds everything.
    Result<> checkpoint(int mode, Readers readers) {
        int pages = 0;
        int copied = 0;
        const int code = native::sqlite3_wal_checkpoint_v2(handle, nullptr, mode, &pages, &copied);
        const int primary = code & 0xff;
        if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
            // Readers of the newest state only keep the log from being emptied.
            if (readers == Readers::may_be_in_the_way || (pages >= 0 && copied == pages)) {
                return {};
            }
            return fail(ErrorKind::unavailable,
                        "another program holds the database, so its log cannot be written out;"
                        " end that program (a backup?) and start again");
        }
        if (code == SQLITE_OK) {
            return {};
        }
        auto failed = error("checkpoint");
        if (primary == SQLITE_IOERR || primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
            latch(failed.error().message());
        }
        return failed;
    }

    /// A failure that SOCI noticed; SQLite's own account of it is better where it has one.
    std::unexpected<Error> error(std::string_view text, const soci::soci_error& thrown) {
        if (native::sqlite3_errcode(handle) != SQLITE_OK) {
            return error(text);
        }
        return std::unexpected(sqlite_error(SQLITE_ERROR, thrown.get_error_message(), text));
    }

    Result<> pragma(const std::string& text) {
        if (native::sqlite3_exec(handle, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
            return error(text);
        }
        return {};
    }

    /// Runs the statement; `action` sees it started.
    template <class F>
    Result<> with(std::string_view text, Params params, F&& action) {
        return prepared(text, [&](Statement& statement) -> Result<> {
            TRY(check_count(statement, params.size()));
            statement.start(params);
            return action(statement);
        });
    }

    /// Gives `action` the prepared statement and ends its execution afterwards.
    template <class F>
    Result<> prepared(std::string_view text, F&& action) {
        try {
            Statement& statement = this->statement(text);
            Result<> outcome = action(statement);
            statement.finish();
            return outcome;
        } catch (const soci::soci_error& thrown) {
            return error(text, thrown);
        }
    }

    Result<> check_count(const Statement& statement, std::size_t count) const {
        if (count == statement.params_expected()) {
            return {};
        }
        return fail(ErrorKind::invalid, "the statement has " +
                                            std::to_string(statement.params_expected()) +
                                            " parameters, got " + std::to_string(count) +
                                            " (in: " + statement.text() + ")");
    }

    /// Steps to the end, whatever rows there are.
    Result<> run(Statement& statement) {
        int code = SQLITE_ROW;
        while (code == SQLITE_ROW) {
            code = statement.step();
        }
        if (code != SQLITE_DONE) {
            return error(statement.text());
        }
        return {};
    }

    /// Runs the statement for each of `rows`; `each` hears how many rows that changed.
    template <class F>
    Result<> run_each(std::string_view text, std::span<const std::vector<Param>> rows, F&& each) {
        return prepared(text, [&](Statement& statement) -> Result<> {
            for (const auto& row : rows) {
                TRY(check_count(statement, row.size()));
                const auto before = native::sqlite3_total_changes64(handle);
                statement.start(row);
                TRY(run(statement));
                statement.finish();
                each(native::sqlite3_total_changes64(handle) - before);
            }
            return {};
        });
    }
};

namespace {

void note_write(void* written, int, const char*, const char* table, native::sqlite3_int64) {
    auto& tables = *static_cast<std::set<std::string, std::less<>>*>(written);
    if (!tables.contains(std::string_view(table))) {
        tables.emplace(table);
    }
}

int note_wal(void* pages, native::sqlite3*, const char*, int count) {
    *static_cast<int*>(pages) = count;
    return SQLITE_OK;
}

/// `delete from t` without a condition empties the table without the update hook. Answering
/// "ignore" to a delete switches that shortcut off and changes nothing else.
int forbid_truncate(void*, int action, const char*, const char*, const char*, const char*) {
    return action == SQLITE_DELETE ? SQLITE_IGNORE : SQLITE_OK;
}

/// PostgreSQL's `strpos(text, part)`, which SQLite has not: LIKE folds case character by character
/// and is four times as slow. The position counts bytes here and characters there; rely on > 0.
void strpos(native::sqlite3_context* context, int, native::sqlite3_value** values) {
    const auto text = [&](int index) {
        const auto* begin =
            reinterpret_cast<const char*>(native::sqlite3_value_text(values[index]));
        const auto size = static_cast<std::size_t>(native::sqlite3_value_bytes(values[index]));
        return std::string_view(begin == nullptr ? "" : begin, begin == nullptr ? 0 : size);
    };
    const std::string_view whole = text(0);
    const std::string_view part = text(1);
    const void* found = memmem(whole.data(), whole.size(), part.data(), part.size());
    const auto place = found == nullptr ? 0 : static_cast<const char*>(found) - whole.data() + 1;
    native::sqlite3_result_int64(context, place);
}

/// PostgreSQL's `gen_random_uuid()`, which SQLite has not: a UUIDv4 as text, from SQLite's
/// generator (ChaCha20, seeded by the operating system).
void gen_random_uuid(native::sqlite3_context* context, int, native::sqlite3_value**) {
    std::array<unsigned char, 16> bytes;
    native::sqlite3_randomness(bytes.size(), bytes.data());
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);  // the version
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);  // the RFC's variant
    std::string text = to_hex(std::as_bytes(std::span(bytes)));
    for (const std::size_t place : {20, 16, 12, 8}) {
        text.insert(place, 1, '-');
    }
    native::sqlite3_result_text(context, text.data(), static_cast<int>(text.size()),
                                reinterpret_cast<native::sqlite3_destructor_type>(-1));  // copies
}

std::string connection_text(const ConnectOptions& options) {
    std::string text = "dbname=\"" + options.path + "\"";
    if (!options.vfs.empty()) {
        text += " vfs=" + options.vfs;
    }
    return text;
}

}  // namespace

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::connect(const ConnectOptions& options) {
    if (options.path.find('"') != std::string::npos) {
        return fail(ErrorKind::invalid, "a database path must not contain '\"'");
    }
    auto impl = std::make_unique<Impl>();
    try {
        impl->connection.open(soci::sqlite3, connection_text(options));
    } catch (const soci::soci_error& thrown) {
        return fail(ErrorKind::io,
                    "cannot open the database " + options.path + ": " + thrown.get_error_message());
    }
    impl->message_bytes_max = options.message_bytes_max;
    auto& backend = static_cast<soci::sqlite3_session_backend&>(*impl->connection.get_backend());
    impl->handle = backend.conn_;
    const auto set_up = [&]() -> Result<> {
        native::sqlite3_busy_timeout(impl->handle, static_cast<int>(options.busy_timeout_ms));
        TRY(impl->pragma("pragma journal_mode = wal"));
        TRY(impl->pragma("pragma synchronous = full"));
        TRY(impl->pragma("pragma foreign_keys = on"));
        TRY(impl->pragma("pragma temp_store = memory"));
        TRY(impl->pragma("pragma cache_size = -" + std::to_string(options.cache_kib)));
        TRY(impl->pragma("pragma journal_size_limit = 67108864"));
        // In place of SQLite's own checkpoints, whose failures nobody hears of.
        native::sqlite3_wal_hook(impl->handle, note_wal, &impl->wal_pages);
        if (options.read_only) {
            TRY(impl->pragma("pragma query_only = on"));
            native::sqlite3_db_config(impl->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        }
        if (native::sqlite3_create_function(impl->handle, "strpos", 2,
                                            SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, strpos,
                                            nullptr, nullptr) != SQLITE_OK) {
            return impl->error("strpos");
        }
        if (native::sqlite3_create_function(impl->handle, "gen_random_uuid", 0, SQLITE_UTF8,
                                            nullptr, gen_random_uuid, nullptr,
                                            nullptr) != SQLITE_OK) {
            return impl->error("gen_random_uuid");
        }
        return {};
    };
    if (auto done = set_up(); !done) {
        return std::unexpected(std::move(done).error().in("database " + options.path));
    }
    if (options.record_writes) {
        impl->record_writes = true;
        native::sqlite3_update_hook(impl->handle, note_write, &impl->written);
        native::sqlite3_set_authorizer(impl->handle, forbid_truncate, nullptr);
    }
    return std::unique_ptr<Session>(new Session(std::move(impl)));
}

Result<std::int64_t> Session::execute(std::string_view text, Params params) {
    const auto before = native::sqlite3_total_changes64(impl_->handle);
    TRY(impl_->with(text, params, [&](Statement& statement) { return impl_->run(statement); }));
    return native::sqlite3_total_changes64(impl_->handle) - before;
}

Result<> Session::run_query(std::string_view text, Params params, Sink sink) {
    return impl_->with(text, params, [&](Statement& statement) -> Result<> {
        for (;;) {
            const int code = statement.step();
            if (code == SQLITE_DONE) {
                return {};
            }
            if (code != SQLITE_ROW) {
                return impl_->error(text);
            }
            auto more = sink(statement.row());
            if (statement.complaint()) {
                return fail(ErrorKind::corrupt,
                            *statement.complaint() + " (in: " + std::string(text) + ")");
            }
            if (!more) {
                return std::unexpected(std::move(more).error());
            }
            if (!*more) {
                return {};
            }
        }
    });
}

Result<std::int64_t> Session::query_integer(std::string_view text, Params params) {
    const auto found = TRY(
        query_one(text, params, [](const Row& row) { return row.integer_or_null(0).value_or(0); }));
    return found.value_or(0);
}

Result<std::int64_t> Session::execute_many(std::string_view text,
                                           std::span<const std::vector<Param>> rows) {
    std::int64_t changed = 0;
    TRY(impl_->run_each(text, rows, [&](std::int64_t count) { changed += count; }));
    return changed;
}

Result<std::vector<std::int64_t>> Session::execute_each(std::string_view text,
                                                        std::span<const std::vector<Param>> rows) {
    std::vector<std::int64_t> changed;
    changed.reserve(rows.size());
    TRY(impl_->run_each(text, rows, [&](std::int64_t count) { changed.push_back(count); }));
    return changed;
}

namespace {

Result<> done(Result<std::int64_t> changed) {
    if (!changed) {
        return std::unexpected(std::move(changed).error());
    }
    return {};
}

}  // namespace

// `immediate`: the write lock comes first, so that two writers wait for each other in line instead
// of both reading and one failing in the middle.
Result<> Session::begin_write() {
    if (auto why = failure(); !why.empty()) {
        return fail(ErrorKind::io, std::move(why));
    }
    return done(execute("begin immediate"));
}
Result<> Session::begin_read() { return done(execute("begin")); }
Result<> Session::commit() {
    if (auto why = failure(); !why.empty()) {
        return fail(ErrorKind::io, std::move(why));
    }
    auto committed = done(execute("commit"));
    if (!committed && impl_->last_failed_at_the_disk()) {
        impl_->latch(committed.error().message());
    }
    return committed;
}
Result<> Session::rollback() {
    // A full disk or an I/O error may have rolled back already.
    return in_transaction() ? done(execute("rollback")) : Result<>();
}
bool Session::in_transaction() const { return native::sqlite3_get_autocommit(impl_->handle) == 0; }

std::string Session::failure() const {
    return impl_->failure.with([](const std::string& text) { return text; });
}

Result<> Session::checkpoint_if_due() {
    // 16 MiB: pages that many transactions change are copied once.
    constexpr int due_pages = 4096;
    return impl_->wal_pages < due_pages
               ? Result<>()
               : impl_->checkpoint(SQLITE_CHECKPOINT_PASSIVE, Impl::Readers::may_be_in_the_way);
}

Result<> Session::checkpoint_all() {
    return impl_->checkpoint(SQLITE_CHECKPOINT_TRUNCATE, Impl::Readers::must_be_gone);
}

Result<> Session::savepoint() { return done(execute("savepoint unit")); }
Result<> Session::release() { return done(execute("release savepoint unit")); }
Result<> Session::rollback_to() {
    TRY(execute("rollback to savepoint unit"));
    return release();
}

std::size_t Session::message_bytes_max() const { return impl_->message_bytes_max; }

const std::set<std::string, std::less<>>& Session::tables_written() const { return impl_->written; }
void Session::forget_tables_written() { impl_->written.clear(); }

Result<Transaction> Transaction::begin_write(Session& session) {
    TRY(session.begin_write());
    return Transaction(session);
}

Transaction::~Transaction() {
    if (session_ != nullptr) {
        // Nothing can be done about a failure: the connection rolls back when it closes.
        static_cast<void>(session_->rollback());
    }
}

Result<> Transaction::commit() {
    TRY(session_->commit());
    session_ = nullptr;
    return {};
}

}  // namespace bascule::sql
