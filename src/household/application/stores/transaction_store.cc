#include "household/application/stores/transaction_store.h"

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "household/application/stores/row_values.h"
#include "household/application/stores/transaction_rows.h"

namespace bascule::application {

namespace {

/// What a set of rows adds to (or takes from) the totals of their accounts.
class Totals {
  public:
    void add(const std::string& account_id, std::string_view currency, std::int64_t minor,
             std::int64_t rows) {
        Change& change = changes_[{account_id, std::string(currency)}];
        change.rows += rows;
        change.minor += minor;
    }
    void add(const StoredTransaction& stored, int sign) {
        const money::Money& amount = stored.row.amount;
        const money::Int128 minor = amount.minor();
        Change& change = changes_[{stored.row.account_id, std::string(amount.currency().code())}];
        change.rows += sign;
        change.minor += sign * minor;
    }

    /// Writes the totals and raises the generations of the accounts.
    Result<> write(sql::Session& session, const std::string& user_id) const {
        std::string raised;
        for (const auto& [key, change] : changes_) {
            const auto& [account_id, currency] = key;
            TRY(write_one(session, user_id, account_id, currency, change));
            if (raised != account_id) {
                TRY(raise_generation(session, user_id, account_subject(account_id)));
                raised = account_id;
            }
        }
        return {};
    }

  private:
    struct Change {
        std::int64_t rows = 0;
        money::Int128 minor = 0;
    };

    static Result<> write_one(sql::Session& session, const std::string& user_id,
                              const std::string& account_id, const std::string& currency,
                              const Change& change) {
        const auto present = TRY(session.query_one(
            "select total_minor from account_totals where account_id = ?1 and currency = ?2",
            {account_id, currency}, [](const sql::Row& row) { return row.integer(0); }));
        const money::Int128 total = present.value_or(0) + change.minor;
        const auto total_minor = static_cast<std::int64_t>(total);
        if (total_minor != total) {
            return fail(ErrorKind::invalid,
                        "amount: with it the account's total would no longer fit in 64 bits of "
                        "minor units");
        }
        return ignoring_count(session.execute(
            "insert into account_totals"
            " (account_id, currency, user_id, transaction_count, total_minor)"
            " values (?1, ?2, ?3, ?4, ?5) on conflict (account_id, currency) do update set"
            " transaction_count = account_totals.transaction_count + excluded.transaction_count,"
            " total_minor = excluded.total_minor",
            {account_id, currency, user_id, change.rows, total_minor}));
    }

    std::map<std::pair<std::string, std::string>, Change> changes_;
};

constexpr std::size_t rows_at_once = 500;

/// Of the bare column the user's and the account's index would look better than transactions_moved,
/// and all rows of the account would be read.
constexpr std::string_view moved_rows =
    "user_id || '' = ?1 and account_id = ?2 and bank_date <> booking_date";

/// The highest occurrence of each identity in an account, read a day at a time as rows come to be
/// placed there.
class Places {
  public:
    Places(sql::Session& session, const std::string& user_id, const std::string& account_id)
        : session_(session), user_id_(user_id), account_id_(account_id) {}

    /// The place of one more row of that day and identity.
    Result<std::uint32_t> next(money::Date bank_date, const std::string& fingerprint) {
        const std::string day = bank_date.to_text();
        if (days_.insert(day).second) {
            TRY(read(day));
        }
        return ++highest_[fingerprint];
    }

  private:
    Result<> read(const std::string& day) {
        static const std::string in_place =
            "select fingerprint, occurrence from transactions where user_id = ?1"
            " and account_id = ?2 and booking_date = ?3 and bank_date = booking_date";
        static const std::string moved = "select fingerprint, occurrence from transactions where " +
                                         std::string(moved_rows) + " and bank_date = ?3";
        for (const std::string& statement : {in_place, moved}) {
            TRY(session_.query(statement, {user_id_, account_id_, day}, [&](const sql::Row& row) {
                std::uint32_t& highest = highest_[row.text(0)];
                highest = std::max(highest, static_cast<std::uint32_t>(row.integer(1)));
            }));
        }
        return {};
    }

    sql::Session& session_;
    const std::string& user_id_;
    const std::string& account_id_;
    std::unordered_set<std::string> days_;
    std::unordered_map<std::string, std::uint32_t> highest_;  ///< by fingerprint, which has the day
};

std::string select_by(std::string_view condition) {
    return "select " + std::string(transaction_columns()) + " from transactions where " +
           std::string(condition);
}

}  // namespace

finance::BankRow bank_row_of(const StoredTransaction& stored) {
    const Transaction& row = stored.row;
    const auto state = row.status == "manual"    ? finance::RowState::manual
                       : row.status == "pending" ? finance::RowState::pending
                                                 : finance::RowState::booked;
    return {.date = stored.bank_date,
            .minor = stored.bank_minor,
            .currency = row.amount.currency(),
            .text = finance::bank_text(row.bank_payee, row.bank_memo),
            .bank_id = row.bank_id,
            .state = state};
}

Result<std::optional<StoredTransaction>> TransactionStore::find(const std::string& id) {
    static const std::string statement = select_by("id = ?1 and user_id = ?2");
    std::optional<StoredTransaction> found;
    TRY(session_.query(statement, {id, user_id_}, [&](const sql::Row& row) -> Result<> {
        found = TRY(read_transaction(row));
        return {};
    }));
    return found;
}

Result<std::vector<StoredTransaction>> TransactionStore::find_all(
    std::span<const std::string> ids) {
    std::vector<StoredTransaction> found;
    found.reserve(ids.size());
    for (const std::string& id : ids) {
        if (auto stored = TRY(find(id))) {
            found.push_back(std::move(*stored));
        }
    }
    return found;
}

Result<std::vector<RuleRow>> TransactionStore::rule_rows(std::span<const std::string> ids) {
    std::vector<RuleRow> found;
    found.reserve(ids.size());
    const auto keep = [&](const sql::Row& row) -> Result<> {
        found.push_back({
            .id = row.text(0), .account_id = row.text(1), .payee = row.text(2),
            .description = row.text(3), .memo = row.text(4),
            .amount = money::Money(row.integer(5), TRY(currency_of(row.text_view(6)))),
            .assignment =
            {.category_id = row.text(7),
             .type = TRY(stored_assignment_type(row.text_view(8))),
             .rule_id = row.text(9) },
            .updated_at = time_of(row, 10)
        });
        return {};
    };
    for (const std::string& id : ids) {
        TRY(session_.query(
            "select id, account_id, payee, description, memo, amount_minor, currency,"
            " category_id, assignment_type, rule_id, updated_ms from transactions"
            " where id = ?1 and user_id = ?2",
            {id, user_id_}, keep));
    }
    return found;
}

Result<std::vector<finance::ExistingRow>> TransactionStore::existing_rows(
    const std::string& account_id, money::DateSpan span) {
    const std::string first = span.first.to_text();
    const std::string last = span.last.to_text();
    std::vector<finance::ExistingRow> found;
    const auto keep = [&](const sql::Row& row) -> Result<> {
        const auto stored = TRY(read_transaction(row));
        found.push_back({stored.row.id, bank_row_of(stored), stored.row.occurrence});
        return {};
    };
    static const std::string in_place = select_by(
        "user_id = ?1 and account_id = ?2 and booking_date >= ?3 and booking_date <= ?4"
        " and bank_date = booking_date order by booking_date, id");
    TRY(session_.query(in_place, {user_id_, account_id, first, last}, keep));
    static const std::string moved =
        select_by(std::string(moved_rows) +
                  " and bank_date >= ?3 and bank_date <= ?4 order by bank_date, id");
    TRY(session_.query(moved, {user_id_, account_id, first, last}, keep));
    return found;
}

Result<std::size_t> TransactionStore::count_present(const std::string& account_id,
                                                    std::vector<StoredTransaction> rows) {
    std::size_t present = 0;
    for (StoredTransaction& stored : rows) {
        stored.row.account_id = account_id;
        const std::int64_t found = TRY(session_.query_integer(
            "select count(*) from transactions where user_id = ?1 and account_id = ?2"
            " and booking_date = ?3 and fingerprint = ?4",
            {user_id_, account_id, stored.row.date.to_text(), fingerprint_text(stored)}));
        present += found > 0 ? 1 : 0;
    }
    return present;
}

namespace {

Result<std::vector<std::string>> ids_of(sql::Session& session, std::string_view statement,
                                        sql::Params params) {
    std::vector<std::string> ids;
    TRY(session.query(statement, params, [&](const sql::Row& row) { ids.push_back(row.text(0)); }));
    return ids;
}

}  // namespace

Result<std::vector<std::string>> TransactionStore::ids_of_file(const std::string& file_id) {
    return ids_of(session_,
                  "select id from transactions where file_id = ?1 and file_id <> ''"
                  " and user_id = ?2 order by line, id",
                  {file_id, user_id_});
}

Result<std::vector<std::string>> TransactionStore::ids_of_file_in(const std::string& file_id,
                                                                  const std::string& account_id) {
    return ids_of(session_,
                  "select id from transactions where file_id = ?1 and file_id <> ''"
                  " and user_id = ?2 and account_id = ?3 order by line, id",
                  {file_id, user_id_, account_id});
}

Result<std::vector<std::string>> TransactionStore::ids_of_account(const std::string& account_id) {
    return ids_of(session_,
                  "select id from transactions where user_id = ?1 and account_id = ?2"
                  " order by booking_date, id",
                  {user_id_, account_id});
}

Result<std::vector<std::string>> TransactionStore::uncategorised_ids(const std::string& after_id,
                                                                     std::size_t ids_max) {
    if (after_id.empty()) {
        return ids_of(session_,
                      "select id from transactions where user_id = ?1"
                      " and counted_category_id = ''"
                      " order by booking_date, id limit ?2",
                      {user_id_, ids_max});
    }
    return ids_of(session_,
                  "select id from transactions where user_id = ?1"
                  " and counted_category_id = ''"
                  " and (booking_date, id) > (select booking_date, id from transactions"
                  "  where id = ?2) order by booking_date, id limit ?3",
                  {user_id_, after_id, ids_max});
}

Result<> TransactionStore::insert(std::span<const StoredTransaction> rows) {
    Totals totals;
    while (!rows.empty()) {
        const auto some = rows.first(std::min(rows.size(), rows_at_once));
        std::deque<std::string> scratch;
        std::vector<std::vector<sql::Param>> params;
        params.reserve(some.size());
        for (const StoredTransaction& stored : some) {
            params.push_back(transaction_params(stored, user_id_, scratch));
            totals.add(stored, 1);
        }
        TRY(session_.execute_many(insert_transaction_statement(), params));
        rows = rows.subspan(some.size());
    }
    return totals.write(session_, user_id_);
}

Result<> TransactionStore::update(const StoredTransaction& stored) {
    const auto before = TRY(find(stored.row.id));
    if (!before) {
        return not_found("transaction", stored.row.id);
    }
    StoredTransaction after = stored;
    after.row.created_at = before->row.created_at;
    std::deque<std::string> scratch;
    TRY(expecting_row(session_.execute(update_transaction_statement(),
                                       transaction_params(after, user_id_, scratch)),
                      "transaction", stored.row.id));
    Totals totals;
    totals.add(*before, -1);
    totals.add(after, 1);
    return totals.write(session_, user_id_);
}

Result<std::int64_t> TransactionStore::count_alike(const std::string& file_id,
                                                   const std::string& account_id,
                                                   const std::string& other_id) {
    return session_.query_integer(
        "select count(*) from transactions where file_id = ?1 and user_id = ?2"
        " and account_id = ?3 and (booking_date, amount_minor, currency) in"
        " (select booking_date, amount_minor, currency from transactions"
        " where user_id = ?2 and account_id = ?4)",
        {file_id, user_id_, account_id, other_id});
}

Result<> TransactionStore::move(std::span<const std::string> ids, const std::string& account_id,
                                WallTime now) {
    Totals totals;
    Places places(session_, user_id_, account_id);
    while (!ids.empty()) {
        const auto some = ids.first(std::min(ids.size(), rows_at_once));
        std::deque<std::string> scratch;
        std::vector<std::vector<sql::Param>> params;
        params.reserve(some.size());
        for (const std::string& id : some) {
            auto stored = TRY(find(id));
            if (!stored) {
                return not_found("transaction", id);
            }
            totals.add(*stored, -1);
            stored->row.account_id = account_id;
            totals.add(*stored, 1);
            const std::string& fingerprint = scratch.emplace_back(fingerprint_text(*stored));
            const std::uint32_t occurrence = TRY(places.next(stored->bank_date, fingerprint));
            params.push_back({id, user_id_, account_id, occurrence, fingerprint, to_unix_ms(now)});
        }
        TRY(
            session_.execute_many("update transactions set account_id = ?3, occurrence = ?4,"
                                  " fingerprint = ?5, updated_ms = ?6"
                                  " where id = ?1 and user_id = ?2",
                                  params));
        ids = ids.subspan(some.size());
    }
    return totals.write(session_, user_id_);
}

Result<> TransactionStore::assign(const std::string& id, const finance::Assignment& assignment,
                                  WallTime now) {
    const bool said =
        !assignment.category_id.empty() || assignment.type == finance::AssignmentType::manual;
    const auto type = said ? finance::name(assignment.type) : std::string_view();
    const auto assigned_ms = said ? std::optional(to_unix_ms(now)) : std::nullopt;
    const auto account_id = TRY(session_.query_one(
        "update transactions set category_id = ?3, assignment_type = ?4, rule_id = ?5,"
        " rule_version = ?6, confidence = ?7, assigned_ms = ?8, updated_ms = ?9,"
        " counted_category_id = ?10"
        " where id = ?1 and user_id = ?2 returning account_id",
        {id, user_id_, assignment.category_id, type, assignment.rule_id, assignment.rule_version,
         assignment.confidence, assigned_ms, to_unix_ms(now), counted_category(assignment)},
        [](const sql::Row& row) { return row.text(0); }));
    if (!account_id) {
        return not_found("transaction", id);
    }
    return raise_generation(session_, user_id_, account_subject(*account_id));
}

Result<std::vector<bool>> TransactionStore::assign_unchanged(
    std::span<const RuleAssignment> assignments, WallTime now) {
    const std::int64_t now_ms = to_unix_ms(now);
    std::vector<std::vector<sql::Param>> params;
    params.reserve(assignments.size());
    for (const auto& [seen, next] : assignments) {
        params.push_back({seen->id, user_id_, next->category_id, finance::name(next->type),
                          next->rule_id, next->rule_version, next->confidence, now_ms,
                          counted_category(*next), to_unix_ms(seen->updated_at),
                          seen->assignment.category_id});
    }
    // A person's decision shows whatever the clock says.
    const auto counts = TRY(session_.execute_each(
        "update transactions set category_id = ?3, assignment_type = ?4, rule_id = ?5,"
        " rule_version = ?6, confidence = ?7, assigned_ms = ?8, updated_ms = ?8,"
        " counted_category_id = ?9"
        " where id = ?1 and user_id = ?2 and updated_ms = ?10 and category_id = ?11"
        " and assignment_type <> 'manual'",
        params));
    std::vector<bool> written;
    std::set<std::string_view> accounts;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        written.push_back(counts[i] > 0);
        if (written.back()) {
            accounts.insert(assignments[i].seen->account_id);
        }
    }
    for (const std::string_view account_id : accounts) {
        TRY(raise_generation(session_, user_id_, account_subject(std::string(account_id))));
    }
    return written;
}

// The rows are read first: `returning` would make a table of its own for each of them, which costs
// more than the deletion.
Result<TransactionStore::Erased> TransactionStore::erase(std::span<const std::string> ids) {
    Totals totals;
    Erased erased;
    while (!ids.empty()) {
        const auto some = ids.first(std::min(ids.size(), rows_at_once));
        std::vector<std::vector<sql::Param>> params;
        std::vector<Amount> amounts;
        for (const std::string& id : some) {
            if (auto amount = TRY(amount_of(id))) {
                params.push_back({id, user_id_});
                amounts.push_back(std::move(*amount));
            }
        }
        const auto counts = TRY(session_.execute_each(
            "delete from transactions where id = ?1 and user_id = ?2", params));
        for (std::size_t i = 0; i < counts.size(); ++i) {
            if (counts[i] > 0) {  // an id may be there twice
                totals.add(amounts[i].account_id, amounts[i].currency, -amounts[i].minor, -1);
                erased.account_ids.insert(amounts[i].account_id);
                ++erased.count;
            }
        }
        TRY(session_.execute_many(
            "delete from known_rows where transaction_id = ?1 and user_id = ?2", params));
        ids = ids.subspan(some.size());
    }
    TRY(totals.write(session_, user_id_));
    return erased;
}

Result<std::optional<TransactionStore::Amount>> TransactionStore::amount_of(const std::string& id) {
    return session_.query_one(
        "select account_id, currency, amount_minor from transactions"
        " where id = ?1 and user_id = ?2",
        {id, user_id_},
        [](const sql::Row& row) { return Amount{row.text(0), row.text(1), row.integer(2)}; });
}

Result<> TransactionStore::pass_on(const std::string& id, const std::string& file_id,
                                   std::uint64_t line) {
    return expecting_row(
        session_.execute(
            "update transactions set file_id = ?3, line = ?4 where id = ?1 and user_id = ?2",
            {id, user_id_, file_id, line}),
        "transaction", id);
}

Result<std::uint64_t> generation(sql::Session& session, const std::string& user_id,
                                 const std::string& subject) {
    return static_cast<std::uint64_t>(TRY(session.query_integer(
        "select generation from generations where user_id = ?1 and subject = ?2",
        {user_id, subject})));
}

Result<> raise_generation(sql::Session& session, const std::string& user_id,
                          const std::string& subject) {
    return ignoring_count(session.execute(
        "insert into generations (user_id, subject, generation) values (?1, ?2, 1)"
        " on conflict (user_id, subject) do update set generation = generations.generation + 1",
        {user_id, subject}));
}

std::string account_subject(const std::string& account_id) { return "account:" + account_id; }

}  // namespace bascule::application
