#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <string>

#include "bus/pattern/matcher.h"
#include "bus/pattern/pattern.h"
#include "bus/pattern/random_cases_testing.h"
#include "bus/pattern/rule_set.h"
#include "foundation/base/testing.h"
#include "foundation/json/raw.h"

namespace bascule::pattern {
namespace {

/// A changing rule set beside the plain list of its patterns.
class Side {
  public:
    struct Size {
        std::uint64_t ids = 12;
        std::uint64_t changes = 4;  ///< at once
    };
    Side(std::uint64_t seed, Size size, Scratch& scratch)
        : cases_(seed), size_(size), scratch_(scratch) {}

    void change() {
        for (std::uint64_t changes = 1 + cases_.below(size_.changes); changes > 0; --changes) {
            const RuleId id(static_cast<std::uint32_t>(cases_.below(size_.ids)));
            if (const auto found = plain_.find(id); found != plain_.end()) {
                EXPECT_TRUE(rules_.remove(id));
                plain_.erase(found);
            } else if (auto pattern = Pattern::parse(cases_.pattern())) {
                EXPECT_THAT(rules_.add(id, *pattern), Succeeds());
                plain_.emplace(id, *pattern);
            }
            if (cases_.below(20) == 0) {
                rules_.snapshot();
            }
        }
    }

    /// Compares both for one event; how many pairs that were.
    std::size_t compare() {
        const std::string event = cases_.event();
        const std::string other = cases_.event();
        if (!json::is_valid(event) || !json::is_valid(other)) {
            // What is not JSON may be seen to have members as far as nobody looked at the fault:
            // it only must not do harm.
            rules_.snapshot()->match_event(event, scratch_, matched_);
            return 0;
        }
        Subject subject;
        subject.json("", event);
        if (cases_.below(4) == 0) {
            subject.text("a", "x").number("a.b", 300).text("c", "").json("b", other);
        }
        std::vector<RuleId> expected;
        for (const auto& [id, pattern] : plain_) {
            if (pattern.matches(subject)) {
                expected.push_back(id);
            }
        }
        rules_.snapshot()->match(subject, scratch_, matched_);
        if (matched_ != expected) {
            tell(event, other, expected);
        }
        matches_ += expected.size();
        return plain_.size();
    }

    std::size_t matches() const { return matches_; }
    std::size_t tiers() { return rules_.snapshot()->tiers(); }

  private:
    void tell(const std::string& event, const std::string& other,
              const std::vector<RuleId>& expected) {
        const auto has = [](const std::vector<RuleId>& list, RuleId id) {
            return std::find(list.begin(), list.end(), id) != list.end();
        };
        for (const auto& [id, pattern] : plain_) {
            EXPECT_EQ(has(matched_, id), has(expected, id))
                << "pattern " << pattern.text() << "\nevent " << event << "\nperhaps with "
                << other;
        }
        EXPECT_EQ(matched_, expected) << "order or repetition";
    }

    RandomCases cases_;
    Size size_;
    RuleSet rules_;
    std::map<RuleId, Pattern> plain_;
    Scratch& scratch_;
    std::vector<RuleId> matched_;
    std::size_t matches_ = 0;
};

/// Goal: whatever the rules and the event, the matcher finds what the plain matcher finds.
/// MATCHER_PAIRS and MATCHER_SEED lengthen and repeat a run.
TEST(MatcherTest, AgreesWithThePlainMatcherOnRandomRulesAndEvents) {
    const char* const pairs_wanted = std::getenv("MATCHER_PAIRS");
    const char* const seed_given = std::getenv("MATCHER_SEED");
    const std::size_t pairs_max = pairs_wanted != nullptr ? std::stoull(pairs_wanted) : 1'000'000;
    const std::uint64_t seed_first = seed_given != nullptr ? std::stoull(seed_given) : 1;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2500);

    std::size_t pairs = 0;
    std::size_t matches = 0;
    std::uint64_t seed = seed_first;
    for (; pairs < pairs_max && !HasFailure(); ++seed) {
        if (pairs_wanted == nullptr && std::chrono::steady_clock::now() > end) {
            break;
        }
        SCOPED_TRACE("MATCHER_SEED=" + std::to_string(seed));
        Scratch scratch;
        Side side(seed, {}, scratch);
        for (int round = 0; round < 20; ++round) {
            side.change();
            for (int event = 0; event < 4; ++event) {
                pairs += side.compare();
            }
        }
        matches += side.matches();
    }
    std::printf("seeds %llu to %llu: %zu pairs, %zu matches\n",
                static_cast<unsigned long long>(seed_first),
                static_cast<unsigned long long>(seed - 1), pairs, matches);
    EXPECT_GT(matches, pairs / 100) << "the cases hardly ever match: they prove nothing";
}

/// Goal: the same where a set has several tiers with rules crossed out in each, and one scratch
/// serves several sets in turn.
TEST(MatcherTest, AgreesWithThePlainMatcherInSeveralTiers) {
    std::size_t tiers_max = 0;
    std::size_t pairs = 0;
    std::size_t matches = 0;
    Scratch scratch;
    for (std::uint64_t seed = 1; seed <= 2 && !HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Side one(seed, {.ids = 600, .changes = 200}, scratch);
        Side other(seed + 1000, {.ids = 200, .changes = 30}, scratch);
        for (int round = 0; round < 15; ++round) {
            for (Side* const side : {&one, &other}) {
                side->change();
                pairs += side->compare();
            }
            tiers_max = std::max(tiers_max, one.tiers());
        }
        matches += one.matches() + other.matches();
    }
    EXPECT_GE(tiers_max, 2U);
    EXPECT_GT(matches, pairs / 100);
}

}  // namespace
}  // namespace bascule::pattern
