#pragma once

// Inside the driver only: this header drags SOCI and SQLite behind it.
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <optional>
#include <string>

#include "foundation/sql/value.h"

namespace bascule::sql {

/// One prepared statement, run through SQLite's own calls.
///
/// SOCI prepares it. Values do not go through SOCI: it wants variables with fixed addresses and
/// types, and copies every value and every column as a whole row set, which costs as much as
/// SQLite's own work. Its dynamic rows go by the declared type of a column, which an expression has
/// not, and run a statement once to find out (`insert … returning` would insert twice).
///
/// Threads: as the session's.
class Statement {
  public:
    /// Throws soci::soci_error; Session catches.
    Statement(soci::session& session, std::string text);

    const std::string& text() const { return text_; }
    bool in_use() const { return in_use_; }
    std::size_t params_expected() const { return params_expected_; }

    /// Binds the values, `params_expected()` of them, which must live until `finish`.
    void start(Params params);
    /// One step. SQLITE_ROW: `row()` has a row until the next call. SQLITE_DONE: the end. Any other
    /// code is the failure.
    int step();
    const Row& row() const { return row_; }
    /// What the callback found wrong with the present row's values.
    const std::optional<std::string>& complaint() const { return row_.complaint_; }
    /// Ends the execution: releases its locks and makes the statement ready for the next.
    void finish();

  private:
    std::string text_;
    soci::statement statement_;
    ::sqlite_api::sqlite3_stmt* handle_ = nullptr;
    std::size_t params_expected_ = 0;
    bool in_use_ = false;
    Row row_;
};

}  // namespace bascule::sql
