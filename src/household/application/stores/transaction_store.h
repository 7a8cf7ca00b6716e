#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "foundation/sql/session.h"
#include "household/application/records.h"
#include "household/finance/duplicates.h"

namespace bascule::application {

/// Fields that the user has set by hand; the bank's later word does not replace them.
enum class EditedField : std::uint32_t {
    date = 1,
    amount = 2,
    payee = 4,
    description = 8,
    memo = 16,
    notes = 32,
};

/// A transaction as it is stored: what the user sees, and beside it what the bank wrote, which is
/// what the row's identity rests on.
struct StoredTransaction {
    Transaction row;
    money::Date bank_date;        ///< `row.date` unless the user edited it
    std::int64_t bank_minor = 0;  ///< likewise
    std::uint32_t edited = 0;     ///< EditedField bits

    bool is_edited(EditedField field) const {
        return (edited & static_cast<std::uint32_t>(field)) != 0;
    }
    /// Whether a person edited a field or decided the category.
    bool is_touched() const {
        return edited != 0 ||
               (row.assigned_at && row.assignment.type == finance::AssignmentType::manual);
    }
};

/// The row as duplicate detection sees it.
finance::BankRow bank_row_of(const StoredTransaction& stored);

/// As much of a row as rules look at, as a reader saw it.
struct RuleRow {
    std::string id;
    std::string account_id;
    std::string payee;
    std::string description;
    std::string memo;
    money::Money amount;
    finance::Assignment assignment;
    WallTime updated_at;
};

/// Rows of one user's transactions, inside a unit of work or a read.
///
/// Every change also keeps the account's totals and raises the generation of the account's
/// transactions (`generation` below), so that a consumer which computed on a snapshot can see that
/// its rows changed meanwhile. Publishing the event is the caller's part.
///
/// Lifetime: the session outlives it.
class TransactionStore {
  public:
    TransactionStore(sql::Session& session, std::string user_id)
        : session_(session), user_id_(std::move(user_id)) {}

    Result<std::optional<StoredTransaction>> find(const std::string& id);
    /// Those of `ids` that exist and are the user's, in no particular order.
    Result<std::vector<StoredTransaction>> find_all(std::span<const std::string> ids);
    /// Those of `ids` that exist and are the user's, in the order of `ids`.
    Result<std::vector<RuleRow>> rule_rows(std::span<const std::string> ids);
    /// As duplicate detection wants them: rows of the account whose bank date lies in the span.
    Result<std::vector<finance::ExistingRow>> existing_rows(const std::string& account_id,
                                                            money::DateSpan span);
    /// How many of `rows` the account has, as far as their day and identity tell, had they been
    /// brought into it.
    Result<std::size_t> count_present(const std::string& account_id,
                                      std::vector<StoredTransaction> rows);
    Result<std::vector<std::string>> ids_of_file(const std::string& file_id);
    /// Those of the file that are in the account: a file may bring rows to several.
    Result<std::vector<std::string>> ids_of_file_in(const std::string& file_id,
                                                    const std::string& account_id);
    Result<std::vector<std::string>> ids_of_account(const std::string& account_id);
    /// Ids of rows without a category that counts, oldest first, after `after_id` (empty: from the
    /// start), for runs in parts.
    Result<std::vector<std::string>> uncategorised_ids(const std::string& after_id,
                                                       std::size_t ids_max);

    /// Adds rows; fast for thousands. Errors: `conflict` (an id exists).
    Result<> insert(std::span<const StoredTransaction> rows);
    /// Replaces the row of that id. Errors: `not_found`.
    Result<> update(const StoredTransaction& row);
    /// How many rows that the file brought to one account have the day and the amount of one in the
    /// other. Cost: O(n log n) in the file's rows and the other account's.
    Result<std::int64_t> count_alike(const std::string& file_id, const std::string& account_id,
                                     const std::string& other_id);
    /// Moves rows to another account. A row's identity contains its account, so each finds its
    /// place among the equal rows there, in the order of `ids`. Cost: linear in the rows and in
    /// those that the account has on their days; memory some 100 bytes for each of the latter.
    /// Errors: `not_found`.
    Result<> move(std::span<const std::string> ids, const std::string& account_id, WallTime now);
    /// Changes nothing but the category; an assignment to none that nobody made by hand makes the
    /// row as if nothing was ever said about it. Errors: `not_found`.
    Result<> assign(const std::string& id, const finance::Assignment& assignment, WallTime now);
    /// What rules say about a row that was read before.
    struct RuleAssignment {
        const RuleRow* seen;
        const finance::Assignment* next;
    };
    /// The same for many rows at once; fast. A row that changed since it was read stays as it is:
    /// the answer says for each whether it was written.
    Result<std::vector<bool>> assign_unchanged(std::span<const RuleAssignment> assignments,
                                               WallTime now);
    /// The row counts as brought by another file, which states it in `line`. Errors: `not_found`.
    Result<> pass_on(const std::string& id, const std::string& file_id, std::uint64_t line);
    struct Erased {
        std::int64_t count = 0;
        std::set<std::string> account_ids;
    };
    /// Deletes rows; those that are not there do not count.
    Result<Erased> erase(std::span<const std::string> ids);

  private:
    struct Amount {
        std::string account_id;
        std::string currency;
        std::int64_t minor = 0;
    };
    Result<std::optional<Amount>> amount_of(const std::string& id);

    sql::Session& session_;
    std::string user_id_;
};

/// Counters that rise with every change of their subject; 0 before the first. Subjects:
/// `rules` (rules and categories), `account:ID` (its transactions).
Result<std::uint64_t> generation(sql::Session& session, const std::string& user_id,
                                 const std::string& subject);
Result<> raise_generation(sql::Session& session, const std::string& user_id,
                          const std::string& subject);
std::string account_subject(const std::string& account_id);

}  // namespace bascule::application
