#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/broker/routing.h"
#include "bus/delivery/policy.h"
#include "foundation/config/reader.h"

namespace bascule::broker {

/// An HTTP endpoint as a consumer's handler. What a request looks like: docs/reference/webhooks.md.
struct HttpTarget {
    std::string url;
    std::string secret;  ///< signs the body; empty = unsigned
    std::vector<std::pair<std::string, std::string>> headers;
    bool conflict_done = false;  ///< 409 counts as done: the receiver has seen it
    bool allow_private = false;  ///< may reach private networks and this machine

    friend bool operator==(const HttpTarget&, const HttpTarget&) = default;
};

struct HandlerConfig {
    enum class Kind { in_process, http };
    Kind kind = Kind::in_process;
    std::string in_process;  ///< the attached name
    HttpTarget http;

    /// "in_process: analytics" or "http: https://…", as people see it.
    std::string text() const;

    friend bool operator==(const HandlerConfig&, const HandlerConfig&) = default;
};

/// One consumer: what it runs and how it wants its events.
struct ConsumerConfig {
    std::string name;
    HandlerConfig handler;
    delivery::Policy policy;
    std::string key = "userId";  ///< "userId", or a dotted path in the event such as data.accountId
    Start start = Start::now;
    /// How many of an event's rows the handler takes in one commit, for handlers that work in
    /// parts; `batch_size` in a routing file sets this instead of a batch.
    std::optional<std::uint32_t> part_size;
    /// Whether the handler takes several events in one run; if not, batch and debounce are refused.
    bool takes_many = true;

    friend bool operator==(const ConsumerConfig&, const ConsumerConfig&) = default;
};

/// What is in force on a bus: `rules` and `consumers`, each consumer once.
struct BusConfig {
    std::vector<ConsumerConfig> consumers;
    std::vector<Rule> rules;
    RuleLimits limits;

    ConsumerConfig* find(std::string_view name);
    const ConsumerConfig* find(std::string_view name) const;
    RoutingPlan plan() const;
};

/// Names in routing files that stand for one or more consumers: "analytics_consumer" means
/// analytics and analytics_status. Any other NAME_consumer means NAME.
using TargetAliases = std::map<std::string, std::vector<std::string>, std::less<>>;

/// The built-in consumers with the sections `consumers` and `event_rules` of bascule.yaml, and a
/// routing file, laid over them.
///
/// `consumers` changes settings of built-in consumers and adds others; a consumer's own `patterns`
/// become a rule named after it. `event_rules` (the seed's form) adds rules, sets a target's batch
/// size, and with `defaults: off` removes its target's `default.…` rule. Patterns are held to
/// `built_in.limits`. Every complaint names file, line, field and what is allowed; with any
/// complaint the result is worthless.
BusConfig read_bus_config(const BusConfig& built_in, const TargetAliases& aliases,
                          const config::Node& root, const config::Node* routing_file,
                          config::Problems& problems, config::Ledger* ledger = nullptr);

}  // namespace bascule::broker
