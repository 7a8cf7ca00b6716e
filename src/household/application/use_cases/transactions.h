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

/// Fields that are given are set; amounts as decimal text, dates as YYYY-MM-DD.
struct TransactionEdit {
    std::optional<std::string> account_id;  ///< only when it is created
    std::optional<std::string> date;
    std::optional<std::string> amount;
    std::optional<std::string> payee;
    std::optional<std::string> description;
    std::optional<std::string> memo;
    std::optional<std::string> notes;
    std::optional<std::string> category_id;  ///< "" takes the category away, for good
};

enum class TransactionOrder : std::uint8_t { date, date_descending, amount, amount_descending };

struct TransactionFilter {
    std::string account_id;
    std::string category_id;  ///< a category that is only suggested does not count
    std::string file_id;
    std::optional<money::Date> from;  ///< inclusive
    std::optional<money::Date> to;    ///< inclusive
    std::string text;  ///< contained in payee, description, memo or notes, case-insensitive
    std::optional<std::string> amount_min;
    std::optional<std::string> amount_max;
    bool uncategorized = false;
    bool suggested =
        false;  ///< only rows whose category is suggested; category_id is then that one
    TransactionOrder order = TransactionOrder::date_descending;
};

/// Transactions of users. Conventions as in Accounts.
class Transactions {
  public:
    explicit Transactions(Environment environment) : environment_(environment) {}

    Result<Page<Transaction>> list(const std::string& user_id, const TransactionFilter& filter,
                                   const PageRequest& page) const;
    Result<Transaction> get(const std::string& user_id, const std::string& id) const;

    /// By hand: transactions.created with origin manual; a category is transaction.categorized.
    void create(Actor actor, TransactionEdit edit, io::Completion<Transaction> done);
    /// transaction.updated lists every changed field; a changed category is transaction.categorized
    /// (manual). Nothing is published if nothing changed.
    void update(Actor actor, std::string id, TransactionEdit edit,
                io::Completion<Transaction> done);
    /// transactions.deleted: single for one id, else bulk, in chunks of 1 000. All or none:
    /// `not_found` names the first id that is not the user's. Completes with their number.
    void remove(Actor actor, std::vector<std::string> ids, io::Completion<std::int64_t> done);

  private:
    Environment environment_;
};

}  // namespace bascule::application
