#include <benchmark/benchmark.h>

#include <atomic>
#include <future>

#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"
#include "foundation/sql/outbox.h"
#include "foundation/sql/test_folder.h"
#include "foundation/sql/writer.h"

namespace bascule::sql {
namespace {

/// Units that add one outbox message each, `range` of them waiting at a time.
void units(benchmark::State& state) {
    TestFolder folder;
    const auto steps = outbox::migrations();
    auto database = Database::open({.path = folder.path("b.db")}, steps).value();
    io::ThreadPool pool{{.name = "sql", .threads = 1}};
    Writer writer(*database, pool);
    const auto count = static_cast<int>(state.range(0));
    std::int64_t made = 0;
    const std::string bytes(600, 'x');
    for (auto _ : state) {
        std::promise<void> all;
        std::atomic<int> left = count;
        for (int i = 0; i < count; ++i) {
            writer.submit(
                [&, id = std::to_string(++made)](Session& session) -> Result<> {
                    const outbox::Message message{id, bytes};
                    return outbox::add(session, "key", std::span(&message, 1), from_unix_ms(1));
                },
                [&](Result<> done) {
                    CHECK(done.has_value());
                    if (--left == 0) {
                        all.set_value();
                    }
                });
        }
        all.get_future().wait();
    }
    state.SetItemsProcessed(state.iterations() * count);
    static_cast<void>(io::wait_for<>([&](auto done) { writer.stop(std::move(done)); }));
}
BENCHMARK(units)->Arg(1)->Arg(64)->Arg(2048)->UseRealTime();

}  // namespace
}  // namespace bascule::sql
