#include "household/application/consumers/import_plan.h"

#include <algorithm>
#include <map>

#include "household/application/stores/account_store.h"
#include "household/finance/text.h"

namespace bascule::application {

namespace {

using statement::Statement;

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string joined(const std::vector<std::string>& texts, std::string_view between) {
    std::string all;
    for (const std::string& text : texts) {
        all.append(all.empty() ? "" : between).append(text);
    }
    return all;
}

void refuse(ImportPlan& plan, FileStatus status, std::string message) {
    plan.status = status;
    plan.message = std::move(message);
}

/// Rows in another letter are still the bank's rows; everything else that is open changes amounts,
/// days or which rows there are.
bool is_blocking(const statement::Ambiguity& ambiguity) { return ambiguity.what != "encoding"; }

std::string text_of(const statement::Ambiguity& ambiguity) {
    return ambiguity.what + " may be " + joined(ambiguity.candidates, " or ") +
           (ambiguity.evidence.empty() ? "" : " (" + ambiguity.evidence + ")");
}

void note_everything(const Statement& statement, ImportPlan& plan) {
    const auto add = [&](FileNote note) {
        if (plan.notes.size() < file_notes_max) {
            plan.notes.push_back(std::move(note));
        }
    };
    for (const statement::Note& note : statement.errors) {
        add({"error", note.line, note.code, note.message, ""});
    }
    for (const statement::Ambiguity& ambiguity : statement.ambiguities) {
        add({"ambiguity", 0, ambiguity.what, text_of(ambiguity), ""});
    }
    for (const std::string& what : statement.to_settle) {
        add({"ambiguity", 0, what,
             "a mapping that states the " + what + " settles it; rows that do not fit are rejected",
             ""});
    }
    for (const statement::Rejected& row : statement.rejected) {
        add({"rejected", row.place.line, row.code, row.message, row.raw});
    }
    for (const statement::Note& note : statement.warnings) {
        add({"warning", note.line, note.code, note.message, ""});
    }
}

/// What the file itself says against importing it; empty status change if nothing.
void check_statement(const Statement& statement, ImportPlan& plan) {
    if (const auto large = std::ranges::find(statement.errors, "too_large", &statement::Note::code);
        large != statement.errors.end()) {  // whatever else is open: no answer makes it smaller
        refuse(plan, FileStatus::failed, large->message);
        return;
    }
    std::vector<std::string> open;
    for (const statement::Ambiguity& ambiguity : statement.ambiguities) {
        if (is_blocking(ambiguity)) {
            open.push_back(text_of(ambiguity));
        }
    }
    if (!open.empty()) {
        refuse(plan, FileStatus::needs_mapping,
               "the file can be read in more than one way: " + joined(open, "; ") +
                   "; state which in its mapping");
        return;
    }
    if (statement.usable()) {
        return;
    }
    std::vector<std::string> reasons;
    for (const statement::Note& note : statement.errors) {
        const std::string place = note.line == 0 ? "" : "line " + std::to_string(note.line) + ": ";
        reasons.push_back(place + note.message);
        if (reasons.size() == 3) {
            break;
        }
    }
    const bool has_columns = statement.format == statement::Format::csv;
    const std::string message =
        reasons.empty()
            ? "the format of the file is not known; CSV, OFX, QFX, QIF, MT940 and CAMT are read"
            : joined(reasons, "; ");
    refuse(plan, has_columns ? FileStatus::needs_mapping : FileStatus::failed, message);
}

/// Which account of ours the file's account is; null if only the user can say.
Result<std::optional<Account>> account_for(AccountStore& accounts, const File& file,
                                           const Statement& statement,
                                           const statement::Account& stated) {
    const bool is_only_one = statement.accounts.size() == 1;
    if (!file.account_id.empty() && (is_only_one || stated.id.empty())) {
        return accounts.find(file.account_id);
    }
    if (stated.id.empty()) {
        return std::optional<Account>();
    }
    if (auto exact = TRY(accounts.find_by_identifier(stated.id))) {
        return exact;
    }
    std::optional<Account> only;
    for (Account& account : TRY(accounts.all())) {
        if (is_named(account, stated.institution.id, stated.id)) {
            if (only) {
                return std::optional<Account>();
            }
            only = std::move(account);
        }
    }
    return only;
}

std::string question_about(const statement::Account& stated, const Statement& statement) {
    if (stated.id.empty()) {
        return "the file does not say which account it is of; choose one";
    }
    const std::string several =
        statement.accounts.size() > 1
            ? "; the file holds " + std::to_string(statement.accounts.size()) + " accounts"
            : "";
    return "no account has the identifier " + quoted(stated.id) + several +
           "; choose one, or add the identifier to it";
}

/// The memo without the description, which the statement joins to it.
std::string_view own_memo(const statement::Transaction& row) {
    std::string_view memo = row.memo;
    memo.remove_prefix(row.description.size());
    memo.remove_prefix(std::min(memo.find_first_not_of(' '), memo.size()));
    return memo;
}

/// A row whose amount cannot be held in the account's currency is rejected, not rounded away.
Result<StoredTransaction> stored_of(const statement::Transaction& row, const Account& account,
                                    money::Currency stated_currency, const File& file) {
    StoredTransaction stored;
    Transaction& made = stored.row;
    money::Currency currency = row.currency;
    std::int64_t minor = row.amount.minor;
    if (!currency.is_stated()) {
        currency = stated_currency.is_stated() ? stated_currency : account.currency;
        minor = TRY(row.amount.exact.to_minor(currency.exponent()))
        .value;
    }
    made.account_id = account.id;
    made.file_id = file.id;
    made.date = row.date;
    made.value_date = row.value_date;
    made.amount = money::Money(minor, currency);
    made.payee = finance::normalised(row.payee);
    made.description = finance::normalised(row.description);
    made.memo = finance::normalised(own_memo(row));
    made.bank_payee = made.payee;
    made.bank_memo = finance::normalised(row.memo);
    made.bank_id = finance::normalised(row.id);
    made.bank_type = finance::normalised(row.type);
    made.status = row.status == statement::Status::pending ? "pending" : "booked";
    made.line = row.place.line;
    stored.bank_date = made.date;
    stored.bank_minor = minor;
    return stored;
}

/// Amounts of different currencies are never added, so such rows are kept beside the balance:
/// whoever imports them is told.
void note_other_currencies(const std::vector<StoredTransaction>& rows, const Account& account,
                           ImportPlan& plan) {
    struct Rows {
        std::size_t count = 0;
        std::uint64_t first_line = 0;
    };
    std::map<std::string_view, Rows> others;
    for (const StoredTransaction& stored : rows) {
        if (stored.row.amount.currency() != account.currency) {
            Rows& other = others[stored.row.amount.currency().code()];
            other.first_line = other.count == 0 ? stored.row.line : other.first_line;
            ++other.count;
        }
    }
    for (const auto& [currency, other] : others) {
        const std::string code(currency);
        const bool one = other.count == 1;
        plan.notes.insert(
            plan.notes.begin(),
            {"warning", other.first_line, "other_currency",
             std::to_string(other.count) + (one ? " row is in " : " rows are in ") + code +
                 ", the account is in " + std::string(account.currency.code()) +
                 (one ? ": it is not in the account's balance, it counts under "
                      : ": they are not in the account's balance, they count under ") +
                 code,
             ""});
    }
}

void add_rows(const statement::Account& stated, const Account& account, const File& file,
              ImportPlan& plan) {
    ImportTarget& target = plan.targets.emplace_back(ImportTarget{account.id, {}, {}});
    target.rows.reserve(stated.transactions.size());
    for (const statement::Transaction& row : stated.transactions) {
        if (row.status == statement::Status::info) {
            continue;  // the bank's remark about money that did not move
        }
        auto stored = stored_of(row, account, stated.currency, file);
        if (!stored) {
            ++plan.rejected_count;
            plan.notes.push_back(
                {"rejected", row.place.line, "amount", stored.error().message(), ""});
            continue;
        }
        const money::Date date = row.date;
        plan.dates = plan.dates ? money::DateSpan{std::min(plan.dates->first, date),
                                                  std::max(plan.dates->last, date)}
                                : money::DateSpan{date, date};
        target.rows.push_back(*std::move(stored));
    }
    note_other_currencies(target.rows, account, plan);
}

/// Rows of a long file, spread over all of it.
std::vector<StoredTransaction> sample_of(const std::vector<StoredTransaction>& rows) {
    constexpr std::size_t sample_max = 50;
    const std::size_t step = std::max<std::size_t>(rows.size() / sample_max, 1);
    std::vector<StoredTransaction> sample;
    for (std::size_t i = 0; i < rows.size(); i += step) {
        sample.push_back(rows[i]);
    }
    return sample;
}

/// Decides whether the account that was chosen for a file may be the wrong one.
class AccountCheck {
  public:
    AccountCheck(sql::Session& session, const std::string& user_id, const File& file)
        : session_(session), user_id_(user_id), file_(file), accounts_(session, user_id) {}

    /// What speaks against the account; empty if nothing does, or a person insisted on it. `rows`
    /// are those of the file, made for the account.
    Result<std::string> objection(const statement::Account& stated, const Account& account,
                                  const std::vector<StoredTransaction>& rows) {
        if (file_.confirmed_account_id == account.id) {
            return std::string();
        }
        const bool is_its_number =
            !stated.id.empty() && is_named(account, stated.institution.id, stated.id);
        std::string reason;
        if (!stated.id.empty() && !is_its_number) {
            reason = TRY(other_number(stated, account));
        }
        if (reason.empty() && stated.currency.is_stated() && stated.currency != account.currency) {
            reason = "the file is in " + std::string(stated.currency.code()) + ", and " +
                     quoted(account.name) + " is an account in " +
                     std::string(account.currency.code());
        }
        if (reason.empty() && !is_its_number) {
            reason = TRY(present_elsewhere(account, rows));
        }
        return reason.empty() ? reason : reason + choice(account);
    }

    /// The number that the account learns from the file; empty if it has it, or another one does.
    Result<std::string> news(const statement::Account& stated, const Account& account) {
        if (stated.id.empty() || stated.id.size() > identifier_bytes_max ||
            account.identifiers.size() >= identifiers_max ||
            is_named(account, stated.institution.id, stated.id) ||
            TRY(owner_of(stated)).has_value()) {
            return std::string();
        }
        return finance::normalised(stated.id);
    }

  private:
    static constexpr std::size_t identifier_bytes_max = 200;
    static constexpr std::size_t identifiers_max = 20;
    /// Fewer equal rows may be chance: a fee that two accounts pay on the same day.
    static constexpr std::size_t rows_min = 5;

    std::string choice(const Account& account) const {
        return "; name the account it belongs to: naming " + quoted(account.name) +
               (file_.account_id.empty() ? "" : " once more") + " imports it there nevertheless";
    }

    Result<std::optional<Account>> owner_of(const statement::Account& stated) {
        for (Account& account : TRY(accounts_.all())) {
            if (is_named(account, stated.institution.id, stated.id)) {
                return std::optional(std::move(account));
            }
        }
        return std::optional<Account>();
    }

    Result<std::string> other_number(const statement::Account& stated, const Account& account) {
        const std::string of = "the file is of account " + quoted(stated.id);
        if (const auto owner = TRY(owner_of(stated))) {
            return of + ", which is " + quoted(owner->name) + ", not " + quoted(account.name);
        }
        if (account.identifiers.empty()) {
            return std::string();
        }
        return of + ", and " + quoted(account.name) + " is account " +
               quoted(joined(account.identifiers, "\", \""));
    }

    /// A file that names no account is known by what it holds.
    Result<std::string> present_elsewhere(const Account& account,
                                          const std::vector<StoredTransaction>& rows) {
        const auto sample = sample_of(rows);
        TransactionStore store(session_, user_id_);
        const auto has_nearly_all = [&](const Account& one) -> Result<bool> {
            return 10 * TRY(store.count_present(one.id, sample))
            >= 9 * sample.size();
        };
        if (sample.empty() || TRY(has_nearly_all(account))) {
            return std::string();
        }
        for (const Account& other : TRY(accounts_.all())) {
            if (other.id == account.id || !TRY(has_nearly_all(other))) {
                continue;
            }
            if (sample.size() >= rows_min || TRY(holds_same_content(other))) {
                return (sample.size() == rows.size() ? "nearly all rows of the file are in "
                                                     : "by samples, the rows of the file are in ") +
                       quoted(other.name) + " already, where they would be counted a second time";
            }
        }
        return std::string();
    }

    Result<bool> holds_same_content(const Account& account) {
        return TRY(
            session_.query_integer("select count(*) from files where user_id = ?1 and sha256 = ?2"
                                   " and account_id = ?3 and id <> ?4",
                                   {user_id_, file_.sha256, account.id, file_.id}))
        > 0;
    }

    sql::Session& session_;
    const std::string& user_id_;
    const File& file_;
    AccountStore accounts_;
};

/// Rows for an account, or the question whether it is the right one.
Result<> add_target(AccountCheck& check, const statement::Account& stated, const Account& account,
                    const File& file, ImportPlan& plan) {
    add_rows(stated, account, file, plan);
    ImportTarget& target = plan.targets.back();
    if (std::string objection = TRY(check.objection(stated, account, target.rows));
        !objection.empty()) {
        plan.notes.insert(plan.notes.begin(),
                          {"ambiguity", 0, std::string(account_question), objection, account.id});
        refuse(plan, FileStatus::needs_mapping, std::move(objection));
        return {};
    }
    target.learned_identifier = TRY(check.news(stated, account));
    return {};
}

}  // namespace

Result<ImportPlan> plan_import(sql::Session& session, const std::string& user_id, const File& file,
                               const Statement& statement) {
    ImportPlan plan;
    plan.format = statement.format == statement::Format::unknown
                      ? ""
                      : std::string(statement::name(statement.format));
    plan.header_fingerprint = statement.header_fingerprint;
    plan.rejected_count = static_cast<std::int64_t>(statement.rejected.size());
    note_everything(statement, plan);
    check_statement(statement, plan);

    AccountStore accounts(session, user_id);
    AccountCheck check(session, user_id, file);
    for (const statement::Account& stated : statement.accounts) {
        if (!plan.is_importable()) {
            break;
        }
        const auto account = TRY(account_for(accounts, file, statement, stated));
        if (account) {
            TRY(add_target(check, stated, *account, file, plan));
        } else {
            refuse(plan, FileStatus::needs_mapping, question_about(stated, statement));
        }
    }
    plan.row_count =
        static_cast<std::int64_t>(statement.transaction_count() + statement.rejected.size());
    if (!plan.is_importable()) {
        plan.targets.clear();
        return plan;
    }
    plan.account_id = plan.targets.empty() ? file.account_id : plan.targets.front().account_id;
    plan.status = plan.rejected_count > 0 ? FileStatus::partial : FileStatus::processed;
    return plan;
}

}  // namespace bascule::application
