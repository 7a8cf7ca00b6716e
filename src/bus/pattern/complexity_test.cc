#include "bus/pattern/complexity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "foundation/base/random.h"

namespace bascule::pattern {
namespace {

/// Counts in the plainest way: a place is how much of one wildcard's text was met.
class PlainCount {
  public:
    explicit PlainCount(const Terms& terms) {
        std::set<std::string> texts;
        for (const Term& term : terms) {
            std::string text = "\"";
            for (const std::string& piece : std::get<Wildcard>(term).pieces) {
                text += piece + '*';
            }
            text.back() = '"';
            texts.insert(text);
        }
        texts_.assign(texts.begin(), texts.end());
    }

    std::size_t most() const {
        Places roots;
        for (std::size_t i = 0; i < texts_.size(); ++i) {
            roots.insert({i, 0});
        }
        std::set<Places> seen;
        std::vector<Places> waiting = {roots};
        std::size_t most = 0;
        while (!waiting.empty()) {
            const Places places = waiting.back();
            waiting.pop_back();
            for (const char byte : std::string("\"abc?")) {
                const Places next = after(places, byte);
                most = std::max(most, next.size());
                if (seen.insert(next).second) {
                    waiting.push_back(next);
                }
            }
        }
        return most;
    }

  private:
    using Places = std::set<std::pair<std::size_t, std::size_t>>;

    Places after(const Places& places, char byte) const {
        Places next;
        const auto enter = [&](std::size_t text, std::size_t met) {
            next.insert({text, met});
            if (met < texts_[text].size() && texts_[text][met] == '*') {
                next.insert({text, met + 1});
            }
        };
        for (const auto& [text, met] : places) {
            if (met > 0 && texts_[text][met - 1] == '*') {
                enter(text, met);
            }
            if (met < texts_[text].size() && texts_[text][met] == byte) {
                enter(text, met + 1);
            }
        }
        return next;
    }

    std::vector<std::string> texts_;
};

TEST(ComplexityTest, IsTheMostPlacesThatAValueCanBeIn) {
    Random random(5);
    for (int round = 0; round < 300; ++round) {
        Terms terms;
        std::string shown;
        for (std::uint64_t count = 1 + random.below(3); count > 0; --count) {
            Wildcard wildcard;
            for (std::uint64_t pieces = 1 + random.below(4); pieces > 0; --pieces) {
                // Between two stars there is something.
                std::string piece(wildcard.pieces.empty() || pieces == 1 ? 0 : 1, 'a');
                for (std::uint64_t size = random.below(3); size > 0; --size) {
                    piece += static_cast<char>('a' + random.below(3));
                }
                wildcard.pieces.push_back(piece);
                shown += piece + '*';
            }
            shown.back() = ' ';
            terms.emplace_back(wildcard);
        }
        EXPECT_EQ(complexity(terms, 1000), PlainCount(terms).most()) << shown;
        const std::size_t enough = 1 + random.below(8);
        EXPECT_EQ(complexity(terms, enough), std::min(enough, PlainCount(terms).most())) << shown;
    }
}

/// Each of these wildcards has met its first letter or not, whatever the others have.
Terms independent_wildcards(int count) {
    Terms terms;
    for (int i = 0; i < count; ++i) {
        terms.emplace_back(Wildcard{{"", std::string(1, static_cast<char>('a' + i)), "z"}});
    }
    return terms;
}

TEST(ComplexityTest, IsEnoughWhereCountingWouldTakeTooLong) {
    constexpr std::size_t enough = 100;
    EXPECT_LT(complexity(independent_wildcards(9), enough), 40U);
    EXPECT_EQ(complexity(independent_wildcards(20), enough), enough);
}

}  // namespace
}  // namespace bascule::pattern
