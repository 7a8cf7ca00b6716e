#include "household/application/use_cases/accounts.h"

#include <cstdint>
#include <limits>

#include "household/application/stores/account_store.h"
#include "household/application/stores/file_store.h"
#include "household/application/stores/paging.h"
#include "household/application/stores/row_values.h"
#include "household/application/stores/transaction_changes.h"
#include "household/application/use_cases/edits.h"
#include "household/application/use_cases/use_case.h"

namespace bascule::application {

namespace {

constexpr std::size_t identifiers_max = 20;

Request request_of(std::string_view use_case, const std::string& id, const AccountEdit& edit) {
    Request request(use_case);
    request.add(std::string_view(id)).add(edit.name).add(edit.type).add(edit.institution);
    request.add(edit.currency).add(edit.identifiers).add(edit.opening_balance);
    request.add(edit.opening_date);
    request.add(edit.active ? std::optional(std::int64_t{*edit.active}) : std::nullopt);
    return request;
}

std::string amount_text(const std::optional<money::Money>& amount) {
    return amount ? json_text(amount->to_text()) : "null";
}
std::string date_text(const std::optional<money::Date>& date) {
    return date ? json_text(date->to_text()) : "null";
}
std::string list_text(const std::vector<std::string>& values) {
    std::string text;
    for (const std::string& value : values) {
        text += (text.empty() ? "" : ",") + json_text(value);
    }
    return "[" + text + "]";
}

template <class T>
void set_optional(Changes& changes, const char* field, std::optional<T>& current,
                  std::optional<T> next, std::string (*text)(const std::optional<T>&)) {
    if (current != next) {
        changes.note(field, text(current), text(next));
        current = std::move(next);
    }
}

Result<> apply_opening(Account& account, const AccountEdit& edit, Changes& changes) {
    if (edit.opening_balance) {
        std::optional<money::Money> balance;
        if (!edit.opening_balance->empty()) {
            balance = TRY(parse_amount("openingBalance", *edit.opening_balance, account.currency));
        }
        set_optional(changes, "openingBalance", account.opening_balance, balance, amount_text);
    }
    std::optional<money::Date> date = account.opening_date;
    if (edit.opening_date) {
        date.reset();
        if (!edit.opening_date->empty()) {
            date = TRY(parse_date("openingDate", *edit.opening_date));
        }
    }
    if (!account.opening_balance) {
        if (edit.opening_date && date) {
            return invalid("openingDate", "needs an openingBalance");
        }
        date.reset();
    }
    set_optional(changes, "openingDate", account.opening_date, date, date_text);
    return {};
}

/// Everything but currency, which is for ever.
Result<> apply(Account& account, const AccountEdit& edit, Changes& changes) {
    if (edit.name) {
        changes.set("name", account.name, TRY(clean_name("name", *edit.name)));
    }
    if (edit.type) {
        if (!is_account_type(*edit.type)) {
            return invalid("type", "is \"" + *edit.type +
                                       "\"; checking, savings, credit_card, investment, loan and "
                                       "other are allowed");
        }
        changes.set("type", account.type, *edit.type);
    }
    if (edit.institution) {
        changes.set("institution", account.institution,
                    TRY(clean_text("institution", *edit.institution, 200)));
    }
    if (edit.identifiers) {
        if (edit.identifiers->size() > identifiers_max) {
            return invalid("identifiers", "at most 20 are allowed");
        }
        std::vector<std::string> identifiers;
        for (const std::string& identifier : *edit.identifiers) {
            identifiers.push_back(TRY(clean_name("identifiers", identifier)));
        }
        if (identifiers != account.identifiers) {
            changes.note("identifiers", list_text(account.identifiers), list_text(identifiers));
            account.identifiers = std::move(identifiers);
        }
    }
    if (edit.active) {
        changes.set("active", account.active, *edit.active);
    }
    return apply_opening(account, edit, changes);
}

Result<Account> existing(sql::Session& session, const std::string& user_id, const std::string& id) {
    auto account = TRY(AccountStore(session, user_id).find(id));
    if (!account) {
        return not_found("account", id);
    }
    return std::move(*account);
}

auto recall_account(std::string user_id) {
    return [user_id = std::move(user_id)](sql::Session& session, const std::string& id) {
        return existing(session, user_id, id);
    };
}

/// What the rows add to an opening balance must fit, too.
Result<Account> with_balance(UnitOfWork& unit, const std::string& id) {
    Account account = TRY(existing(unit.session(), unit.user_id(), id));
    if (account.opening_balance && !account.balance) {
        const std::int64_t most = std::numeric_limits<std::int64_t>::max();
        return invalid("openingBalance",
                       account.opening_balance->to_text() +
                           " and the account's transactions come to a balance out of range; ±" +
                           money::Money(most, account.currency).to_text() + " is allowed");
    }
    return account;
}

Result<Account> create_account(UnitOfWork& unit, const AccountEdit& edit) {
    Account account;
    TRY(needed("name", edit.name));
    TRY(needed("type", edit.type));
    auto currency = money::Currency::parse(TRY(needed("currency", edit.currency)));
    if (!currency) {
        return invalid("currency", currency.error().message());
    }
    account.id = unit.new_id();
    account.currency = *currency;
    account.created_at = account.updated_at = unit.now();
    Changes ignored;
    TRY(apply(account, edit, ignored));
    AccountStore store(unit.session(), unit.user_id());
    TRY(store.insert(account));
    unit.publish(event::account_created(unit.occasion(),
                                        {.account_id = account.id,
                                         .account_name = account.name,
                                         .account_type = account.type,
                                         .currency = std::string(account.currency.code())}));
    return existing(unit.session(), unit.user_id(), account.id);
}

Result<Account> update_account(UnitOfWork& unit, const std::string& id, const AccountEdit& edit) {
    Account account = TRY(existing(unit.session(), unit.user_id(), id));
    if (edit.currency && *edit.currency != account.currency.code()) {
        return invalid("currency", "an account keeps its currency; open another account");
    }
    Changes changes;
    TRY(apply(account, edit, changes));
    if (changes.empty()) {
        return account;
    }
    account.updated_at = unit.now();
    TRY(AccountStore(unit.session(), unit.user_id()).update(account));
    unit.publish(event::account_updated(unit.occasion(), {id, changes.list()}));
    const bool is_opening = edit.opening_balance || edit.opening_date;
    return is_opening ? with_balance(unit, id) : existing(unit.session(), unit.user_id(), id);
}

Result<std::int64_t> remove_account(UnitOfWork& unit, const std::string& id) {
    TRY(existing(unit.session(), unit.user_id(), id));
    TransactionStore transactions(unit.session(), unit.user_id());
    const auto count = TRY(delete_transactions(unit, TRY(transactions.ids_of_account(id)),
                                               event::DeletionType::account_deleted));
    FileStore files(unit.session(), unit.user_id());
    for (const std::string& file_id : TRY(files.ids_of_account(id))) {
        auto file = TRY(files.find(file_id));
        CHECK(file.has_value());
        file->account_id.clear();
        file->transaction_count =
            static_cast<std::int64_t>(TRY(transactions.ids_of_file(file_id)).size());
        TRY(files.update(*file));
        unit.publish(event::file_associated(
            unit.occasion(), {.file_id = file_id, .account_id = "", .previous_account_id = id}));
    }
    TRY(unit.session().execute(
        "delete from mapping_profiles where account_id = ?1 and user_id = ?2",
        {id, unit.user_id()}));
    TRY(AccountStore(unit.session(), unit.user_id()).erase(id));
    unit.publish(event::account_deleted(unit.occasion(), {id, count}));
    return count;
}

}  // namespace

Result<Page<Account>> Accounts::list(const std::string& user_id, const PageRequest& page) const {
    const auto snapshot = TRY(environment_.database.read());
    return page_of(TRY(AccountStore(snapshot.session(), user_id).all()), page,
                   [](const Account& account) { return account.name; });
}

Result<Account> Accounts::get(const std::string& user_id, const std::string& id) const {
    const auto snapshot = TRY(environment_.database.read());
    return existing(snapshot.session(), user_id, id);
}

Result<Account> Accounts::by_name(const std::string& user_id, const std::string& name) const {
    const auto snapshot = TRY(environment_.database.read());
    auto account = TRY(AccountStore(snapshot.session(), user_id).find_by_name(name));
    if (!account) {
        return not_found("account", name);
    }
    return std::move(*account);
}

void Accounts::create(Actor actor, AccountEdit edit, io::Completion<Account> done) {
    const Request request = request_of("accounts.create", "", edit);
    auto recall = recall_account(actor.user_id);
    perform<Account>(
        environment_, std::move(actor), request, Weight::light,
        [edit = std::move(edit)](UnitOfWork& unit) { return create_account(unit, edit); },
        std::move(recall), std::move(done));
}

void Accounts::update(Actor actor, std::string id, AccountEdit edit, io::Completion<Account> done) {
    const Request request = request_of("accounts.update", id, edit);
    auto recall = recall_account(actor.user_id);
    perform<Account>(
        environment_, std::move(actor), request, Weight::light,
        [id = std::move(id), edit = std::move(edit)](UnitOfWork& unit) {
            return update_account(unit, id, edit);
        },
        std::move(recall), std::move(done));
}

void Accounts::remove(Actor actor, std::string id, io::Completion<std::int64_t> done) {
    const Request request = Request("accounts.remove").add(std::string_view(id));
    perform<std::int64_t>(
        environment_, std::move(actor), request, Weight::heavy,
        [id = std::move(id)](UnitOfWork& unit) { return remove_account(unit, id); }, recall_count,
        std::move(done));
}

}  // namespace bascule::application
