#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>

#include "foundation/base/random.h"
#include "foundation/base/uuid.h"
#include "foundation/sql/database.h"
#include "foundation/sql/test_folder.h"
#include "household/application/schema.h"
#include "household/application/stores/transaction_changes.h"
#include "household/application/use_cases/transaction_query.h"

namespace bascule::application {
namespace {

/// BASCULE_BENCH_ROWS rows of one user over ten years (default: few, so that it runs in the tests).
std::size_t rows_wanted() {
    const char* text = std::getenv("BASCULE_BENCH_ROWS");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 2000;
}

std::vector<StoredTransaction> make_rows(std::size_t count) {
    Random random(7);
    const auto euro = money::Currency::parse("EUR").value();
    const auto first_day = money::Date::parse("2016-01-01").value();
    std::vector<StoredTransaction> rows(count);
    for (std::size_t i = 0; i < count; ++i) {
        StoredTransaction& stored = rows[i];
        stored.row.id = new_uuid(from_unix_ms(1'700'000'000'000), random);
        stored.row.account_id = "account-" + std::to_string(random.below(4));
        stored.row.file_id = "file";
        stored.row.line = i + 1;
        stored.row.date = first_day.plus_days(static_cast<std::int32_t>(random.below(3650)));
        stored.row.amount =
            money::Money(static_cast<std::int64_t>(random.below(200'000)) - 150'000, euro);
        stored.row.payee = stored.row.bank_payee =
            "Payee number " + std::to_string(random.below(500));
        stored.row.memo = stored.row.bank_memo = "Card payment, reference " + std::to_string(i);
        stored.row.status = "booked";
        stored.bank_date = stored.row.date;
        stored.bank_minor = stored.row.amount.minor();
    }
    // Files come month by month, and banks list by day.
    std::ranges::sort(rows, {}, [](const StoredTransaction& stored) { return stored.row.date; });
    return rows;
}

struct World {
    World() : database(sql::Database::open({.path = folder.path("b.db")}, migrations()).value()) {}

    void insert(std::span<const StoredTransaction> rows) {
        auto transaction = sql::Transaction::begin_write(database->writer()).value();
        CHECK(TransactionStore(database->writer(), "ada").insert(rows).has_value());
        CHECK(transaction.commit().has_value());
    }

    sql::TestFolder folder;
    std::unique_ptr<sql::Database> database;
};

void import_rows(benchmark::State& state) {
    const auto rows = make_rows(rows_wanted());
    for (auto _ : state) {
        state.PauseTiming();
        World world;
        state.ResumeTiming();
        world.insert(rows);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * rows.size()));
}
BENCHMARK(import_rows)->Unit(benchmark::kMillisecond);

/// A file to another account and back.
void move_rows(benchmark::State& state) {
    auto rows = make_rows(rows_wanted());
    std::vector<std::string> ids;
    for (StoredTransaction& stored : rows) {
        stored.row.account_id = "here";
        ids.push_back(stored.row.id);
    }
    World world;
    world.insert(rows);
    bool there = false;
    for (auto _ : state) {
        auto transaction = sql::Transaction::begin_write(world.database->writer()).value();
        there = !there;
        CHECK(TransactionStore(world.database->writer(), "ada")
                  .move(ids, there ? "there" : "here", from_unix_ms(0))
                  .has_value());
        CHECK(transaction.commit().has_value());
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * rows.size()));
}
BENCHMARK(move_rows)->Unit(benchmark::kMillisecond);

World& filled() {
    static World world;
    static const bool done = [] {
        world.insert(make_rows(rows_wanted()));
        return true;
    }();
    benchmark::DoNotOptimize(done);
    return world;
}

void page(benchmark::State& state, const TransactionFilter& filter) {
    World& world = filled();
    std::uint64_t total = 0;
    for (auto _ : state) {
        const auto snapshot = world.database->read().value();
        total += query_transactions(snapshot.session(), "ada", filter, {}).value().total;
    }
    state.counters["total"] = static_cast<double>(total) / static_cast<double>(state.iterations());
}

BENCHMARK_CAPTURE(page, all, TransactionFilter{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(page, by_account, TransactionFilter{.account_id = "account-1"})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(page, by_amount,
                  TransactionFilter{.account_id = "account-1",
                                    .order = TransactionOrder::amount_descending})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(page, one_year,
                  TransactionFilter{.from = money::Date::parse("2020-01-01").value(),
                                    .to = money::Date::parse("2020-12-31").value()})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(page, text, TransactionFilter{.text = "number 77"})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(page, amounts, TransactionFilter{.amount_min = "100", .amount_max = "200"})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(page, uncategorized, TransactionFilter{.uncategorized = true})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(page, suggested, TransactionFilter{.suggested = true})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(page, suggested_of_category,
                  TransactionFilter{.category_id = "food", .suggested = true})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bascule::application
