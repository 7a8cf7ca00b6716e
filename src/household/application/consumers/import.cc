#include "household/application/consumers/import.h"

#include <algorithm>
#include <tuple>

#include "household/application/consumers/earlier_reading.h"
#include "household/application/stores/account_store.h"
#include "household/application/stores/file_store.h"

namespace bascule::application {

namespace {

struct Counts {
    std::int64_t added = 0;
    std::int64_t known = 0;  ///< already imported, and updated
    std::int64_t own = 0;    ///< of the known: by an earlier reading of the same file
    std::vector<FileNote> notes;
};

event::DateRange range_of(const money::DateSpan& span) {
    return {span.first.to_text(), span.last.to_text()};
}

/// The days of rows, of which there is at least one.
template <class F>
money::DateSpan span_of(const std::vector<StoredTransaction>& rows, F day_of) {
    money::DateSpan span{day_of(rows.front()), day_of(rows.front())};
    for (const StoredTransaction& row : rows) {
        span = {std::min(span.first, day_of(row)), std::max(span.last, day_of(row))};
    }
    return span;
}

void publish_created(UnitOfWork& unit, const File& file, const std::string& account_id,
                     const std::vector<StoredTransaction>& added) {
    const event::DateRange range =
        range_of(span_of(added, [](const StoredTransaction& row) { return row.row.date; }));
    const std::size_t count =
        (added.size() + event::transaction_ids_max - 1) / event::transaction_ids_max;
    for (std::size_t index = 0; index < count; ++index) {
        const auto chunk = std::span(added).subspan(index * event::transaction_ids_max);
        event::TransactionsCreated data{.file_id = file.id,
                                        .account_id = account_id,
                                        .transaction_ids = {},
                                        .date_range = range};
        for (const StoredTransaction& stored :
             chunk.first(std::min(chunk.size(), event::transaction_ids_max))) {
            data.transaction_ids.push_back(stored.row.id);
        }
        if (count > 1) {
            data.chunk =
                event::Chunk{static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(count)};
        }
        unit.publish(event::transactions_created(unit.occasion(), data));
    }
}

/// The account's rows among which a row of the file may be found again.
Result<std::vector<finance::ExistingRow>> rows_around(UnitOfWork& unit, const ImportTarget& target,
                                                      const finance::DuplicateOptions& options) {
    const money::DateSpan span =
        span_of(target.rows, [](const StoredTransaction& row) { return row.bank_date; });
    return TransactionStore(unit.session(), unit.user_id())
        .existing_rows(target.account_id, {span.first.plus_days(-options.near_days_max),
                                           span.last.plus_days(options.near_days_max)});
}

std::vector<finance::Verdict> verdicts_on(const std::vector<StoredTransaction>& rows,
                                          const std::vector<finance::ExistingRow>& existing,
                                          const finance::DuplicateOptions& options) {
    std::vector<finance::BankRow> incoming;
    incoming.reserve(rows.size());
    for (const StoredTransaction& row : rows) {
        incoming.push_back(bank_row_of(row));
    }
    return finance::assign(existing, incoming, options);
}

/// A pending row that was taken for a booked one whose text is another: most often the bank has
/// reworded it, but it may be a payment of its own, which a person can tell and we cannot.
std::optional<FileNote> note_of_guess(const StoredTransaction& row,
                                      const finance::ExistingRow& before) {
    const finance::BankRow now = bank_row_of(row);
    if (now.state != finance::RowState::pending || before.row.state != finance::RowState::booked ||
        before.row.text == now.text ||
        (!now.bank_id.empty() && before.row.bank_id == now.bank_id)) {
        return std::nullopt;
    }
    return FileNote{"warning", row.row.line, "taken_for_booked",
                    "pending, and taken for the booked transaction of " +
                        before.row.date.to_text() +
                        " with the same amount and another text; were it one of its own, it comes "
                        "with the export in which it is booked",
                    ""};
}

/// The target's rows are used up.
Result<> import_rows(UnitOfWork& unit, const File& file, ImportTarget& target,
                     EarlierReading& earlier, Counts& counts) {
    if (target.rows.empty()) {
        return {};
    }
    const finance::DuplicateOptions options;
    auto existing = TRY(rows_around(unit, target, options));
    TRY(earlier.show_as_before(target.account_id, existing));
    const auto verdicts = verdicts_on(target.rows, existing, options);
    std::vector<StoredTransaction> added;
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        const finance::Verdict& verdict = verdicts[i];
        if (verdict.kind == finance::RowVerdict::added) {
            StoredTransaction row = std::move(target.rows[i]);
            row.row.id = unit.new_id();
            row.row.occurrence = verdict.occurrence;
            row.row.created_at = unit.now();
            row.row.updated_at = unit.now();
            added.push_back(std::move(row));
            continue;
        }
        const std::string& id = existing[verdict.existing].id;
        ++counts.known;
        counts.own += earlier.has_brought(id) ? 1 : 0;
        if (auto note = note_of_guess(target.rows[i], existing[verdict.existing])) {
            counts.notes.push_back(*std::move(note));
        }
        TRY(earlier.keep(id, target.rows[i], verdict));
    }
    added = TRY(earlier.correct_touched(target.account_id, std::move(added)));
    if (added.empty()) {
        return {};
    }
    counts.added += static_cast<std::int64_t>(added.size());
    // By day, as most indexes lie: banks write the newest first, or in no order at all.
    std::ranges::sort(added, {}, [](const StoredTransaction& stored) {
        return std::tuple(stored.row.date, stored.row.line);
    });
    TRY(TransactionStore(unit.session(), unit.user_id()).insert(added));
    publish_created(unit, file, target.account_id, added);
    return {};
}

/// The account that the file itself named is the file's from now on.
void associate(UnitOfWork& unit, File& file, const ImportPlan& plan) {
    if (plan.is_importable() && file.account_id.empty() && !plan.account_id.empty()) {
        file.account_id = plan.account_id;
        unit.publish(event::file_associated(unit.occasion(),
                                            {.file_id = file.id, .account_id = file.account_id}));
    }
}

/// The account is known by its number from its first file on.
Result<> learn_identifier(UnitOfWork& unit, const ImportTarget& target) {
    AccountStore accounts(unit.session(), unit.user_id());
    auto account =
        target.learned_identifier.empty() ? std::nullopt : TRY(accounts.find(target.account_id));
    if (!account) {
        return {};
    }
    const std::string before = identifiers_text(account->identifiers);
    account->identifiers.push_back(target.learned_identifier);
    account->updated_at = unit.now();
    TRY(accounts.update(*account));
    unit.publish(event::account_updated(
        unit.occasion(),
        {account->id, {{"identifiers", before, identifiers_text(account->identifiers)}}}));
    return {};
}

/// What was read by a mapping that the user gave is read that way next time.
Result<> remember_mapping(UnitOfWork& unit, const File& file, const ImportPlan& plan) {
    if (file.mapping.empty() || plan.header_fingerprint.empty() || plan.account_id.empty()) {
        return {};
    }
    return save_profile(unit.session(), unit.user_id(),
                        {.id = unit.new_id(),
                         .account_id = plan.account_id,
                         .header_fingerprint = plan.header_fingerprint,
                         .name = file.file_name,
                         .mapping = file.mapping},
                        unit.now());
}

event::FileProcessed report_of(const File& file, const ImportPlan& plan, const Counts& counts) {
    event::FileProcessed report{.file_id = file.id,
                                .account_id = file.account_id,
                                .transaction_count = counts.added,
                                .duplicate_count = counts.known,
                                .date_range = {},
                                .processing_status = event::ProcessingStatus::success};
    if (!plan.is_importable()) {
        report.processing_status = event::ProcessingStatus::failed;
        report.error_message = plan.message;
        return report;
    }
    if (plan.dates) {
        report.date_range = range_of(*plan.dates);
    }
    if (plan.status == FileStatus::partial) {
        report.processing_status = event::ProcessingStatus::partial;
        report.error_message = std::to_string(plan.rejected_count) + " of " +
                               std::to_string(plan.row_count) + " rows could not be read";
    }
    return report;
}

}  // namespace

Result<> carry_out(UnitOfWork& unit, File file, ImportPlan& plan) {
    Counts counts;
    associate(unit, file, plan);
    file.notes = plan.notes;
    if (plan.is_importable()) {
        auto earlier = TRY(EarlierReading::of(unit, file.id));
        for (ImportTarget& target : plan.targets) {
            TRY(learn_identifier(unit, target));
            TRY(import_rows(unit, file, target, earlier, counts));
        }
        auto told = TRY(earlier.finish());
        file.notes.insert(file.notes.begin(), told.begin(), told.end());
        file.notes.insert(file.notes.end(), counts.notes.begin(), counts.notes.end());
        TRY(remember_mapping(unit, file, plan));
        file.transaction_count = TRY(unit.session().query_integer(
            "select count(*) from transactions where file_id = ?1", {file.id}));
        file.duplicate_count = counts.known - counts.own;
    }
    file.status = plan.status;
    file.message = plan.message;
    file.format = plan.format;
    file.profile = plan.profile;
    file.row_count = plan.row_count;
    file.rejected_count = plan.rejected_count;
    file.date_from = plan.dates ? std::optional(plan.dates->first) : std::nullopt;
    file.date_to = plan.dates ? std::optional(plan.dates->last) : std::nullopt;
    file.processed_at = unit.now();
    const event::FileProcessed report = report_of(file, plan, counts);
    file.message = report.error_message;
    TRY(FileStore(unit.session(), unit.user_id()).update(file));
    unit.publish(event::file_processed(unit.occasion(), report));
    return {};
}

}  // namespace bascule::application
