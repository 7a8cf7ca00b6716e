#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/sql/session.h"
#include "household/application/records.h"

namespace bascule::application {

/// Whether the account is the one that a bank names so: by one of its identifiers (blanks, hyphens
/// and case do not count), by the end of a longer one (the account number within an IBAN), or by
/// its name.
bool is_named(const Account& account, std::string_view bank_id, std::string_view identifier);

/// As JSON, in the database and in events.
std::string identifiers_text(const std::vector<std::string>& identifiers);

/// Rows of one user's accounts, inside a unit of work or a read. Publishing is the caller's part.
class AccountStore {
  public:
    AccountStore(sql::Session& session, std::string user_id)
        : session_(session), user_id_(std::move(user_id)) {}

    /// With balance and number of transactions.
    Result<std::optional<Account>> find(const std::string& id);
    Result<std::optional<Account>> find_by_name(const std::string& name);
    /// The account that carries the identifier (IBAN, bank:account, card; blanks and case do not
    /// count), if exactly one does.
    Result<std::optional<Account>> find_by_identifier(const std::string& identifier);
    /// All, by name.
    Result<std::vector<Account>> all();

    /// Errors: `conflict` when the name is taken.
    Result<> insert(const Account& account);
    Result<> update(const Account& account);
    Result<> erase(const std::string& id);

  private:
    sql::Session& session_;
    std::string user_id_;
};

}  // namespace bascule::application
