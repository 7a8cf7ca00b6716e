#include "bus/broker/routing.h"

#include <gtest/gtest.h>

#include "bus/broker/target_sets.h"
#include "bus/broker/undecidable_testing.h"
#include "foundation/base/testing.h"

namespace bascule::broker {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

const WallTime day_one = from_unix_ms(1'700'000'000'000);

Rule rule(std::string name, std::string pattern, std::string target) {
    return {.name = std::move(name),
            .patterns = {{std::move(pattern)}},
            .targets = {std::move(target)}};
}

RoutingPlan plan_of(std::vector<Rule> rules, std::vector<Subscriber> subscribers) {
    return {.rules = std::move(rules), .subscribers = std::move(subscribers)};
}

std::shared_ptr<const Routing> built(const RoutingPlan& plan, const Routing* before = nullptr,
                                     WallTime now = day_one) {
    auto routing = Routing::build(plan, before, now);
    EXPECT_THAT(routing, Succeeds());
    return routing ? *routing : Routing::empty();
}

event::Event event_of(std::string source, std::string type, std::string data = "{}") {
    event::Event event;
    event.event_id = "e";
    event.source = std::move(source);
    event.event_type = std::move(type);
    event.user_id = "u";
    event.data = std::move(data);
    return event;
}

std::vector<std::uint32_t> matched(const Routing& routing, const event::Event& event) {
    std::vector<std::uint32_t> numbers;
    for (const ConsumerNumber number : routing.match(event::view_of(event))) {
        numbers.push_back(number.value());
    }
    return numbers;
}

TEST(RoutingTest, GivesEachConsumerAnEventOnceHoweverManyRulesMatch) {
    const auto routing = built(plan_of(
        {rule("one", R"({"source":["bank"]})", "b"), rule("two", R"({"source":["bank"]})", "a"),
         rule("three", R"({"detail":{"data":{"amount":[{"numeric":[">",10]}]}}})", "a")},
        {{"a"}, {"b"}, {"c"}}));
    EXPECT_THAT(matched(*routing, event_of("bank", "x", R"({"amount":11})")), ElementsAre(1, 2));
    EXPECT_THAT(matched(*routing, event_of("shop", "x", R"({"amount":11})")), ElementsAre(1));
    EXPECT_THAT(matched(*routing, event_of("shop", "x", R"({"amount":9})")), IsEmpty());
}

TEST(RoutingTest, AsksThePayloadAgainAlthoughTheHeaderIsKnown) {
    const auto routing = built(
        plan_of({rule("r", R"({"source":["s"],"detail":{"data":{"a":[1]}}})", "a")}, {{"a"}}));
    EXPECT_THAT(matched(*routing, event_of("s", "t", R"({"a":1})")), ElementsAre(1));
    EXPECT_THAT(matched(*routing, event_of("s", "t", R"({"a":2})")), IsEmpty());
    EXPECT_THAT(matched(*routing, event_of("s", "t", R"({"a":1})")), ElementsAre(1));
}

TEST(RoutingTest, KeepsNumbersOverVersionsAndNeverReusesThem) {
    const auto first = built(plan_of({}, {{"a"}, {"b"}}));
    const auto second = built(plan_of({}, {{"b"}, {"c"}}), first.get());
    EXPECT_EQ(second->find("b")->number, first->find("b")->number);
    EXPECT_EQ(second->find("c")->number, ConsumerNumber(3));
    EXPECT_EQ(second->find("a"), nullptr);
    const auto third =
        built(plan_of({}, {{"a"}, {"b"}}), second.get(), day_one + std::chrono::hours(1));
    EXPECT_EQ(third->find("a")->number, ConsumerNumber(1)) << "it came back in time";
}

TEST(RoutingTest, ForgetsARemovedConsumerAfterAWeek) {
    const auto first = built(plan_of({}, {{"a"}}));
    const auto second = built(plan_of({}, {}), first.get());
    const auto later = built(plan_of({}, {}), second.get(), day_one + std::chrono::hours(8 * 24));
    EXPECT_TRUE(later->consumers().empty());
    const auto last = built(plan_of({}, {{"a"}}), later.get());
    EXPECT_EQ(last->find("a")->number, ConsumerNumber(2));
}

TEST(RoutingTest, SurvivesItsControlRecord) {
    const auto first =
        built(plan_of({rule("r", R"({"source":["s"]})", "a")}, {{"a", Start::earliest}, {"b"}}));
    const auto second = built(plan_of(first->plan().rules, {{"a", Start::earliest}}), first.get());
    const auto read = Routing::decode(second->encode());
    ASSERT_THAT(read, Succeeds());
    EXPECT_EQ((*read)->plan(), second->plan());
    EXPECT_EQ((*read)->version(), 2u);
    EXPECT_EQ((*read)->encode(), second->encode());
    EXPECT_THAT(matched(**read, event_of("s", "t")), ElementsAre(1));
}

TEST(RoutingTest, BackfillsWithThePatternsOfACreationAlsoAfterTheyChanged) {
    const auto first =
        built(plan_of({rule("r", R"({"source":["s"]})", "a")}, {{"a", Start::earliest}, {"b"}}));
    const auto second =
        built(plan_of({rule("r", R"({"source":["other"]})", "a")}, {{"a", Start::earliest}, {"b"}}),
              first.get());
    const event::Event event = event_of("s", "t");
    EXPECT_EQ(second->backfills(event::view_of(event), *second->find("a")), Routing::Wanted::yes);
    EXPECT_EQ(second->backfills(event::view_of(event), *second->find("b")), Routing::Wanted::no);
}

TEST(RoutingTest, NamesRuleAndFaultOfABadPlan) {
    EXPECT_THAT(
        Routing::build(plan_of({rule("r", R"({"source":"s"})", "a")}, {{"a"}}), nullptr, day_one),
        FailsWith(ErrorKind::invalid, HasSubstr("rule 'r'")));
    EXPECT_THAT(
        Routing::build(plan_of({rule("r", R"({"source":["s"]})", "b")}, {{"a"}}), nullptr, day_one),
        FailsWith(ErrorKind::invalid, HasSubstr("there is no consumer 'b'")));
}

TEST(RoutingTest, RefusesRulesThatWouldTakeTooMuchMemory) {
    RoutingPlan plan{.subscribers = {{"a"}}};
    for (int i = 0; i < 1000; ++i) {
        const std::string number = std::to_string(i);
        plan.rules.push_back(
            rule("r" + number, R"({"detail":{"data":{"a":[")" + number + "\"]}}}", "a"));
        plan.rules.push_back(rule("h" + number, R"({"source":[")" + number + "\"]}", "a"));
    }
    EXPECT_THAT(Routing::build(plan, nullptr, day_one, {.memory_bytes_max = 100'000}),
                FailsWith(ErrorKind::invalid,
                          AllOf(MatchesRegex("rule '[rh][0-9]+': .*"), HasSubstr("100000 bytes"),
                                HasSubstr("bus.rules_bytes_max"))));
    EXPECT_THAT(Routing::build(plan, nullptr, day_one, {}), Succeeds());
}

/// Limits are for what somebody asks for now: what the log holds was accepted once.
TEST(RoutingTest, HoldsNewPatternsToTheLimitsAndStoredOnesToNone) {
    const RoutingPlan plan = plan_of(
        {rule("r", R"({"source":[{"wildcard":"*a*a*a*a*a*b"}]})", "a")}, {{"a", Start::earliest}});
    EXPECT_THAT(Routing::build(plan, nullptr, day_one),
                FailsWith(ErrorKind::invalid, HasSubstr("too complex")));
    RoutingPlan default_plan = plan;
    default_plan.rules[0].origin = RuleOrigin::defaults;
    EXPECT_THAT(Routing::build(default_plan, nullptr, day_one), Succeeds());
    const auto first = Routing::build(plan, nullptr, day_one, {.pattern = {.complexity_max = 50}});
    ASSERT_THAT(first, Succeeds());
    const auto read = Routing::decode((*first)->encode());
    ASSERT_THAT(read, Succeeds());
    EXPECT_THAT(matched(**read, event_of("aaaaab", "t")), ElementsAre(1));

    const auto next = Routing::build(
        plan_of({rule("r", R"({"source":["b"]})", "a")}, {{"a", Start::earliest}}), read->get(),
        day_one, {.pattern = {.characters_max = 20}, .memory_bytes_max = 10'000});
    ASSERT_THAT(next, Succeeds()) << "what the consumer was created with does not count";
    const event::Event event = event_of("aaaaab", "t");
    EXPECT_EQ((*next)->backfills(event::view_of(event), *(*next)->find("a")), Routing::Wanted::yes);
}

/// The header's answers are remembered for so many headers; more of them are answered as well.
TEST(RoutingTest, AnswersHoweverManySourcesAndTypesThereAre) {
    const auto routing = built(plan_of({rule("r", R"({"source":[{"suffix":"7"}]})", "a"),
                                        rule("s", R"({"detail-type":["t1"]})", "b")},
                                       {{"a"}, {"b"}}));
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 10'000; ++i) {
            const auto expected =
                i % 10 == 7 ? std::vector<std::uint32_t>{1, 2} : std::vector<std::uint32_t>{2};
            ASSERT_EQ(matched(*routing, event_of("s" + std::to_string(i), "t1")), expected) << i;
        }
    }
    EXPECT_THAT(matched(*routing, event_of("s1", "t2")), IsEmpty());
}

/// What its publisher put beside the header speaks neither for this event nor, by what is
/// remembered of headers, for others.
TEST(RoutingTest, TakesTheHeaderFromTheHeaderAlone) {
    const auto routing =
        built(plan_of({rule("pay", R"({"source":["billing"],"detail-type":["pay"]})", "a"),
                       rule("order", R"({"source":["shop"]})", "b"),
                       rule("content", R"({"source":["billing"],"detail":{"x":[1]}})", "c"),
                       rule("absent", R"({"source":[{"exists":false}],"detail":{"x":[1]}})", "c")},
                      {{"a"}, {"b"}, {"c"}}));
    event::Event plain = event_of("shop", "order", R"({"x":1})");
    plain.form = event::Form::eventbridge;
    const std::string many = "[" + std::string(2000, ' ') + R"("billing","billing"])";
    for (const std::string& extras :
         {std::string(R"({"source":"billing","detail-type":"pay"})"),
          std::string(R"({"":{"source":"billing","detail-type":["pay"]}})"),
          std::string(R"({"":[{"source":"n","detail-type":"pay"},{"":{"source":"billing"}}]})"),
          R"({"":[{"source":)" + many + R"(},{"detail-type":"pay"}],"source":)" + many + "}"}) {
        event::Event forged = plain;
        forged.extras = extras;
        EXPECT_THAT(matched(*routing, forged), ElementsAre(2)) << extras;
        EXPECT_THAT(matched(*routing, plain), ElementsAre(2)) << extras;
    }
    const std::string zero(1, '\0');
    const auto others =
        built(plan_of({rule("r", R"({"source":["a\u0000b"],"detail-type":["c"]})", "a")}, {{"a"}}));
    EXPECT_THAT(matched(*others, event_of("a" + zero + "b", "c")), ElementsAre(1));
    EXPECT_THAT(matched(*others, event_of("a", "b" + zero + "c")), IsEmpty());
}

TEST(RoutingTest, AsksForOtherMembersOfAnEventBridgeEvent) {
    const auto routing =
        built(plan_of({rule("r", R"({"account":["7"],"resources":["arn:x"]})", "a"),
                       rule("s", R"({"trace":{"id":[1]}})", "b")},
                      {{"a"}, {"b"}}));
    event::Event event = event_of("s", "t");
    event.form = event::Form::eventbridge;
    event.extras = R"({"account":"7","resources":["arn:x"],"trace":{"id":1}})";
    EXPECT_THAT(matched(*routing, event), ElementsAre(1, 2));
}

TEST(RoutingTest, SaysThatNotEveryPatternWasDecided) {
    const Undecidable hard = undecidable();
    const auto routing = built(plan_of(
        {rule("r", hard.pattern, "a"), rule("s", R"({"source":["s"]})", "b")}, {{"a"}, {"b"}}));
    std::vector<ConsumerNumber> consumers;
    const event::Event undecided = event_of("s", "t", hard.data);
    EXPECT_EQ(routing->match(event::view_of(undecided), consumers), Routing::Decided::no);
    EXPECT_THAT(consumers, ElementsAre(ConsumerNumber(2)));
    const event::Event next = event_of("s", "t", R"({"a":1})");
    EXPECT_EQ(routing->match(event::view_of(next), consumers), Routing::Decided::yes);
}

TEST(RoutingTest, SaysThatABackfillWasNotDecided) {
    const Undecidable hard = undecidable();
    const auto routing = built(plan_of({rule("r", hard.pattern, "a"), rule("r2", hard.pattern, "b"),
                                        rule("s", R"({"source":["s"]})", "b")},
                                       {{"a", Start::earliest}, {"b", Start::earliest}}));
    const event::Event event = event_of("s", "t", hard.data);
    const auto backfills = [&](const event::Event& it, std::string_view consumer) {
        return routing->backfills(event::view_of(it), *routing->find(consumer));
    };
    EXPECT_EQ(backfills(event, "a"), Routing::Wanted::undecided);
    EXPECT_EQ(backfills(event, "b"), Routing::Wanted::yes) << "another pattern matches";
    EXPECT_EQ(backfills(event_of("s", "t", "{}"), "a"), Routing::Wanted::no);
}

TEST(TargetSetsTest, IsUndefinedUntilADefinitionIsDurable) {
    TargetSets sets;
    EXPECT_EQ(sets.intern({}).id, 0u);
    EXPECT_TRUE(sets.intern({}).defined);
    const TargetSets::Set set{ConsumerNumber(1), ConsumerNumber(3)};
    EXPECT_EQ(sets.intern(set).id, 1u);
    EXPECT_FALSE(sets.intern(set).defined) << "the first definition may have been refused";
    sets.mark_defined({1});
    EXPECT_TRUE(sets.intern(set).defined);
}

TEST(TargetSetsTest, SurvivesItsControlRecord) {
    TargetSets sets;
    const TargetSets::Set set{ConsumerNumber(1), ConsumerNumber(3)};
    sets.intern(set);
    sets.intern({ConsumerNumber(2)});
    TargetSets recovered;
    ASSERT_THAT(recovered.absorb(sets.definitions({1}).at(0)), Succeeds());
    EXPECT_EQ(recovered.contains(1, ConsumerNumber(3)), true);
    EXPECT_EQ(recovered.contains(1, ConsumerNumber(2)), false);
    EXPECT_EQ(recovered.contains(0, ConsumerNumber(2)), false);
    EXPECT_EQ(recovered.contains(9, ConsumerNumber(1)), std::nullopt);
    EXPECT_TRUE(recovered.intern(set).defined);
    ASSERT_THAT(recovered.absorb(sets.all_definitions().at(0)), Succeeds());
    EXPECT_EQ(recovered.members(2), TargetSets::Set{ConsumerNumber(2)});
}

TEST(TargetSetsTest, KnowsNothingOfASetWhoseDefinitionIsLost) {
    TargetSets sets;
    sets.intern({ConsumerNumber(1)});
    sets.intern({ConsumerNumber(2)});
    TargetSets recovered;
    ASSERT_THAT(recovered.absorb(sets.definitions({2}).at(0)), Succeeds());
    EXPECT_EQ(recovered.contains(1, ConsumerNumber(1)), std::nullopt);
    EXPECT_EQ(recovered.contains(2, ConsumerNumber(2)), true);
}

TEST(TargetSetsTest, ManyDefinitionsAreSeveralRecords) {
    TargetSets sets;
    constexpr std::uint32_t count = 5000;
    for (std::uint32_t i = 1; i <= count; ++i) {
        sets.intern({ConsumerNumber(i)});
    }
    TargetSets recovered;
    const std::vector<std::string> records = sets.all_definitions();
    EXPECT_GT(records.size(), 1u);
    for (const std::string& record : records) {
        EXPECT_LE(record.size(), TargetSets::definition_bytes_max);
        ASSERT_THAT(recovered.absorb(record), Succeeds());
    }
    for (std::uint32_t i = 1; i <= count; ++i) {
        ASSERT_EQ(recovered.members(i), TargetSets::Set{ConsumerNumber(i)});
    }
    EXPECT_TRUE(TargetSets().all_definitions().empty());
}

}  // namespace
}  // namespace bascule::broker
