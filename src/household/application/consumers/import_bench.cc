#include <benchmark/benchmark.h>

#include <cstdlib>
#include <ctime>

#include "household/application/consumers/analytics.h"
#include "household/application/consumers/categorization.h"
#include "household/application/consumers/file_processor.h"
#include "household/application/consumers/test_kit.h"
#include "household/application/household_test_kit.h"

/// What an import costs from file.uploaded to categorised rows, all durable, without the bus: rows
/// new or known, 500 rules, figures.
namespace bascule::application {
namespace {

std::string csv_of(int rows, int first) {
    std::string csv = "Date;Payee;Memo;Amount;Currency\n";
    const auto start = money::Date::parse("2020-01-01").value();
    for (int i = first; i < first + rows; ++i) {
        csv += start.plus_days(i * 2000 / rows % 2000).to_text() + ";Shop " +
               std::to_string(i % 1000) + " Berlin;Kartenzahlung Ref " + std::to_string(i) + ";-" +
               std::to_string(1 + i % 90) + ".50;EUR\n";
    }
    return csv;
}

void add_rules(TestHousehold& world, int count) {
    const std::string category = world.category("Shops").node.id;
    for (int i = 0; i < count; ++i) {
        (void)world.wait<CategoryRule>([&](auto done) {
            world.household.rules.create(world.actor(),
                                         {.category_id = category,
                                          .conditions = finance::ConditionNode::of(
                                              {.field = finance::RuleField::payee,
                                               .op = finance::RuleOperator::starts_with,
                                               .value = "shop " + std::to_string(i) + " "}),
                                          .auto_apply = true},
                                         std::move(done));
        });
    }
}

/// Runs the consumer on every committed event of the type that it has not had, and returns the
/// time.
class Deliveries {
  public:
    explicit Deliveries(TestHousehold& world) : world_(world) {}

    void forget() { (void)take(""); }

    double run(broker::Handler& handler, const char* consumer, const char* type) {
        const auto events = take(type);
        const auto begin = std::chrono::steady_clock::now();
        for (const event::Event& event : events) {
            const auto outcome = outcome_of_run(handler, delivery_of(consumer, {event}, offset_++));
            CHECK(outcome.kind == delivery::Outcome::Kind::done);
        }
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }

  private:
    std::vector<event::Event> take(std::string_view type) {
        std::vector<event::Event> events;
        auto snapshot = world_.database().read().value();
        CHECK(snapshot->query("select seq, bytes from outbox where seq > ?1 order by seq", {seen_},
                              [&](const sql::Row& row) {
                                  seen_ = row.integer(0);
                                  const std::string bytes = row.blob(1);
                                  const auto event = event::decode_body(bytes).value();
                                  if (event.event_type == type) {
                                      events.push_back(event::owned(event));
                                  }
                              }));
        return events;
    }

    TestHousehold& world_;
    std::int64_t seen_ = 0;
    std::uint64_t offset_ = 1;
};

void import_file(benchmark::State& state) {
    const auto rows = static_cast<int>(state.range(0));
    for (auto unused : state) {
        state.PauseTiming();
        TestHousehold world;
        FileProcessor processor(world.environment());
        Categorization categorization(world.environment(), Categorization::part_size_default);
        Deliveries deliveries(world);
        const Account account = world.account("Giro");
        world.file("known.csv", csv_of(rows, 0), account.id);
        deliveries.run(processor, "file_processor", "file.uploaded");
        add_rules(world, 500);
        deliveries.forget();
        world.file("new.csv", csv_of(rows, rows), account.id);
        state.ResumeTiming();
        const auto cpu0 = std::clock();
        state.counters["import_s"] = deliveries.run(processor, "file_processor", "file.uploaded");
        const auto cpu1 = std::clock();
        state.counters["categorise_s"] =
            deliveries.run(categorization, "categorization", "transactions.created");
        state.PauseTiming();
        const auto cpu2 = std::clock();
        state.counters["import_cpu_s"] = double(cpu1 - cpu0) / CLOCKS_PER_SEC;
        state.counters["categorise_cpu_s"] = double(cpu2 - cpu1) / CLOCKS_PER_SEC;
        state.counters["categorised"] = static_cast<double>(
            world.count("select count(*) from transactions where category_id <> ''"));
        state.ResumeTiming();
    }
}
BENCHMARK(import_file)->Arg(2000)->Iterations(1)->Unit(benchmark::kMillisecond);

/// BASCULE_BENCH_ROWS rows (default: few, so that it runs in the tests) of one file, taken back
/// beside as many of another.
void remove_file(benchmark::State& state) {
    const char* text = std::getenv("BASCULE_BENCH_ROWS");
    const int rows = text != nullptr ? std::atoi(text) : 2000;
    for (auto unused : state) {
        state.PauseTiming();
        TestHousehold world;
        FileProcessor processor(world.environment());
        Deliveries deliveries(world);
        const Account account = world.account("Giro");
        const File file = world.file("a.csv", csv_of(rows, 0), account.id);
        deliveries.run(processor, "file_processor", "file.uploaded");
        world.file("b.csv", csv_of(rows, rows), account.id);
        deliveries.run(processor, "file_processor", "file.uploaded");
        state.ResumeTiming();
        const auto removed = world.wait<FileRemoval>([&](auto done) {
            world.household.files.remove(world.actor(), file.id, std::move(done));
        });
        CHECK(removed && removed->deleted_count == rows);
        state.PauseTiming();
        state.SetItemsProcessed(rows);
        state.ResumeTiming();
    }
}
BENCHMARK(remove_file)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bascule::application
