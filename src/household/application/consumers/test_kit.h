#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bus/broker/handler.h"
#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"
#include "foundation/sql/database.h"
#include "foundation/sql/test_folder.h"
#include "foundation/sql/writer.h"

/// Runs handlers as the bus would, without one. For tests only.
namespace bascule::application {

/// A database with its writer, in a folder of the test's own.
class TestDatabase {
  public:
    TestDatabase(const std::string& path, const std::vector<sql::Migration>& migrations)
        : database_(sql::Database::open({.path = path}, migrations).value()),
          writer_(std::make_unique<sql::Writer>(*database_, pool_)) {}
    ~TestDatabase() {
        (void)io::wait_for<>([&](auto done) { writer_->stop(std::move(done)); });
    }

    sql::Database& database() { return *database_; }
    sql::Writer& writer() { return *writer_; }
    sql::Database::Snapshot read() { return database_->read().value(); }

    /// Every row of the query as text, `|` between columns.
    std::vector<std::string> rows(const std::string& query) {
        std::vector<std::string> lines;
        auto snapshot = read();
        const auto result = snapshot->query(query, {}, [&](const sql::Row& row) {
            std::string line;
            for (std::size_t i = 0; i < row.size(); ++i) {
                line += (i == 0 ? "" : "|") + row.text_or_null(i).value_or("null");
            }
            lines.push_back(std::move(line));
        });
        return result ? lines : std::vector{"error: " + result.error().message()};
    }
    std::int64_t count(const std::string& query) { return read()->query_integer(query).value(); }

    template <class F>
    auto write(F work) {
        using T = typename std::invoke_result_t<F&, sql::Session&>::value_type;
        return io::wait_for<T>(
            [&](auto done) { writer_->submit(std::move(work), std::move(done)); });
    }

  private:
    io::ThreadPool pool_{{.name = "sql", .threads = 1}};
    std::unique_ptr<sql::Database> database_;
    std::unique_ptr<sql::Writer> writer_;
};

/// One run over copies of the events, at offsets that follow each other.
inline broker::Delivery delivery_of(std::string consumer, const std::vector<event::Event>& events,
                                    std::uint64_t first_offset) {
    broker::Delivery delivery{.consumer = std::move(consumer), .delivery_id = "d"};
    for (const event::Event& event : events) {
        auto kept = std::make_shared<const event::Event>(event);
        delivery.events.push_back(
            {Offset(first_offset++), WallTime(1'000'000ms), event::view_of(*kept)});
        delivery.storage.push_back(kept);
    }
    return delivery;
}

inline delivery::Outcome outcome_of_run(broker::Handler& handler, broker::Delivery delivery) {
    std::promise<delivery::Outcome> answer;
    handler.handle(std::move(delivery),
                   [&](delivery::Outcome outcome) { answer.set_value(std::move(outcome)); });
    return answer.get_future().get();
}

}  // namespace bascule::application
