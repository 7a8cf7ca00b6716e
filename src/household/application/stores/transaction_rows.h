#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/sql/value.h"
#include "household/application/stores/transaction_store.h"

/// How a StoredTransaction lies in the table `transactions`.
namespace bascule::application {

/// The columns, in the order in which `read_transaction` wants them: `select <these> from …`.
std::string_view transaction_columns();
Result<StoredTransaction> read_transaction(const sql::Row& row);

/// The column `assignment_type`; empty where nobody said anything about the row.
Result<finance::AssignmentType> stored_assignment_type(std::string_view text);

/// The category that counts: a suggestion does not.
std::string_view counted_category(const finance::Assignment& assignment);

/// The column `fingerprint`.
std::string fingerprint_text(const StoredTransaction& stored);

/// Parameters ?1 … ?34 of an insert of all columns with user_id second; texts that have to be made
/// live in `scratch`, the rest in `stored`.
std::vector<sql::Param> transaction_params(const StoredTransaction& stored,
                                           const std::string& user_id,
                                           std::deque<std::string>& scratch);
std::string_view insert_transaction_statement();
/// The same parameters; sets everything but user_id and created_ms.
std::string_view update_transaction_statement();

}  // namespace bascule::application
