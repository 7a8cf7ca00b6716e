#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bus/event/body.h"
#include "bus/event/event.h"
#include "foundation/base/uuid.h"
#include "foundation/io/posix_disk.h"
#include "foundation/io/thread_pool.h"
#include "foundation/io/wait.h"
#include "foundation/sql/test_folder.h"
#include "household/application/household.h"
#include "household/application/schema.h"
#include "household/application/stores/transaction_changes.h"
#include "sim/sim_clock.h"

/// A household on a real database in a folder of the test's own. For tests only.
namespace bascule::application {

/// The house rule: no change of domain state without an event. Refuses a unit that breaks it.
inline Result<> no_silent_change(sql::Session& session) {
    static const auto domain = sql::tables_of(migrations(), sql::TableKind::domain);
    const auto& written = session.tables_written();
    for (const std::string& table : domain) {
        if (written.contains(table) && !written.contains("outbox")) {
            return fail(ErrorKind::corrupt, "silent change of " + table);
        }
    }
    return {};
}

/// Holds the writer until it goes: what is submitted meanwhile waits in the writer's queue.
class HeldWriter {
  public:
    explicit HeldWriter(sql::Writer& writer) {
        writer.submit_alone(
            [held = let_go_.get_future().share()](sql::Session&) -> Result<> {
                held.wait();
                return {};
            },
            [](const Result<>&) {});
    }
    ~HeldWriter() { let_go_.set_value(); }
    HeldWriter(const HeldWriter&) = delete;

  private:
    std::promise<void> let_go_;
};

class TestHousehold {
  public:
    TestHousehold()
        : database_(sql::Database::open({.path = folder_.path("bascule.db"), .record_writes = true},
                                        migrations())
                        .value()),
          writer_(std::make_unique<sql::Writer>(
              *database_, sql_pool_, sql::WriterOptions{.after_unit = no_silent_change})),
          blobs_(sql::BlobStore::open(disk_, folder_.path("blobs")).value()),
          household(environment()) {}
    ~TestHousehold() {
        static_cast<void>(io::wait_for<>([&](auto done) { writer_->stop(std::move(done)); }));
    }

    Environment environment() { return {*database_, *writer_, blobs_, clock}; }
    sql::Database& database() { return *database_; }
    sql::Writer& writer() { return *writer_; }
    sql::BlobStore& blobs() { return blobs_; }
    /// Where the store keeps these bytes.
    std::string blob_path(std::string_view content) const {
        const std::string hex = to_hex(sha256(content));
        return folder_.path("blobs/" + hex.substr(0, 2) + "/" + hex.substr(2));
    }

    /// Waits for a use case: `world.wait<Account>([&](auto done) { ….create(…, std::move(done));
    /// })`.
    template <class T, class Start>
    Result<T> wait(Start&& start) {
        return io::wait_for<T>(std::forward<Start>(start));
    }

    /// Events committed and not asked for before, in the order of their chain.
    std::vector<event::Event> new_events() {
        std::vector<event::Event> events;
        auto snapshot = database_->read().value();
        std::vector<std::pair<std::string, event::Event>> found;
        EXPECT_TRUE(snapshot->query(
            "select stream_key, seq, bytes from outbox order by stream_key, seq", {},
            [&](const sql::Row& row) {
                const std::string bytes = row.blob(2);
                found.emplace_back(row.text(0) + "/" + std::to_string(row.integer(1)),
                                   event::owned(event::decode_body(bytes).value()));
            }));
        for (auto& [place, event] : found) {
            if (std::ranges::find(seen_, place) == seen_.end()) {
                seen_.push_back(place);
                events.push_back(std::move(event));
            }
        }
        return events;
    }

    /// Their types alone.
    std::vector<std::string> new_types() {
        std::vector<std::string> types;
        const auto events = new_events();
        for (const event::Event& event : events) {
            types.push_back(event.event_type);
        }
        return types;
    }

    std::int64_t count(const std::string& query) {
        return database_->read().value()->query_integer(query).value();
    }

    Actor actor(std::string user_id = "ada", std::string key = "") {
        return {.user_id = std::move(user_id),
                .name = "token:test",
                .request_id = "r1",
                .idempotency_key = std::move(key)};
    }

    Account account(const std::string& name, const std::string& user_id = "ada",
                    const std::string& currency = "EUR") {
        return wait<Account>([&](auto done) {
                   household.accounts.create(
                       actor(user_id), {.name = name, .type = "checking", .currency = currency},
                       std::move(done));
               })
            .value();
    }

    Transaction transaction(const std::string& account_id, const std::string& date,
                            const std::string& amount, const std::string& payee = "",
                            const std::string& user_id = "ada") {
        return wait<Transaction>([&](auto done) {
                   household.transactions.create(
                       actor(user_id),
                       {.account_id = account_id, .date = date, .amount = amount, .payee = payee},
                       std::move(done));
               })
            .value();
    }

    Category category(const std::string& name, const std::string& parent_id = "",
                      const std::string& user_id = "ada") {
        return wait<Category>([&](auto done) {
                   household.categories.create(
                       actor(user_id), {.name = name, .type = "EXPENSE", .parent_id = parent_id},
                       std::move(done));
               })
            .value();
    }

    File file(const std::string& name, const std::string& content, const std::string& account_id,
              const std::string& user_id = "ada") {
        return wait<File>([&](auto done) {
                   household.files.upload(
                       actor(user_id),
                       {.file_name = name, .content = content, .account_id = account_id},
                       std::move(done));
               })
            .value();
    }

    /// Rows of a file, as the file processor stores them.
    std::vector<std::string> bring(const std::string& file_id, const std::string& account_id,
                                   const std::vector<std::string>& payees,
                                   const std::string& user_id = "ada") {
        std::vector<StoredTransaction> rows;
        for (const std::string& payee : payees) {
            StoredTransaction stored;
            stored.row.id = new_uuid();
            stored.row.account_id = account_id;
            stored.row.file_id = file_id;
            stored.row.line = rows.size() + 1;
            stored.row.date = money::Date::parse("2026-01-15").value();
            stored.row.amount = money::Money(-100, money::Currency::parse("EUR").value());
            stored.row.payee = stored.row.bank_payee = payee;
            stored.row.status = "booked";
            stored.bank_date = stored.row.date;
            stored.bank_minor = -100;
            rows.push_back(std::move(stored));
        }
        EXPECT_TRUE(wait<void>([&](auto done) {
            writer_->submit(
                [&](sql::Session& session) -> Result<> {
                    UnitOfWork unit(session, actor(user_id), clock.wall());
                    TRY(insert_transactions(unit, rows, event::Origin::file));
                    return unit.finish();
                },
                std::move(done));
        }));
        std::vector<std::string> ids;
        for (const StoredTransaction& stored : rows) {
            ids.push_back(stored.row.id);
        }
        return ids;
    }

    sim::SimClock clock;

  private:
    sql::TestFolder folder_;
    io::ThreadPool sql_pool_{{.name = "sql", .threads = 1}};
    io::ThreadPool disk_pool_{{.name = "disk", .threads = 1}};
    io::PosixDisk disk_{disk_pool_};
    std::unique_ptr<sql::Database> database_;
    std::unique_ptr<sql::Writer> writer_;
    sql::BlobStore blobs_;
    std::vector<std::string> seen_;

  public:
    Household household;
};

}  // namespace bascule::application
