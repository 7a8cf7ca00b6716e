#include <gtest/gtest.h>

#include <algorithm>

#include "bus/broker/routing.h"
#include "bus/broker/subject_of.h"
#include "bus/pattern/random_cases_testing.h"
#include "foundation/base/testing.h"
#include "foundation/json/raw.h"

namespace bascule::broker {
namespace {

/// Rules and events at random, so alike that they often meet.
class World {
  public:
    explicit World(std::uint64_t seed) : cases_(seed) {}

    std::uint64_t below(std::uint64_t bound) { return cases_.below(bound); }

    RoutingPlan plan() {
        RoutingPlan plan;
        for (std::uint64_t i = 0; i < 1 + below(4); ++i) {
            plan.subscribers.push_back({.name = "c" + std::to_string(i),
                                        .start = below(2) == 0 ? Start::now : Start::earliest});
        }
        for (std::uint64_t i = 0; i < below(8); ++i) {
            Rule rule{.name = "r" + std::to_string(i)};
            for (std::uint64_t count = 1 + below(3); count > 0; --count) {
                rule.patterns.push_back(pattern());
            }
            for (const Subscriber& subscriber : plan.subscribers) {
                if (below(2) == 0) {
                    rule.targets.push_back(subscriber.name);
                }
            }
            plan.rules.push_back(std::move(rule));
        }
        return plan;
    }

    event::Event event() {
        event::Event event;
        event.form = below(3) == 0 ? event::Form::eventbridge : event::Form::seed;
        event.event_id = text();
        event.event_type = text();
        event.source = text();
        event.user_id = text();
        event.timestamp = from_unix_ms(300);
        event.data = object();
        event.correlation_id = below(2) == 0 ? "" : text();
        event.metadata = below(2) == 0 ? "" : object();
        event.extras = below(2) == 0 ? "" : object();
        return event;
    }

  private:
    static constexpr std::string_view texts[] = {"x", "xy", "X", "a.x", "10.0.0.1", ""};

    std::string text() { return std::string(texts[below(std::size(texts))]); }

    std::string object() {
        std::string text = cases_.event();
        return json::is_valid(text) ? text : "{}";
    }

    std::string header_terms() {
        static constexpr std::string_view terms[] = {R"(["x"])",
                                                     R"([{"prefix":"x"}])",
                                                     R"([{"anything-but":["x","xy"]}])",
                                                     R"(["xy","10.0.0.01"])",
                                                     R"([{"exists":false}])",
                                                     R"([{"equals-ignore-case":"X"}])"};
        return std::string(terms[below(std::size(terms))]);
    }

    PatternText pattern() {
        for (;;) {
            std::string text;
            switch (below(6)) {
                case 0:
                    text = "{\"source\":" + header_terms() + "}";
                    break;
                case 1:
                    text = "{\"detail-type\":" + header_terms() + ",\"source\":" + header_terms() +
                           "}";
                    break;
                case 2:
                    text = R"({"$or":[{"source":)" + header_terms() + R"(},{"detail-type":)" +
                           header_terms() + "}]}";
                    break;
                case 3:
                    text = R"({"detail":{"data":)" + cases_.pattern() + "}}";
                    break;
                case 4:
                    text =
                        "{\"source\":" + header_terms() + R"(,"detail":)" + cases_.pattern() + "}";
                    break;
                default:
                    text = cases_.pattern();
            }
            if (pattern::Pattern::parse(text)) {
                return {.text = std::move(text)};
            }
        }
    }

    pattern::RandomCases cases_;
};

/// What the routing should say: every pattern by itself, with the plain matcher.
class Plain {
  public:
    explicit Plain(const Routing& routing) : routing_(routing) {
        for (const Rule& rule : routing.plan().rules) {
            rules_.push_back(parsed(rule.patterns));
        }
        for (const Routing::Consumer& consumer : routing.consumers()) {
            backfills_.push_back(parsed(consumer.backfill));
        }
    }

    std::vector<ConsumerNumber> match(const event::EventView& event) const {
        std::vector<ConsumerNumber> numbers;
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            if (any_matches(rules_[i], event)) {
                for (const std::string& target : routing_.plan().rules[i].targets) {
                    numbers.push_back(routing_.find(target)->number);
                }
            }
        }
        std::ranges::sort(numbers);
        const auto repeated = std::ranges::unique(numbers);
        numbers.erase(repeated.begin(), repeated.end());
        return numbers;
    }

    bool backfills(const event::EventView& event, std::size_t consumer) const {
        return any_matches(backfills_[consumer], event);
    }

  private:
    using Patterns = std::vector<pattern::Pattern>;

    static Patterns parsed(const std::vector<PatternText>& texts) {
        Patterns patterns;
        for (const PatternText& text : texts) {
            patterns.push_back(pattern::Pattern::parse(text.text, text.dialect).value());
        }
        return patterns;
    }

    static bool any_matches(const Patterns& patterns, const event::EventView& event) {
        return std::ranges::any_of(patterns, [&](const pattern::Pattern& pattern) {
            return pattern.matches(subject_of(event));
        });
    }

    const Routing& routing_;
    std::vector<Patterns> rules_;
    std::vector<Patterns> backfills_;
};

/// Goal: whatever the rules and the event, the compiled routing says what the plain matcher says
/// rule by rule; also when it is asked again, and after a way through the log.
TEST(RoutingTest, AnswersAsThePlainMatcherDoesRuleByRule) {
    std::size_t asked = 0;
    std::size_t given = 0;
    for (std::uint64_t seed = 1; seed <= 200 && !HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        World world(seed);
        const auto built = Routing::build(world.plan(), nullptr, WallTime{});
        ASSERT_THAT(built, Succeeds());
        const auto routing = world.below(2) == 0 ? *built : *Routing::decode((*built)->encode());
        const Plain plain(*routing);
        std::vector<ConsumerNumber> matched;
        for (int i = 0; i < 10; ++i) {
            const event::Event event = world.event();
            const event::EventView view = event::view_of(event);
            const std::vector<ConsumerNumber> expected = plain.match(view);
            for (int times = 0; times < 2; ++times) {
                EXPECT_EQ(routing->match(view, matched), Routing::Decided::yes);
                EXPECT_EQ(matched, expected) << routing->encode() << "\n"
                                             << event.data << "\n"
                                             << event.extras;
            }
            for (std::size_t c = 0; c < routing->consumers().size(); ++c) {
                EXPECT_EQ(routing->backfills(view, routing->consumers()[c]) == Routing::Wanted::yes,
                          plain.backfills(view, c));
            }
            asked += routing->consumers().size();
            given += expected.size();
        }
    }
    EXPECT_GT(given, asked / 10) << "the cases hardly ever match: they prove nothing";
    EXPECT_LT(given, asked * 9 / 10);
}

}  // namespace
}  // namespace bascule::broker
