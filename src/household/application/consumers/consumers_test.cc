#include "household/application/consumers.h"

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

namespace bascule::application {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr const char* giro_csv =
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
        if (type == "transactions.created" || type == "category.rule_created") {
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

// --- file_processor

TEST_F(ConsumersTest, ImportBringsRowsCountsAndEvents) {
    const Account giro = world.account("Giro");
    pump();
    const File uploaded = world.file("giro.csv", giro_csv, giro.id);
    const auto events = pump();
    EXPECT_THAT(types_of(events),
                testing::IsSupersetOf({"file.uploaded", "transactions.created", "file.processed",
                                       "notification.raised", "analytics.computed"}));
    const File processed = file(uploaded.id);
    EXPECT_EQ(processed.status, FileStatus::processed) << processed.message;
    EXPECT_EQ(processed.transaction_count, 6);
    EXPECT_EQ(processed.duplicate_count, 0);
    EXPECT_EQ(processed.row_count, 6);
    EXPECT_EQ(processed.date_from->to_text(), "2025-03-01");
    EXPECT_EQ(processed.date_to->to_text(), "2025-04-20");
    EXPECT_THAT(
        rows("select booking_date, amount_minor, payee, memo, occurrence, line from"
             " transactions order by line"),
        ElementsAre("2025-03-01|300000|Employer|salary|1|2", "2025-03-13|-5000|Lidl 42|card|1|3",
                    "2025-03-14|-350|Coffee bar|card|1|4", "2025-03-14|-350|Coffee bar|card|2|5",
                    "2025-03-15|1200|Lidl 42|refund|1|6", "2025-04-20|-2000|Bookshop|card|1|7"));
    const auto report = of_type(events, "file.processed").at(0);
    EXPECT_EQ(member(report, "/transactionCount"), "6");
    EXPECT_EQ(member(report, "/processingStatus"), "\"success\"");
    EXPECT_EQ(member(report, "/dateRange/startDate"), "\"2025-03-01\"");
}

TEST_F(ConsumersTest, EventsOfAConsumerFollowTheirCause) {
    const Account giro = world.account("Giro");
    pump();
    world.file("giro.csv", giro_csv, giro.id);
    const auto events = pump();
    const auto uploaded = of_type(events, "file.uploaded").at(0);
    const auto created = of_type(events, "transactions.created").at(0);
    EXPECT_EQ(created.causation_id, uploaded.event_id);
    EXPECT_EQ(created.correlation_id, event::correlation_of(event::view_of(uploaded)));
    EXPECT_EQ(created.hops, uploaded.hops + 1);
    const auto raised = of_type(events, "notification.raised").at(0);
    EXPECT_EQ(raised.causation_id, of_type(events, "file.processed").at(0).event_id);
    EXPECT_EQ(raised.hops, 2U);
}

TEST_F(ConsumersTest, SameFileAgainAddsNothing) {
    const Account giro = world.account("Giro");
    world.file("giro.csv", giro_csv, giro.id);
    pump();
    const auto before = rows("select * from transactions order by id");
    const File again = world.file("giro-again.csv", giro_csv, giro.id);
    const auto events = pump();
    EXPECT_EQ(rows("select * from transactions order by id"), before);
    EXPECT_EQ(file(again.id).duplicate_count, 6);
    EXPECT_EQ(file(again.id).transaction_count, 0);
    EXPECT_THAT(of_type(events, "transactions.created"), IsEmpty());
}

TEST_F(ConsumersTest, BookedRowSettlesTheOneEnteredByHand) {
    const Account giro = world.account("Giro");
    const Transaction manual =
        world.transaction(giro.id, "2025-04-18", "-20.00", "Present for Kim");
    pump();
    const File uploaded = world.file("giro.csv", giro_csv, giro.id);
    const auto events = pump();
    EXPECT_EQ(file(uploaded.id).transaction_count, 5);
    // What a person wrote stays, and what the bank wrote is what the row is known by from now on.
    EXPECT_THAT(rows("select booking_date, payee, bank_date, bank_payee, status from transactions"
                     " where id = '" +
                     manual.id + "'"),
                ElementsAre("2025-04-18|Present for Kim|2025-04-20|Bookshop|booked"));
    const auto updated = of_type(events, "transaction.updated").at(0);
    EXPECT_THAT(updated.data,
                HasSubstr(R"({"field":"status","oldValue":"manual","newValue":"booked"})"));
    const File again = world.file("giro-again.csv", giro_csv, giro.id);
    EXPECT_THAT(of_type(pump(), "transaction.updated"), IsEmpty());
    EXPECT_EQ(file(again.id).transaction_count, 0);
}

TEST_F(ConsumersTest, AmbiguousFileAsksAndTakesTheAnswer) {
    const Account giro = world.account("Giro");
    pump();
    const std::string csv = "Date,Payee,Amount\n01/02/2025,A,-1.00\n03/04/2025,B,-2.00\n";
    const File uploaded = world.file("amb.csv", csv, giro.id);
    const auto events = pump();
    const File asked = file(uploaded.id);
    EXPECT_EQ(asked.status, FileStatus::needs_mapping);
    EXPECT_THAT(asked.message, HasSubstr("date_order"));
    EXPECT_EQ(world.count("select count(*) from transactions"), 0);
    const auto report = of_type(events, "file.processed").at(0);
    EXPECT_EQ(member(report, "/processingStatus"), "\"failed\"");
    EXPECT_THAT(member(report, "/errorMessage"), HasSubstr("date_order"));
    EXPECT_EQ(rows("select kind from notifications"), std::vector<std::string>{"import_question"});

    ASSERT_THAT(world.wait<File>([&](auto done) {
        world.household.files.process(world.actor(), uploaded.id, R"({"date_format":"DMY"})",
                                      std::nullopt, std::move(done));
    }),
                Succeeds());
    pump();
    EXPECT_EQ(file(uploaded.id).status, FileStatus::processed) << file(uploaded.id).message;
    EXPECT_THAT(rows("select booking_date from transactions order by line"),
                ElementsAre("2025-02-01", "2025-04-03"));

    // The answer holds for the next file of the same shape.
    const File next = world.file("next.csv", "Date,Payee,Amount\n05/06/2025,C,-3.00\n", giro.id);
    pump();
    EXPECT_EQ(file(next.id).status, FileStatus::processed) << file(next.id).message;
    EXPECT_THAT(rows("select booking_date from transactions where payee = 'C'"),
                ElementsAre("2025-06-05"));
}

TEST_F(ConsumersTest, BadRowsDoNotLoseGoodOnes) {
    const Account giro = world.account("Giro");
    const File uploaded = world.file(
        "bad.csv",
        "Date;Payee;Amount\n2025-03-01;A;-1.00\n2025-13-41;B;-2.00\n2025-03-03;C;-3.00\n", giro.id);
    const auto events = pump();
    const File processed = file(uploaded.id);
    EXPECT_EQ(processed.status, FileStatus::partial) << processed.message;
    EXPECT_EQ(processed.transaction_count, 2);
    EXPECT_EQ(processed.rejected_count, 1);
    EXPECT_EQ(processed.row_count, 3);
    ASSERT_THAT(processed.notes, SizeIs(1));
    EXPECT_EQ(processed.notes[0].kind, "rejected");
    EXPECT_EQ(processed.notes[0].line, 3U);
    EXPECT_EQ(member(of_type(events, "file.processed").at(0), "/processingStatus"), "\"partial\"");
}

TEST_F(ConsumersTest, UnreadableFileFailsWithAReason) {
    const Account giro = world.account("Giro");
    const File uploaded = world.file("x.bin", std::string("\x00\x01\x02\xFF\xFE", 5), giro.id);
    pump();
    EXPECT_EQ(file(uploaded.id).status, FileStatus::failed);
    EXPECT_THAT(file(uploaded.id).message, testing::Not(IsEmpty()));
    EXPECT_EQ(rows("select kind from notifications"), std::vector<std::string>{"import_failed"});
}

TEST_F(ConsumersTest, FileWithoutAccountFindsItByIdentifierOrAsks) {
    const std::string ofx =
        "<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>DE77"
        "<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20250301"
        "<TRNAMT>-5.00<FITID>F1<NAME>Kiosk</STMTTRN></BANKTRANLIST></STMTRS></STMTTRNRS>"
        "</BANKMSGSRSV1></OFX>";
    const File asked = world.file("a.ofx", ofx, "");
    pump();
    EXPECT_EQ(file(asked.id).status, FileStatus::needs_mapping);
    EXPECT_THAT(file(asked.id).message, HasSubstr("\"DE77\""));

    const Account giro = world.account("Giro");
    ASSERT_THAT(world.wait<Account>([&](auto done) {
        world.household.accounts.update(world.actor(), giro.id,
                                        {.identifiers = std::vector<std::string>{"DE77"}},
                                        std::move(done));
    }),
                Succeeds());
    const File found = world.file("b.ofx", ofx, "");
    const auto events = pump();
    EXPECT_EQ(file(found.id).status, FileStatus::processed) << file(found.id).message;
    EXPECT_EQ(file(found.id).account_id, giro.id);
    EXPECT_THAT(of_type(events, "file.associated"), SizeIs(1));
    EXPECT_THAT(rows("select account_id, bank_id from transactions"), ElementsAre(giro.id + "|F1"));
}

TEST_F(ConsumersTest, LongImportIsToldOfInChunks) {
    const Account giro = world.account("Giro");
    pump();
    std::string csv = "Date;Payee;Amount;Currency\n";
    for (int i = 0; i < 2001; ++i) {
        csv += "2025-03-" + std::to_string(10 + i % 20) + ";P" + std::to_string(i) + ";-1.00;EUR\n";
    }
    world.file("long.csv", csv, giro.id);
    const auto created = of_type(pump(), "transactions.created");
    ASSERT_THAT(created, SizeIs(3));
    EXPECT_EQ(member(created[0], "/chunk"), R"({"index":0,"count":3})");
    EXPECT_EQ(member(created[0], "/transactionCount"), "1000");
    EXPECT_EQ(member(created[2], "/transactionCount"), "1");
    EXPECT_THAT(rows("select kind from notifications"), ElementsAre("import_finished"));
}

// --- categorization

TEST_F(ConsumersTest, NewRowsGetTheCategoryOfTheirRule) {
    const Account giro = world.account("Giro");
    const std::string food = category("Food", "EXPENSE");
    const std::string fun = category("Fun", "EXPENSE");
    const std::string lidl = rule(food, "lidl", true);
    rule(fun, "bookshop", false);
    pump();
    world.file("giro.csv", giro_csv, giro.id);
    const auto events = pump();
    EXPECT_THAT(rows("select payee, assignment_type, rule_version, confidence from transactions"
                     " where category_id <> '' order by line"),
                ElementsAre("Lidl 42|rule_based|1|85", "Lidl 42|rule_based|1|85",
                            "Bookshop|suggested|1|85"));
    const auto categorized = of_type(events, "transaction.categorized");
    ASSERT_THAT(categorized, SizeIs(3));
    EXPECT_EQ(member(categorized[0], "/ruleId"), "\"" + lidl + "\"");
    EXPECT_EQ(member(categorized[0], "/assignmentType"), "\"rule_based\"");
    const auto applied = of_type(events, "category.rules_applied");
    ASSERT_THAT(applied, SizeIs(2)) << "one for each category, whatever the number of parts";
    for (const event::Event& event : applied) {
        const bool is_food = member(event, "/categoryId") == "\"" + food + "\"";
        EXPECT_EQ(member(event, "/transactionIds/1") != "absent", is_food);
        EXPECT_EQ(member(event, "/applicationType"), "\"automated\"");
    }
}

TEST_F(ConsumersTest, ARuleThatAppliesItselfRunsOverExistingRows) {
    const Account giro = world.account("Giro");
    const std::string food = category("Food", "EXPENSE");
    const std::string mine = category("Mine", "EXPENSE");
    world.file("giro.csv", giro_csv, giro.id);
    pump();
    const auto coffees =
        rows("select id from transactions where payee = 'Coffee bar' order by line");
    const auto edit = [&](const std::string& id, const std::string& category_id) {
        ASSERT_THAT(world.wait<Transaction>([&](auto done) {
            world.household.transactions.update(world.actor(), id, {.category_id = category_id},
                                                std::move(done));
        }),
                    Succeeds());
    };
    edit(coffees[0], mine);
    pump();
    rule(food, "coffee", true);
    const auto events = pump();
    EXPECT_THAT(rows("select category_id, assignment_type from transactions"
                     " where payee = 'Coffee bar' order by line"),
                ElementsAre(mine + "|manual", food + "|rule_based"));
    EXPECT_THAT(of_type(events, "transaction.categorized"), SizeIs(1));
    const auto applied = of_type(events, "category.rules_applied");
    ASSERT_THAT(applied, SizeIs(1));
    EXPECT_EQ(member(applied[0], "/applicationType"), "\"bulk\"");

    // A person takes the category away: no rule brings it back.
    edit(coffees[1], "");
    rule(food, "bar", true);
    EXPECT_THAT(of_type(pump(), "category.rules_applied"), IsEmpty());
    EXPECT_THAT(rows("select category_id from transactions where id = '" + coffees[1] + "'"),
                ElementsAre(""));
}

TEST_F(ConsumersTest, ASuggestingRuleLeavesExistingRows) {
    const Account giro = world.account("Giro");
    const std::string food = category("Food", "EXPENSE");
    world.file("giro.csv", giro_csv, giro.id);
    pump();
    rule(food, "lidl", false);
    EXPECT_THAT(of_type(pump(), "transaction.categorized"), IsEmpty());
}

TEST_F(ConsumersTest, LateDecisionOfAPersonWinsOverARunUnderWay) {
    const Account giro = world.account("Giro");
    const std::string food = category("Food", "EXPENSE");
    rule(food, "lidl", true);
    pump();
    world.file("giro.csv", giro_csv, giro.id);
    const event::Event created = rows_created();
    const std::string id = rows("select id from transactions where memo = 'refund'").at(0);
    ASSERT_THAT(world.wait<Transaction>([&](auto done) {
        world.household.transactions.update(world.actor(), id, {.category_id = ""},
                                            std::move(done));
    }),
                Succeeds());
    ASSERT_THAT(world.wait<Transaction>([&](auto done) {
        world.household.transactions.update(world.actor(), id, {.category_id = food},
                                            std::move(done));
    }),
                Succeeds());
    outcome_of_run(handler("categorization"), delivery_of("categorization", {created}, 99));
    EXPECT_THAT(rows("select assignment_type from transactions where id = '" + id + "'"),
                ElementsAre("manual"));
}

// An attempt commits two of its parts and fails at the third; the next one cuts other parts.
TEST_F(ConsumersTest, NoRowIsSkippedWhenThePartSizeChanges) {
    const Account giro = world.account("Giro");
    rule(category("Food", "EXPENSE"), "lidl", true);
    pump();
    execute(
        "create trigger refusal before update of category_id on transactions"
        " when old.amount_minor = -600"
        " and exists (select 1 from generations where subject = 'refuse')"
        " begin select raise(abort, 'as wanted'); end");
    for (const std::uint32_t size : {1U, 3U, 5U, 8U}) {
        const std::string day = "2025-03-1" + std::to_string(size);
        std::string csv = "Date;Payee;Amount;Currency\n";
        for (int i = 1; i <= 8; ++i) {
            csv += day + ";Lidl;-" + std::to_string(i) + ".00;EUR\n";
        }
        world.file(day, csv, giro.id);
        const event::Event created = rows_created();
        const auto run = [&](std::uint32_t part_size) {
            Categorization categorization(world.environment(), part_size);
            return outcome_of_run(categorization, delivery_of("categorization", {created}, size));
        };
        execute("insert into generations values ('', 'refuse', 1)");
        EXPECT_EQ(run(2).kind, delivery::Outcome::Kind::permanent);
        execute("delete from generations where subject = 'refuse'");
        ASSERT_THAT(of_type(world.new_events(), "transaction.categorized"), SizeIs(4));

        const auto again = run(size);
        EXPECT_EQ(again.kind, delivery::Outcome::Kind::done) << size << ": " << again.text;
        const auto events = world.new_events();
        EXPECT_THAT(of_type(events, "transaction.categorized"), SizeIs(4)) << size;
        EXPECT_EQ(world.count("select count(*) from transactions where category_id = ''"), 0);
        EXPECT_EQ(world.count("select min(complete) from inbox where consumer = 'categorization'"),
                  1)
            << size;
        const auto applied = of_type(events, "category.rules_applied");
        ASSERT_THAT(applied, SizeIs(1)) << size;
        EXPECT_NE(member(applied[0], "/transactionIds/7"), "absent") << "rows of both attempts";
        EXPECT_EQ(member(applied[0], "/transactionIds/8"), "absent");
        EXPECT_EQ(run(2).kind, delivery::Outcome::Kind::done);
        EXPECT_THAT(world.new_events(), IsEmpty());
    }
}

// --- exactly once

TEST_F(ConsumersTest, EveryDeliveryASecondTimeChangesNothing) {
    const Account giro = world.account("Giro");
    const std::string food = category("Food", "EXPENSE");
    rule(food, "lidl", true);
    world.file("giro.csv", giro_csv, giro.id);
    pump();
    rule(category("Coffee", "EXPENSE"), "coffee", true);
    const std::string id = rows("select id from transactions order by id limit 1").at(0);
    ASSERT_THAT(world.wait<std::int64_t>([&](auto done) {
        world.household.transactions.remove(world.actor(), {id}, std::move(done));
    }),
                Succeeds());
    pump();
    const auto before = state();
    ASSERT_GE(delivered.size(), 20U);
    for (const Delivered& again : std::vector(delivered)) {
        const auto outcome = outcome_of_run(
            handler(again.consumer), delivery_of(again.consumer, {again.event}, again.offset));
        EXPECT_EQ(outcome.kind, delivery::Outcome::Kind::done) << outcome.text;
        ASSERT_EQ(state(), before) << again.consumer << " on " << again.event.event_type;
    }
}

TEST_F(ConsumersTest, AWriterThatGoesAwayLeavesNothingHalfDone) {
    const Account giro = world.account("Giro");
    world.file("giro.csv", giro_csv, giro.id);
    const auto events = world.new_events();
    const auto before = state();
    ASSERT_THAT(io::wait_for<>([&](auto done) { world.writer().stop(std::move(done)); }),
                Succeeds());
    for (const auto& [consumer, handler] : handlers) {
        for (const event::Event& event : events) {
            const auto outcome = outcome_of_run(*handler, delivery_of(consumer, {event}, 1));
            EXPECT_EQ(outcome.kind, delivery::Outcome::Kind::suspended)
                << consumer << " on " << event.event_type << ": " << outcome.text;
        }
    }
    EXPECT_EQ(state(), before);
    EXPECT_EQ(world.count("select count(*) from inbox"), 0);
}

// --- analytics

TEST_F(ConsumersTest, CashFlowIsWhatThePlainSumsSay) {
    const Account giro = world.account("Giro");
    rule(category("Salary", "INCOME"), "employer", true);
    rule(category("Food", "EXPENSE"), "lidl", true);
    rule(category("Savings", "TRANSFER"), "bookshop", true);
    world.file("giro.csv", giro_csv, giro.id);
    pump();
    const Report report = world.household.reports.report("ada", {.type = "cash_flow"}).value();
    EXPECT_FALSE(report.stale);
    EXPECT_EQ(report.data_through->to_text(), "2025-04-20");
    // By hand: in 3000 + 12, out 50 + 2 × 3.50; April holds only a transfer.
    ASSERT_THAT(report.cash_flow, SizeIs(2));
    EXPECT_EQ(report.cash_flow[0].income, 300'000);
    EXPECT_EQ(report.cash_flow[0].expenses, 4'500);
    EXPECT_EQ(report.cash_flow[0].uncategorised_count, 2);
    EXPECT_EQ(report.cash_flow[1].transfer_count, 1);
    EXPECT_EQ(report.cash_flow[1].count, 0);
    // And by a query that shares nothing with cells.
    for (const finance::CashFlowLine& line : report.cash_flow) {
        const auto sums = rows(
            "select coalesce(sum(case when amount_minor > 0 then amount_minor end), 0),"
            " coalesce(-sum(case when amount_minor < 0 then amount_minor end), 0), count(*)"
            " from transactions t left join categories c on c.id = t.category_id"
            " where coalesce(c.type, '') <> 'TRANSFER' and booking_date like '" +
            line.period + "%'");
        EXPECT_EQ(money::decimal_text(line.money_in, 0) + "|" +
                      money::decimal_text(line.money_out, 0) + "|" + std::to_string(line.count),
                  sums.at(0));
    }
}

TEST_F(ConsumersTest, TouchedMonthsGiveWhatAFullRebuildGives) {
    const Account giro = world.account("Giro");
    const std::string food = category("Food", "EXPENSE");
    rule(food, "lidl", true);
    world.file("giro.csv", giro_csv, giro.id);
    pump();
    const std::string id = rows("select id from transactions where payee = 'Bookshop'").at(0);
    const auto edit = [&](TransactionEdit edit) {
        ASSERT_THAT(world.wait<Transaction>([&](auto done) {
            world.household.transactions.update(world.actor(), id, edit, std::move(done));
        }),
                    Succeeds());
        pump();
        auto snapshot = world.database().read().value();
        AnalyticsStore store(snapshot.session(), "ada");
        EXPECT_EQ(store.load(std::nullopt, std::nullopt).value(),
                  store.compute({.everything = true}).value());
    };
    edit({.date = "2025-01-05"});
    edit({.amount = "-21.50"});
    edit({.category_id = food});
    edit({.date = "2025-03-14", .category_id = ""});
    world.transaction(giro.id, "2024-12-31", "1.00");
    pump();
    edit({.date = "2024-12-30"});
}

TEST_F(ConsumersTest, AnEventDuringAComputationLeavesTheRowDirty) {
    const Account giro = world.account("Giro");
    pump();
    world.transaction(giro.id, "2025-01-05", "-1.00");
    const auto events = world.new_events();
    ASSERT_THAT(events, SizeIs(1));
    // The marker is already at a later event than the window that is computed.
    outcome_of_run(handler("analytics_status"), delivery_of("analytics_status", events, 50));
    outcome_of_run(handler("analytics"), delivery_of("analytics", events, 40));
    EXPECT_THAT(rows("select distinct computation_needed, status, generation from analytics_status"
                     " where account_id = ''"),
                ElementsAre("1|stale|50"));
    EXPECT_TRUE(world.household.reports.report("ada", {.type = "cash_flow"})->stale);
}

TEST_F(ConsumersTest, AMarkerThatComesLateDoesNotMakeFiguresStale) {
    const Account giro = world.account("Giro");
    pump();
    world.transaction(giro.id, "2025-01-05", "-1.00");
    const auto events = world.new_events();
    outcome_of_run(handler("analytics"), delivery_of("analytics", events, 50));
    outcome_of_run(handler("analytics_status"), delivery_of("analytics_status", events, 50));
    EXPECT_FALSE(world.household.reports.report("ada", {.type = "cash_flow"})->stale);
    // … but the next event does.
    world.transaction(giro.id, "2025-01-06", "-1.00");
    outcome_of_run(handler("analytics_status"),
                   delivery_of("analytics_status", world.new_events(), 51));
    EXPECT_TRUE(world.household.reports.report("ada", {.type = "cash_flow"})->stale);
}

TEST_F(ConsumersTest, TheBestPriorityStaysUntilItIsComputed) {
    const auto mark = [&](const char* type, std::uint64_t offset) {
        const event::Event event{.event_id = std::to_string(offset),
                                 .event_type = type,
                                 .source = "s",
                                 .user_id = "ada",
                                 .data = R"({"accountId":"a","transactionCount":0})"};
        outcome_of_run(handler("analytics_status"),
                       delivery_of("analytics_status", {event}, offset));
        return rows(
                   "select processing_priority, generation from analytics_status"
                   " where account_id = '' and analytic_type = 'cash_flow'")
            .at(0);
    };
    EXPECT_EQ(mark("account.updated", 5), "3|5");
    EXPECT_EQ(mark("account.deleted", 6), "1|6");
    EXPECT_EQ(mark("transaction.updated", 7), "1|7");
    EXPECT_EQ(mark("account.updated", 4), "1|7");
}

TEST_F(ConsumersTest, ABurstIsMarkedInOneRun) {
    ASSERT_TRUE(built_in_consumers().find("analytics_status")->policy.batch);
    std::vector<event::Event> events;
    for (const char* type : {"transaction.updated", "account.deleted", "account.updated"}) {
        events.push_back({.event_id = type,
                          .event_type = type,
                          .source = "s",
                          .user_id = "ada",
                          .data = R"({"accountId":"a","transactionCount":0})"});
    }
    outcome_of_run(handler("analytics_status"), delivery_of("analytics_status", events, 5));
    EXPECT_THAT(rows("select account_id, processing_priority, generation from analytics_status"
                     " where analytic_type = 'cash_flow' order by account_id"),
                ElementsAre("|1|7", "a|1|7"));
    EXPECT_THAT(rows("select count(*) from inbox where consumer = 'analytics_status'"),
                ElementsAre("3"));
}

TEST_F(ConsumersTest, AWindowIsOneComputation) {
    const Account giro = world.account("Giro");
    pump();
    world.transaction(giro.id, "2025-01-05", "-1.00");
    world.transaction(giro.id, "2025-02-05", "-2.00");
    const auto window = world.new_events();
    outcome_of_run(handler("analytics"), delivery_of("analytics", window, 10));
    const auto computed = world.new_events();
    ASSERT_THAT(computed, SizeIs(1));
    EXPECT_EQ(member(computed[0], "/analyticTypes"), R"(["cash_flow","category_trends"])");
    EXPECT_EQ(member(computed[0], "/generation"), "11");
    EXPECT_EQ(computed[0].causation_id, window[1].event_id);
    EXPECT_EQ(computed[0].correlation_id, computed[0].event_id) << "two chains met in the window";
    EXPECT_EQ(world.count("select count(*) from analytics_cells"), 2);
}

TEST_F(ConsumersTest, ADeletedAccountLeavesNoFigures) {
    const Account giro = world.account("Giro");
    world.transaction(giro.id, "2025-01-05", "-1.00");
    pump();
    EXPECT_EQ(world.count("select count(*) from analytics_cells"), 1);
    ASSERT_THAT(world.wait<std::int64_t>([&](auto done) {
        world.household.accounts.remove(world.actor(), giro.id, std::move(done));
    }),
                Succeeds());
    pump();
    EXPECT_EQ(world.count("select count(*) from analytics_cells"), 0);
    EXPECT_EQ(world.count("select count(*) from analytics_status where account_id <> ''"), 0);
    EXPECT_THAT(rows("select kind, title, message from notifications"),
                ElementsAre("account_deleted|Account deleted|with 1 transaction"));
}

TEST_F(ConsumersTest, RangesCutMonthsByTheDay) {
    const Account giro = world.account("Giro");
    world.file("giro.csv", giro_csv, giro.id);
    pump();
    const auto day = [](const char* text) { return money::Date::parse(text).value(); };
    const Report report = world.household.reports
                              .report("ada", {.type = "cash_flow",
                                              .period = finance::PeriodKind::range,
                                              .from = day("2025-03-14"),
                                              .to = day("2025-04-30")})
                              .value();
    ASSERT_THAT(report.cash_flow, SizeIs(1));
    EXPECT_EQ(report.cash_flow[0].money_out, 2'700);
    EXPECT_EQ(report.cash_flow[0].money_in, 1'200);
}

// --- what the bus is told

TEST(BuiltInConsumersTest, EachHasAValidPolicyAndADefaultRule) {
    const broker::BusConfig config = built_in_consumers();
    ASSERT_THAT(config.consumers, SizeIs(6));
    for (const broker::ConsumerConfig& consumer : config.consumers) {
        EXPECT_THAT(consumer.policy.validate(), Succeeds()) << consumer.name;
        EXPECT_EQ(consumer.start, broker::Start::earliest);
        EXPECT_EQ(std::ranges::count_if(config.rules,
                                        [&](const broker::Rule& rule) {
                                            return rule.name == "default." + consumer.name &&
                                                   rule.targets == std::vector{consumer.name};
                                        }),
                  1)
            << consumer.name;
    }
    EXPECT_THAT(broker::Routing::build(config.plan(), nullptr, WallTime{}), Succeeds());
}

TEST(BuiltInConsumersTest, RoutesTheSeedsEvents) {
    const auto routing =
        broker::Routing::build(built_in_consumers().plan(), nullptr, WallTime{}).value();
    const auto consumers_of = [&](const char* type) {
        const event::Event event{.event_id = "e",
                                 .event_type = type,
                                 .source = "transaction_service",
                                 .user_id = "u",
                                 .data = "{}"};
        std::vector<std::string> names;
        for (const auto number : routing->match(event::view_of(event))) {
            names.push_back(routing->find(number)->name);
        }
        return names;
    };
    EXPECT_THAT(consumers_of("file.uploaded"), UnorderedElementsAre("file_processor", "audit"));
    EXPECT_THAT(consumers_of("transactions.created"),
                UnorderedElementsAre("categorization", "analytics_status", "analytics", "audit"));
    EXPECT_THAT(consumers_of("account.deleted"),
                UnorderedElementsAre("analytics_status", "analytics", "notification", "audit"));
    EXPECT_THAT(consumers_of("notification.raised"), ElementsAre("audit"));
}

TEST(BuiltInConsumersTest, AnalyticsLanesAreTheSeedsPriorities) {
    const auto config = built_in_consumers();
    const delivery::Lanes& lanes = *config.find("analytics")->policy.lanes;
    EXPECT_EQ(lanes.lane_of("account.deleted"), 1);
    for (const char* type : {"file.processed", "transactions.created", "transactions.deleted"}) {
        EXPECT_EQ(lanes.lane_of(type), 2) << type;
    }
    for (const char* type : {"transaction.updated", "account.created", "account.updated"}) {
        EXPECT_EQ(lanes.lane_of(type), 3) << type;
    }
    EXPECT_THAT(target_aliases().at("analytics_consumer"),
                ElementsAre("analytics_status", "analytics"));
}

}  // namespace
}  // namespace bascule::application
