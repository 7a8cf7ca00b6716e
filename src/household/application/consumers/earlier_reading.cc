#include "household/application/consumers/earlier_reading.h"

#include <algorithm>
#include <optional>

#include "household/application/stores/transaction_changes.h"

namespace bascule::application {

namespace {

/// A row that is not there stands for more than one.
using Lines = std::map<std::uint64_t, std::optional<std::size_t>>;

void note_line(Lines& lines, std::uint64_t line, std::size_t index) {
    const auto [place, is_first] = lines.try_emplace(line, index);
    if (!is_first) {
        place->second.reset();
    }
}

/// The bank settles a row or corrects it. What a person wrote stays: an edited field, and all of a
/// row entered by hand, whose fields count as edited.
void set_bank_fields(StoredTransaction& row, const StoredTransaction& bank) {
    if (!row.is_edited(EditedField::date)) {
        row.row.date = bank.row.date;
    }
    if (!row.is_edited(EditedField::payee)) {
        row.row.payee = bank.row.payee;
    }
    if (!row.is_edited(EditedField::description)) {
        row.row.description = bank.row.description;
    }
    if (!row.is_edited(EditedField::memo)) {
        row.row.memo = bank.row.memo;
    }
    row.row.status = bank.row.status;
    if (!bank.row.bank_id.empty()) {
        row.row.bank_id = bank.row.bank_id;
    }
    row.row.bank_payee = bank.row.bank_payee;
    row.row.bank_memo = bank.row.bank_memo;
    row.row.value_date = bank.row.value_date;
    row.row.bank_type = bank.row.bank_type;
    row.bank_date = bank.bank_date;
    row.bank_minor = bank.bank_minor;
}

bool is_same_text(const StoredTransaction& one, const StoredTransaction& other) {
    return one.bank_date == other.bank_date && bank_row_of(one).text == bank_row_of(other).text;
}

FileNote kept(const StoredTransaction& stored) {
    const Transaction& row = stored.row;
    const std::string payee = row.payee.empty() ? "" : ", \"" + row.payee + "\"";
    return {"warning", row.line, "kept_edited",
            row.date.to_text() + ", " + row.amount.to_text() + payee +
                " is no longer in the file as it is read now; it was kept because you edited it: "
                "if it is wrong, delete transaction " +
                row.id,
            ""};
}

}  // namespace

Result<EarlierReading> EarlierReading::of(UnitOfWork& unit, const std::string& file_id) {
    EarlierReading reading(unit, file_id);
    for (std::string& id :
         TRY(TransactionStore(unit.session(), unit.user_id()).ids_of_file(file_id))) {
        reading.brought_.insert(std::move(id));
    }
    KnownRows known(unit.session(), unit.user_id());
    reading.changes_ = TRY(known.changes_around(file_id));
    if (!reading.brought_.empty()) {
        reading.heirs_ = TRY(known.heirs(file_id));
    }
    return reading;
}

Result<> EarlierReading::show_as_before(const std::string& account_id,
                                        std::vector<finance::ExistingRow>& existing) const {
    if (changes_.empty()) {
        return {};
    }
    std::map<std::string, finance::BankRow> before;
    TransactionStore store(unit_->session(), unit_->user_id());
    for (const auto& [id, change] : changes_) {
        auto stored = TRY(store.find(id));
        if (stored && stored->row.account_id == account_id) {
            TRY(set_bank_word(*stored, change.earlier));
            before.emplace(id, bank_row_of(*stored));
        }
    }
    for (finance::ExistingRow& row : existing) {
        if (const auto found = before.find(row.id); found != before.end()) {
            row.row = std::move(found->second);
            before.erase(found);
        }
    }
    for (auto& [id, row] : before) {
        existing.push_back({id, std::move(row), 1});
    }
    return {};
}

Result<> EarlierReading::keep(const std::string& id, const StoredTransaction& bank,
                              const finance::Verdict& verdict) {
    KnownRow known{id, bank.row.line, ""};
    const auto change = changes_.find(id);
    const bool is_changed = change != changes_.end();
    const bool by_this_file = is_changed && change->second.file_id == file_id_;
    if (is_changed && !by_this_file) {
        // The later word of another file stands.
    } else if (verdict.kind == finance::RowVerdict::update_of) {
        known.earlier = TRY(take_over(id, bank, verdict));
    } else if (by_this_file) {
        TRY(take_back(*unit_, file_id_, id, change->second.earlier));
    }
    if (by_this_file) {
        known.earlier = verdict.kind == finance::RowVerdict::update_of
                            ? std::move(change->second.earlier)
                            : std::string();
        changes_.erase(change);
    }
    if (has_brought(id)) {
        found_.insert(id);
    } else {
        known_.push_back(std::move(known));
    }
    return {};
}

Result<std::string> EarlierReading::take_over(const std::string& id, const StoredTransaction& bank,
                                              const finance::Verdict& verdict) {
    const auto before = TRY(TransactionStore(unit_->session(), unit_->user_id()).find(id));
    if (!before) {
        return fail(ErrorKind::conflict, "transaction " + id + " went away during the import");
    }
    StoredTransaction after = *before;
    set_bank_fields(after, bank);
    if (!is_same_text(*before, after)) {
        after.row.occurrence = verdict.occurrence;
    }
    TRY(change_row(*unit_, *before, std::move(after)));
    return bank_word(*before);
}

Result<std::vector<StoredTransaction>> EarlierReading::correct_touched(
    const std::string& account_id, std::vector<StoredTransaction> added) {
    if (found_.size() == brought_.size()) {
        return added;
    }
    TransactionStore store(unit_->session(), unit_->user_id());
    std::vector<StoredTransaction> touched;
    Lines lines_before;
    for (const std::string& id : brought_) {
        auto stored =
            found_.contains(id) || heirs_.contains(id) ? std::nullopt : TRY(store.find(id));
        if (stored && stored->row.account_id == account_id) {
            note_line(lines_before, stored->row.line, touched.size());
            touched.push_back(*std::move(stored));
        }
    }
    Lines lines_now;
    for (std::size_t i = 0; i < added.size(); ++i) {
        note_line(lines_now, added[i].row.line, i);
    }
    std::set<std::size_t> corrected;
    for (const auto& [line, index] : lines_before) {
        const auto now = lines_now.find(line);
        if (!index || !touched[*index].is_touched() || now == lines_now.end() || !now->second) {
            continue;
        }
        const StoredTransaction& before = touched[*index];
        const StoredTransaction& bank = added[*now->second];
        StoredTransaction after = before;
        set_bank_fields(after, bank);
        after.row.bank_id = bank.row.bank_id;
        if (!after.is_edited(EditedField::amount)) {
            after.row.amount = bank.row.amount;
        }
        after.row.occurrence = bank.row.occurrence;
        TRY(change_row(*unit_, before, std::move(after)));
        found_.insert(before.row.id);
        corrected.insert(*now->second);
    }
    std::vector<StoredTransaction> others;
    others.reserve(added.size() - corrected.size());
    for (std::size_t i = 0; i < added.size(); ++i) {
        if (!corrected.contains(i)) {
            others.push_back(std::move(added[i]));
        }
    }
    return others;
}

Result<std::vector<FileNote>> EarlierReading::finish() {
    std::vector<std::string> gone;
    std::ranges::set_difference(brought_, found_, std::back_inserter(gone));
    std::vector<FileNote> notes;
    std::vector<std::string> untouched;
    TransactionStore store(unit_->session(), unit_->user_id());
    for (std::string& id : TRY(pass_on_rows(*unit_, file_id_, gone))) {
        const auto stored = TRY(store.find(id));
        if (stored && stored->is_touched()) {
            notes.push_back(kept(*stored));
        } else {
            untouched.push_back(std::move(id));
        }
    }
    TRY(delete_transactions(*unit_, untouched, event::DeletionType::file_reprocessing));
    for (const auto& [id, change] : changes_) {
        if (change.file_id == file_id_) {
            TRY(take_back(*unit_, file_id_, id, change.earlier));
        }
    }
    TRY(KnownRows(unit_->session(), unit_->user_id()).replace(file_id_, known_));
    return notes;
}

}  // namespace bascule::application
