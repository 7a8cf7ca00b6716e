#include "bus/pattern/rule_set.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "bus/pattern/engine/workspace.h"
#include "foundation/base/testing.h"

namespace bascule::pattern {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

RuleId id(std::size_t number) { return RuleId(static_cast<std::uint32_t>(number)); }

Pattern parsed(const std::string& text) { return Pattern::parse(text).value(); }

/// Wants `value` at `name`.
Pattern wants(const std::string& name, const std::string& value) {
    return parsed("{\"" + name + "\":[\"" + value + "\"]}");
}

std::vector<RuleId> matched(const Matcher& matcher, std::string_view event) {
    Scratch scratch;
    std::vector<RuleId> found;
    matcher.match_event(event, scratch, found);
    return found;
}

std::string event(const std::string& name, const std::string& value) {
    return "{\"" + name + "\":\"" + value + "\"}";
}

TEST(RuleSetTest, EmptyMatchesNothing) {
    RuleSet rules;
    EXPECT_THAT(matched(*rules.snapshot(), R"({"a":1})"), IsEmpty());
    EXPECT_EQ(rules.snapshot()->size(), 0U);
}

TEST(RuleSetTest, TakesANumberOnce) {
    RuleSet rules;
    EXPECT_THAT(rules.add(id(7), wants("a", "x")), Succeeds());
    EXPECT_THAT(rules.add(id(7), wants("a", "y")),
                FailsWith(ErrorKind::conflict, HasSubstr("rule 7")));
    EXPECT_THAT(matched(*rules.snapshot(), event("a", "x")), ElementsAre(id(7)));
    EXPECT_THAT(matched(*rules.snapshot(), event("a", "y")), IsEmpty());
}

TEST(RuleSetTest, ForgetsARemovedRuleAndTakesItsNumberAgain) {
    RuleSet rules;
    EXPECT_THAT(rules.add(id(7), wants("a", "x")), Succeeds());
    EXPECT_THAT(rules.add(id(8), wants("a", "x")), Succeeds());
    EXPECT_THAT(matched(*rules.snapshot(), event("a", "x")), ElementsAre(id(7), id(8)));
    EXPECT_TRUE(rules.remove(id(7)));
    EXPECT_FALSE(rules.remove(id(7)));
    EXPECT_THAT(matched(*rules.snapshot(), event("a", "x")), ElementsAre(id(8)));
    EXPECT_THAT(rules.add(id(7), wants("a", "y")), Succeeds());
    EXPECT_THAT(matched(*rules.snapshot(), event("a", "x")), ElementsAre(id(8)));
    EXPECT_THAT(matched(*rules.snapshot(), event("a", "y")), ElementsAre(id(7)));
}

TEST(RuleSetTest, SnapshotStaysAsItWas) {
    RuleSet rules;
    EXPECT_THAT(rules.add(id(1), wants("a", "x")), Succeeds());
    const auto before = rules.snapshot();
    EXPECT_EQ(rules.snapshot(), before) << "nothing changed";
    EXPECT_TRUE(rules.remove(id(1)));
    EXPECT_THAT(rules.add(id(2), wants("b", "x")), Succeeds());
    const auto after = rules.snapshot();
    rules = RuleSet();
    EXPECT_THAT(matched(*before, event("a", "x")), ElementsAre(id(1)));
    EXPECT_THAT(matched(*before, event("b", "x")), IsEmpty());
    EXPECT_THAT(matched(*after, event("a", "x")), IsEmpty());
    EXPECT_THAT(matched(*after, event("b", "x")), ElementsAre(id(2)));
}

/// Enough rules for three tiers, one at a time with a snapshot now and then, then most of them
/// removed: at each size a rule from everywhere is still found, and in order.
TEST(RuleSetTest, KeepsEveryRuleThroughItsTiers) {
    constexpr std::size_t count = 3000;
    RuleSet rules;
    const auto value_of = [](std::size_t i) { return "v" + std::to_string(i); };
    for (std::size_t i = 0; i < count; ++i) {
        EXPECT_THAT(rules.add(id(count - i), wants("a", value_of(i))), Succeeds());
        EXPECT_THAT(rules.add(id(count * 2 - i), wants("a", value_of(i / 2))), Succeeds());
        if (i % 7 == 0) {
            rules.snapshot();
        }
    }
    const auto full = rules.snapshot();
    EXPECT_EQ(full->size(), count * 2);
    for (std::size_t i = 0; i < count / 2; i += 97) {
        EXPECT_THAT(matched(*full, event("a", value_of(i))),
                    ElementsAre(id(count - i), id(count * 2 - i * 2 - 1), id(count * 2 - i * 2)));
    }
    for (std::size_t i = 0; i < count; ++i) {
        EXPECT_TRUE(rules.remove(id(count * 2 - i)));
        if (i % 5 != 0) {
            EXPECT_TRUE(rules.remove(id(count - i)));
        }
        if (i % 100 == 0) {
            rules.snapshot();
        }
    }
    const auto sparse = rules.snapshot();
    EXPECT_EQ(sparse->size(), count / 5);
    EXPECT_LT(sparse->memory_bytes(), full->memory_bytes() / 2);
    for (std::size_t i = 0; i < count; i += 31) {
        const auto found = matched(*sparse, event("a", value_of(i)));
        EXPECT_EQ(found, i % 5 == 0 ? std::vector{id(count - i)} : std::vector<RuleId>{}) << i;
    }
}

/// Fields that only removed rules named must not pile up.
TEST(RuleSetTest, ServesEverNewFields) {
    RuleSet rules;
    for (std::size_t i = 0; i < 1000; ++i) {
        const std::string name = "field" + std::to_string(i);
        EXPECT_THAT(rules.add(id(i), wants(name, "x")), Succeeds());
        EXPECT_THAT(matched(*rules.snapshot(), event(name, "x")), ElementsAre(id(i)));
        if (i >= 10) {
            EXPECT_TRUE(rules.remove(id(i - 10)));
        }
    }
    EXPECT_LT(rules.snapshot()->memory_bytes(), 100'000U);
}

/// A field that comes and goes must not compile all rules again each time that some dozens did.
/// Whether it does is seen by the tiers: the large one stays in its place.
TEST(RuleSetTest, CompilesManyRulesSeldomForNewFields) {
    constexpr std::size_t count = 6400;
    RuleSet rules;
    for (std::size_t i = 0; i < count; ++i) {
        EXPECT_THAT(rules.add(id(i), wants("a", std::to_string(i))), Succeeds());
    }
    rules.snapshot();
    Scratch scratch;
    std::vector<RuleId> found;
    std::size_t tiers = 0;
    std::set<std::uint64_t> seen;
    for (std::size_t i = 0; i < count / 40; ++i) {
        EXPECT_THAT(rules.add(id(count + i), wants("field" + std::to_string(i), "x")), Succeeds());
        rules.snapshot()->match_event(event("a", "x"), scratch, found);
        EXPECT_TRUE(rules.remove(id(count + i)));
        for (const TierScratch& tier : scratch.workspace().tiers) {
            tiers += tier.matches.size() >= count && seen.insert(tier.serial).second ? 1 : 0;
        }
    }
    EXPECT_EQ(tiers, 1U);
}

/// What a removed rule named is kept for a while, but is no reason to refuse another rule.
TEST(RuleSetTest, CountsUnusedFieldsUntilTheyAreForgotten) {
    RuleSet rules({.memory_bytes_max = 100'000});
    for (std::size_t i = 0; i < 1000; ++i) {
        EXPECT_THAT(rules.add(id(1), wants("field" + std::to_string(i), "x")), Succeeds()) << i;
        EXPECT_THAT(matched(*rules.snapshot(), event("field" + std::to_string(i), "x")),
                    ElementsAre(id(1)));
        EXPECT_LE(rules.memory_bytes_estimated(), 100'000U);
        EXPECT_TRUE(rules.remove(id(1)));
    }
}

TEST(RuleSetTest, RefusesWhatWouldTakeTooMuchMemory) {
    RuleSet rules({.memory_bytes_max = 100'000});
    std::size_t taken = 0;
    Result<> last;
    while ((last = rules.add(id(taken), wants("a", std::to_string(taken)))) && taken < 1'000'000) {
        ++taken;
    }
    EXPECT_THAT(last,
                FailsWith(ErrorKind::exhausted,
                          AllOf(HasSubstr("rule " + std::to_string(taken)), HasSubstr("100000"))));
    EXPECT_GT(taken, 10U);
    EXPECT_EQ(rules.size(), taken);
    EXPECT_LE(rules.snapshot()->memory_bytes(), 100'000U);
    EXPECT_TRUE(rules.remove(id(0)));
    EXPECT_THAT(rules.add(id(taken), wants("a", "z")), Succeeds());
}

/// The estimate is what protects the machine: it must not be below what indexes really take.
TEST(RuleSetTest, EstimatesAtLeastWhatIsTaken) {
    const std::vector<std::string> shapes = {
        R"({"a":["#"]})",
        R"({"a#":["x"]})",
        R"({"a":[#]})",
        R"({"a":[{"prefix":"#abcdefghijklmnop"}]})",
        R"({"a":[{"suffix":{"equals-ignore-case":"#ß"}}]})",
        R"({"a":[{"wildcard":"*abcdefghijklmnop#qrstuvwxyz*"}]})",
        R"({"a":[{"wildcard":"#*a*b*c*d*e*f"}]})",
        R"({"a":[{"numeric":[">",#,"<",1000000]}]})",
        R"({"a":[{"anything-but":["#","x","y","z"]}]})",
        R"({"a":[{"cidr":"10.0.0.0/8"}, "#"]})",
        R"({"$or":[{"a":["#"]},{"b":["x#"]},{"c":["y#"]}],"d":{"$or":[{"a":["#"]},{"b":["x"]}]}})",
    };
    for (const std::string& shape : shapes) {
        RuleSet rules;
        for (std::size_t i = 0; i < 1000; ++i) {
            std::string text = shape;
            for (std::size_t at = text.find('#'); at != std::string::npos; at = text.find('#')) {
                text.replace(at, 1, std::to_string(100'000 + i));
            }
            EXPECT_THAT(rules.add(id(i), parsed(text)), Succeeds());
        }
        const std::size_t taken = rules.snapshot()->memory_bytes();
        EXPECT_GE(rules.memory_bytes_estimated(), taken) << shape;
        EXPECT_LE(rules.memory_bytes_estimated(), taken * 12) << shape;
    }
}

/// Goal: whoever lets a matcher go does not destroy it, and the set does not keep it for ever.
TEST(RuleSetTest, LetsAMatcherGoAfterEverybodyElseDid) {
    RuleSet rules;
    EXPECT_THAT(rules.add(id(0), wants("a", "x")), Succeeds());
    auto held = rules.snapshot();
    const std::weak_ptr<const Matcher> seen = held;
    EXPECT_THAT(rules.add(id(1), wants("a", "y")), Succeeds());
    std::weak_ptr<const Matcher> unheld = rules.snapshot();
    EXPECT_THAT(rules.add(id(2), wants("a", "z")), Succeeds());
    rules.snapshot();
    EXPECT_FALSE(seen.expired()) << "somebody has it";
    EXPECT_TRUE(unheld.expired());
    held.reset();
    EXPECT_FALSE(seen.expired()) << "the set destroys it, not who held it";
    EXPECT_THAT(rules.add(id(3), wants("a", "w")), Succeeds());
    rules.snapshot();
    EXPECT_TRUE(seen.expired());
}

/// Snapshots may be matched by any thread while the set goes on; run under tsan.
TEST(RuleSetTest, SnapshotsAreMatchedWhileTheSetChanges) {
    RuleSet rules;
    EXPECT_THAT(rules.add(id(0), wants("a", "x")), Succeeds());
    const auto first = rules.snapshot();
    std::size_t wrong = 0;
    std::thread reader([&] {
        Scratch scratch;
        std::vector<RuleId> found;
        for (int i = 0; i < 2000; ++i) {
            first->match_event(event("a", "x"), scratch, found);
            wrong += found == std::vector{id(0)} ? 0 : 1;
        }
    });
    for (std::size_t i = 1; i < 200; ++i) {
        EXPECT_THAT(rules.add(id(i), wants("a.b" + std::to_string(i), "x")), Succeeds());
        rules.snapshot();
        rules.remove(id(i - 1));
    }
    reader.join();
    EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace bascule::pattern
