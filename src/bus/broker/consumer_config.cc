#include "bus/broker/consumer_config.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace bascule::broker {

namespace {

using config::Node;
using config::Problems;
using config::Reader;

constexpr std::string_view seed_suffix = "_consumer";

/// The texts of a list of patterns, checked by the pattern parser.
std::vector<PatternText> read_patterns(const Node* list, pattern::Dialect dialect,
                                       const pattern::Limits& limits, Problems& problems) {
    std::vector<PatternText> patterns;
    if (list == nullptr) {
        return patterns;
    }
    if (list->kind != Node::Kind::list) {
        problems.add(*list, "must be a list of event patterns");
        return patterns;
    }
    for (const Node& item : list->items) {
        // A pattern may be written as YAML or as JSON text in a scalar.
        PatternText pattern{
            .text = item.kind == Node::Kind::scalar ? item.scalar : config::to_json(item),
            .dialect = dialect};
        if (auto parsed = pattern::Pattern::parse(pattern.text, dialect, limits); !parsed) {
            problems.add(item, parsed.error().message());
            continue;
        }
        patterns.push_back(std::move(pattern));
    }
    return patterns;
}

void read_lanes(Reader& reader, std::optional<delivery::Lanes>& lanes, Problems& problems) {
    if (!reader.has("lanes")) {
        return;
    }
    Reader section = reader.section("lanes");
    delivery::Lanes read = lanes.value_or(delivery::Lanes{});
    constexpr std::array<std::string_view, 1> bys{"detail_type"};
    section.choice("by", "detail_type", bys);
    read.otherwise = static_cast<std::uint8_t>(
        section.integer("default", read.otherwise, {1, delivery::lane_max}));
    if (const Node* map = section.node("map"); map != nullptr) {
        Reader types(map, section.path() + ".map", problems);
        for (const auto& [type, lane] : map->members) {
            read.map[type] =
                static_cast<std::uint8_t>(types.integer(type, 1, {1, delivery::lane_max}));
        }
    }
    if (const Node* node = section.node("weights"); node != nullptr) {
        read.weights.clear();
        for (const std::string& text : section.texts("weights")) {
            std::uint32_t weight = 0;
            const auto [end, error] =
                std::from_chars(text.data(), text.data() + text.size(), weight);
            if (error != std::errc() || end != text.data() + text.size()) {
                problems.add(*node, "has '" + text + "'; one number a lane, 1 to 1000, is allowed");
            }
            read.weights.push_back(weight);
        }
    }
    read.age_boost = section.duration("age_boost", read.age_boost);
    section.finish();
    lanes = std::move(read);
}

void read_rate(Reader& reader, std::optional<delivery::Rate>& rate, std::string_view key,
               Problems& problems) {
    if (!reader.has("rate")) {
        return;
    }
    Reader section = reader.section("rate");
    delivery::Rate read = rate.value_or(delivery::Rate{});
    constexpr config::Range allowed{1, 1'000'000};
    const bool limit_is_new = section.has("limit");
    read.limit = static_cast<std::uint32_t>(section.integer("limit", read.limit, allowed));
    read.per = section.duration("per", read.per);
    read.burst = static_cast<std::uint32_t>(
        section.integer("burst", limit_is_new ? read.limit : read.burst, allowed));
    if (section.has("key")) {
        const auto by = delivery::parse_rate_key(section.text("key", ""), key);
        if (by) {
            read.key = *by;
        } else {
            problems.add(*section.node("key"), by.error().message());
        }
    }
    section.finish();
    rate = read;
}

void read_batch(Reader& reader, std::optional<delivery::Batch>& batch, Problems& problems) {
    if (!reader.has("batch")) {
        return;
    }
    Reader section = reader.section("batch");
    delivery::Batch read = batch.value_or(delivery::Batch{});
    read.max_size =
        static_cast<std::uint32_t>(section.integer("max_size", read.max_size, {1, 10'000}));
    read.max_wait = section.duration("max_wait", read.max_wait);
    read.max_bytes = section.bytes("max_bytes", read.max_bytes);
    if (section.has("on_error")) {
        const auto on_error = delivery::parse_batch_on_error(section.text("on_error", ""));
        if (on_error) {
            read.on_error = *on_error;
        } else {
            problems.add(*section.node("on_error"), on_error.error().message());
        }
    }
    section.finish();
    batch = read;
}

void read_debounce(Reader& reader, std::optional<delivery::Debounce>& debounce,
                   Problems& problems) {
    if (!reader.has("debounce")) {
        return;
    }
    Reader section = reader.section("debounce");
    delivery::Debounce read = debounce.value_or(delivery::Debounce{});
    read.period = section.duration("period", read.period);
    read.leading = section.duration("leading", std::min(read.leading, read.period));
    read.max_wait = section.duration("max_wait", read.max_wait);
    read.max_events =
        static_cast<std::uint32_t>(section.integer("max_events", read.max_events, {1, 100'000}));
    read.max_bytes = section.bytes("max_bytes", read.max_bytes);
    if (section.has("mode")) {
        const auto mode = delivery::parse_debounce_mode(section.text("mode", ""));
        if (mode) {
            read.mode = *mode;
        } else {
            problems.add(*section.node("mode"), mode.error().message());
        }
    }
    section.finish();
    debounce = read;
}

void read_retry(Reader& reader, delivery::RetryPolicy& retry) {
    Reader section = reader.section("retry");
    retry.initial = section.duration("initial", retry.initial);
    retry.factor = section.number("factor", retry.factor);
    retry.max_interval = section.duration("max_interval", retry.max_interval);
    retry.jitter = section.number("jitter", retry.jitter);
    retry.max_attempts = static_cast<std::uint32_t>(
        section.integer("max_attempts", retry.max_attempts, {0, 1'000'000}));
    retry.max_age = section.duration("max_age", retry.max_age);
    section.finish();
}

void read_breaker(Reader& reader, std::optional<delivery::BreakerPolicy>& breaker) {
    if (!reader.has("breaker")) {
        return;
    }
    Reader section = reader.section("breaker");
    delivery::BreakerPolicy read = breaker.value_or(delivery::BreakerPolicy{});
    const auto count = [&](std::string_view key, std::uint32_t& value, std::int64_t most) {
        value = static_cast<std::uint32_t>(section.integer(key, value, {1, most}));
    };
    read.window = section.duration("window", read.window);
    count("min_calls", read.min_calls, 10'000);
    count("failure_rate", read.failure_rate, 100);
    read.slow_call = section.duration("slow_call", read.slow_call);
    count("slow_rate", read.slow_rate, 100);
    read.open_for = section.duration("open_for", read.open_for);
    read.open_max = section.duration("open_max", std::max(read.open_max, read.open_for));
    count("half_open_calls", read.half_open_calls, 1000);
    section.finish();
    breaker = read;
}

/// Settings of the delivery contract that this version does not carry out are refused, not ignored.
void refuse_unavailable(Reader& reader, Problems& problems) {
    if (reader.has("shadow") && reader.flag("shadow", false)) {
        problems.add(*reader.node("shadow"), "is not available yet; only false is allowed");
    }
}

void read_policy(Reader& reader, delivery::Policy& policy, std::string_view key,
                 Problems& problems) {
    if (const Node* node = reader.node("ordering"); node != nullptr) {
        const auto ordering = delivery::parse_ordering(reader.text("ordering", ""));
        if (ordering) {
            policy.ordering = *ordering;
        } else {
            problems.add(*node, ordering.error().message());
        }
    }
    policy.concurrency =
        static_cast<std::uint32_t>(reader.integer("concurrency", policy.concurrency, {1, 16'384}));
    read_lanes(reader, policy.lanes, problems);
    read_rate(reader, policy.rate, key, problems);
    read_batch(reader, policy.batch, problems);
    read_debounce(reader, policy.debounce, problems);
    read_retry(reader, policy.retry);
    read_breaker(reader, policy.breaker);
    if (const Node* node = reader.node("on_exhausted"); node != nullptr) {
        std::string text = node->scalar;
        if (node->kind == Node::Kind::map && node->members.size() == 1) {
            text = node->members[0].key + ": " + node->members[0].value.scalar;
        }
        if (auto parsed = delivery::parse_on_exhausted(text, policy); !parsed) {
            problems.add(*node, parsed.error().message());
        }
    }
    Reader limits = reader.section("limits");
    policy.max_unsettled = static_cast<std::uint64_t>(limits.integer(
        "max_unsettled", static_cast<std::int64_t>(policy.max_unsettled), {1, 100'000'000}));
    limits.finish();
    policy.timeout = reader.duration("timeout", policy.timeout);
    refuse_unavailable(reader, problems);
}

void read_http(const Node& node, HttpTarget& target, Problems& problems) {
    if (node.kind == Node::Kind::scalar) {
        target.url = node.scalar;
    } else {
        Reader reader(&node, node.path, problems);
        target.url = reader.text("url", target.url);
        target.secret = reader.text("secret", target.secret);
        constexpr std::array<std::string_view, 2> conflicts{"done", "retry"};
        target.conflict_done =
            reader.choice("conflict", target.conflict_done ? "done" : "retry", conflicts) == "done";
        target.allow_private = reader.flag("allow_private", target.allow_private);
        if (const Node* headers = reader.node("headers"); headers != nullptr) {
            for (const auto& [name, value] : headers->members) {
                target.headers.emplace_back(name, value.scalar);
            }
        }
        reader.finish();
    }
    if (!target.url.starts_with("http://") && !target.url.starts_with("https://")) {
        problems.add(node, "url is '" + target.url + "'; an http:// or https:// address is needed");
    }
}

void read_handler(Reader& reader, ConsumerConfig& consumer, bool known, Problems& problems) {
    const Node* node = reader.node("handler");
    if (node == nullptr) {
        if (!known) {
            problems.add(reader.path() + ": has no handler; in_process: NAME or http: {url: …}");
        }
        return;
    }
    if (node->kind != Node::Kind::map || node->members.size() != 1) {
        problems.add(*node, "must be one of in_process: NAME, http: {url: …}");
        return;
    }
    const auto& [kind, value] = node->members[0];
    if (kind == "in_process") {
        consumer.handler = {.kind = HandlerConfig::Kind::in_process, .in_process = value.scalar};
        consumer.policy.on_timeout = delivery::OnTimeout::wait;
    } else if (kind == "http") {
        consumer.handler = {.kind = HandlerConfig::Kind::http};
        consumer.policy.on_timeout = delivery::OnTimeout::give_up;
        read_http(value, consumer.handler.http, problems);
    } else if (kind == "queue" || kind == "bus" || kind == "lambda") {
        problems.add(value, "is not available yet; allowed are in_process and http");
    } else {
        problems.add(value, "is not a handler; allowed are in_process and http");
    }
}

void read_consumer(const Node& node, std::string_view name, BusConfig& config, Problems& problems,
                   config::Ledger* ledger) {
    ConsumerConfig* known = config.find(name);
    ConsumerConfig consumer = known != nullptr ? *known : ConsumerConfig{.name = std::string(name)};
    Reader reader(&node, node.path, problems, ledger);
    read_handler(reader, consumer, known != nullptr, problems);
    consumer.key = reader.text("key", consumer.key);
    read_policy(reader, consumer.policy, consumer.key, problems);
    constexpr std::array<std::string_view, 2> starts{"now", "earliest"};
    consumer.start = reader.choice("start", consumer.start == Start::earliest ? "earliest" : "now",
                                   starts) == "earliest"
                         ? Start::earliest
                         : Start::now;
    auto patterns = read_patterns(reader.node("patterns"), pattern::Dialect::eventbridge,
                                  config.limits.pattern, problems);
    reader.finish();
    if (!consumer.takes_many && (consumer.policy.batch || consumer.policy.debounce)) {
        problems.add(node, "takes one event a run; batch and debounce are not allowed here");
    }
    if (auto valid = consumer.policy.validate(); !valid) {
        problems.add(node, valid.error().message());
    }
    if (!patterns.empty()) {
        config.rules.push_back({.name = consumer.name,
                                .origin = RuleOrigin::file,
                                .patterns = std::move(patterns),
                                .targets = {consumer.name}});
    }
    if (known != nullptr) {
        *known = std::move(consumer);
    } else {
        config.consumers.push_back(std::move(consumer));
    }
}

std::vector<std::string> resolved(std::string_view target, const TargetAliases& aliases,
                                  const BusConfig& config) {
    if (const auto alias = aliases.find(target); alias != aliases.end()) {
        return alias->second;
    }
    if (config.find(target) == nullptr && target.ends_with(seed_suffix)) {
        target.remove_suffix(seed_suffix.size());
    }
    return {std::string(target)};
}

void set_batch_size(const Node& rule, std::int64_t size, const std::vector<std::string>& targets,
                    std::map<std::string, std::int64_t>& sizes, BusConfig& config,
                    Problems& problems) {
    for (const std::string& target : targets) {
        const auto [found, added] = sizes.emplace(target, size);
        if (!added && found->second != size) {
            problems.add(rule, "batch_size is " + std::to_string(size) +
                                   ", but another rule sets " + std::to_string(found->second) +
                                   " for consumer '" + target + "'; write one value");
        }
        ConsumerConfig* consumer = config.find(target);
        if (consumer == nullptr) {
            continue;
        }
        if (!consumer->part_size && !consumer->takes_many) {
            problems.add(rule, "batch_size: consumer '" + target + "' takes one event a run");
        } else if (consumer->part_size) {
            consumer->part_size = static_cast<std::uint32_t>(size);
        } else {
            if (!consumer->policy.batch) {
                consumer->policy.batch.emplace();
            }
            consumer->policy.batch->max_size = static_cast<std::uint32_t>(size);
        }
    }
}

void read_event_rules(const Node* rules, const TargetAliases& aliases,
                      std::map<std::string, std::int64_t>& sizes, BusConfig& config,
                      Problems& problems) {
    if (rules == nullptr || rules->kind == Node::Kind::null) {
        return;
    }
    if (rules->kind != Node::Kind::map) {
        problems.add(*rules, "must be a section with one entry a rule");
        return;
    }
    for (const auto& [name, node] : rules->members) {
        Reader reader(&node, node.path, problems);
        Rule rule{.name = name, .origin = RuleOrigin::file};
        const Node* list = reader.node("event_patterns");
        rule.patterns =
            read_patterns(list, pattern::Dialect::routing, config.limits.pattern, problems);
        if (list == nullptr) {
            problems.add(node, "has no event_patterns");
        }
        const std::string target = reader.text("target", "");
        rule.targets = resolved(target, aliases, config);
        for (const std::string& resolved_target : rule.targets) {
            if (config.find(resolved_target) == nullptr) {
                std::vector<std::string> names;
                std::string all;
                for (const ConsumerConfig& consumer : config.consumers) {
                    names.push_back(consumer.name);
                    all.append(all.empty() ? "" : ", ").append(consumer.name);
                }
                const std::string nearest = config::nearest(resolved_target, names);
                problems.add(node, "target '" + target + "' is not a consumer" +
                                       (nearest.empty() ? "; there are " + all
                                                        : "; did you mean '" + nearest + "'?"));
            }
        }
        if (reader.has("batch_size")) {
            const std::int64_t size = reader.integer("batch_size", 100, {1, 10'000});
            set_batch_size(node, size, rule.targets, sizes, config, problems);
        }
        if (!reader.flag("defaults", true)) {
            std::erase_if(config.rules, [&](const Rule& candidate) {
                return candidate.origin == RuleOrigin::defaults &&
                       std::ranges::any_of(rule.targets, [&](const std::string& removed) {
                           return candidate.name == "default." + removed;
                       });
            });
        }
        reader.finish();
        if (std::ranges::any_of(config.rules, [&](const Rule& r) { return r.name == name; })) {
            problems.add(node, "is the name of another rule too");
        }
        config.rules.push_back(std::move(rule));
    }
}

}  // namespace

std::string HandlerConfig::text() const {
    return kind == Kind::http ? "http: " + http.url : "in_process: " + in_process;
}

ConsumerConfig* BusConfig::find(std::string_view name) {
    const auto found = std::ranges::find(consumers, name, &ConsumerConfig::name);
    return found == consumers.end() ? nullptr : &*found;
}

const ConsumerConfig* BusConfig::find(std::string_view name) const {
    const auto found = std::ranges::find(consumers, name, &ConsumerConfig::name);
    return found == consumers.end() ? nullptr : &*found;
}

RoutingPlan BusConfig::plan() const {
    RoutingPlan plan{.rules = rules};
    for (const ConsumerConfig& consumer : consumers) {
        plan.subscribers.push_back({.name = consumer.name, .start = consumer.start});
    }
    return plan;
}

BusConfig read_bus_config(const BusConfig& built_in, const TargetAliases& aliases, const Node& root,
                          const Node* routing_file, Problems& problems, config::Ledger* ledger) {
    BusConfig config = built_in;
    if (const Node* consumers = root.find("consumers"); consumers != nullptr) {
        for (const auto& [name, node] : consumers->members) {
            read_consumer(node, name, config, problems, ledger);
        }
    }
    std::map<std::string, std::int64_t> sizes;
    read_event_rules(root.find("event_rules"), aliases, sizes, config, problems);
    if (routing_file != nullptr) {
        Reader reader(routing_file, "", problems);
        read_event_rules(reader.node("event_rules"), aliases, sizes, config, problems);
        reader.finish();
    }
    return config;
}

}  // namespace bascule::broker
