#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/io/completion.h"
#include "household/application/actor.h"
#include "household/application/environment.h"
#include "household/application/page.h"
#include "household/application/records.h"

namespace bascule::application {

/// Fields that are given are set. `opening_balance` as decimal text in the account's currency; ""
/// takes balance and date away.
struct AccountEdit {
    std::optional<std::string> name;
    std::optional<std::string> type;
    std::optional<std::string> institution;
    std::optional<std::string> currency;  ///< only when it is created
    std::optional<std::vector<std::string>> identifiers;
    std::optional<std::string> opening_balance;
    std::optional<std::string> opening_date;
    std::optional<bool> active;
};

/// Accounts of users. Reads block for a query; writes complete after COMMIT, on the SQL writer's
/// thread. Errors: `not_found` (also for what belongs to somebody else), `invalid` naming the
/// field, `conflict` (the name is taken; an idempotency key with another request).
/// Threads: any.
class Accounts {
  public:
    explicit Accounts(Environment environment) : environment_(environment) {}

    Result<Page<Account>> list(const std::string& user_id, const PageRequest& page) const;
    Result<Account> get(const std::string& user_id, const std::string& id) const;
    Result<Account> by_name(const std::string& user_id, const std::string& name) const;

    /// name, type and currency are needed. Publishes account.created.
    void create(Actor actor, AccountEdit edit, io::Completion<Account> done);
    /// Publishes account.updated with every field that changed; nothing if none did.
    void update(Actor actor, std::string id, AccountEdit edit, io::Completion<Account> done);
    /// Deletes its transactions and its ties to files too, and publishes transactions.deleted
    /// (account_deleted), account.deleted with their number. Completes with that number.
    void remove(Actor actor, std::string id, io::Completion<std::int64_t> done);

  private:
    Environment environment_;
};

}  // namespace bascule::application
