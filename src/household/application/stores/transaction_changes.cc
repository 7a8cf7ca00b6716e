#include "household/application/stores/transaction_changes.h"

#include <algorithm>

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
