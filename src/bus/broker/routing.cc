#include "bus/broker/routing.h"

#include <algorithm>
#include <set>

#include "bus/broker/subject_of.h"
#include "foundation/json/value.h"
#include "foundation/json/writer.h"

namespace bascule::broker {

namespace {

constexpr int format_version = 1;

std::string_view name_of(RuleOrigin origin) {
    switch (origin) {
        case RuleOrigin::defaults:
            return "default";
        case RuleOrigin::file:
            return "file";
        case RuleOrigin::api:
            return "api";
    }
    return "file";
}

std::optional<RuleOrigin> origin_of(std::string_view name) {
    for (const RuleOrigin origin : {RuleOrigin::defaults, RuleOrigin::file, RuleOrigin::api}) {
        if (name == name_of(origin)) {
            return origin;
        }
    }
    return std::nullopt;
}

/// Whether a pattern's verdict depends on source and type alone. The pattern was parsed before, so
/// its text is a valid JSON object.
bool looks_at_header_only(const PatternText& pattern) {
    const auto value = json::Value::parse(pattern.text);
    if (!value) {
        return false;
    }
    return std::ranges::all_of(value->members(), [](const json::Member& member) {
        return member.key == "source" || member.key == "detail-type" || member.key == "detail_type";
    });
}

std::vector<PatternText> patterns_towards(const RoutingPlan& plan, const std::string& consumer) {
    std::vector<PatternText> patterns;
    for (const Rule& rule : plan.rules) {
        if (std::ranges::find(rule.targets, consumer) != rule.targets.end()) {
            patterns.insert(patterns.end(), rule.patterns.begin(), rule.patterns.end());
        }
    }
    return patterns;
}

Result<std::vector<pattern::Pattern>> parsed(const std::vector<PatternText>& texts) {
    std::vector<pattern::Pattern> patterns;
    for (const PatternText& text : texts) {
        patterns.push_back(TRY(pattern::Pattern::parse(text.text, text.dialect)));
    }
    return patterns;
}

bool any_matches(const std::vector<pattern::Pattern>& patterns, const pattern::Subject& subject) {
    return std::ranges::any_of(patterns, [&](const auto& p) { return p.matches(subject); });
}

void write_patterns(json::Writer& writer, const std::vector<PatternText>& patterns) {
    writer.begin_array();
    for (const PatternText& pattern : patterns) {
        writer.begin_object().member("text", pattern.text);
        writer.member("dialect",
                      pattern.dialect == pattern::Dialect::routing ? "routing" : "eventbridge");
        writer.end_object();
    }
    writer.end_array();
}

void add_sorted_unique(std::vector<ConsumerNumber>& to, const std::vector<ConsumerNumber>& more) {
    to.insert(to.end(), more.begin(), more.end());
    std::ranges::sort(to);
    const auto repeated = std::ranges::unique(to);
    to.erase(repeated.begin(), repeated.end());
}

std::string_view text_of(const json::Value& object, std::string_view key) {
    const json::Value* value = object.find(key);
    return value == nullptr ? std::string_view() : value->as_string().value_or("");
}

std::int64_t number_of(const json::Value& object, std::string_view key) {
    const json::Value* value = object.find(key);
    return value == nullptr ? 0 : value->as_int64().value_or(0);
}

std::span<const json::Value> items_of(const json::Value& object, std::string_view key) {
    const json::Value* value = object.find(key);
    return value == nullptr ? std::span<const json::Value>() : value->items();
}

std::vector<PatternText> read_patterns(std::span<const json::Value> items) {
    std::vector<PatternText> patterns;
    for (const json::Value& item : items) {
        patterns.push_back({.text = std::string(text_of(item, "text")),
                            .dialect = text_of(item, "dialect") == "routing"
                                           ? pattern::Dialect::routing
                                           : pattern::Dialect::eventbridge});
    }
    return patterns;
}

}  // namespace

std::shared_ptr<const Routing> Routing::empty() {
    static const std::shared_ptr<const Routing> nothing = std::make_shared<Routing>();
    return nothing;
}

Result<std::shared_ptr<const Routing>> Routing::build(const RoutingPlan& plan,
                                                      const Routing* before, WallTime now) {
    auto routing = std::make_shared<Routing>();
    routing->plan_ = plan;
    routing->version_ = before == nullptr ? 1 : before->version_ + 1;
    routing->next_number_ = before == nullptr ? 1 : before->next_number_;
    const std::vector<Consumer> known_before =
        before == nullptr ? std::vector<Consumer>() : before->consumers_;
    for (const Consumer& consumer : known_before) {
        const bool wanted = std::ranges::find(plan.subscribers, consumer.name, &Subscriber::name) !=
                            plan.subscribers.end();
        if (!wanted && (!consumer.removed || now - *consumer.removed <= removed_kept)) {
            routing->consumers_.push_back(consumer);
            routing->consumers_.back().removed = consumer.removed.value_or(now);
        }
    }
    for (Subscriber& subscriber : routing->plan_.subscribers) {
        const auto known = std::ranges::find(known_before, subscriber.name, &Consumer::name);
        if (known != known_before.end()) {
            routing->consumers_.push_back(*known);
            routing->consumers_.back().removed.reset();
            subscriber.start = known->start;  // it began long ago
        } else {
            Consumer created{.name = subscriber.name,
                             .number = ConsumerNumber(routing->next_number_++),
                             .start = subscriber.start,
                             .created_version = routing->version_};
            if (subscriber.start == Start::earliest) {
                created.backfill = patterns_towards(plan, subscriber.name);
            }
            routing->consumers_.push_back(std::move(created));
        }
    }
    TRY(routing->compile());
    return routing;
}

Result<> Routing::compile() {
    std::set<std::string_view> names;
    for (const Consumer& consumer : consumers_) {
        if (!names.insert(consumer.name).second) {
            return fail(ErrorKind::invalid, "consumer '" + consumer.name + "' stands twice");
        }
    }
    for (const Rule& rule : plan_.rules) {
        CompiledRule compiled;
        auto patterns = parsed(rule.patterns);
        if (!patterns) {
            return std::unexpected(std::move(patterns).error().in("rule '" + rule.name + "'"));
        }
        compiled.patterns = std::move(*patterns);
        compiled.header_only = std::ranges::all_of(rule.patterns, looks_at_header_only);
        for (const std::string& target : rule.targets) {
            const Consumer* consumer = find(target);
            if (consumer == nullptr) {
                return fail(ErrorKind::invalid,
                            "rule '" + rule.name + "': there is no consumer '" + target + "'");
            }
            compiled.targets.push_back(consumer->number);
        }
        compiled_.push_back(std::move(compiled));
    }
    for (const Consumer& consumer : consumers_) {
        if (!consumer.backfill.empty()) {
            compiled_backfills_.emplace(consumer.number, TRY(parsed(consumer.backfill)));
        }
    }
    return {};
}

const Routing::Consumer* Routing::find(std::string_view name) const {
    const auto found = std::ranges::find_if(consumers_, [&](const Consumer& consumer) {
        return consumer.name == name && !consumer.removed;
    });
    return found == consumers_.end() ? nullptr : &*found;
}

const Routing::Consumer* Routing::find(ConsumerNumber number) const {
    const auto found = std::ranges::find(consumers_, number, &Consumer::number);
    return found == consumers_.end() ? nullptr : &*found;
}

std::shared_ptr<const Routing::HeaderAnswer> Routing::header_answer(
    const event::EventView& event) const {
    std::string key;
    key.reserve(event.source.size() + 1 + event.event_type.size());
    key.append(event.source).append(1, '\0').append(event.event_type);
    const auto known = header_answers_.read([&](const HeaderAnswers& answers) {
        const auto found = answers.find(key);
        return found == answers.end() ? nullptr : found->second;
    });
    if (known) {
        return known;
    }
    auto answer = std::make_shared<HeaderAnswer>();
    const pattern::Subject subject = subject_of(event);
    for (std::size_t i = 0; i < compiled_.size(); ++i) {
        const CompiledRule& rule = compiled_[i];
        if (!rule.header_only) {
            answer->open.push_back(i);
        } else if (any_matches(rule.patterns, subject)) {
            add_sorted_unique(answer->sure, rule.targets);
        }
    }
    header_answers_.with([&](HeaderAnswers& answers) {
        if (answers.size() >= header_answers_max) {
            answers.clear();
        }
        answers.emplace(std::move(key), answer);
    });
    return answer;
}

std::vector<ConsumerNumber> Routing::match(const event::EventView& event) const {
    if (compiled_.empty()) {
        return {};
    }
    const auto header = header_answer(event);
    std::vector<ConsumerNumber> matched = header->sure;
    if (!header->open.empty()) {
        const pattern::Subject subject = subject_of(event);
        for (const std::size_t index : header->open) {
            const CompiledRule& rule = compiled_[index];
            if (any_matches(rule.patterns, subject)) {
                add_sorted_unique(matched, rule.targets);
            }
        }
    }
    return matched;
}

bool Routing::backfills(const event::EventView& event, const Consumer& consumer) const {
    const auto found = compiled_backfills_.find(consumer.number);
    return found != compiled_backfills_.end() && any_matches(found->second, subject_of(event));
}

std::vector<std::string> Routing::rules_matching(const event::EventView& event) const {
    std::vector<std::string> names;
    const pattern::Subject subject = subject_of(event);
    for (std::size_t i = 0; i < compiled_.size(); ++i) {
        if (any_matches(compiled_[i].patterns, subject)) {
            names.push_back(plan_.rules[i].name);
        }
    }
    return names;
}

std::string Routing::encode() const {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().member("control", "routing").member("format", format_version);
    writer.member("version", version_).member("nextNumber", next_number_);
    writer.key("consumers").begin_array();
    for (const Consumer& consumer : consumers_) {
        writer.begin_object()
            .member("name", consumer.name)
            .member("number", consumer.number.value());
        writer.member("start", consumer.start == Start::earliest ? "earliest" : "now");
        writer.member("createdVersion", consumer.created_version).key("backfill");
        write_patterns(writer, consumer.backfill);
        if (consumer.removed) {
            writer.member("removed", to_unix_ms(*consumer.removed));
        }
        writer.end_object();
    }
    writer.end_array().key("rules").begin_array();
    for (const Rule& rule : plan_.rules) {
        writer.begin_object().member("name", rule.name).member("origin", name_of(rule.origin));
        writer.key("patterns");
        write_patterns(writer, rule.patterns);
        writer.key("targets").begin_array();
        for (const std::string& target : rule.targets) {
            writer.string(target);
        }
        writer.end_array().end_object();
    }
    writer.end_array().end_object();
    return out;
}

Result<std::shared_ptr<const Routing>> Routing::decode(std::string_view body) {
    const json::Value root = TRY(json::Value::parse(body));
    if (number_of(root, "format") != format_version) {
        return fail(ErrorKind::corrupt, "control record: routing of an unknown format");
    }
    auto routing = std::make_shared<Routing>();
    routing->version_ = static_cast<std::uint32_t>(number_of(root, "version"));
    routing->next_number_ = static_cast<std::uint32_t>(number_of(root, "nextNumber"));
    for (const json::Value& item : items_of(root, "consumers")) {
        Consumer consumer{
            .name = std::string(text_of(item, "name")),
            .number = ConsumerNumber(static_cast<std::uint32_t>(number_of(item, "number"))),
            .start = text_of(item, "start") == "earliest" ? Start::earliest : Start::now,
            .created_version = static_cast<std::uint32_t>(number_of(item, "createdVersion")),
            .backfill = read_patterns(items_of(item, "backfill"))};
        if (item.find("removed") != nullptr) {
            consumer.removed = from_unix_ms(number_of(item, "removed"));
        } else {
            routing->plan_.subscribers.push_back({.name = consumer.name, .start = consumer.start});
        }
        routing->consumers_.push_back(std::move(consumer));
    }
    for (const json::Value& item : items_of(root, "rules")) {
        const auto origin = origin_of(text_of(item, "origin"));
        if (!origin) {
            return fail(ErrorKind::corrupt, "control record: a rule has no known origin");
        }
        Rule rule{.name = std::string(text_of(item, "name")),
                  .origin = *origin,
                  .patterns = read_patterns(items_of(item, "patterns"))};
        for (const json::Value& target : items_of(item, "targets")) {
            rule.targets.emplace_back(target.as_string().value_or(""));
        }
        routing->plan_.rules.push_back(std::move(rule));
    }
    if (auto compiled = routing->compile(); !compiled) {
        return std::unexpected(std::move(compiled).error().in("control record"));
    }
    return routing;
}

}  // namespace bascule::broker
