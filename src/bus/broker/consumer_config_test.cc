#include "bus/broker/consumer_config.h"

#include <gtest/gtest.h>

#include "foundation/base/testing.h"

namespace bascule::broker {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The example of the seed document, byte for byte.
constexpr std::string_view seed_example = R"(# config/event_routing.yaml
event_rules:
  analytics_trigger:
    event_patterns:
      - source: ["transaction_service"]
        detail_type: ["file.processed", "transactions.created"]
      - source: ["account_service"] 
        detail_type: ["account.deleted"]
    target: analytics_consumer
    
  categorization_trigger:
    event_patterns:
      - source: ["transaction_service"]
        detail_type: ["transactions.created"]
    target: categorization_consumer
    batch_size: 100
    
  audit_logging:
    event_patterns:
      - source: ["*"]
    target: audit_consumer
)";

BusConfig built_in() {
    BusConfig config;
    for (const std::string name : {"analytics", "analytics_status", "categorization", "audit"}) {
        config.consumers.push_back(
            {.name = name, .handler = {.in_process = name}, .start = Start::earliest});
        config.rules.push_back({.name = "default." + name,
                                .origin = RuleOrigin::defaults,
                                .patterns = {{R"({"source":["never"]})"}},
                                .targets = {name}});
    }
    config.find("categorization")->part_size = 50;
    return config;
}

const TargetAliases aliases{{"analytics_consumer", {"analytics_status", "analytics"}}};

BusConfig read(std::string_view main, std::string_view routing, config::Problems& problems) {
    const auto root = config::parse_yaml(main, "bascule.yaml");
    const auto file = config::parse_yaml(routing, "event_routing.yaml");
    EXPECT_THAT(root, Succeeds());
    EXPECT_THAT(file, Succeeds());
    return read_bus_config(built_in(), aliases, *root, &*file, problems);
}

TEST(ReadBusConfigTest, LoadsTheSeedsExampleUnchanged) {
    config::Problems problems;
    const BusConfig config = read("", seed_example, problems);
    EXPECT_THAT(problems.messages(), IsEmpty());
    const auto routing = Routing::build(config.plan(), nullptr, WallTime{});
    ASSERT_THAT(routing, Succeeds());

    const auto receivers = [&](std::string source, std::string type) {
        event::Event event;
        event.source = std::move(source);
        event.event_type = std::move(type);
        event.data = "{}";
        std::vector<std::string> names;
        for (const ConsumerNumber number : (*routing)->match(event::view_of(event))) {
            names.push_back((*routing)->find(number)->name);
        }
        return names;
    };
    EXPECT_THAT(receivers("transaction_service", "transactions.created"),
                ElementsAre("analytics", "analytics_status", "categorization", "audit"));
    EXPECT_THAT(receivers("transaction_service", "file.processed"),
                ElementsAre("analytics", "analytics_status", "audit"));
    EXPECT_THAT(receivers("account_service", "account.deleted"),
                ElementsAre("analytics", "analytics_status", "audit"));
    EXPECT_THAT(receivers("anything", "at.all"), ElementsAre("audit"));
    EXPECT_EQ(config.find("categorization")->part_size, 100u);
}

TEST(ReadBusConfigTest, ARuleMayTakeItsTargetsDefaultAway) {
    config::Problems problems;
    const BusConfig config = read("", R"(event_rules:
  narrow:
    event_patterns: [{source: ["x"]}]
    target: audit
    defaults: off
)",
                                  problems);
    EXPECT_THAT(problems.messages(), IsEmpty());
    std::vector<std::string> names;
    for (const Rule& rule : config.rules) {
        names.push_back(rule.name);
    }
    EXPECT_THAT(names, ElementsAre("default.analytics", "default.analytics_status",
                                   "default.categorization", "narrow"));
}

TEST(ReadBusConfigTest, HoldsPatternsToTheBusesLimits) {
    BusConfig base = built_in();
    base.limits.pattern = {.characters_max = 30, .complexity_max = 3};
    const auto root = config::parse_yaml(R"(event_rules:
  long:
    event_patterns: [{source: ["a name of many letters"]}]
    target: audit
  complex:
    event_patterns: [{s: [{wildcard: "*a*a*"}]}]
    target: audit
  good:
    event_patterns: [{source: ["x"]}]
    target: audit
)",
                                         "bascule.yaml");
    ASSERT_THAT(root, Succeeds());
    config::Problems problems;
    const BusConfig config = read_bus_config(base, aliases, *root, nullptr, problems);
    EXPECT_THAT(problems.messages(),
                ElementsAre(AllOf(HasSubstr("bascule.yaml:3"), HasSubstr("at most 30 are allowed")),
                            AllOf(HasSubstr("bascule.yaml:6"), HasSubstr("too complex"))));
    EXPECT_EQ(config.limits, base.limits);
}

TEST(ReadBusConfigTest, ReadsAConsumerOfTheUsersOwn) {
    config::Problems problems;
    const BusConfig config = read(R"(consumers:
  crm:
    patterns: [{source: [transaction_service], detail: {data: {transactionCount: [{numeric: [">", 5]}]}}}]
    handler: {http: {url: "https://crm.example/hook", secret: s3cret, conflict: done}}
    ordering: key
    concurrency: 4
    retry: {initial: 2s, max_attempts: 3}
    timeout: 5s
  analytics:
    debounce: {period: 10s, leading: 1s, max_wait: 1m}
)",
                                  "", problems);
    EXPECT_THAT(problems.messages(), IsEmpty());
    const ConsumerConfig& crm = *config.find("crm");
    EXPECT_EQ(crm.handler.http.url, "https://crm.example/hook");
    EXPECT_TRUE(crm.handler.http.conflict_done);
    EXPECT_EQ(crm.policy.concurrency, 4u);
    EXPECT_EQ(crm.policy.retry.max_attempts, 3u);
    EXPECT_EQ(crm.policy.on_timeout, delivery::OnTimeout::give_up);
    EXPECT_EQ(crm.start, Start::now);
    EXPECT_EQ(config.rules.back().name, "crm");
    EXPECT_EQ(config.find("analytics")->policy.debounce.value_or(delivery::Debounce()).period,
              std::chrono::seconds(10));
    EXPECT_EQ(config.find("analytics")->start, Start::earliest) << "not named, so not changed";
}

TEST(ReadBusConfigTest, ReadsHowLanesShare) {
    config::Problems problems;
    const BusConfig config = read(R"(consumers:
  analytics:
    lanes: {map: {account.deleted: 1, file.processed: 2}, default: 3, weights: [8, 3, 1], age_boost: 90s}
)",
                                  "", problems);
    EXPECT_THAT(problems.messages(), IsEmpty());
    const delivery::Lanes& lanes = *config.find("analytics")->policy.lanes;
    EXPECT_THAT(lanes.weights, ElementsAre(8, 3, 1));
    EXPECT_EQ(lanes.age_boost, std::chrono::seconds(90));
}

TEST(ReadBusConfigTest, ReadsARate) {
    config::Problems problems;
    const BusConfig config = read(R"(consumers:
  categorization: {rate: {limit: 20}}
  analytics: {key: data.accountId, rate: {limit: 5, per: 1m, burst: 2, key: data.accountId}}
)",
                                  "", problems);
    EXPECT_THAT(problems.messages(), IsEmpty());
    EXPECT_EQ(*config.find("categorization")->policy.rate,
              (delivery::Rate{.limit = 20, .per = std::chrono::seconds(1), .burst = 20}));
    EXPECT_EQ(*config.find("analytics")->policy.rate,
              (delivery::Rate{.limit = 5,
                              .per = std::chrono::minutes(1),
                              .burst = 2,
                              .key = delivery::RateKey::key}));
}

TEST(ReadBusConfigTest, ReadsABreaker) {
    config::Problems problems;
    const BusConfig config = read(R"(consumers:
  analytics: {breaker: {min_calls: 4, slow_call: 0, open_for: 20m}}
)",
                                  "", problems);
    EXPECT_THAT(problems.messages(), IsEmpty());
    EXPECT_EQ(*config.find("analytics")->policy.breaker,
              (delivery::BreakerPolicy{.min_calls = 4,
                                       .slow_call = std::chrono::milliseconds(0),
                                       .open_for = std::chrono::minutes(20),
                                       .open_max = std::chrono::minutes(20)}));
}

struct BadCase {
    const char* claim;
    const char* main;
    const char* routing;
    const char* message;
};

class BadBusConfigTest : public testing::TestWithParam<BadCase> {};

TEST_P(BadBusConfigTest, IsRefusedWithPlaceAndRemedy) {
    config::Problems problems;
    read(GetParam().main, GetParam().routing, problems);
    EXPECT_THAT(problems.messages(), Contains(HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadBusConfigTest,
    testing::Values(
        BadCase{"UnknownTarget", "",
                "event_rules:\n  r:\n    event_patterns: [{source: [a]}]\n    target: analitycs\n",
                "event_routing.yaml:2: event_rules.r: target 'analitycs' is not a consumer; did "
                "you mean 'analytics'?"},
        BadCase{"BrokenPattern", "",
                "event_rules:\n  r:\n    event_patterns: [{source: a}]\n    target: audit\n",
                "event_rules.r.event_patterns[0]: Event pattern is not valid"},
        BadCase{"UnknownKey", "", "event_rules:\n  r:\n    event_pattern: []\n    target: audit\n",
                "did you mean 'event_patterns'?"},
        BadCase{"TwoBatchSizes", "",
                "event_rules:\n  r: {event_patterns: [{source: [a]}], target: audit, batch_size: "
                "5}\n  s: {event_patterns: [{source: [b]}], target: audit, batch_size: 6}\n",
                "batch_size is 6, but another rule sets 5"},
        BadCase{"NoHandler", "consumers:\n  x:\n    ordering: key\n", "",
                "consumers.x: has no handler"},
        BadCase{"HandlerOfLater", "consumers:\n  x:\n    handler: {lambda: f}\n", "",
                "consumers.x.handler.lambda: is not available yet"},
        BadCase{"BreakerBeyondItsLimits",
                "consumers:\n  audit:\n    breaker: {failure_rate: 101}\n", "",
                "consumers.audit.breaker.failure_rate"},
        BadCase{"BreakerThatContradictsItself",
                "consumers:\n  audit:\n    breaker: {open_for: 10m, open_max: 5m}\n", "",
                "breaker.open_max is 300000ms; 600000ms to 86400000ms is allowed"},
        BadCase{"WeightsThatAreNoNumbers",
                "consumers:\n  audit:\n    lanes: {default: 2, weights: [8, few]}\n", "",
                "consumers.audit.lanes.weights: has 'few'; one number a lane, 1 to 1000"},
        BadCase{"RateByAKeyThatIsNotTheConsumers",
                "consumers:\n  audit:\n    rate: {key: data.accountId}\n", "",
                "consumers.audit.rate.key: rate.key is \"data.accountId\"; none or the consumer's "
                "key (userId) is allowed"},
        BadCase{"NotAnAddress", "consumers:\n  x:\n    handler: {http: \"ftp://a\"}\n", "",
                "an http:// or https:// address is needed"},
        BadCase{"BadPolicy", "consumers:\n  audit:\n    retry: {jitter: 0.9}\n", "",
                "retry.jitter is 0.9"},
        BadCase{"SameRuleTwice",
                "event_rules:\n  r: {event_patterns: [{source: [a]}], target: audit}\n",
                "event_rules:\n  r: {event_patterns: [{source: [a]}], target: audit}\n",
                "is the name of another rule too"}),
    [](const auto& info) { return info.param.claim; });

}  // namespace
}  // namespace bascule::broker
