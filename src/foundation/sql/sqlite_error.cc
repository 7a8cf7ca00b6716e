#include "foundation/sql/sqlite_error.h"

#include <sqlite3.h>

namespace bascule::sql {

ErrorKind kind_of_sqlite(int code) {
    switch (code) {
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_FOREIGNKEY:
            return ErrorKind::conflict;
        default:
            break;
    }
    switch (code & 0xff) {
        case SQLITE_FULL:
        case SQLITE_NOMEM:
        case SQLITE_TOOBIG:
            return ErrorKind::exhausted;
        // An I/O error suspends its caller like a full disk does: nothing was committed, and when
        // the device recovers the same work succeeds.
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_IOERR:
        case SQLITE_INTERRUPT:
        case SQLITE_PROTOCOL:
            return ErrorKind::unavailable;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return ErrorKind::corrupt;
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_READONLY:
        case SQLITE_AUTH:
            return ErrorKind::io;
        default:
            return ErrorKind::invalid;
    }
}

Error sqlite_error(int code, std::string_view message, std::string_view statement) {
    constexpr std::size_t shown_max = 160;
    std::string text(message);
    if (!statement.empty()) {
        text += " (in: " + std::string(statement.substr(0, shown_max)) +
                (statement.size() > shown_max ? "…)" : ")");
    }
    return Error(kind_of_sqlite(code), std::move(text));
}

}  // namespace bascule::sql
