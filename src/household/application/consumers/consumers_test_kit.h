#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "foundation/base/testing.h"
#include "foundation/json/value.h"
#include "household/application/consumers/analytics.h"
#include "household/application/consumers/analytics_status.h"
#include "household/application/consumers/categorization.h"
#include "household/application/consumers/file_processor.h"
#include "household/application/consumers/notification.h"
#include "household/application/consumers/test_kit.h"
#include "household/application/household_test_kit.h"
#include "household/application/stores/analytics_types.h"

/// All built-in consumers of one household together. For tests only.
namespace bascule::application {

inline constexpr const char* giro_csv =
    "Date;Payee;Memo;Amount;Currency\n"
    "2025-03-01;Employer;salary;3000.00;EUR\n"
    "2025-03-13;Lidl 42;card;-50.00;EUR\n"
    "2025-03-14;Coffee bar;card;-3.50;EUR\n"
    "2025-03-14;Coffee bar;card;-3.50;EUR\n"
    "2025-03-15;Lidl 42;refund;12.00;EUR\n"
    "2025-04-20;Bookshop;card;-20.00;EUR\n";

/// The built-in consumers on a real database, with a bus that is a loop: each committed event goes
/// to every consumer whose rule would name it, until nothing new is published.
class ConsumersTest : public testing::Test {
  protected:
    broker::Handler& handler(const std::string& consumer) { return *handlers.at(consumer); }

    static std::vector<std::string> consumers_of(const std::string& type) {
        std::vector<std::string> names;
        if (type == "file.uploaded") {
            names.emplace_back("file_processor");
        }
        if (type == "transactions.created" || type == "category.rule_created" ||
            type == "category.rule_updated") {
            names.emplace_back("categorization");
        }
        if (find_trigger(type) != nullptr) {
            names.insert(names.end(), {"analytics_status", "analytics"});
        }
        if (type == "file.processed" || type == "transactions.deleted" ||
            type == "account.deleted") {
            names.emplace_back("notification");
        }
        return names;
    }

    /// Runs everything that is outstanding and returns what was published on the way.
    std::vector<event::Event> pump() {
        std::vector<event::Event> all;
        for (auto events = world.new_events(); !events.empty(); events = world.new_events()) {
            for (const event::Event& event : events) {
                all.push_back(event);
                const std::uint64_t offset = next_offset++;
                for (const std::string& consumer : consumers_of(event.event_type)) {
                    const auto outcome =
                        outcome_of_run(handler(consumer), delivery_of(consumer, {event}, offset));
                    EXPECT_EQ(outcome.kind, delivery::Outcome::Kind::done)
                        << consumer << ": " << outcome.text;
                    delivered.push_back({consumer, event, offset});
                }
            }
        }
        return all;
    }

    /// Everything that consumers keep, but for the inbox.
    std::vector<std::string> state() {
        std::vector<std::string> lines;
        auto snapshot = world.database().read().value();
        for (const char* query :
             {"select * from transactions order by id", "select * from files order by id",
              "select * from file_notes order by file_id, position",
              "select * from analytics_cells order by month, currency, account_id, category_id",
              "select * from analytics_status order by analytic_type, account_id",
              "select * from notifications order by id",
              "select * from mapping_profiles order by id",
              "select * from known_rows order by file_id, transaction_id",
              "select stream_key, seq from outbox order by stream_key, seq"}) {
            EXPECT_TRUE(snapshot->query(query, {}, [&](const sql::Row& row) {
                std::string line;
                for (std::size_t i = 0; i < row.size(); ++i) {
                    line += row.text_or_null(i).value_or("null") + "|";
                }
                lines.push_back(std::move(line));
            }));
        }
        return lines;
    }

    std::vector<std::string> rows(const std::string& query) {
        std::vector<std::string> lines;
        auto snapshot = world.database().read().value();
        EXPECT_TRUE(snapshot->query(query, {}, [&](const sql::Row& row) {
            std::string line;
            for (std::size_t i = 0; i < row.size(); ++i) {
                line += (i == 0 ? "" : "|") + row.text_or_null(i).value_or("null");
            }
            lines.push_back(std::move(line));
        }));
        return lines;
    }

    static std::vector<std::string> types_of(const std::vector<event::Event>& events) {
        std::vector<std::string> types;
        for (const event::Event& event : events) {
            types.push_back(event.event_type);
        }
        return types;
    }

    static std::vector<event::Event> of_type(const std::vector<event::Event>& events,
                                             std::string_view type) {
        std::vector<event::Event> found;
        std::ranges::copy_if(events, std::back_inserter(found),
                             [&](const event::Event& event) { return event.event_type == type; });
        return found;
    }

    static std::string member(const event::Event& event, const char* pointer) {
        const auto data = json::Value::parse(event.data).value();
        const json::Value* value = data.at(pointer);
        return value == nullptr ? "absent" : value->text();
    }

    std::string category(const std::string& name, const std::string& type) {
        return world
            .wait<Category>([&](auto done) {
                world.household.categories.create(world.actor(), {.name = name, .type = type},
                                                  std::move(done));
            })
            .value()
            .node.id;
    }

    std::string rule(const std::string& category_id, const std::string& payee, bool auto_apply) {
        return world
            .wait<CategoryRule>([&](auto done) {
                world.household.rules.create(
                    world.actor(),
                    {.category_id = category_id,
                     .name = payee,
                     .conditions = finance::ConditionNode::of(
                         {.field = finance::RuleField::payee, .value = payee}),
                     .auto_apply = auto_apply},
                    std::move(done));
            })
            .value()
            .rule.id;
    }

    /// Processes what was uploaded, up to, but without, categorization.
    event::Event rows_created() {
        event::Event created;
        while (created.event_id.empty()) {
            for (const event::Event& event : world.new_events()) {
                if (event.event_type == "file.uploaded") {
                    outcome_of_run(handler("file_processor"),
                                   delivery_of("file_processor", {event}, next_offset++));
                } else if (event.event_type == "transactions.created") {
                    created = event;
                }
            }
        }
        return created;
    }

    void execute(const std::string& statement) {
        ASSERT_THAT(world.wait<std::int64_t>([&](auto done) {
            world.writer().submit([&](sql::Session& session) { return session.execute(statement); },
                                  std::move(done));
        }),
                    Succeeds());
    }

    File file(const std::string& id) { return world.household.files.get("ada", id).value(); }

    struct Delivered {
        std::string consumer;
        event::Event event;
        std::uint64_t offset;
    };

    TestHousehold world;
    std::map<std::string, std::unique_ptr<broker::Handler>> handlers = [this] {
        std::map<std::string, std::unique_ptr<broker::Handler>> made;
        made["file_processor"] = std::make_unique<FileProcessor>(world.environment());
        made["categorization"] = std::make_unique<Categorization>(world.environment(), 2);
        made["analytics_status"] = std::make_unique<AnalyticsStatusMarker>(world.environment());
        made["analytics"] = std::make_unique<AnalyticsConsumer>(world.environment());
        made["notification"] = std::make_unique<NotificationConsumer>(world.environment());
        return made;
    }();
    std::uint64_t next_offset = 1;
    std::vector<Delivered> delivered;
};

}  // namespace bascule::application
