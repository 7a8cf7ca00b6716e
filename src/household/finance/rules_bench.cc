#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "foundation/base/hash.h"
#include "foundation/base/random.h"
#include "household/finance/rule_set.h"

/// What `500 rules × 100 000 rows` costs: texts of a bank, a tenth of the rules regular
/// expressions, a fifth with an amount, a third of the rows with letters outside ASCII.
namespace bascule::finance {
namespace {

constexpr std::size_t rows_count = 100'000;

std::string word(Random& random) {
    static constexpr const char* syllables[] = {"mar", "kt",  "haus", "ber", "lin", "sta",
                                                "dt",  "wer", "ke",   "apo", "the", "kar",
                                                "te",  "bau", "tech", "ver", "si",  "on"};
    std::string text;
    for (auto count = 2 + random.below(3); count > 0; --count) {
        text += syllables[random.below(std::size(syllables))];
    }
    return text;
}

std::vector<Rule> make_rules(std::size_t count, const std::vector<std::string>& shops) {
    Random random(7);
    std::vector<Rule> rules;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string& shop = shops[i % shops.size()];
        const auto op = i % 10 == 0   ? RuleOperator::regex
                        : i % 10 == 1 ? RuleOperator::starts_with
                        : i % 10 == 2 ? RuleOperator::equals
                                      : RuleOperator::contains;
        const auto field = i % 7 == 0 ? RuleField::memo : RuleField::payee;
        auto text = ConditionNode::of(
            {.field = field,
             .op = op,
             .value = op == RuleOperator::regex ? "\\b" + shop + " [0-9]+" : shop});
        if (i % 5 == 0) {
            text = ConditionNode::all({text, ConditionNode::of({.field = RuleField::amount,
                                                                .op = RuleOperator::less,
                                                                .value = "-5.00"})});
        }
        rules.push_back({.id = "r" + std::to_string(i),
                         .category_id = "c" + std::to_string(i % 20),
                         .name = shop,
                         .conditions = text,
                         .priority = static_cast<std::int32_t>(random.below(100))});
    }
    return rules;
}

struct Row {
    std::string payee;
    std::string memo;
    std::int64_t minor;
};

std::vector<Row> make_rows(const std::vector<std::string>& shops) {
    Random random(11);
    std::vector<Row> rows(rows_count);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string& shop = shops[random.below(shops.size())];
        rows[i].payee = shop + (i % 3 == 0 ? " M\xC3\xBCnchen " : " Berlin ") +
                        std::to_string(random.below(9000));
        rows[i].memo = "Kartenzahlung " + word(random) + " vom 12.03. Ref " +
                       std::to_string(random.next() % 1'000'000'000);
        rows[i].minor = -static_cast<std::int64_t>(random.below(20'000));
    }
    return rows;
}

void match_rows(benchmark::State& state) {
    Random random(3);
    std::vector<std::string> shops(2000);
    for (std::string& shop : shops) {
        shop = word(random) + " " + word(random);
    }
    const auto rules =
        RuleSet::compile(make_rules(static_cast<std::size_t>(state.range(0)), shops)).value();
    const auto rows = make_rows(shops);
    const auto eur = money::Currency::parse("EUR").value();
    std::size_t matched = 0;
    std::uint64_t hash = 0;
    for (auto unused : state) {
        RuleMatcher matcher(rules);
        matched = 0;
        hash = 0;
        for (const Row& row : rows) {
            const RuleMatch* match = matcher.first({.payee = row.payee,
                                                    .memo = row.memo,
                                                    .minor = row.minor,
                                                    .currency = eur,
                                                    .account_id = "a"});
            if (match != nullptr) {
                ++matched;
                hash = hash * 31 + hash64(match->rule->id);
            }
        }
        benchmark::DoNotOptimize(hash);
    }
    state.SetLabel(std::to_string(matched) + " matched, hash " + std::to_string(hash));
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * rows_count));
}
BENCHMARK(match_rows)->Arg(50)->Arg(500)->Arg(5000)->Unit(benchmark::kMillisecond);

void compile_rules(benchmark::State& state) {
    Random random(3);
    std::vector<std::string> shops(2000);
    for (std::string& shop : shops) {
        shop = word(random) + " " + word(random);
    }
    const auto rules = make_rules(500, shops);
    for (auto unused : state) {
        benchmark::DoNotOptimize(RuleSet::compile(rules));
    }
}
BENCHMARK(compile_rules)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bascule::finance
