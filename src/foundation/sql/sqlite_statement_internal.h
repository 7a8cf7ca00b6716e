#pragma once

// Inside the driver only: this header drags SOCI and SQLite behind it.
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/sql/value.h"

namespace bascule::sql {

/// One prepared statement with its parameter and column buffers.
///
/// SOCI binds the address and the type of a variable when a statement is prepared, while our
/// parameters differ from call to call. So each parameter has a slot that learns its type from the
/// first value that is not null; a value of another type prepares the statement anew.
///
/// Every column is read as text, which SQLite and PostgreSQL both offer for every type without loss
/// (SOCI's own dynamic rows go by the declared type of a column, which an expression has not, and
/// run a statement once to find out: `insert … returning` would insert twice).
///
/// Throws soci::soci_error; Session catches.
class Statement {
  public:
    Statement(soci::session& session, std::string text);

    const std::string& text() const { return text_; }
    bool in_use() const { return in_use_; }

    /// Binds and starts; false where the number of parameters is wrong.
    bool start(Params params);
    /// Runs to the end without rows.
    void run();
    /// The next row, or null at the end. The row's cells live until the next call.
    const Row* next();
    /// Ends the execution: releases its locks and makes the statement ready for the next.
    void finish();

    /// What the callback found wrong with the present row's values.
    const std::optional<std::string>& complaint() const { return row_.complaint_; }

    std::size_t params_expected() const { return params_expected_; }

  private:
    enum class SlotType { unknown, integer, text, blob };
    struct Slot {
        SlotType type = SlotType::unknown;
        long long integer = 0;
        std::string text;
        std::optional<soci::blob> blob;
        soci::indicator indicator = soci::i_null;
    };
    struct Column {
        std::string text;
        soci::indicator indicator = soci::i_ok;
    };

    static SlotType type_of(const Param& param);
    void prepare();
    bool learn_types(Params params);
    void fill(Slot& slot, const Param& param);
    soci::sqlite3_statement_backend& backend();

    soci::session& session_;
    std::string text_;
    std::optional<soci::statement> statement_;
    std::size_t params_expected_ = 0;
    bool bound_ = false;
    bool in_use_ = false;
    std::deque<Slot> slots_;  // deques: SOCI keeps the addresses
    std::deque<Column> columns_;
    Row row_;
};

}  // namespace bascule::sql
