#include "household/application/stores/transaction_changes.h"

#include <algorithm>
#include <map>

#include "foundation/json/writer.h"
#include "household/application/stores/file_store.h"
#include "household/application/stores/row_values.h"

namespace bascule::application {

namespace {

constexpr std::size_t chunk_max = event::transaction_ids_max;

std::uint32_t chunks_of(std::size_t count) {
    return static_cast<std::uint32_t>((count + chunk_max - 1) / chunk_max);
}

std::optional<event::Chunk> chunk(std::uint32_t index, std::uint32_t count) {
    return count > 1 ? std::optional(event::Chunk{index, count}) : std::nullopt;
}

template <class T>
std::span<const T> chunk_of(std::span<const T> items, std::uint32_t index) {
    const std::size_t first = index * chunk_max;
    return items.subspan(first, std::min(chunk_max, items.size() - first));
}

event::DateRange days_of(std::span<const StoredTransaction> rows) {
    const auto [first, last] = std::ranges::minmax(
        rows, {}, [](const StoredTransaction& stored) { return stored.row.date; });
    return {first.row.date.to_text(), last.row.date.to_text()};
}

/// The fields that a person sees, with old and new.
std::vector<event::Change> differences(const Transaction& before, const Transaction& after) {
    std::vector<event::Change> changes;
    const auto quoted = [](std::string_view value) {
        std::string text;
        json::append_string(text, value);
        return text;
    };
    const auto note = [&](const char* field, std::string_view was, std::string_view is) {
        if (was != is) {
            changes.push_back({field, quoted(was), quoted(is)});
        }
    };
    note("date", before.date.to_text(), after.date.to_text());
    note("amount", before.amount.to_text(), after.amount.to_text());
    note("currency", before.amount.currency().code(), after.amount.currency().code());
    note("payee", before.payee, after.payee);
    note("description", before.description, after.description);
    note("memo", before.memo, after.memo);
    note("status", before.status, after.status);
    note("bankId", before.bank_id, after.bank_id);
    note("bankPayee", before.bank_payee, after.bank_payee);
    note("bankMemo", before.bank_memo, after.bank_memo);
    return changes;
}

bool same_unseen(const StoredTransaction& one, const StoredTransaction& other) {
    return one.row.value_date == other.row.value_date && one.row.bank_type == other.row.bank_type &&
           one.row.occurrence == other.row.occurrence && one.row.line == other.row.line &&
           one.bank_date == other.bank_date && one.bank_minor == other.bank_minor;
}

/// The heir knew the rows; now they are its own.
Result<> count_as_brought(UnitOfWork& unit, const std::string& file_id, std::int64_t rows) {
    FileStore files(unit.session(), unit.user_id());
    auto file = TRY(files.find(file_id));
    if (!file) {
        return not_found("file", file_id);
    }
    file->transaction_count += rows;
    file->duplicate_count = std::max<std::int64_t>(file->duplicate_count - rows, 0);
    return files.update(*file);
}

}  // namespace

Result<> insert_transactions(UnitOfWork& unit, std::span<const StoredTransaction> rows,
                             event::Origin origin) {
    TRY(TransactionStore(unit.session(), unit.user_id()).insert(rows));
    const std::uint32_t chunks = chunks_of(rows.size());
    for (std::uint32_t index = 0; index < chunks; ++index) {
        const auto some = chunk_of(rows, index);
        std::vector<std::string> ids;
        for (const StoredTransaction& stored : some) {
            ids.push_back(stored.row.id);
        }
        unit.publish(
            event::transactions_created(unit.occasion(), {.file_id = some.front().row.file_id,
                                                          .account_id = some.front().row.account_id,
                                                          .transaction_ids = std::move(ids),
                                                          .date_range = days_of(some),
                                                          .origin = origin,
                                                          .chunk = chunk(index, chunks)}));
    }
    return {};
}

Result<std::int64_t> delete_transactions(UnitOfWork& unit, std::span<const std::string> ids,
                                         event::DeletionType type) {
    TransactionStore store(unit.session(), unit.user_id());
    const std::uint32_t chunks = chunks_of(ids.size());
    std::int64_t count = 0;
    for (std::uint32_t index = 0; index < chunks; ++index) {
        const auto some = chunk_of(ids, index);
        const auto erased = TRY(store.erase(some));
        count += erased.count;
        if (erased.count == 0) {
            continue;
        }
        unit.publish(event::transactions_deleted(
            unit.occasion(), {.transaction_ids = {some.begin(), some.end()},
                              .account_ids = {erased.account_ids.begin(), erased.account_ids.end()},
                              .deletion_type = type,
                              .chunk = chunk(index, chunks)}));
    }
    return count;
}

Result<> change_row(UnitOfWork& unit, const StoredTransaction& before, StoredTransaction after) {
    auto changes = differences(before.row, after.row);
    if (changes.empty() && same_unseen(before, after)) {
        return {};
    }
    after.row.updated_at = unit.now();
    TRY(TransactionStore(unit.session(), unit.user_id()).update(after));
    if (!changes.empty()) {
        unit.publish(
            event::transaction_updated(unit.occasion(), {.transaction_id = after.row.id,
                                                         .account_id = after.row.account_id,
                                                         .changes = std::move(changes)}));
    }
    return {};
}

Result<> take_back(UnitOfWork& unit, const std::string& file_id, const std::string& id,
                   const std::string& earlier_word) {
    if (TRY(KnownRows(unit.session(), unit.user_id()).hand_over(file_id, id, earlier_word))) {
        return {};
    }
    TransactionStore store(unit.session(), unit.user_id());
    const auto before = TRY(store.find(id));
    if (!before) {
        return {};
    }
    StoredTransaction after = *before;
    TRY(set_bank_word(after, earlier_word));
    if (bank_row_of(before.value()).text != bank_row_of(after).text ||
        before->bank_date != after.bank_date) {
        after.row.occurrence = TRY(next_occurrence(store, after));
    }
    return change_row(unit, *before, std::move(after));
}

Result<std::vector<std::string>> pass_on_rows(UnitOfWork& unit, const std::string& file_id,
                                              std::span<const std::string> ids) {
    TransactionStore store(unit.session(), unit.user_id());
    KnownRows known(unit.session(), unit.user_id());
    const auto heirs = TRY(known.heirs(file_id));
    std::map<std::string, std::int64_t> passed;
    std::vector<std::string> rest;
    for (const std::string& id : ids) {
        const auto heir = heirs.find(id);
        if (heir == heirs.end()) {
            rest.push_back(id);
            continue;
        }
        TRY(store.pass_on(id, heir->second.file_id, heir->second.line));
        TRY(known.forget(heir->second.file_id, id));
        ++passed[heir->second.file_id];
    }
    for (const auto& [heir, rows] : passed) {
        TRY(count_as_brought(unit, heir, rows));
    }
    return rest;
}

Result<std::uint32_t> next_occurrence(TransactionStore& store, const StoredTransaction& row) {
    const finance::BankRow added = bank_row_of(row);
    const auto existing =
        TRY(store.existing_rows(row.row.account_id, {row.bank_date, row.bank_date}));
    std::uint32_t highest = 0;
    for (const finance::ExistingRow& other : existing) {
        if (other.row.minor == added.minor && other.row.currency == added.currency &&
            other.row.text == added.text) {
            highest = std::max(highest, other.occurrence);
        }
    }
    return highest + 1;
}

}  // namespace bascule::application
