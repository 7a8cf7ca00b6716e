#include "household/application/use_cases/transactions.h"

#include <algorithm>

#include "household/application/stores/account_store.h"
#include "household/application/stores/category_store.h"
#include "household/application/stores/row_values.h"
#include "household/application/stores/transaction_changes.h"
#include "household/application/use_cases/edits.h"
#include "household/application/use_cases/use_case.h"

namespace bascule::application {

namespace {

constexpr std::size_t ids_max = 10'000;

Request request_of(std::string_view use_case, const std::string& id, const TransactionEdit& edit) {
    Request request(use_case);
    request.add(std::string_view(id)).add(edit.account_id).add(edit.date).add(edit.amount);
    request.add(edit.payee).add(edit.description).add(edit.memo).add(edit.notes);
    request.add(edit.category_id);
    return request;
}

Result<StoredTransaction> existing(sql::Session& session, const std::string& user_id,
                                   const std::string& id) {
    auto stored = TRY(TransactionStore(session, user_id).find(id));
    if (!stored) {
        return not_found("transaction", id);
    }
    return std::move(*stored);
}

auto recall_transaction(std::string user_id) {
    return [user_id = std::move(user_id)](sql::Session& session,
                                          const std::string& id) -> Result<Transaction> {
        return TRY(existing(session, user_id, id))
        .row;
    };
}

void mark_edited(StoredTransaction& stored, EditedField field) {
    stored.edited |= static_cast<std::uint32_t>(field);
}

Result<> apply_text(StoredTransaction& stored, EditedField field, const char* field_name,
                    std::string& current, const std::optional<std::string>& next,
                    Changes& changes) {
    if (next) {
        const auto text = TRY(clean_text(field_name, *next, long_text_bytes_max));
        if (text != current) {
            changes.set(field_name, current, text);
            mark_edited(stored, field);
        }
    }
    return {};
}

/// Every field but account and category. What the bank wrote stays; a row entered by hand has no
/// bank behind it, so there its identity moves along.
Result<> apply(StoredTransaction& stored, const TransactionEdit& edit, Changes& changes) {
    Transaction& row = stored.row;
    const bool manual = row.status == "manual";
    if (edit.date) {
        const auto date = TRY(parse_date("date", *edit.date));
        if (date != row.date) {
            changes.note("date", json_text(row.date.to_text()), json_text(date.to_text()));
            row.date = date;
            mark_edited(stored, EditedField::date);
            stored.bank_date = manual ? date : stored.bank_date;
        }
    }
    if (edit.amount) {
        const auto amount = TRY(parse_amount("amount", *edit.amount, row.amount.currency()));
        if (amount != row.amount) {
            changes.note("amount", json_text(row.amount.to_text()), json_text(amount.to_text()));
            row.amount = amount;
            mark_edited(stored, EditedField::amount);
            stored.bank_minor = manual ? amount.minor() : stored.bank_minor;
        }
    }
    TRY(apply_text(stored, EditedField::payee, "payee", row.payee, edit.payee, changes));
    TRY(apply_text(stored, EditedField::description, "description", row.description,
                   edit.description, changes));
    TRY(apply_text(stored, EditedField::memo, "memo", row.memo, edit.memo, changes));
    TRY(apply_text(stored, EditedField::notes, "notes", row.notes, edit.notes, changes));
    return {};
}

/// A person's decision. The same decision twice is one.
Result<> set_category(UnitOfWork& unit, const StoredTransaction& stored,
                      const std::string& category_id) {
    const finance::Assignment& current = stored.row.assignment;
    if (stored.row.assigned_at && current.type == finance::AssignmentType::manual &&
        current.category_id == category_id) {
        return {};
    }
    if (!category_id.empty() &&
        !TRY(CategoryStore(unit.session(), unit.user_id()).find(category_id))) {
        return not_found("category", category_id);
    }
    const finance::Assignment next{
        .category_id = category_id, .type = finance::AssignmentType::manual, .confidence = 100};
    TRY(TransactionStore(unit.session(), unit.user_id()).assign(stored.row.id, next, unit.now()));
    unit.publish(event::transaction_categorized(
        unit.occasion(), {.transaction_id = stored.row.id,
                          .account_id = stored.row.account_id,
                          .category_id = category_id,
                          .previous_category_id = current.category_id,
                          .confidence = 100,
                          .assignment_type = event::AssignmentType::manual}));
    return {};
}

Result<Transaction> create_transaction(UnitOfWork& unit, const TransactionEdit& edit) {
    const auto account_id = TRY(needed("accountId", edit.account_id));
    TRY(needed("date", edit.date));
    TRY(needed("amount", edit.amount));
    const auto account = TRY(AccountStore(unit.session(), unit.user_id()).find(account_id));
    if (!account) {
        return not_found("account", account_id);
    }
    StoredTransaction stored;
    stored.row.id = unit.new_id();
    stored.row.account_id = account_id;
    stored.row.amount = money::Money(0, account->currency);
    stored.row.status = "manual";
    stored.row.created_at = stored.row.updated_at = unit.now();
    Changes ignored;
    TRY(apply(stored, edit, ignored));
    stored.bank_date = stored.row.date;
    TransactionStore store(unit.session(), unit.user_id());
    stored.row.occurrence = TRY(next_occurrence(store, stored));
    TRY(insert_transactions(unit, std::span(&stored, 1), event::Origin::manual));
    if (edit.category_id && !edit.category_id->empty()) {
        TRY(set_category(unit, stored, *edit.category_id));
    }
    return TRY(existing(unit.session(), unit.user_id(), stored.row.id))
    .row;
}

Result<Transaction> update_transaction(UnitOfWork& unit, const std::string& id,
                                       const TransactionEdit& edit) {
    StoredTransaction stored = TRY(existing(unit.session(), unit.user_id(), id));
    if (edit.account_id && *edit.account_id != stored.row.account_id) {
        return invalid("accountId",
                       "a transaction stays in its account; move its file, or enter it anew");
    }
    Changes changes;
    TRY(apply(stored, edit, changes));
    if (!changes.empty()) {
        stored.row.updated_at = unit.now();
        TRY(TransactionStore(unit.session(), unit.user_id()).update(stored));
        unit.publish(event::transaction_updated(unit.occasion(),
                                                {id, stored.row.account_id, changes.list()}));
    }
    if (edit.category_id) {
        TRY(set_category(unit, stored, *edit.category_id));
    }
    return TRY(existing(unit.session(), unit.user_id(), id))
    .row;
}

Result<std::int64_t> remove_transactions(UnitOfWork& unit, std::vector<std::string> ids) {
    std::ranges::sort(ids);
    const auto repeated = std::ranges::unique(ids);
    ids.erase(repeated.begin(), repeated.end());
    TransactionStore store(unit.session(), unit.user_id());
    for (const std::string& id : ids) {
        TRY(existing(unit.session(), unit.user_id(), id));
    }
    return delete_transactions(
        unit, ids, ids.size() == 1 ? event::DeletionType::single : event::DeletionType::bulk);
}

}  // namespace

Result<Transaction> Transactions::get(const std::string& user_id, const std::string& id) const {
    const auto snapshot = TRY(environment_.database.read());
    return TRY(existing(snapshot.session(), user_id, id))
    .row;
}

void Transactions::create(Actor actor, TransactionEdit edit, io::Completion<Transaction> done) {
    const Request request = request_of("transactions.create", "", edit);
    auto recall = recall_transaction(actor.user_id);
    perform<Transaction>(
        environment_, std::move(actor), request, Weight::light,
        [edit = std::move(edit)](UnitOfWork& unit) { return create_transaction(unit, edit); },
        std::move(recall), std::move(done));
}

void Transactions::update(Actor actor, std::string id, TransactionEdit edit,
                          io::Completion<Transaction> done) {
    const Request request = request_of("transactions.update", id, edit);
    auto recall = recall_transaction(actor.user_id);
    perform<Transaction>(
        environment_, std::move(actor), request, Weight::light,
        [id = std::move(id), edit = std::move(edit)](UnitOfWork& unit) {
            return update_transaction(unit, id, edit);
        },
        std::move(recall), std::move(done));
}

void Transactions::remove(Actor actor, std::vector<std::string> ids,
                          io::Completion<std::int64_t> done) {
    if (ids.empty() || ids.size() > ids_max) {
        done(invalid("ids", "has " + std::to_string(ids.size()) + " items; 1 to " +
                                std::to_string(ids_max) + " are allowed"));
        return;
    }
    const Request request = Request("transactions.remove").add(ids);
    const Weight weight = ids.size() > 100 ? Weight::heavy : Weight::light;
    perform<std::int64_t>(
        environment_, std::move(actor), request, weight,
        [ids = std::move(ids)](UnitOfWork& unit) { return remove_transactions(unit, ids); },
        recall_count, std::move(done));
}

}  // namespace bascule::application
