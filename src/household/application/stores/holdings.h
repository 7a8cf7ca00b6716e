#pragma once

#include <string>

#include "foundation/sql/session.h"

namespace bascule::application {

/// What of a household is a user's, for who is about to remove the user: "2 accounts, 1 file";
/// empty if nothing is. What the user can delete counts: accounts, files, transactions, categories,
/// category rules.
///
/// Threads:  the session's. Cost: counts the user's rows.
Result<std::string> holdings_of(sql::Session& session, const std::string& user_id);

}  // namespace bascule::application
