#include "household/finance/analytics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "foundation/base/random.h"
#include "foundation/base/testing.h"

namespace bascule::finance {
namespace {

using money::Date;
using money::Month;
using testing::ElementsAre;

const money::Currency eur = money::Currency::parse("EUR").value();
const money::Currency usd = money::Currency::parse("USD").value();

Date day(const char* text) { return Date::parse(text).value(); }
Month month(const char* text) { return Month::parse(text).value(); }

CategoryTree tree() {
    using enum CategoryType;
    return CategoryTree::create({{"salary", "Salary", income, ""},
                                 {"food", "Food", expense, ""},
                                 {"coffee", "Coffee", expense, "food"},
                                 {"savings", "To savings", transfer, ""}})
        .value();
}

/// A household small enough to add up by hand.
Cells example() {
    return Cells::of(std::vector<Entry>{
        {day("2025-03-01"), 300'000, eur, "giro", "salary"},
        {day("2025-03-02"), -5'000, eur, "giro", "food"},
        {day("2025-03-05"), 1'200, eur, "giro", "food"},  // a refund
        {day("2025-03-06"), -350, eur, "giro", "coffee"},
        {day("2025-03-07"), -100'000, eur, "giro", "savings"},
        {day("2025-03-07"), 100'000, eur, "depot", "savings"},
        {day("2025-03-09"), -2'000, eur, "giro", ""},
        {day("2025-03-10"), 700, eur, "giro", ""},
        {day("2025-03-11"), -900, usd, "card", "food"},
        {day("2025-04-01"), -500, eur, "giro", "gone"},
    });
}

TEST(CashFlowTest, AddsUpTheExample) {
    const auto lines = cash_flow(example(), tree(), {});
    ASSERT_EQ(lines.size(), 3U);
    const CashFlowLine march = {.period = "2025-03",
                                .currency = eur,
                                .income = 300'700,
                                .expenses = 6'150,
                                .net = 294'550,
                                .money_in = 301'900,
                                .money_out = 7'350,
                                .count = 6,
                                .uncategorised_count = 2,
                                .transfer_count = 2};
    EXPECT_EQ(lines[0], march);
    EXPECT_EQ(lines[1].currency, usd);
    EXPECT_EQ(lines[1].expenses, 900);
    EXPECT_EQ(lines[2].period, "2025-04");
    EXPECT_EQ(lines[2].unknown_category_count, 1);
    EXPECT_EQ(lines[2].expenses, 500);
}

TEST(CashFlowTest, NarrowsToAccountCurrencyAndMonths) {
    EXPECT_EQ(cash_flow(example(), tree(), {.account_id = "card"}).at(0).money_out, 900);
    EXPECT_EQ(cash_flow(example(), tree(), {.currency = usd}).size(), 1U);
    EXPECT_EQ(cash_flow(example(), tree(), {.first = month("2025-04")}).size(), 1U);
    EXPECT_EQ(cash_flow(example(), tree(), {.last = month("2025-03"), .currency = eur}).size(), 1U);
    EXPECT_TRUE(cash_flow(example(), tree(), {.account_id = "none"}).empty());
}

struct LabelCase {
    PeriodKind kind;
    const char* first_period;
};

TEST(CashFlowTest, CollectsMonthsIntoLongerPeriods) {
    for (const auto& [kind, first_period] :
         {LabelCase{PeriodKind::quarter, "2025-Q1"}, LabelCase{PeriodKind::year, "2025"},
          LabelCase{PeriodKind::overall, "overall"}, LabelCase{PeriodKind::range, "range"}}) {
        const auto lines = cash_flow(example(), tree(), {.kind = kind, .currency = eur});
        EXPECT_EQ(lines.at(0).period, first_period);
        EXPECT_EQ(lines.size(), kind == PeriodKind::quarter ? 2U : 1U);
        money::Int128 net = 0;
        for (const CashFlowLine& line : lines) {
            net += line.net;
        }
        EXPECT_EQ(net, 294'050);
    }
}

TEST(CategoryTrendsTest, RefundsReduceSpendingAndParentsCollect) {
    const auto lines =
        category_trends(example(), tree(), {.last = month("2025-03"), .currency = eur});
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_EQ(lines[0].category_id, "");
    EXPECT_EQ(lines[0].total, -1'300);
    EXPECT_EQ(lines[0].type, std::nullopt);
    EXPECT_EQ(lines[1].category_id, "coffee");
    EXPECT_EQ(lines[1].total, -350);
    EXPECT_EQ(lines[2].category_id, "food");
    EXPECT_EQ(lines[2].total, -3'800);
    EXPECT_EQ(lines[2].total_with_children, -4'150);
    EXPECT_EQ(lines[2].count, 2);
    EXPECT_EQ(lines[3].category_id, "salary");
}

TEST(CategoryTrendsTest, ParentHasALineForItsChildrenAlone) {
    const Cells cells =
        Cells::of(std::vector<Entry>{{day("2025-03-06"), -350, eur, "g", "coffee"}});
    const auto lines = category_trends(cells, tree(), {});
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[1].category_id, "food");
    EXPECT_EQ(lines[1].total, 0);
    EXPECT_EQ(lines[1].total_with_children, -350);
    EXPECT_EQ(lines[1].count, 0);
}

TEST(CellsTest, SumsGoBeyondSixtyFourBits) {
    Cells cells;
    for (int i = 0; i < 3; ++i) {
        cells.add({day("2025-03-01"), INT64_MAX, eur, "g", "salary"});
    }
    EXPECT_EQ(cash_flow(cells, tree(), {}).at(0).income, money::Int128{INT64_MAX} * 3);
}

Entry random_entry(Random& random) {
    static const char* categories[] = {"", "salary", "food", "coffee", "savings"};
    return {day("2025-01-15").plus_months(static_cast<int>(random.below(4))),
            static_cast<std::int64_t>(random.below(7)) - 3, random.below(2) == 0 ? eur : usd,
            random.below(2) == 0 ? "giro" : "card", categories[random.below(5)]};
}

/// Any history of additions, removals and edits gives what its outcome gives, counted from nothing.
TEST(CellsPropertyTest, IncrementsEqualAFullRebuild) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Random random(seed);
        std::vector<Entry> rows;
        Cells cells;
        for (int step = 0; step < 100; ++step) {
            const auto choice = random.below(3);
            if (rows.empty() || choice == 0) {
                rows.push_back(random_entry(random));
                cells.add(rows.back());
                continue;
            }
            const std::size_t at = random.below(rows.size());
            cells.remove(rows[at]);
            if (choice == 1) {
                rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(at));
            } else {
                rows[at] = random_entry(random);
                cells.add(rows[at]);
            }
        }
        ASSERT_EQ(cells, Cells::of(rows)) << "seed " << seed;

        // A month dropped and computed anew is the same again.
        const Month again = month("2025-02");
        Cells recomputed = cells;
        recomputed.drop(again);
        for (const Entry& row : rows) {
            if (Month::of(row.date) == again) {
                recomputed.add(row);
            }
        }
        ASSERT_EQ(recomputed, cells) << "seed " << seed;

        // Whatever the period, its lines add up to the whole.
        for (const auto kind : {PeriodKind::month, PeriodKind::quarter, PeriodKind::year}) {
            money::Int128 net = 0;
            for (const CashFlowLine& line : cash_flow(cells, tree(), {.kind = kind})) {
                EXPECT_EQ(line.net, line.income - line.expenses);
                EXPECT_EQ(line.net, line.money_in - line.money_out);
                net += line.net;
            }
            money::Int128 wanted = 0;
            for (const Entry& row : rows) {
                wanted += row.category_id == "savings" ? 0 : row.minor;
            }
            ASSERT_EQ(net, wanted) << "seed " << seed;
        }
    }
}

struct PartsCase {
    const char* claim;
    const char* first;
    const char* last;
    const char* months;
    std::vector<const char*> edges;
};

class PartsOfTest : public testing::TestWithParam<PartsCase> {};

TEST_P(PartsOfTest, IsAsTheContractSays) {
    const RangeParts parts = parts_of({day(GetParam().first), day(GetParam().last)});
    const std::string months =
        parts.first ? parts.first->to_text() + ".." + parts.last->to_text() : "";
    EXPECT_EQ(months, GetParam().months);
    std::vector<std::string> edges;
    for (const money::DateSpan& edge : parts.edges) {
        edges.push_back(edge.first.to_text() + ".." + edge.last.to_text());
    }
    EXPECT_THAT(edges, testing::ElementsAreArray(GetParam().edges));
}

INSTANTIATE_TEST_SUITE_P(
    Table, PartsOfTest,
    testing::Values(
        PartsCase{"OneMonth", "2025-02-01", "2025-02-28", "2025-02..2025-02", {}},
        PartsCase{"PartOfAMonth", "2025-02-02", "2025-02-28", "", {"2025-02-02..2025-02-28"}},
        PartsCase{"BothEndsCut",
                  "2025-01-31",
                  "2025-04-01",
                  "2025-02..2025-03",
                  {"2025-01-31..2025-01-31", "2025-04-01..2025-04-01"}},
        PartsCase{"NeighboursCut",
                  "2025-01-31",
                  "2025-02-01",
                  "",
                  {"2025-01-31..2025-01-31", "2025-02-01..2025-02-01"}},
        PartsCase{
            "EndCut", "2025-01-01", "2025-02-10", "2025-01..2025-01", {"2025-02-01..2025-02-10"}},
        PartsCase{"AcrossAYear", "2024-12-01", "2025-01-31", "2024-12..2025-01", {}},
        PartsCase{"Nothing", "2025-02-02", "2025-02-01", "", {}}),
    [](const auto& info) { return info.param.claim; });

TEST(PeriodKindTest, ReadsItsNamesAndRefusesOthers) {
    EXPECT_EQ(parse_period_kind("quarter").value(), PeriodKind::quarter);
    EXPECT_THAT(parse_period_kind("week"),
                FailsWith(ErrorKind::invalid, testing::HasSubstr("month, quarter, year")));
}

}  // namespace
}  // namespace bascule::finance
