#pragma once

#include "foundation/sql/session.h"
#include "household/application/page.h"
#include "household/application/use_cases/transactions.h"

namespace bascule::application {

/// A filtered, sorted page of a user's transactions. See Transactions::list.
Result<Page<Transaction>> query_transactions(sql::Session& session, const std::string& user_id,
                                             const TransactionFilter& filter,
                                             const PageRequest& page);

}  // namespace bascule::application
