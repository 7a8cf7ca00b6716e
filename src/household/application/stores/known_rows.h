#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/sql/session.h"
#include "household/application/stores/transaction_store.h"

namespace bascule::application {

/// A transaction that a file states although it was there before: another file brought it, or a
/// person entered it.
struct KnownRow {
    std::string transaction_id;
    std::uint64_t line = 0;  ///< of the file
    std::string earlier;     ///< bank_word() before the file changed it; empty: it did not
};

/// Which files state which transactions, beside the file that brought each: so that a row stays for
/// as long as any file states it, and what a file changed can be taken back.
class KnownRows {
  public:
    KnownRows(sql::Session& session, std::string user_id)
        : session_(session), user_id_(std::move(user_id)) {}

    Result<std::vector<KnownRow>> of_file(const std::string& file_id);
    /// Replaces all of the file's.
    Result<> replace(const std::string& file_id, std::span<const KnownRow> rows);

    /// A file changed a transaction: its own word, or that of the file which brought the row.
    struct Change {
        std::string file_id;
        std::string earlier;
    };
    /// By transaction: changes that the file made, and those that others made to rows it brought.
    Result<std::map<std::string, Change>> changes_around(const std::string& file_id);

    struct Heir {
        std::string file_id;
        std::uint64_t line = 0;
    };
    /// By transaction, of those that the file brought: the earliest other file that states it too.
    Result<std::map<std::string, Heir>> heirs(const std::string& file_id);

    /// Makes a file's change of a row that of the earliest other file that states the row, unless
    /// that changed it itself. Returns whether there is such a file.
    Result<bool> hand_over(const std::string& file_id, const std::string& transaction_id,
                           const std::string& earlier);

    Result<> forget(const std::string& file_id, const std::string& transaction_id);
    /// How many of the account's rows the file states together with others, or with a person.
    Result<std::int64_t> count_shared(const std::string& file_id, const std::string& account_id);

  private:
    sql::Session& session_;
    std::string user_id_;
};

/// What a later word of the bank replaces in a row, as JSON.
std::string bank_word(const StoredTransaction& stored);
/// Puts it back. What a person edited stays. Errors: `corrupt`.
Result<> set_bank_word(StoredTransaction& stored, std::string_view word);

}  // namespace bascule::application
