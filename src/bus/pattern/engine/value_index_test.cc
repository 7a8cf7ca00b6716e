#include "bus/pattern/engine/value_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bus/pattern/random_cases_testing.h"
#include "foundation/json/reader.h"

namespace bascule::pattern {
namespace {

/// A scalar of JSON as a leaf for the plain matcher, and as a value.
struct Scalar {
    explicit Scalar(const std::string& json) {
        json::Reader reader(json);
        switch (reader.peek()) {
            case json::Kind::string:
                leaf = {Leaf::Kind::string, reader.string().decoded()};
                break;
            case json::Kind::number:
                leaf = {Leaf::Kind::number, json};
                break;
            default:
                leaf = {Leaf::Kind::literal, json};
        }
        value = Value(leaf.kind, 0, leaf.text);
        if (leaf.kind == Leaf::Kind::number) {
            value.key = number_of(leaf.text).key;
        }
    }
    Scalar(const Scalar&) = delete;
    Scalar& operator=(const Scalar&) = delete;

    Leaf leaf;
    Value value = Value(Leaf::Kind::literal, 0, {});
};

/// The terms of the first field of a random pattern.
std::shared_ptr<const Terms> random_terms(RandomCases& cases) {
    while (true) {
        if (const auto pattern = Pattern::parse(cases.pattern())) {
            return pattern->compiled().alternatives.front().begin()->second;
        }
    }
}

/// Goal: three ways to ask the same agree: the plain term, the compiled predicate, the index over
/// many of them.
TEST(ValueIndexTest, FindsWhatThePlainTermsAllow) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        RandomCases cases(seed);
        std::vector<std::shared_ptr<const Terms>> terms;
        std::vector<Predicate> predicates;
        ValueIndex::Builder wanted_builder;
        ValueIndex::Builder excluded_builder;
        std::vector<std::uint32_t> buts;
        for (std::uint32_t i = 0; i < 30; ++i) {
            terms.push_back(random_terms(cases));
            predicates.emplace_back(0, *terms.back());
            wanted_builder.add(predicates.back().wanted, i);
            for (const ValueSet& set : predicates.back().excluded) {
                excluded_builder.add(set, static_cast<std::uint32_t>(buts.size()));
                buts.push_back(i);
            }
        }
        const ValueIndex wanted = std::move(wanted_builder).build();
        const ValueIndex excluded = std::move(excluded_builder).build();
        std::vector<std::uint64_t> marks(wanted.marks());
        std::vector<std::uint64_t> other_marks(excluded.marks());
        for (std::uint64_t walk = 1; walk <= 40; ++walk) {
            const std::string json = cases.value(9);
            const Scalar scalar(json);
            StepBudget budget;
            budget.begin(100'000);
            std::vector<bool> found(predicates.size());
            std::vector<bool> allowed(buts.size(), true);
            const auto find = [&](std::uint32_t owner) { found[owner] = true; };
            wanted.find(scalar.value, marks, walk, budget, find, [&](std::uint32_t owner) {
                found[owner] = found[owner] || scalar.value.is_comparable();
            });
            const auto exclude = [&](std::uint32_t but) { allowed[but] = false; };
            excluded.find(scalar.value, other_marks, walk, budget, exclude, exclude);
            for (std::size_t but = 0; but < buts.size(); ++but) {
                found[buts[but]] = found[buts[but]] || allowed[but];
            }
            for (std::size_t i = 0; i < predicates.size(); ++i) {
                const bool expected =
                    std::any_of(terms[i]->begin(), terms[i]->end(),
                                [&](const Term& term) { return satisfies(scalar.leaf, term); });
                EXPECT_EQ(predicates[i].is_satisfied(scalar.value), expected)
                    << "predicate, seed " << seed << ": " << canonical(*terms[i]) << " for "
                    << json;
                EXPECT_EQ(found[i], expected)
                    << "index, seed " << seed << ": " << canonical(*terms[i]) << " for " << json;
            }
        }
    }
}

/// One long text of one letter meets every piece everywhere; each is told once.
TEST(ValueIndexTest, TellsAPieceOnceHoweverOftenItOccurs) {
    ValueIndex::Builder builder;
    for (std::uint32_t i = 0; i < 100; ++i) {
        ValueSet set;
        set.checks.emplace_back(Wildcard{.pieces = {"", std::string(i + 1, 'a'), ""}});
        builder.add(set, i);
    }
    const ValueIndex index = std::move(builder).build();
    std::vector<std::uint64_t> marks(index.marks());
    const std::string text(1'000'000, 'a');
    std::size_t told = 0;
    const auto tell = [&](std::uint32_t) { ++told; };
    StepBudget budget;
    budget.begin(1);
    index.find(Value(Leaf::Kind::string, 0, text), marks, 1, budget, tell, tell);
    EXPECT_EQ(told, 100U);
}

}  // namespace
}  // namespace bascule::pattern
