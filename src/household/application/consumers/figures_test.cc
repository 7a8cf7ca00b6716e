#include "household/application/consumers.h"
#include "household/application/consumers/consumers_test_kit.h"
#include "household/application/use_cases/users.h"

namespace bascule::application {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

/// Figures, and whether they are known to be behind.
class FiguresTest : public ConsumersTest {};

TEST_F(FiguresTest, CashFlowIsWhatThePlainSumsSay) {
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

TEST_F(FiguresTest, TouchedMonthsGiveWhatAFullRebuildGives) {
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

TEST_F(FiguresTest, AnEventDuringAComputationLeavesTheRowDirty) {
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

TEST_F(FiguresTest, AMarkerThatComesLateDoesNotMakeFiguresStale) {
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

TEST_F(FiguresTest, TheBestPriorityStaysUntilItIsComputed) {
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

TEST_F(FiguresTest, ABurstIsMarkedInOneRun) {
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

TEST_F(FiguresTest, AWindowIsOneComputation) {
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

TEST_F(FiguresTest, ADeletedAccountLeavesNoFigures) {
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

TEST_F(FiguresTest, RangesCutMonthsByTheDay) {
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

}  // namespace
}  // namespace bascule::application
