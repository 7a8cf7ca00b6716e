#include "household/application/stores/account_store.h"

#include <algorithm>
#include <tuple>

#include "foundation/json/value.h"
#include "foundation/json/writer.h"
#include "household/application/stores/row_values.h"

namespace bascule::application {

bool is_account_type(std::string_view text) {
    constexpr std::string_view types[] = {"checking",   "savings", "credit_card",
                                          "investment", "loan",    "other"};
    return std::ranges::find(types, text) != std::end(types);
}

std::string identifiers_text(const std::vector<std::string>& identifiers) {
    std::string text;
    json::Writer writer(text);
    writer.begin_array();
    for (const std::string& identifier : identifiers) {
        writer.string(identifier);
    }
    writer.end_array();
    return text;
}

namespace {

constexpr std::string_view select_accounts =
    "select a.id, a.name, a.type, a.institution, a.currency, a.identifiers, a.opening_minor,"
    " a.opening_date, a.active, a.created_ms, a.updated_ms,"
    " (select sum(t.transaction_count) from account_totals t where t.account_id = a.id)"
    " from accounts a where a.user_id = ?1";

Result<std::vector<std::string>> read_identifiers(std::string_view text) {
    const auto value = TRY(json::Value::parse(text));
    std::vector<std::string> identifiers;
    for (const json::Value& item : value.items()) {
        identifiers.emplace_back(item.as_string().value_or(""));
    }
    return identifiers;
}

Result<Account> read_account(const sql::Row& row) {
    Account account;
    account.id = row.text(0);
    account.name = row.text(1);
    account.type = row.text(2);
    account.institution = row.text(3);
    account.currency = TRY(currency_of(row.text_view(4)));
    account.identifiers = TRY(read_identifiers(row.text_view(5)));
    if (const auto opening = row.integer_or_null(6)) {
        account.opening_balance = money::Money(*opening, account.currency);
    }
    account.opening_date = TRY(date_or_none(row, 7));
    account.active = row.boolean(8);
    account.created_at = time_of(row, 9);
    account.updated_at = time_of(row, 10);
    account.transaction_count = row.integer_or_null(11).value_or(0);
    return account;
}

/// What rows of a set add up to.
struct RowSum {
    std::int64_t count = 0;
    money::Int128 minor = 0;
};

/// Rows that the opening balance holds already: few, as a rule, and found by their day.
Result<RowSum> before_opening(sql::Session& session, const std::string& user_id,
                              const Account& account) {
    RowSum sum;
    // Added up in two halves, since the sum of 64-bit integers may need more than 64 bits.
    constexpr std::int64_t half = std::int64_t{1} << 32;
    TRY(session.query(
        "select count(*), sum(case when currency = ?4 then amount_minor / ?5 else 0 end),"
        " sum(case when currency = ?4 then amount_minor % ?5 else 0 end) from transactions"
        " where user_id = ?1 and account_id = ?2 and booking_date < ?3",
        {user_id, account.id, text_of(account.opening_date), account.currency.code(), half},
        [&](const sql::Row& row) {
            sum.count = row.integer(0);
            sum.minor = money::Int128{row.integer_or_null(1).value_or(0)} * half +
                        row.integer_or_null(2).value_or(0);
        }));
    return sum;
}

Result<> add_balances(sql::Session& session, const std::string& user_id, Account& account) {
    money::MoneySum balance(account.currency);
    TRY(session.query(
        "select currency, total_minor, transaction_count from account_totals"
        " where account_id = ?1 and transaction_count > 0 order by currency",
        {account.id}, [&](const sql::Row& row) -> Result<> {
            const money::Money total(row.integer(1), TRY(currency_of(row.text_view(0))));
            if (total.currency() == account.currency) {
                balance.add(total);
            } else {
                account.other_currencies.push_back({total, row.integer(2)});
            }
            return {};
        }));
    if (!account.opening_balance) {
        return {};
    }
    balance.add(*account.opening_balance);
    if (account.opening_date) {
        const RowSum before = TRY(before_opening(session, user_id, account));
        account.before_opening_count = before.count;
        balance.subtract_minor(before.minor);
    }
    if (auto total = balance.total()) {
        account.balance = *std::move(total);
    }
    return {};
}

Result<std::vector<Account>> select(sql::Session& session, const std::string& user_id,
                                    const std::string& condition, sql::Params params) {
    std::vector<Account> accounts;
    TRY(session.query(std::string(select_accounts) + condition, params,
                      [&](const sql::Row& row) -> Result<> {
                          accounts.push_back(TRY(read_account(row)));
                          return {};
                      }));
    for (Account& account : accounts) {
        TRY(add_balances(session, user_id, account));
    }
    return accounts;
}

std::optional<Account> first_of(std::vector<Account> accounts) {
    return accounts.empty() ? std::nullopt : std::optional(std::move(accounts.front()));
}

std::optional<std::int64_t> minor_of(const std::optional<money::Money>& amount) {
    return amount ? std::optional(amount->minor()) : std::nullopt;
}

/// An identifier without what people and banks put between its characters.
std::string bare(std::string_view identifier) {
    std::string text;
    for (const char c : identifier) {
        if (c != ' ' && c != '-') {
            text += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        }
    }
    return text;
}

/// Shorter ends of numbers are shared by too many accounts.
constexpr std::size_t number_end_min = 4;

bool is_same_number(const std::string& one, const std::string& other) {
    const auto& [shorter, longer] =
        one.size() < other.size() ? std::tie(one, other) : std::tie(other, one);
    return one == other || (shorter.size() >= number_end_min && longer.ends_with(shorter));
}

Result<> name_taken(Result<std::int64_t> changed, const std::string& name) {
    if (!changed && changed.error().kind() == ErrorKind::conflict) {
        return fail(ErrorKind::conflict, "name: there is an account \"" + name + "\" already");
    }
    return ignoring_count(std::move(changed));
}

}  // namespace

bool is_named(const Account& account, std::string_view bank_id, std::string_view identifier) {
    const std::string wanted = bare(identifier);
    const std::string with_bank = bare(bank_id) + ":" + wanted;
    return bare(account.name) == wanted ||
           std::ranges::any_of(account.identifiers, [&](const std::string& own) {
               return bare(own) == with_bank || is_same_number(bare(own), wanted);
           });
}

Result<std::optional<Account>> AccountStore::find(const std::string& id) {
    return first_of(TRY(select(session_, user_id_, " and a.id = ?2", {user_id_, id})));
}

Result<std::optional<Account>> AccountStore::find_by_name(const std::string& name) {
    return first_of(TRY(select(session_, user_id_, " and a.name = ?2", {user_id_, name})));
}

Result<std::optional<Account>> AccountStore::find_by_identifier(const std::string& identifier) {
    const std::string wanted = bare(identifier);
    std::optional<Account> found;
    for (Account& account : TRY(all())) {
        const bool carries = std::ranges::any_of(
            account.identifiers, [&](const std::string& own) { return bare(own) == wanted; });
        if (carries && found) {
            return std::nullopt;
        }
        if (carries) {
            found = std::move(account);
        }
    }
    return found;
}

Result<std::vector<Account>> AccountStore::all() {
    return select(session_, user_id_, " order by a.name", {user_id_});
}

Result<> AccountStore::insert(const Account& account) {
    return name_taken(
        session_.execute(
            "insert into accounts (id, user_id, name, type, institution, currency, identifiers,"
            " opening_minor, opening_date, active, created_ms, updated_ms)"
            " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            {account.id, user_id_, account.name, account.type, account.institution,
             account.currency.code(), identifiers_text(account.identifiers),
             minor_of(account.opening_balance), text_of(account.opening_date), account.active,
             to_unix_ms(account.created_at), to_unix_ms(account.updated_at)}),
        account.name);
}

Result<> AccountStore::update(const Account& account) {
    return name_taken(
        session_.execute(
            "update accounts set name = ?3, type = ?4, institution = ?5, identifiers = ?6,"
            " opening_minor = ?7, opening_date = ?8, active = ?9, updated_ms = ?10"
            " where id = ?1 and user_id = ?2",
            {account.id, user_id_, account.name, account.type, account.institution,
             identifiers_text(account.identifiers), minor_of(account.opening_balance),
             text_of(account.opening_date), account.active, to_unix_ms(account.updated_at)}),
        account.name);
}

Result<> AccountStore::erase(const std::string& id) {
    TRY(session_.execute("delete from account_totals where account_id = ?1 and user_id = ?2",
                         {id, user_id_}));
    return expecting_row(
        session_.execute("delete from accounts where id = ?1 and user_id = ?2", {id, user_id_}),
        "account", id);
}

}  // namespace bascule::application
