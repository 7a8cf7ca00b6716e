#include "household/finance/duplicates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "foundation/base/random.h"

namespace bascule::finance {
namespace {

using testing::Each;
using testing::Field;

const money::Currency eur = money::Currency::parse("EUR").value();

BankRow row(const char* date, std::int64_t minor, std::string text, std::string id = {},
            RowState state = RowState::booked) {
    return {money::Date::parse(date).value(), minor, eur, std::move(text), std::move(id), state};
}

/// An account that keeps what an import leaves behind, as a database would.
class Ledger {
  public:
    std::vector<Verdict> import(const std::vector<BankRow>& file) {
        auto verdicts = assign(rows_, file);
        for (std::size_t i = 0; i < file.size(); ++i) {
            if (verdicts[i].kind == RowVerdict::added) {
                rows_.push_back({"t" + std::to_string(++last_), file[i], verdicts[i].occurrence});
            } else if (verdicts[i].kind == RowVerdict::update_of) {
                ExistingRow& row = rows_[verdicts[i].existing];
                const std::string id = row.row.bank_id;
                row.row = file[i];
                row.row.bank_id = file[i].bank_id.empty() ? id : file[i].bank_id;
                row.occurrence = verdicts[i].occurrence;
            }
        }
        return verdicts;
    }

    void put(BankRow row) { rows_.push_back({"t" + std::to_string(++last_), std::move(row), 1}); }
    const std::vector<ExistingRow>& rows() const { return rows_; }

    bool occurrences_are_unique() const {
        std::map<std::tuple<Hash128, std::uint32_t>, int> seen;
        for (const ExistingRow& row : rows_) {
            ++seen[{fingerprint("a", row.row), row.occurrence}];
        }
        return std::ranges::all_of(seen, [](const auto& entry) { return entry.second == 1; });
    }

  private:
    std::vector<ExistingRow> rows_;
    int last_ = 0;
};

TEST(AssignTest, TwoEqualCoffeesStayTwo) {
    Ledger ledger;
    const std::vector<BankRow> file = {row("2025-03-01", -350, "coffee"),
                                       row("2025-03-01", -350, "coffee")};
    ledger.import(file);
    EXPECT_EQ(ledger.rows().size(), 2U);
    EXPECT_EQ(ledger.rows()[1].occurrence, 2U);
    EXPECT_THAT(ledger.import(file), Each(Field(&Verdict::kind, RowVerdict::already_imported)));
}

TEST(AssignTest, ThirdEqualCoffeeOfALaterFileIsNew) {
    Ledger ledger;
    const BankRow coffee = row("2025-03-01", -350, "coffee");
    ledger.import({coffee, coffee});
    const auto verdicts = ledger.import({coffee, coffee, coffee});
    EXPECT_EQ(ledger.rows().size(), 3U);
    EXPECT_EQ(verdicts[2].kind, RowVerdict::added);
    EXPECT_EQ(verdicts[2].occurrence, 3U);
}

struct PairCase {
    const char* claim;
    BankRow existing;
    BankRow incoming;
    RowVerdict verdict;
    RowChanges changes = {};
};

class AssignPairTest : public testing::TestWithParam<PairCase> {};

TEST_P(AssignPairTest, IsAsTheContractSays) {
    const PairCase& c = GetParam();
    Ledger ledger;
    ledger.put(c.existing);
    const auto verdicts = ledger.import({c.incoming});
    EXPECT_EQ(verdicts[0].kind, c.verdict);
    EXPECT_EQ(verdicts[0].changes, c.changes);
    EXPECT_THAT(ledger.import({c.incoming}),
                Each(Field(&Verdict::kind, RowVerdict::already_imported)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, AssignPairTest,
    testing::Values(
        PairCase{"OtherDayIsNew", row("2025-03-01", -350, "x"), row("2025-03-02", -350, "x"),
                 RowVerdict::added},
        PairCase{"OtherAmountIsNew", row("2025-03-01", -350, "x"), row("2025-03-01", -351, "x"),
                 RowVerdict::added},
        PairCase{"OtherTextIsNew", row("2025-03-01", -350, "x"), row("2025-03-01", -350, "y"),
                 RowVerdict::added},
        PairCase{"IdOnAnotherAmountIsNew", row("2025-03-01", -350, "x", "F77"),
                 row("2025-03-01", -990, "x", "F77"), RowVerdict::added},
        PairCase{"IdOnAnotherDayIsNew", row("2025-03-01", -350, "x", "F77"),
                 row("2025-03-04", -350, "x", "F77"), RowVerdict::added},
        PairCase{"IdWithCorrectedTextUpdates",
                 row("2025-03-01", -350, "x", "F77"),
                 row("2025-03-01", -350, "x cafe", "F77"),
                 RowVerdict::update_of,
                 {.text = true}},
        PairCase{"ZeroIsNoId", row("2025-03-01", -350, "x", "0"), row("2025-03-01", -350, "y", "0"),
                 RowVerdict::added},
        PairCase{"FirstIdForAKnownRowIsKept",
                 row("2025-03-01", -350, "x"),
                 row("2025-03-01", -350, "x", "F77"),
                 RowVerdict::update_of,
                 {.bank_id = true}},
        PairCase{"UnprovenIdsDoNotDouble", row("2025-03-01", -350, "x", "F77"),
                 row("2025-03-01", -350, "x", "G12"), RowVerdict::already_imported},
        PairCase{"BookedSettlesPending",
                 row("2025-03-01", -350, "x", "", RowState::pending),
                 row("2025-03-03", -350, "x y"),
                 RowVerdict::update_of,
                 {.date = true, .text = true, .state = true}},
        PairCase{"BookedSettlesManual",
                 row("2025-03-05", -350, "lunch", "", RowState::manual),
                 row("2025-03-01", -350, "x"),
                 RowVerdict::update_of,
                 {.date = true, .text = true, .state = true}},
        PairCase{"OlderPendingWithTheSameIdChangesNothing", row("2025-03-01", -350, "x y", "F77"),
                 row("2025-03-01", -350, "x", "F77", RowState::pending),
                 RowVerdict::already_imported},
        PairCase{"OlderPendingWithTheSameTextChangesNothing", row("2025-03-01", -350, "x"),
                 row("2025-03-01", -350, "x", "F77", RowState::pending),
                 RowVerdict::already_imported},
        PairCase{"OlderPendingOfAnEarlierDayIsKnown", row("2025-03-03", -350, "x y"),
                 row("2025-03-01", -350, "x", "", RowState::pending), RowVerdict::already_imported},
        PairCase{"PendingAfterTheBookedDayIsNew", row("2025-03-01", -350, "x"),
                 row("2025-03-02", -350, "x", "", RowState::pending), RowVerdict::added},
        PairCase{"PendingSixDaysEarlierIsNew", row("2025-03-07", -350, "x"),
                 row("2025-03-01", -350, "x", "", RowState::pending), RowVerdict::added},
        PairCase{"FiveDaysAreNear",
                 row("2025-03-06", -350, "lunch", "", RowState::manual),
                 row("2025-03-01", -350, "x"),
                 RowVerdict::update_of,
                 {.date = true, .text = true, .state = true}},
        PairCase{"SixDaysAreTooFar", row("2025-03-07", -350, "lunch", "", RowState::manual),
                 row("2025-03-01", -350, "x"), RowVerdict::added}),
    [](const auto& info) { return info.param.claim; });

TEST(AssignTest, ReusedIdsNeverMergeDifferentRows) {
    Ledger ledger;
    ledger.import({row("2025-03-01", -100, "a", "X1"), row("2025-03-01", -100, "b", "X1")});
    EXPECT_EQ(ledger.rows().size(), 2U);
    const auto verdicts =
        ledger.import({row("2025-03-01", -100, "c", "X1"), row("2025-03-01", -100, "a", "X1")});
    EXPECT_EQ(verdicts[0].kind, RowVerdict::added);
    EXPECT_TRUE(verdicts[0].id_reused);
    EXPECT_EQ(verdicts[1].kind, RowVerdict::already_imported);
    EXPECT_EQ(ledger.rows().size(), 3U);
}

TEST(AssignTest, ProvenIdsKeepEqualRowsApart) {
    Ledger ledger;
    ledger.import(
        {row("2025-03-01", -350, "coffee", "A1"), row("2025-03-01", -350, "coffee", "A2")});
    const auto verdicts = ledger.import(
        {row("2025-03-01", -350, "coffee", "A2"), row("2025-03-01", -350, "coffee", "A3")});
    EXPECT_EQ(verdicts[0].existing, 1U);
    EXPECT_EQ(verdicts[1].kind, RowVerdict::added);
}

TEST(AssignTest, ClosestPairWinsOverFileOrder) {
    Ledger ledger;
    ledger.put(row("2025-03-04", -500, "dinner", "", RowState::manual));
    const auto verdicts =
        ledger.import({row("2025-03-01", -500, "early"), row("2025-03-04", -500, "exact")});
    EXPECT_EQ(verdicts[0].kind, RowVerdict::added);
    EXPECT_EQ(verdicts[1].kind, RowVerdict::update_of);
}

TEST(AssignTest, EqualTextWinsOnTheSameDay) {
    Ledger ledger;
    ledger.put(row("2025-03-02", -500, "a", "", RowState::pending));
    ledger.put(row("2025-03-02", -500, "b", "", RowState::pending));
    const auto verdicts = ledger.import(
        {row("2025-03-03", -500, "c"), row("2025-03-03", -500, "a"), row("2025-03-03", -500, "d")});
    EXPECT_EQ(verdicts[0].existing, 1U);
    EXPECT_EQ(verdicts[1].existing, 0U);
    EXPECT_EQ(verdicts[2].kind, RowVerdict::added);
}

TEST(AssignTest, ManualRowIsClaimedOnce) {
    Ledger ledger;
    ledger.put(row("2025-03-01", -500, "dinner", "", RowState::manual));
    ledger.import({row("2025-03-01", -500, "a"), row("2025-03-01", -500, "b")});
    EXPECT_EQ(ledger.rows().size(), 2U);
}

/// What a large file of equal rows is without bank ids, with ids that last and with ids that every
/// download makes anew. A step for each pair of rows would take minutes: then ctest ends the test.
class AssignManyEqualRowsTest : public testing::Test {
  protected:
    static constexpr std::size_t rows_max = 50'000;

    template <class F>
    static std::vector<BankRow> equal_rows(F id_of, RowState state = RowState::booked) {
        std::vector<BankRow> rows;
        rows.reserve(rows_max);
        for (std::size_t i = 0; i < rows_max; ++i) {
            rows.push_back(row("2025-03-01", -350, "coffee", id_of(i), state));
        }
        return rows;
    }

    static std::string no_id(std::size_t) { return ""; }
    static std::string lasting_id(std::size_t i) { return "id" + std::to_string(i); }

    static std::size_t added(const std::vector<Verdict>& verdicts) {
        return static_cast<std::size_t>(
            std::ranges::count(verdicts, RowVerdict::added, &Verdict::kind));
    }
};

TEST_F(AssignManyEqualRowsTest, WithoutIdsAreKnownAgain) {
    Ledger ledger;
    const auto file = equal_rows(no_id);
    EXPECT_EQ(added(ledger.import(file)), rows_max);
    EXPECT_EQ(added(ledger.import(file)), 0U);
}

TEST_F(AssignManyEqualRowsTest, WithOtherProvenIdsAreNew) {
    Ledger ledger;
    ledger.import(equal_rows(lasting_id));
    auto later = equal_rows([](std::size_t i) { return "later" + std::to_string(i); });
    later.front().bank_id = lasting_id(0);  // the proof
    EXPECT_EQ(added(ledger.import(later)), rows_max - 1);
}

TEST_F(AssignManyEqualRowsTest, FindTheRowsWithoutIdsBehindThoseWithProvenOnes) {
    Ledger ledger;
    auto first = equal_rows(lasting_id);
    std::fill(first.begin() + rows_max / 2, first.end(), row("2025-03-01", -350, "coffee"));
    ledger.import(first);
    auto later = equal_rows([](std::size_t i) { return "later" + std::to_string(i); });
    later.front().bank_id = lasting_id(0);
    EXPECT_EQ(added(ledger.import(later)), rows_max / 2 - 1);
}

TEST_F(AssignManyEqualRowsTest, SettlePendingOnes) {
    Ledger ledger;
    ledger.import(equal_rows(no_id, RowState::pending));
    auto booked = equal_rows(no_id);
    for (BankRow& row : booked) {
        row.date = row.date.plus_days(3);
        row.text = "cafe";
    }
    EXPECT_EQ(added(ledger.import(booked)), 0U);
}

/// A bank's true list with few days, amounts and texts, so that equal rows are common.
std::vector<BankRow> random_statement(Random& random, std::size_t rows) {
    std::vector<BankRow> list;
    enum { none, lasting, reused } ids = static_cast<decltype(ids)>(random.below(3));
    for (std::size_t i = 0; i < rows; ++i) {
        BankRow next = row("2025-01-01", -100 * static_cast<std::int64_t>(1 + random.below(3)),
                           std::string(1, static_cast<char>('a' + random.below(3))));
        next.date = next.date.plus_days(static_cast<std::int32_t>(random.below(8)));
        if (ids == lasting) {
            next.bank_id = "id" + std::to_string(i);
        } else if (ids == reused) {
            next.bank_id = "id" + std::to_string(random.below(4));
        }
        list.push_back(next);
    }
    std::ranges::stable_sort(list, {}, &BankRow::date);
    return list;
}

std::vector<BankRow> days_of(const std::vector<BankRow>& list, std::int32_t first,
                             std::int32_t last) {
    const auto start = money::Date::parse("2025-01-01").value();
    std::vector<BankRow> part;
    std::ranges::copy_if(list, std::back_inserter(part), [&](const BankRow& row) {
        return row.date - start >= first && row.date - start <= last;
    });
    return part;
}

/// Whole days of one true list, exported again and again in overlapping pieces and any order, must
/// leave exactly that list.
TEST(AssignPropertyTest, OverlappingFilesLeaveTheTrueList) {
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        Random random(seed);
        const auto truth = random_statement(random, 1 + random.below(40));
        Ledger ledger;
        for (int file = 0; file < 4; ++file) {
            const auto first = static_cast<std::int32_t>(random.below(8));
            ledger.import(days_of(truth, first, static_cast<std::int32_t>(random.below(8))));
        }
        ledger.import(truth);
        auto key = [](const BankRow& row) { return std::pair(fingerprint("a", row), row.bank_id); };
        std::vector<std::pair<Hash128, std::string>> wanted;
        std::vector<std::pair<Hash128, std::string>> found;
        std::ranges::transform(truth, std::back_inserter(wanted), key);
        for (const ExistingRow& row : ledger.rows()) {
            found.push_back(key(row.row));
        }
        EXPECT_THAT(found, testing::UnorderedElementsAreArray(wanted)) << "seed " << seed;
        EXPECT_TRUE(ledger.occurrences_are_unique()) << "seed " << seed;
        EXPECT_THAT(ledger.import(truth), Each(Field(&Verdict::kind, RowVerdict::already_imported)))
            << "seed " << seed;
    }
}

/// Exports of one list as it stood on different days, its last rows pending then under another day
/// and text, imported in any order: every row is there once, and booked once it was seen booked.
TEST(AssignPropertyTest, ExportsOfPendingRowsInAnyOrderLeaveTheTrueList) {
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        Random random(seed);
        struct Payment {
            BankRow booked;
            std::int32_t pending_day;
        };
        const auto start = money::Date::parse("2025-01-01").value();
        std::vector<Payment> payments;
        for (std::size_t i = 0, count = 1 + random.below(12); i < count; ++i) {
            const auto day = static_cast<std::int32_t>(random.below(10));
            BankRow booked =
                row("2025-01-01", -100 * static_cast<std::int64_t>(1 + random.below(2)),
                    "shop " + std::to_string(random.below(3)));
            booked.date = start.plus_days(day + static_cast<std::int32_t>(random.below(3)));
            payments.push_back({booked, day});
        }
        const auto export_of = [&](std::int32_t today) {
            std::vector<BankRow> rows;
            for (const Payment& payment : payments) {
                BankRow row = payment.booked;
                if (row.date - start > today) {
                    row.date = start.plus_days(payment.pending_day);
                    row.state = RowState::pending;
                    row.text = "terminal";
                }
                if (payment.pending_day <= today) {
                    rows.push_back(std::move(row));
                }
            }
            return rows;
        };
        Ledger ledger;
        ledger.import(export_of(static_cast<std::int32_t>(random.below(12))));
        ledger.import(export_of(12));
        for (int file = 0; file < 3; ++file) {
            ledger.import(export_of(static_cast<std::int32_t>(random.below(12))));
        }
        EXPECT_EQ(ledger.rows().size(), payments.size()) << "seed " << seed;
        EXPECT_TRUE(std::ranges::all_of(
            ledger.rows(),
            [](const ExistingRow& row) { return row.row.state == RowState::booked; }))
            << "seed " << seed;
    }
}

TEST(FingerprintTest, DependsOnEveryPartOfTheIdentityAndNothingElse) {
    const BankRow base = row("2025-03-01", -350, "x", "id");
    EXPECT_EQ(fingerprint("a", base), fingerprint("a", row("2025-03-01", -350, "x")));
    EXPECT_NE(fingerprint("a", base), fingerprint("b", base));
    EXPECT_NE(fingerprint("a", base), fingerprint("a", row("2025-03-02", -350, "x")));
    EXPECT_NE(fingerprint("a", base), fingerprint("a", row("2025-03-01", 350, "x")));
    EXPECT_NE(fingerprint("a", base), fingerprint("a", row("2025-03-01", -350, "y")));
    BankRow dollars = base;
    dollars.currency = money::Currency::parse("USD").value();
    EXPECT_NE(fingerprint("a", base), fingerprint("a", dollars));
}

TEST(BankTextTest, IsPayeeAndMemoNormalised) {
    EXPECT_EQ(bank_text("  LIDL  Sagt", "Danke\xC2\xA0!"), "lidl sagt danke !");
    EXPECT_EQ(bank_text("", "Zinsen"), "zinsen");
}

}  // namespace
}  // namespace bascule::finance
