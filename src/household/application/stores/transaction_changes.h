#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bus/event/builders.h"
#include "household/application/stores/known_rows.h"
#include "household/application/stores/transaction_store.h"
#include "household/application/unit_of_work.h"

/// Changes of many transactions with the events that tell of them, in chunks of 1 000 ids.
namespace bascule::application {

/// Inserts rows of one account and one file (empty: by hand) and publishes transactions.created.
/// Nothing is published for no rows.
Result<> insert_transactions(UnitOfWork& unit, std::span<const StoredTransaction> rows,
                             event::Origin origin);

/// Deletes rows and publishes transactions.deleted. Ids that are not there do not count. Returns
/// how many there were.
Result<std::int64_t> delete_transactions(UnitOfWork& unit, std::span<const std::string> ids,
                                         event::DeletionType type);

/// Writes `after` where it differs from `before`, and publishes transaction.updated with what a
/// person can see of it.
Result<> change_row(UnitOfWork& unit, const StoredTransaction& before, StoredTransaction after);

/// Takes back what a file changed in a row that was there before it and that it no longer states;
/// where another file states the row too, its word stands.
Result<> take_back(UnitOfWork& unit, const std::string& file_id, const std::string& id,
                   const std::string& earlier_word);

/// Of rows that a file brought and no longer states, those that other files state become theirs.
/// Returns the rest.
Result<std::vector<std::string>> pass_on_rows(UnitOfWork& unit, const std::string& file_id,
                                              std::span<const std::string> ids);

/// The n of "n-th equal row of its day" for a row that is about to be added to its account.
Result<std::uint32_t> next_occurrence(TransactionStore& store, const StoredTransaction& row);

}  // namespace bascule::application
